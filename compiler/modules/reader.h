// Finds and parses what a script imports: modules of `std`, and files beside the file that imports them.
#pragma once
#include <deque>
#include <map>

#include "compiler/sema/check.h"
#include "compiler/source/source_set.h"

namespace mut::modules {

// Of one version. Texts go to `sources`, which the positions of all reports refer to; trees live as long as
// the reader.
class Reader final : public sema::ModuleReader {
 public:
  explicit Reader(source::SourceSet& sources) : sources_(sources) {}
  std::optional<Found> read(const ast::ImportDecl& import, source::Span span, diag::Engine& diags) override;
  // Paths of the files that were asked for, whether they were there or not.
  const std::vector<std::string>& files() const { return files_; }

 private:
  std::optional<Found> parse(const std::string& key, std::string text, source::Span span,
                             diag::Engine& diags);
  source::SourceSet& sources_;
  std::deque<ast::Program> trees_;
  std::map<std::string, const ast::Program*> known_;  // by key
  std::vector<std::string> files_;
};

}  // namespace mut::modules

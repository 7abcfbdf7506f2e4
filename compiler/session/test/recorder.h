// What came instead of what was expected, for `mutc test --update`.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "compiler/sema/test_checker.h"
#include "compiler/source/source_set.h"

namespace mut::session {

class Recorder {
 public:
  explicit Recorder(const source::SourceSet& sources) : sources_(sources) {}

  // `rows`: as a sink prints them, in order. False where they cannot be written in a script.
  bool record(const ast::ExpectRowsStep& node, const sema::TestStep& step,
              const std::vector<std::string>& rows);
  // Lines that begin with `//` at the head of the file stay.
  void record_file(const std::string& path, const std::string& before, const std::vector<std::string>& rows);

  // The text of the script with the rows that came.
  std::string script(source::FileId file) const;
  const std::map<std::string, std::string>& files() const { return files_; }  // path, text
  size_t expectations() const { return changes_.size() + files_.size(); }

 private:
  struct Change {
    source::Span span;
    std::string text;
  };
  const source::SourceSet& sources_;
  std::vector<Change> changes_;
  std::map<std::string, std::string> files_;
};

}  // namespace mut::session

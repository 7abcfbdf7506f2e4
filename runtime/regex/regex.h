// Regular expressions: RE2's dialect, in time linear in the text. Nothing else sees the library.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mut::regex {

// A named group of a pattern, in the order they are written.
struct Group {
  std::string name;
  bool may_be_absent = false;  // of a match: it is optional, repeated from nought, or one of alternatives
};

class Regex {
 public:
  // Null when the pattern is none; `problem` then says why.
  static std::shared_ptr<const Regex> compile(std::string_view pattern, std::string& problem);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  const std::vector<Group>& groups() const { return groups_; }
  // Whether it matches anywhere in the text. All of these may be called by several threads.
  bool found_in(std::string_view text) const;
  // All matches, from the left, replaced by the text as it is.
  std::string replace_all(std::string_view text, std::string_view by) const;
  // Of the first match: what each group took, as parts of `text`. False when nothing matches.
  bool capture(std::string_view text, std::vector<std::optional<std::string_view>>& out) const;

 private:
  struct Compiled;
  Regex();
  std::unique_ptr<Compiled> compiled_;
  std::vector<Group> groups_;
};

// `(?<name>…)` as the library writes it: `(?P<name>…)`.
std::string with_named_groups(std::string_view pattern);
// Named groups of a pattern that compiles.
std::vector<Group> groups_of(std::string_view pattern);

}  // namespace mut::regex

// What the text of a pattern says of its named groups.
#include <algorithm>

#include "runtime/regex/regex.h"

namespace mut::regex {
namespace {

// Walks over a pattern: tells groups and alternatives from escapes and classes.
class Reader {
 public:
  explicit Reader(std::string_view pattern) : pattern_(pattern) {}

  std::vector<Group> run() {
    std::vector<Open> open(1);
    while (at_ < pattern_.size()) {
      char c = pattern_[at_];
      if (skip_literal()) continue;
      if (c == '(') {
        open.push_back({out_.size(), 0, false});
        ++at_;
        read_head();
        open.back().inner = out_.size();
        continue;
      }
      if (c == '|') open.back().alternatives = true;
      ++at_;
      if (c != ')' || open.size() == 1) continue;
      Open closed = open.back();
      open.pop_back();
      if (closed.alternatives) mark_from(closed.inner);
      if (may_repeat_nought()) mark_from(closed.first);
    }
    if (open[0].alternatives) mark_from(0);
    return std::move(out_);
  }

 private:
  struct Open {
    size_t first = 0;  // named groups from here on lie in it, itself included
    size_t inner = 0;  // … without itself
    bool alternatives = false;
  };

  // An escape, a quoted stretch or a class: nothing in it is a group.
  bool skip_literal() {
    if (pattern_.substr(at_, 2) == "\\Q") {
      size_t end = pattern_.find("\\E", at_);
      at_ = end == std::string_view::npos ? pattern_.size() : end + 2;
      return true;
    }
    if (pattern_[at_] == '\\') {
      at_ += 2;
      return true;
    }
    if (pattern_[at_] != '[') return false;
    ++at_;
    if (at_ < pattern_.size() && pattern_[at_] == '^') ++at_;
    if (at_ < pattern_.size() && pattern_[at_] == ']') ++at_;  // the first is no end
    while (at_ < pattern_.size() && pattern_[at_] != ']') {
      if (pattern_.substr(at_, 2) == "[:") {
        size_t end = pattern_.find(":]", at_);
        at_ = end == std::string_view::npos ? pattern_.size() : end + 2;
      } else {
        at_ += pattern_[at_] == '\\' ? 2 : 1;
      }
    }
    ++at_;
    return true;
  }

  // Behind the bracket: the name, if it has one.
  void read_head() {
    for (std::string_view head : {"?P<", "?<"}) {
      if (!pattern_.substr(at_).starts_with(head)) continue;
      size_t begin = at_ + head.size();
      size_t end = pattern_.find('>', begin);
      if (end == std::string_view::npos) return;
      out_.push_back({std::string(pattern_.substr(begin, end - begin)), false});
      at_ = end + 1;
      return;
    }
  }

  bool may_repeat_nought() const {
    std::string_view rest = pattern_.substr(std::min(at_, pattern_.size()));
    if (rest.starts_with("?") || rest.starts_with("*")) return true;
    return rest.starts_with("{0,") || rest.starts_with("{0}");
  }

  void mark_from(size_t first) {
    for (size_t i = first; i < out_.size(); ++i) out_[i].may_be_absent = true;
  }

  std::string_view pattern_;
  size_t at_ = 0;
  std::vector<Group> out_;
};

}  // namespace

std::vector<Group> groups_of(std::string_view pattern) { return Reader(pattern).run(); }

std::string with_named_groups(std::string_view pattern) {
  std::string out;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      out += pattern.substr(i, 2);
      ++i;
      continue;
    }
    out += pattern[i];
    // Not the look-behinds `(?<=` and `(?<!`, which are refused.
    bool named = pattern.substr(i).starts_with("(?<") && i + 3 < pattern.size() && pattern[i + 3] != '=' &&
                 pattern[i + 3] != '!';
    if (!named) continue;
    out += "?P<";
    i += 2;
  }
  return out;
}

}  // namespace mut::regex

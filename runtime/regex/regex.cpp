#include "runtime/regex/regex.h"

#include <re2/re2.h>

#include <set>
#include <string>

namespace mut::regex {

struct Regex::Compiled {
  Compiled(const std::string& pattern, const RE2::Options& options) : program(pattern, options) {}
  RE2 program;
  std::vector<int> numbers;  // of the named groups
};

Regex::Regex() = default;
Regex::~Regex() = default;

std::shared_ptr<const Regex> Regex::compile(std::string_view pattern, std::string& problem) {
  RE2::Options options;
  options.set_log_errors(false);
  std::shared_ptr<Regex> out(new Regex());
  out->compiled_ = std::make_unique<Compiled>(with_named_groups(pattern), options);
  if (!out->compiled_->program.ok()) {
    problem = out->compiled_->program.error();
    return nullptr;
  }
  out->groups_ = groups_of(pattern);
  const auto& numbers = out->compiled_->program.NamedCapturingGroups();
  std::set<std::string> seen;
  for (const Group& group : out->groups_) {
    if (!seen.insert(group.name).second) {
      problem = "two groups are called `" + group.name + "`";
      return nullptr;
    }
    auto known = numbers.find(group.name);
    if (known == numbers.end()) {
      problem = "group `" + group.name + "` cannot be found";
      return nullptr;
    }
    out->compiled_->numbers.push_back(known->second);
  }
  return out;
}

bool Regex::found_in(std::string_view text) const {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), compiled_->program);
}

std::string Regex::replace_all(std::string_view text, std::string_view by) const {
  std::string literal;  // a backslash would name a group
  for (char c : by) literal += c == '\\' ? "\\\\" : std::string(1, c);
  std::string out(text);
  RE2::GlobalReplace(&out, compiled_->program, literal);
  return out;
}

bool Regex::capture(std::string_view text, std::vector<std::optional<std::string_view>>& out) const {
  std::vector<re2::StringPiece> found(static_cast<size_t>(compiled_->program.NumberOfCapturingGroups()) + 1);
  re2::StringPiece all(text.data(), text.size());
  out.assign(groups_.size(), std::nullopt);
  if (!compiled_->program.Match(all, 0, all.size(), RE2::UNANCHORED, found.data(),
                                static_cast<int>(found.size())))
    return false;
  for (size_t i = 0; i < groups_.size(); ++i) {
    const re2::StringPiece& piece = found[static_cast<size_t>(compiled_->numbers[i])];
    if (piece.data() != nullptr) out[i] = std::string_view(piece.data(), piece.size());
  }
  return true;
}

}  // namespace mut::regex

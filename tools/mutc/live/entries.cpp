#include "tools/mutc/live/entries.h"

#include <utility>

#include "mutstream/tooling.h"

namespace mut::tools {

void Entries::take(std::vector<std::string>& out) {
  if (judge_typed(held_) != Typed::Nothing) out.push_back(held_);
  held_.clear();
}

std::vector<std::string> Entries::add(const std::string& line) {
  std::vector<std::string> out;
  bool blank = line.find_first_not_of(" \t\r") == std::string::npos;
  bool command = !blank && line[0] == ':';
  Typed so_far = judge_typed(held_);
  // What begins at the margin, other than a further stage, is the next one.
  bool next =
      !blank && line[0] != ' ' && line[0] != '\t' && line[0] != '|' && line[0] != '}' && line[0] != ')';
  if (command || (so_far == Typed::MayGoOn && (blank || next))) take(out);
  if (blank && held_.empty()) return out;
  if (command) {
    out.push_back(line);
    return out;
  }
  held_ += line + "\n";
  if (judge_typed(held_) == Typed::Closed) take(out);
  return out;
}

std::vector<std::string> Entries::finish() {
  std::vector<std::string> out;
  take(out);
  return out;
}

}  // namespace mut::tools

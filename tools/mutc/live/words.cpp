#include "tools/mutc/live/words.h"

#include <cstdio>
#include <sstream>

#include "mutstream/json.h"

namespace mut::tools {

std::string trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\t'))
    text.remove_suffix(1);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n' || text.front() == '\t'))
    text.remove_prefix(1);
  return std::string(text);
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

std::pair<std::string, std::string> split_word(const std::string& text) {
  size_t end = text.find_first_of(" \t\n");
  if (end == std::string::npos) return {text, ""};
  return {text.substr(0, end), trimmed(std::string_view(text).substr(end))};
}

void print(const std::string& text) {
  if (text.empty()) return;
  std::fputs(text.c_str(), stdout);
  if (text.back() != '\n') std::fputc('\n', stdout);
}

std::string quoted_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) out += (out.size() > 1 ? "," : "") + json_quoted(text);
  return out + "]";
}

std::string plan_text(const std::string& plan) {
  std::string out = plan;
  size_t exit = out.rfind("  exit ");
  if (exit != std::string::npos && out.find('\n', exit) + 1 >= out.size()) out.erase(exit);
  out = trimmed(out);
  size_t last = out.rfind('\n');
  if (last != std::string::npos && out.substr(last + 1) == "applicable") out.erase(last);
  return out;
}

}  // namespace mut::tools

// Whether a person who types a declaration has come to its end: by brackets, texts and what its last line
// ends with. A guess for line editors; the parser judges what was typed.
#include <algorithm>
#include <array>
#include <string>

#include "mutstream/tooling.h"

namespace mut {
namespace {

struct Scan {
  int brackets = 0;
  int comments = 0;      // `/*` that are open
  bool in_text = false;  // within quotes
  std::string last;      // the last word or sign outside of comments
  std::string first;     // the first word
};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

Scan scan(std::string_view text) {
  Scan out;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (out.in_text) {
      if (c == '\\') ++i;
      if (c == '"') out.in_text = false;
      continue;
    }
    if (c == '/' && next == '*') {
      ++out.comments;
      ++i;
    } else if (c == '*' && next == '/' && out.comments > 0) {
      --out.comments;
      ++i;
    } else if (out.comments > 0 || c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      continue;
    } else if (c == '/' && next == '/') {
      i = std::min(text.find('\n', i), text.size()) - 1;
    } else if (is_word(c)) {
      size_t begin = i;
      while (i + 1 < text.size() && is_word(text[i + 1])) ++i;
      out.last = text.substr(begin, i + 1 - begin);
      if (out.first.empty()) out.first = out.last;
    } else {
      if (c == '"') out.in_text = true;
      if (c == '(' || c == '[' || c == '{') ++out.brackets;
      if (c == ')' || c == ']' || c == '}') --out.brackets;
      out.last = c;
      if (out.first.empty()) out.first = c;
    }
  }
  return out;
}

template <size_t size>
bool among(const std::array<std::string_view, size>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::array<std::string_view, 28> goes_on{
    "=",  "|",  ",",  "+",  "-",     "*",  "/",  "<",    ">",    ":",  ".",    "and",    "or",     "not",
    "by", "in", "is", "as", "where", "to", "if", "then", "else", "on", "emit", "stream", "source", "param"};
constexpr std::array<std::string_view, 4> has_stages{"stream", "source", "table", "operator"};

}  // namespace

Typed judge_typed(std::string_view text) {
  Scan seen = scan(text);
  if (seen.brackets > 0 || seen.comments > 0 || seen.in_text) return Typed::Open;
  if (seen.first.empty()) return Typed::Nothing;
  if (among(goes_on, seen.last)) return Typed::Open;
  return among(has_stages, seen.first) ? Typed::MayGoOn : Typed::Closed;
}

}  // namespace mut

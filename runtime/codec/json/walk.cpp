#include "runtime/codec/json/walk.h"

#include <algorithm>
#include <string>

namespace mut::json {
namespace {

// A place in a text that is JSON; where it is not, the walk ends early and finds nothing.
class Walk {
 public:
  explicit Walk(std::string_view text) : text_(text) {}

  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || (text_[at_] >= '\t' && text_[at_] <= '\r'))) ++at_;
  }
  bool take(char c) {
    blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // A text with its quotes.
  std::string_view string() {
    blanks();
    size_t begin = at_;
    if (at_ < text_.size()) ++at_;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = at_ < text_.size() ? at_ + 1 : text_.size();
    return text_.substr(begin, at_ - begin);
  }
  std::string_view value() {
    blanks();
    size_t begin = at_;
    size_t depth = 0;
    while (at_ < text_.size()) {
      char c = text_[at_];
      if (c == '"') {
        string();
        if (depth == 0) break;
        continue;
      }
      bool opens = c == '{' || c == '[';
      bool closes = c == '}' || c == ']';
      if (depth == 0 && (closes || c == ',')) break;
      ++at_;
      depth += opens ? 1 : 0;
      if (closes && --depth == 0) break;
    }
    std::string_view out = text_.substr(begin, at_ - begin);
    while (!out.empty() && (out.back() == ' ' || (out.back() >= '\t' && out.back() <= '\r')))
      out.remove_suffix(1);
    return out;
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

void append_code_point(uint32_t point, std::string& out) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0U | point >> 6U);
    out += static_cast<char>(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0U | point >> 12U);
    out += static_cast<char>(0x80U | (point >> 6U & 0x3FU));
    out += static_cast<char>(0x80U | (point & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | point >> 18U);
    out += static_cast<char>(0x80U | (point >> 12U & 0x3FU));
    out += static_cast<char>(0x80U | (point >> 6U & 0x3FU));
    out += static_cast<char>(0x80U | (point & 0x3FU));
  }
}

uint32_t hex(std::string_view text, size_t at) {
  uint32_t out = 0;
  for (size_t i = at; i < at + 4 && i < text.size(); ++i) {
    char c = text[i];
    uint32_t digit = c >= '0' && c <= '9'   ? static_cast<uint32_t>(c - '0')
                     : c >= 'a' && c <= 'f' ? static_cast<uint32_t>(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? static_cast<uint32_t>(c - 'A' + 10)
                                            : 0;
    out = out * 16 + digit;
  }
  return out;
}

// The text between quotes, without escapes.
std::string plain(std::string_view quoted) {
  std::string out;
  if (quoted.size() < 2) return out;
  std::string_view text = quoted.substr(1, quoted.size() - 2);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 >= text.size()) {
      out += text[i];
      continue;
    }
    char c = text[++i];
    constexpr std::string_view from = "nrtbf";
    constexpr std::string_view to = "\n\r\t\b\f";
    if (c != 'u') {
      size_t known = from.find(c);
      out += known == std::string_view::npos ? c : to[known];
      continue;
    }
    uint32_t point = hex(text, i + 1);
    i += 4;
    if (point >= 0xD800 && point < 0xDC00 && text.substr(std::min(i + 1, text.size())).starts_with("\\u")) {
      point = 0x10000 + ((point - 0xD800) << 10U) + (hex(text, i + 3) - 0xDC00);
      i += 6;
    }
    append_code_point(point, out);
  }
  return out;
}

std::optional<std::string_view> unless_null(std::string_view value) {
  if (value == "null" || value.empty()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::string_view> member_of(std::string_view json, std::string_view name) {
  Walk walk(json);
  if (!walk.take('{')) return std::nullopt;
  std::string_view found;
  do {
    std::string_view key = walk.string();
    if (key.size() < 2 || key[0] != '"' || !walk.take(':')) break;
    std::string_view value = walk.value();
    bool same =
        key.find('\\') == std::string_view::npos ? key.substr(1, key.size() - 2) == name : plain(key) == name;
    if (same) found = value;
  } while (walk.take(','));
  return unless_null(found);
}

std::optional<std::string_view> element_of(std::string_view json, int64_t index) {
  Walk walk(json);
  if (index < 0 || !walk.take('[')) return std::nullopt;
  if (walk.take(']')) return std::nullopt;
  for (int64_t i = 0;; ++i) {
    std::string_view value = walk.value();
    if (i == index) return unless_null(value);
    if (!walk.take(',')) return std::nullopt;
  }
}

}  // namespace mut::json

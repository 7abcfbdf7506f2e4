#include "mutstream/json.h"

#include <fast_float/fast_float.h>

#include <algorithm>
#include <charconv>

#include "runtime/codec/utf8_window.h"

namespace mut {
namespace {

using Kind = JsonValue::Kind;

class Reader {
 public:
  Reader(std::string_view text, std::string& problem) : text_(text), problem_(problem) {}

  std::optional<JsonValue> document() {
    JsonValue out;
    if (!codec::is_utf8(text_)) {
      problem_ = "the text is no UTF-8";
      return std::nullopt;
    }
    if (!value(out, 0)) return std::nullopt;
    skip_blanks();
    if (at_ != text_.size() && !fail("more behind the end of the value")) return std::nullopt;
    return out;
  }

 private:
  bool fail(std::string what) {
    problem_ = std::move(what) + " at byte " + std::to_string(at_ + 1);
    return false;
  }

  void skip_blanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }

  bool take(char c) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool word(std::string_view word, Kind kind, JsonValue& out) {
    if (text_.substr(at_, word.size()) != word) return fail("no value");
    at_ += word.size();
    out.kind = kind;
    out.text = word;
    return true;
  }

  bool value(JsonValue& out, size_t depth) {
    skip_blanks();
    if (at_ == text_.size()) return fail("a value is missing");
    switch (text_[at_]) {
      case '{':
        return depth < json_depth_max ? object(out, depth + 1)
                                      : fail("deeper than " + std::to_string(json_depth_max));
      case '[':
        return depth < json_depth_max ? list(out, depth + 1)
                                      : fail("deeper than " + std::to_string(json_depth_max));
      case '"':
        out.kind = Kind::Text;
        return string(out.text);
      case 't':
        return word("true", Kind::Bool, out);
      case 'f':
        return word("false", Kind::Bool, out);
      case 'n':
        return word("null", Kind::Null, out);
      default:
        return number(out);
    }
  }

  bool object(JsonValue& out, size_t depth) {
    out.kind = Kind::Object;
    ++at_;
    if (take('}')) return true;
    do {
      skip_blanks();
      std::string name;
      if (at_ == text_.size() || text_[at_] != '"') return fail("a name is missing");
      if (!string(name)) return false;
      if (out.find(name) != nullptr) return fail("`" + name + "` stands there twice");
      if (!take(':')) return fail("`:` is missing");
      out.members.push_back({std::move(name), {}});
      if (!value(out.members.back().value, depth)) return false;
    } while (take(','));
    return take('}') || fail("`}` is missing");
  }

  bool list(JsonValue& out, size_t depth) {
    out.kind = Kind::List;
    ++at_;
    if (take(']')) return true;
    do {
      out.items.emplace_back();
      if (!value(out.items.back(), depth)) return false;
    } while (take(','));
    return take(']') || fail("`]` is missing");
  }

  size_t digits() {
    size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ - begin;
  }

  bool number(JsonValue& out) {
    size_t begin = at_;
    if (text_[at_] == '-') ++at_;
    bool zero = at_ < text_.size() && text_[at_] == '0';
    size_t whole = digits();
    if (whole == 0 || (zero && whole > 1)) return fail("no value");
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      if (digits() == 0) return fail("no number");
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      if (digits() == 0) return fail("no number");
    }
    out.kind = Kind::Number;
    out.text = text_.substr(begin, at_ - begin);
    return true;
  }

  bool hex(uint32_t& out) {
    if (text_.size() - at_ < 4) return fail("no `\\u` escape");
    auto parsed = std::from_chars(text_.data() + at_, text_.data() + at_ + 4, out, 16);
    if (parsed.ptr != text_.data() + at_ + 4) return fail("no `\\u` escape");
    at_ += 4;
    return true;
  }

  static void append_code_point(uint32_t code, std::string& out) {
    auto byte = [&](uint32_t bits) { out += static_cast<char>(bits); };
    if (code < 0x80) {
      byte(code);
    } else if (code < 0x800) {
      byte(0xC0 | code >> 6);
      byte(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      byte(0xE0 | code >> 12);
      byte(0x80 | (code >> 6 & 0x3F));
      byte(0x80 | (code & 0x3F));
    } else {
      byte(0xF0 | code >> 18);
      byte(0x80 | (code >> 12 & 0x3F));
      byte(0x80 | (code >> 6 & 0x3F));
      byte(0x80 | (code & 0x3F));
    }
  }

  bool escaped_code(std::string& out) {
    uint32_t code = 0;
    if (!hex(code)) return false;
    if (code >= 0xDC00 && code <= 0xDFFF) return fail("half of a surrogate pair");
    if (code >= 0xD800 && code <= 0xDBFF) {
      uint32_t low = 0;
      if (text_.substr(at_, 2) != "\\u") return fail("half of a surrogate pair");
      at_ += 2;
      if (!hex(low)) return false;
      if (low < 0xDC00 || low > 0xDFFF) return fail("half of a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_code_point(code, out);
    return true;
  }

  bool string(std::string& out) {
    constexpr std::string_view names = "\"\\/bfnrt";
    constexpr std::string_view values = "\"\\/\b\f\n\r\t";
    ++at_;
    while (at_ < text_.size()) {
      char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) return fail("a control character within a text");
      ++at_;
      if (c == '"') return true;
      if (c != '\\') {
        out += c;
        continue;
      }
      if (at_ == text_.size()) break;
      char escape = text_[at_++];
      if (escape == 'u') {
        if (!escaped_code(out)) return false;
      } else if (size_t known = names.find(escape); known != std::string_view::npos) {
        out += values[known];
      } else {
        return fail("no such escape");
      }
    }
    return fail("a text without end");
  }

  std::string_view text_;
  std::string& problem_;
  size_t at_ = 0;
};

template <typename Number>
std::optional<Number> whole(const JsonValue& value) {
  Number out{};
  const char* end = value.text.data() + value.text.size();
  if (value.kind != Kind::Number) return std::nullopt;
  auto parsed = std::from_chars(value.text.data(), end, out);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return out;
}

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
  auto known =
      std::find_if(members.begin(), members.end(), [&](const auto& member) { return member.name == name; });
  return known == members.end() ? nullptr : &known->value;
}

std::optional<std::string> JsonValue::as_text() const {
  if (kind != Kind::Text) return std::nullopt;
  return text;
}

std::optional<int64_t> JsonValue::as_int() const { return whole<int64_t>(*this); }

std::optional<uint64_t> JsonValue::as_count() const { return whole<uint64_t>(*this); }

std::optional<double> JsonValue::as_number() const {
  double out = 0;
  if (kind != Kind::Number) return std::nullopt;
  auto parsed = fast_float::from_chars(text.data(), text.data() + text.size(), out);
  if (parsed.ec != std::errc()) return std::nullopt;
  return out;
}

std::optional<JsonValue> parse_json(std::string_view text, std::string& problem) {
  return Reader(text, problem).document();
}

namespace {

// What is no UTF-8 becomes the character that stands for such: JSON has nothing else.
std::string to_utf8(std::string_view text) {
  if (codec::is_utf8(text)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    size_t bytes = 1;
    while (bytes <= 4 && bytes <= text.size() && !codec::is_utf8(text.substr(0, bytes))) ++bytes;
    bool is_whole = bytes <= 4 && bytes <= text.size();
    out += is_whole ? text.substr(0, bytes) : "\uFFFD";
    text.remove_prefix(is_whole ? bytes : 1);
  }
  return out;
}

}  // namespace

std::string json_quoted(std::string_view written) {
  const std::string text = to_utf8(written);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += "\\u00";
      out += digits[static_cast<unsigned char>(c) >> 4];
      out += digits[c & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string to_json(const JsonValue& value) {
  std::string out;
  switch (value.kind) {
    case Kind::Null:
      return "null";
    case Kind::Bool:
    case Kind::Number:
      return value.text;
    case Kind::Text:
      return json_quoted(value.text);
    case Kind::List:
      for (const JsonValue& item : value.items) out += (out.empty() ? "" : ",") + to_json(item);
      return "[" + out + "]";
    case Kind::Object:
      for (const auto& [name, member] : value.members)
        out += (out.empty() ? "" : ",") + json_quoted(name) + ":" + to_json(member);
      return "{" + out + "}";
  }
  return out;
}

}  // namespace mut

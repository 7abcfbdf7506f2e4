#include "compiler/reference/json.h"

#include <cstring>

namespace mut::reference {

const Json* Json::find(std::string_view name) const {
  for (size_t i = names.size(); i-- > 0;) {
    if (names[i] == name) return &items[i];
  }
  return nullptr;
}

bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    auto lead = static_cast<unsigned char>(text[i]);
    size_t length = lead < 0x80   ? 1
                    : lead < 0xC2 ? 0
                    : lead < 0xE0 ? 2
                    : lead < 0xF0 ? 3
                    : lead < 0xF5 ? 4
                                  : 0;
    if (length == 0 || i + length > text.size()) return false;
    uint32_t point = length == 1 ? lead : lead & (0x7FU >> length);
    for (size_t k = 1; k < length; ++k) {
      auto byte = static_cast<unsigned char>(text[i + k]);
      if ((byte & 0xC0U) != 0x80U) return false;
      point = point << 6U | (byte & 0x3FU);
    }
    bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
    if (overlong || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
    i += length;
  }
  return true;
}

namespace {

// Recursive descent; `failed` once something is wrong.
struct Parser {
  std::string_view text;
  size_t at = 0;
  bool failed = false;

  char next() const { return at < text.size() ? text[at] : '\0'; }
  void blanks() {
    while (at < text.size() && strchr(" \t\r\n", text[at]) != nullptr && text[at] != '\0') ++at;
  }
  bool take(char c) {
    if (next() != c || at >= text.size()) return false;
    ++at;
    return true;
  }
  void need(bool fine) { failed = failed || !fine; }
  bool word(std::string_view expected) {
    if (!text.substr(at).starts_with(expected)) return false;
    at += expected.size();
    return true;
  }

  Json value(int depth) {
    Json out;
    blanks();
    size_t begin = at;
    need(depth < 1000);
    if (failed) return out;
    if (next() == '{') {
      record(out, depth);
    } else if (next() == '[') {
      list(out, depth);
    } else if (next() == '"') {
      out.kind = Json::Kind::Text;
      out.text = string();
    } else if (word("true")) {
      out.kind = Json::Kind::Bool;
      out.truth = true;
    } else if (word("false")) {
      out.kind = Json::Kind::Bool;
    } else if (!word("null")) {
      out.kind = Json::Kind::Number;
      number();
      out.text = text.substr(begin, at - begin);
    }
    out.raw = text.substr(begin, at - begin);
    blanks();
    return out;
  }

  void record(Json& out, int depth) {
    out.kind = Json::Kind::Record;
    ++at;
    blanks();
    if (take('}')) return;
    do {
      blanks();
      need(next() == '"');
      if (failed) return;
      std::string name = string();
      blanks();
      need(take(':'));
      out.names.push_back(std::move(name));
      out.items.push_back(value(depth + 1));
    } while (!failed && take(','));
    need(take('}'));
  }

  void list(Json& out, int depth) {
    out.kind = Json::Kind::List;
    ++at;
    blanks();
    if (take(']')) return;
    do {
      out.items.push_back(value(depth + 1));
    } while (!failed && take(','));
    need(take(']'));
  }

  void digits() {
    need(at < text.size() && next() >= '0' && next() <= '9');
    while (next() >= '0' && next() <= '9') ++at;
  }

  void number() {
    take('-');
    if (!take('0')) digits();
    if (take('.')) digits();
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      digits();
    }
  }

  uint32_t hex() {
    uint32_t out = 0;
    for (int i = 0; i < 4; ++i) {
      char c = next();
      need(std::isxdigit(static_cast<unsigned char>(c)) != 0 && at < text.size());
      if (failed) return 0;
      ++at;
      out = out * 16 + static_cast<uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return out;
  }

  void append(std::string& out, uint32_t point) {
    if (point < 0x80) {
      out += static_cast<char>(point);
      return;
    }
    if (point < 0x800) {
      out += static_cast<char>(0xC0U | point >> 6U);
    } else {
      if (point < 0x10000) {
        out += static_cast<char>(0xE0U | point >> 12U);
      } else {
        out += static_cast<char>(0xF0U | point >> 18U);
        out += static_cast<char>(0x80U | (point >> 12U & 0x3FU));
      }
      out += static_cast<char>(0x80U | (point >> 6U & 0x3FU));
    }
    out += static_cast<char>(0x80U | (point & 0x3FU));
  }

  void escape(std::string& out) {
    char c = next();
    ++at;
    if (c != 'u') {
      constexpr std::string_view codes = "\"\\/bfnrt";
      constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
      size_t index = codes.find(c);
      need(index != std::string_view::npos && at <= text.size());
      if (!failed) out += meanings[index];
      return;
    }
    uint32_t point = hex();
    if (point >= 0xD800 && point <= 0xDBFF) {
      need(take('\\') && take('u'));
      uint32_t low = hex();
      need(low >= 0xDC00 && low <= 0xDFFF);
      point = 0x10000 + ((point - 0xD800) << 10U) + (low - 0xDC00);
    }
    need(point < 0xDC00 || point > 0xDFFF);  // a surrogate alone
    append(out, point);
  }

  std::string string() {
    std::string out;
    ++at;
    while (!failed) {
      need(at < text.size() && static_cast<unsigned char>(text[at]) >= 0x20);
      if (failed || take('"')) break;
      if (take('\\')) {
        escape(out);
      } else {
        out += text[at++];
      }
    }
    return out;
  }
};

}  // namespace

std::optional<Json> parse_json(std::string_view text) {
  if (!is_utf8(text)) return std::nullopt;
  Parser parser{text};
  Json out = parser.value(0);
  if (parser.failed || parser.at != text.size()) return std::nullopt;
  return out;
}

}  // namespace mut::reference

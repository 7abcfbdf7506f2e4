#include "compiler/printer/spelling.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "compiler/syntax/words.h"

namespace mut::printer {
namespace {

bool is_plain(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool has_meaning(std::string_view text, NamePlace place) {
  using syntax::WordKind;
  WordKind kind = syntax::word_kind(text);
  switch (place) {
    case NamePlace::Field:
      return false;
    case NamePlace::Alias:
      return kind == WordKind::Reserved || text == "of";
    case NamePlace::Pattern:
      return kind == WordKind::Reserved || kind == WordKind::Declaration || text == "select" ||
             text == "define" || text == "after" || text == "limit";
    case NamePlace::Operator:
      return kind == WordKind::Reserved || kind == WordKind::Stage || text == "aggregate";
    case NamePlace::Connector:
      return kind == WordKind::Reserved || text == "merge";
    case NamePlace::Plain:
      return kind == WordKind::Reserved;
  }
  return false;
}

}  // namespace

std::string spell(const ast::Ident& name, NamePlace place) {
  if (is_plain(name.text) && !has_meaning(name.text, place)) return name.text;
  return "`" + name.text + "`";
}

std::string spell(const ast::Path& path, NamePlace first) {
  std::string out;
  for (size_t i = 0; i < path.parts.size(); ++i) {
    if (i > 0) out += '.';
    out += spell(path.parts[i], i == 0 ? first : NamePlace::Field);
  }
  return out;
}

std::string spell_text(std::string_view value) {
  std::string out;
  for (char c : value) {
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\0':
        out += "\\0";
        break;
      case '\\':
      case '"':
        out += '\\';
        out += c;
        break;
      case '{':
      case '}':
        out.append(2, c);
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
          out += fmt::format("\\u{{{:X}}}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  return out;
}

std::string quote(std::string_view value) { return "\"" + spell_text(value) + "\""; }

std::string spell_raw(std::string_view value) {
  std::string fence = "#";
  while (value.find("\"" + fence) != std::string_view::npos) fence += '#';
  return "r" + fence + "\"" + std::string(value) + "\"" + fence;
}

std::string spell_bytes(std::string_view value) {
  std::string out = "b\"";
  for (char c : value) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c >= 0x20 && c < 0x7F) {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return out + "\"";
}

std::string_view spell(ast::BinaryOp op) {
  static constexpr std::array<std::string_view, 17> signs = {
      "or", "and", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "~", "??", "+", "-", "*", "/", "%"};
  return signs[static_cast<size_t>(op)];
}

}  // namespace mut::printer

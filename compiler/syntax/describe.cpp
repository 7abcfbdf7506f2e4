#include "compiler/syntax/describe.h"

#include <MutLexer.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "compiler/syntax/words.h"

namespace mut::syntax {
namespace {

using Lexer = grammar::MutLexer;

// Two tokens are spelled by the lexer's rules alone; words and signs have a literal name.
std::string literal(size_t type) {
  static const Lexer lexer(nullptr);
  std::string name = lexer.getVocabulary().getLiteralName(type);
  return name.size() > 2 ? name.substr(1, name.size() - 2) : "";
}

bool is_operator(size_t type) {
  switch (type) {
    case Lexer::AND:
    case Lexer::OR:
    case Lexer::NOT:
    case Lexer::IN:
    case Lexer::IS:
    case Lexer::AS:
    case Lexer::OVER:
    case Lexer::COALESCE:
    case Lexer::OPTIONAL_DOT:
    case Lexer::RANGE:
    case Lexer::DOT:
    case Lexer::TILDE:
    case Lexer::PLUS:
    case Lexer::MINUS:
    case Lexer::STAR:
    case Lexer::SLASH:
    case Lexer::PERCENT:
    case Lexer::EQUAL:
    case Lexer::NOT_EQUAL:
    case Lexer::LESS:
    case Lexer::LESS_EQUAL:
    case Lexer::GREATER:
    case Lexer::GREATER_EQUAL:
    case Lexer::BRACKET_OPEN:
      return true;
    default:
      return false;
  }
}

// Begins an expression and nothing else that is worth naming beside it.
bool begins_expression(size_t type) {
  switch (type) {
    case Lexer::NUMBER:
    case Lexer::TIME_LITERAL:
    case Lexer::RAW_TEXT:
    case Lexer::TEXT_OPEN:
    case Lexer::BYTES:
    case Lexer::REGEX:
    case Lexer::TRUE:
    case Lexer::FALSE:
    case Lexer::NONE:
    case Lexer::IF:
    case Lexer::TRY:
    case Lexer::NOT:
    case Lexer::MATCH:
    case Lexer::MINUS:
    case Lexer::PAREN_OPEN:
    case Lexer::BRACKET_OPEN:
    case Lexer::BRACE_OPEN:
      return true;
    default:
      return false;
  }
}

std::string sign(size_t type) {
  switch (type) {
    case Lexer::NUMBER:
      return "a number";
    case Lexer::TIME_LITERAL:
      return "a time";
    case Lexer::TEXT_OPEN:
    case Lexer::RAW_TEXT:
      return "text";
    case Lexer::HOLE_CLOSE:
      return "`}`";
    case Lexer::SPEC_OPEN:
      return "`:`";
    default: {
      std::string word = literal(type);
      return word.empty() ? "" : "`" + word + "`";
    }
  }
}

}  // namespace

bool is_declaration_word(size_t type) { return type >= Lexer::EDITION && type <= Lexer::TEST; }
bool is_name(size_t type) { return type >= Lexer::EDITION && type <= Lexer::QUOTED_ID; }
bool is_reserved_word(size_t type) { return type >= Lexer::AND && type <= Lexer::NONE; }
bool is_stage_word(size_t type) {
  return (type >= Lexer::SELECT && type <= Lexer::TRAIN) || type == Lexer::AGGREGATE ||
         type == Lexer::WHERE || type == Lexer::MATCH;
}

const std::vector<std::string>& declaration_words() {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> out;
    for (size_t type = Lexer::EDITION; type <= Lexer::TEST; ++type) out.push_back(literal(type));
    return out;
  }();
  return words;
}

const std::vector<std::string>& stage_words() {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> out = {"where", "match", "aggregate"};
    for (size_t type = Lexer::SELECT; type <= Lexer::TRAIN; ++type) out.push_back(literal(type));
    return out;
  }();
  return words;
}

size_t word_type(const std::string& word) {
  for (size_t type = Lexer::AND; type < Lexer::ID; ++type) {
    if (literal(type) == word) return type;
  }
  return Lexer::ID;
}

std::string describe_token(const antlr4::Token& token, std::string_view text) {
  if (text.empty()) return "end of script";
  switch (token.getType()) {
    case Lexer::TEXT_OPEN:
    case Lexer::RAW_TEXT:
      return "text";
    case Lexer::TEXT_CLOSE:
      return "end of the text";
    default:
      break;
  }
  // A raw text may be as long as a script.
  constexpr size_t shown_bytes_max = 40;
  if (text.size() > shown_bytes_max || text.find('\n') != std::string_view::npos) return "text";
  if (is_reserved_word(token.getType())) return fmt::format("reserved word `{}`", text);
  return fmt::format("`{}`", text);
}

std::string describe_expected(const antlr4::misc::IntervalSet& types) {
  bool name = types.contains(static_cast<size_t>(Lexer::ID));
  bool expression = name && types.contains(static_cast<size_t>(Lexer::NUMBER)) &&
                    types.contains(static_cast<size_t>(Lexer::IF));
  bool operators =
      types.contains(static_cast<size_t>(Lexer::STAR)) && types.contains(static_cast<size_t>(Lexer::AND));
  bool declaration =
      types.contains(static_cast<size_t>(Lexer::STREAM)) && types.contains(static_cast<size_t>(Lexer::TEST));
  std::vector<std::string> parts;
  if (expression) parts.emplace_back("an expression");
  if (name && !expression) parts.emplace_back("a name");
  if (operators) parts.emplace_back("an operator");
  for (ssize_t value : types.toList()) {
    if (value <= 0) continue;  // the end of the script
    auto type = static_cast<size_t>(value);
    bool said = (operators && (is_operator(type) || type == Lexer::PAREN_OPEN)) ||
                (expression && begins_expression(type)) ||
                (name && (is_name(type) || is_reserved_word(type))) ||
                (declaration && is_declaration_word(type));
    std::string shown = said ? "" : sign(type);
    if (!shown.empty() && std::find(parts.begin(), parts.end(), shown) == parts.end()) parts.push_back(shown);
  }
  if (declaration && !name) parts.emplace_back("a declaration");
  if (parts.empty()) return types.isEmpty() ? "" : "the end of the script";

  constexpr size_t named_max = 7;
  if (parts.size() > named_max) return "";
  std::string out = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) out += (i + 1 == parts.size() ? " or " : ", ") + parts[i];
  return out;
}

const std::vector<std::string>& all_words() {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> out;
    for (size_t type = Lexer::AND; type < Lexer::ID; ++type) out.push_back(literal(type));
    return out;
  }();
  return words;
}

bool begins_stage(std::string_view word) {
  const std::vector<std::string>& words = stage_words();
  return std::find(words.begin(), words.end(), word) != words.end();
}

WordKind word_kind(std::string_view word) {
  static const std::map<std::string, WordKind, std::less<>> kinds = [] {
    std::map<std::string, WordKind, std::less<>> out;
    for (size_t type = Lexer::AND; type < Lexer::ID; ++type) {
      out[literal(type)] = is_reserved_word(type)      ? WordKind::Reserved
                           : is_declaration_word(type) ? WordKind::Declaration
                           : is_stage_word(type)       ? WordKind::Stage
                                                       : WordKind::Clause;
    }
    return out;
  }();
  auto found = kinds.find(word);
  return found == kinds.end() ? WordKind::None : found->second;
}

}  // namespace mut::syntax

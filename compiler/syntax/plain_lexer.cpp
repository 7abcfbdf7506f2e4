#include "compiler/syntax/plain_lexer.h"

#include <string_view>
#include <unordered_map>

namespace mut::syntax {
namespace {

constexpr size_t longest_word = 16;  // that is reserved; others are names

bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
bool is_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_blank(char32_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// By their text, as the grammar has them.
std::unordered_map<std::string, size_t> words_of(const antlr4::dfa::Vocabulary& vocabulary) {
  std::unordered_map<std::string, size_t> out;
  for (size_t type = 1; type <= vocabulary.getMaxTokenType(); ++type) {
    std::string text = vocabulary.getLiteralName(type);  // in quotes; empty: it has not one text
    if (text.size() < 3 || !is_letter(static_cast<unsigned char>(text[1]))) continue;
    out.emplace(text.substr(1, text.size() - 2), type);
  }
  return out;
}

}  // namespace

std::unique_ptr<antlr4::Token> PlainLexer::nextToken() {
  // Within an interpolation brackets and colons have other meanings.
  if (mode != DEFAULT_MODE || !holes.empty()) return MutLexer::nextToken();
  size_t begin = _input->index();
  while (begin < characters_.size() && is_blank(characters_[begin])) ++begin;
  size_t end = begin;
  size_t found = plain(begin, end);
  if (found == 0) {
    _input->seek(begin);
    return MutLexer::nextToken();
  }
  _input->seek(end);
  return _factory->create({this, _input}, found, "", DEFAULT_TOKEN_CHANNEL, begin, end - 1, 0, 0);
}

size_t PlainLexer::plain(size_t begin, size_t& end) const {
  char32_t first = at(begin);
  char32_t next = at(begin + 1);
  if (is_letter(first)) return word(begin, end);
  if (is_digit(first)) return whole_number(begin, end);
  auto sign = [&](size_t length, size_t found) {
    end = begin + length;
    return found;
  };
  switch (first) {
    case '-':
      return next == '>' ? sign(2, ARROW) : sign(1, MINUS);
    case '=':
      return next == '>' ? sign(2, FAT_ARROW) : next == '=' ? sign(2, EQUAL) : sign(1, ASSIGN);
    case '!':
      return next == '=' ? sign(2, NOT_EQUAL) : 0;
    case '<':
      return next == '=' ? sign(2, LESS_EQUAL) : sign(1, LESS);
    case '>':
      return next == '=' ? sign(2, GREATER_EQUAL) : sign(1, GREATER);
    case '?':
      return next == '?' ? sign(2, COALESCE) : next == '.' ? sign(2, OPTIONAL_DOT) : sign(1, QUESTION);
    case '.':
      return next == '.' ? sign(2, RANGE) : sign(1, DOT);
    case '/':
      return next == '/' || next == '*' ? 0 : sign(1, SLASH);
    case '@':
      return is_digit(next) ? 0 : sign(1, LABEL_SIGN);
    case '~':
      return sign(1, TILDE);
    case '|':
      return sign(1, PIPE);
    case '+':
      return sign(1, PLUS);
    case '*':
      return sign(1, STAR);
    case '%':
      return sign(1, PERCENT);
    case ',':
      return sign(1, COMMA);
    case ';':
      return sign(1, SEMICOLON);
    case ':':
      return sign(1, COLON);
    case '(':
      return sign(1, PAREN_OPEN);
    case ')':
      return sign(1, PAREN_CLOSE);
    case '[':
      return sign(1, BRACKET_OPEN);
    case ']':
      return sign(1, BRACKET_CLOSE);
    case '{':
      return sign(1, BRACE_OPEN);
    case '}':
      return sign(1, BRACE_CLOSE);
    default:
      return 0;
  }
}

size_t PlainLexer::word(size_t begin, size_t& end) const {
  static const std::unordered_map<std::string, size_t> words = words_of(getVocabulary());
  end = begin;
  std::string text;
  for (char32_t c = at(end); is_letter(c) || is_digit(c); c = at(++end)) {
    if (text.size() <= longest_word) text.push_back(static_cast<char>(c));
  }
  if (at(end) == '"' || at(end) == '#') return 0;  // r"…", r#"…", b"…", re"…"
  auto known = words.find(text);
  return known != words.end() ? known->second : static_cast<size_t>(ID);
}

size_t PlainLexer::whole_number(size_t begin, size_t& end) const {
  end = begin;
  for (char32_t c = at(end); is_letter(c) || is_digit(c); c = at(++end)) {
    if (c == 'e' || c == 'E') return 0;  // a sign may follow
  }
  return at(end) == '.' && is_digit(at(end + 1)) ? 0 : static_cast<size_t>(NUMBER);
}

}  // namespace mut::syntax

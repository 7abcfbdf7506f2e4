#include "compiler/syntax/token_reader.h"

#include <fmt/format.h>

#include "compiler/syntax/nesting.h"
#include "compiler/syntax/parse.h"
#include "compiler/syntax/plain_lexer.h"

namespace mut::syntax {
namespace {

using antlr4::Token;
using diag::Code;
using grammar::MutLexer;
using source::Span;

class ScriptStream : public antlr4::ANTLRInputStream {
 public:
  explicit ScriptStream(const std::u32string& characters) {
    _data = characters;
    p = 0;
  }
};

}  // namespace

bool Places::starts_line(const Token& token) const {
  uint32_t at = span(token).begin;
  return at == text_.skipped || sources_.file(file_).text()[at - 1] == '\n';
}

bool Places::first_of_line(const Token& token) const {
  const std::string& text = sources_.file(file_).text();
  uint32_t at = span(token).begin;
  while (at > text_.skipped && (text[at - 1] == ' ' || text[at - 1] == '\t')) --at;
  return at == text_.skipped || text[at - 1] == '\n';
}

class TokenReader::Impl {
 public:
  Impl(const DecodedText& text, const Places& places, diag::Engine& diags)
      : text_(text),
        places_(places),
        diags_(diags),
        stream_(text.characters),
        lexer_(&stream_, text.characters) {
    lexer_.removeErrorListeners();
  }

  TokenList read() {
    for (;;) {
      std::unique_ptr<Token> token = lexer_.nextToken();
      if (token->getType() == Token::EOF) {
        if (!open_texts_.empty()) {
          unterminated();
          list_.damaged.push_back(list_.tokens.size());
        }
        list_.tokens.push_back(std::move(token));
        break;
      }
      if (token->getChannel() != Token::DEFAULT_CHANNEL) {
        comment(*token);
        continue;
      }
      if (!accept(*token)) {
        list_.damaged.push_back(list_.tokens.size());
        continue;
      }
      if (nesting_.add(token->getType()) > nesting_max) {
        diags_.report(Code::NestedTooDeep, places_.span(*token), std::to_string(nesting_max));
        cut(*token);
        break;
      }
      if (list_.tokens.size() >= token_count_max) {
        diags_.report(Code::SourceTooLarge, places_.span(*token), "more words and signs than can be read",
                      std::to_string(token_count_max));
        cut(*token);
        break;
      }
      if (!docs_.empty()) list_.docs[token.get()] = std::exchange(docs_, {});
      list_.tokens.push_back(std::move(token));
    }
    // `///` with nothing after it documents nothing.
    for (DocLine& line : docs_) list_.comments.push_back({line.span, std::string(places_.text(line.span))});
    return std::move(list_);
  }

  antlr4::TokenSource* source() { return &lexer_; }

 private:
  void comment(const Token& token) {
    Span span = places_.span(token);
    std::string_view text = places_.text(span);
    if (token.getType() == MutLexer::UNCLOSED_COMMENT) {
      diags_.report(Code::UnclosedComment, {span.file, span.begin, span.begin + 2});
      list_.damaged.push_back(list_.tokens.size());
      return;
    }
    bool doc = text.starts_with("///") && !text.starts_with("////");
    if (!doc) {
      list_.comments.push_back({span, std::string(text)});
      return;
    }
    text.remove_prefix(3);
    if (text.starts_with(' ')) text.remove_prefix(1);
    docs_.push_back({span, std::string(text)});
  }

  // Reports a token that is wrong by itself. False: it does not go to the parser.
  bool accept(const Token& token) {
    Span span = places_.span(token);
    switch (token.getType()) {
      case MutLexer::TEXT_OPEN:
        open_texts_.push_back(span);
        return true;
      case MutLexer::TEXT_CLOSE:
        if (!open_texts_.empty()) open_texts_.pop_back();
        return true;
      case MutLexer::TEXT_BREAK:
        unterminated();
        return false;
      case MutLexer::UNCLOSED_LITERAL:
        diags_.report(Code::UnterminatedText, span)
            .note("text of this kind ends on its own line, but for `r#\"…\"#`");
        return false;
      case MutLexer::BAD_LONE_BRACE:
        diags_.report(Code::LoneBrace, span, "}").fix(span, "}}").note("a brace in text is written twice");
        return true;
      case MutLexer::BAD_CHARACTER:
        bad_character(token, span);
        return false;
      default:
        return true;
    }
  }

  void unterminated() {
    if (open_texts_.empty()) return;
    auto report = diags_.report(Code::UnterminatedText, open_texts_.front());
    report.note("text ends on its own line; `r#\"…\"#` may hold several");
    open_texts_.clear();
  }

  void bad_character(const Token& token, Span span) {
    std::string_view text = places_.text(span);
    bool in_hole = !lexer_.holes.empty() && !open_texts_.empty();
    if (text == "\\" && in_hole) {
      quotes_in_hole(span);
      return;
    }
    // One report for a run: `&&`, an emoji, a pasted control sequence.
    bool continues = last_bad_end_ == span.begin;
    last_bad_end_ = span.end;
    if (continues) return;

    uint32_t code_point = text_.characters[token.getStartIndex()];
    bool printable = code_point > 0x20 && code_point != 0x7F;
    std::string shown = printable ? fmt::format("`{}`", text) : fmt::format("U+{:04X}", code_point);
    auto report = diags_.report(Code::UnknownCharacter, span, shown);
    Span pair{span.file, span.begin, std::min(span.begin + 2, text_.byte_count)};
    if (places_.text(pair) == "&&") {
      report.fix(pair, "and").note("did you mean `and`?");
    } else if (text == "!") {
      report.fix(span, "not ").note("did you mean `not`?");
    } else if (text == "'") {
      report.note("text stands in double quotes");
    } else if (text == "#") {
      report.fix(span, "//").note("a comment begins with `//`");
    } else if (text == "^") {
      report.note("write `pow(x, y)`, or `bit_xor(a, b)`");
    } else if (code_point > 0x7F) {
      report.note("a name with other letters than a-z stands in back-quotes");
    }
  }

  // `"{\"a\": 1}"`: JSON written into a text. Understood as the raw text that was meant.
  void quotes_in_hole(Span backslash) {
    Span open = open_texts_.front();
    std::string_view script = places_.text({open.file, 0, text_.byte_count});
    uint32_t end = open.end;
    bool escaped = false;
    while (end < script.size() && script[end] != '\n' && (escaped || script[end] != '"')) {
      escaped = !escaped && script[end] == '\\';
      ++end;
    }
    std::string plain;
    for (uint32_t i = open.end; i < end; ++i) {
      if (script[i] != '\\' || i + 1 == end)
        plain += script[i];
      else if (script[++i] != '"')
        plain.append({'\\', script[i]});
      else
        plain += '"';
    }
    bool closed = end < script.size() && script[end] == '"';
    auto report = diags_.report(Code::UnknownCharacter, backslash, "`\\`");
    report.note("`{` begins an interpolation; nothing in it is escaped");
    if (closed) report.fix({open.file, open.begin, end + 1}, "r#\"" + plain + "\"#");
    // Goes on behind the text; what was read of it is dropped.
    while (!list_.tokens.empty() && places_.span(*list_.tokens.back()).begin >= open.begin)
      list_.tokens.pop_back();
    open_texts_.clear();
    lexer_.leaveText();
    uint32_t go_on = closed ? end + 1 : end;
    while (stream_.index() < stream_.size() && text_.byte_at(stream_.index()) < go_on) stream_.consume();
    nesting_ = {};
  }

  // Ends the list before the declaration that holds `token`.
  void cut(const Token& token) {
    list_.complete = false;
    while (!list_.tokens.empty()) {
      const Token& last = *list_.tokens.back();
      bool begins = last.getType() >= MutLexer::EDITION && last.getType() <= MutLexer::TEST &&
                    places_.starts_line(last);
      list_.tokens.pop_back();
      if (begins) break;
    }
    size_t start = list_.tokens.empty() ? token.getStartIndex() : list_.tokens.back()->getStopIndex() + 1;
    auto end = std::make_unique<antlr4::CommonToken>(Token::EOF);
    end->setStartIndex(start);
    end->setStopIndex(start - 1);
    list_.tokens.push_back(std::move(end));
  }

  const DecodedText& text_;
  const Places& places_;
  diag::Engine& diags_;
  ScriptStream stream_;
  PlainLexer lexer_;
  NestingCounter nesting_;
  TokenList list_;
  std::vector<DocLine> docs_;
  std::vector<Span> open_texts_;
  uint32_t last_bad_end_ = UINT32_MAX;
};

TokenReader::TokenReader(const DecodedText& text, const Places& places, diag::Engine& diags)
    : impl_(std::make_unique<Impl>(text, places, diags)) {}
TokenReader::~TokenReader() = default;
TokenList TokenReader::read() { return impl_->read(); }
antlr4::TokenSource* TokenReader::source() { return impl_->source(); }

}  // namespace mut::syntax

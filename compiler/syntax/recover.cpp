#include "compiler/syntax/recover.h"

#include <MutLexer.h>
#include <fmt/format.h>

#include "compiler/syntax/attempt.h"
#include "compiler/syntax/describe.h"
#include "compiler/syntax/elsewhere.h"
#include "compiler/syntax/parse.h"

namespace mut::syntax {
namespace {

using antlr4::Token;
using diag::Code;
using grammar::MutLexer;
using source::Span;

using Tokens = std::vector<Token*>;

// Errors told of one declaration; a stage with an error is left out and the rest read again.
constexpr size_t rounds_max = 10;

bool is_open(size_t type) {
  return type == MutLexer::PAREN_OPEN || type == MutLexer::BRACKET_OPEN || type == MutLexer::BRACE_OPEN;
}
bool is_close(size_t type) {
  return type == MutLexer::PAREN_CLOSE || type == MutLexer::BRACKET_CLOSE || type == MutLexer::BRACE_CLOSE;
}
bool closes(size_t open, size_t close) {
  return (open == MutLexer::PAREN_OPEN && close == MutLexer::PAREN_CLOSE) ||
         (open == MutLexer::BRACKET_OPEN && close == MutLexer::BRACKET_CLOSE) ||
         (open == MutLexer::BRACE_OPEN && close == MutLexer::BRACE_CLOSE);
}

void retype(Token* token, const std::string& word) {
  dynamic_cast<antlr4::CommonToken*>(token)->setType(word_type(word));
}

class Recovery {
 public:
  Recovery(antlr4::TokenSource* source, const Places& places, TreeBuilder& builder, ast::Program& program,
           diag::Engine& diags)
      : source_(source), places_(places), builder_(builder), program_(program), diags_(diags) {}

  // `tokens` ends with a token of type EOF that has the place of what follows.
  void parse_chunk(Tokens tokens, bool damaged, bool first) {
    bool broken = damaged;
    for (size_t round = 0; round < rounds_max; ++round) {
      Attempt attempt(tokens, source_);
      auto failure = attempt.run(Start::Declarations);
      if (!failure) {
        if (!broken) {
          build(attempt.declarations(), first);
          return;
        }
        break;
      }
      if (damaged) break;
      if (failure->too_deep) {
        diags_.report(Code::NestedTooDeep, places_.span(*tokens[failure->at]), std::to_string(nesting_max));
        broken = true;
        break;
      }
      Next next = explain(tokens, *failure);
      if (next == Next::Split) {
        size_t at = failure->at;
        Token* begin = tokens[at];
        Tokens head(tokens.begin(), tokens.begin() + static_cast<ssize_t>(at));
        head.push_back(end_before(begin));
        Tokens tail(tokens.begin() + static_cast<ssize_t>(at), tokens.end());
        if (at > 0) parse_chunk(std::move(head), broken, first);
        parse_chunk(std::move(tail), false, first && at == 0);
        return;
      }
      if (next == Next::Again) continue;
      broken = true;
      if (!drop_stage(tokens, failure->at)) break;
    }
    note_broken(tokens);
  }

  // An end of the input at the place of the token that comes next.
  Token* end_before(const Token* next) {
    auto end = std::make_unique<antlr4::CommonToken>(Token::EOF);
    end->setStartIndex(next->getStartIndex());
    end->setStopIndex(next->getStopIndex());
    ends_.push_back(std::move(end));
    return ends_.back().get();
  }

 private:
  enum class Next : uint8_t {
    Again,  // the tokens were mended: read them once more
    Split,  // a new declaration begins at the failure
    Drop    // leave the stage out
  };

  void build(grammar::MutParser::DeclarationsContext* parsed, bool first) {
    if (auto* edition = parsed->edition()) {
      if (first) {
        builder_.edition(edition, program_);
      } else {
        diags_.report(Code::UnexpectedHere, places_.span(*edition->start), "`edition`")
            .note("it heads the script");
      }
    }
    for (auto* declaration : parsed->declaration()) {
      program_.declarations.push_back(builder_.declaration(declaration));
    }
  }

  // Reports the failure and says how to go on.
  Next explain(Tokens& tokens, const SyntaxFailure& failure) {
    size_t at = failure.at;
    Token* token = tokens[at];
    bool at_end = token->getType() == Token::EOF;
    Tokens open = open_brackets(tokens, at);

    if (at_end && !open.empty()) {
      Span span = places_.span(*open.back());
      diags_.report(Code::UnclosedBracket, span, std::string(places_.text(span)));
      return Next::Drop;
    }
    // The parser may stop at the comma or at what follows it.
    size_t comma = token->getType() == MutLexer::COMMA || at == 0 ? at : at - 1;
    if (tokens[comma]->getType() == MutLexer::COMMA && declaration_at(tokens, comma + 1)) {
      Span span = places_.span(*tokens[comma]);
      diags_.report(Code::CommaBeforeDeclaration, span).fix(span, "");
      tokens.erase(tokens.begin() + static_cast<ssize_t>(comma));
      return Next::Again;
    }
    if (open.empty() && places_.starts_line(*token) && is_name(token->getType()) && at + 1 < tokens.size()) {
      if (at == 0 || misspelled_declaration(tokens, at)) return unknown_declaration(token);
    }
    if (Token* word = unknown_stage(tokens, at)) return report_stage(word);
    report_token(tokens, failure, open);
    return Next::Drop;
  }

  bool declaration_at(const Tokens& tokens, size_t at) const {
    size_t type = tokens[at]->getType();
    return type == Token::EOF || (is_declaration_word(type) && places_.starts_line(*tokens[at]));
  }

  bool misspelled_declaration(const Tokens& tokens, size_t at) const {
    size_t after = tokens[at + 1]->getType();
    bool names_follow = is_name(after) || after == MutLexer::TEXT_OPEN;
    std::string word(places_.text(*tokens[at]));
    return names_follow && diag::did_you_mean(word, declaration_words()).has_value();
  }

  Next unknown_declaration(Token* token) {
    Span span = places_.span(*token);
    std::string word(places_.text(span));
    auto report = diags_.report(Code::UnknownDeclaration, span, word);
    auto meant = diag::did_you_mean(word, declaration_words());
    if (!meant) return Next::Drop;
    report.fix(span, *meant).note(fmt::format("did you mean `{}`?", *meant));
    retype(token, *meant);
    return Next::Split;
  }

  // In `| wehre x` the parser stops at `x`: a name alone could be an operator's.
  static Token* unknown_stage(const Tokens& tokens, size_t at) {
    auto begins_stage = [&](size_t index) {
      if (index == 0 || index >= tokens.size()) return false;
      size_t before = tokens[index - 1]->getType();
      bool labelled = index > 2 && is_name(before) && tokens[index - 2]->getType() == MutLexer::LABEL_SIGN;
      size_t type = tokens[index]->getType();
      return (before == MutLexer::PIPE || labelled) && is_name(type) && !is_stage_word(type);
    };
    if (at > 0 && begins_stage(at - 1)) return tokens[at - 1];
    return begins_stage(at) ? tokens[at] : nullptr;
  }

  Next report_stage(Token* token) {
    Span span = places_.span(*token);
    std::string word(places_.text(span));
    auto report = diags_.report(Code::UnknownStage, span, word);
    if (auto advice = said_here(word)) {
      report.note(std::string(*advice));
      return Next::Drop;
    }
    auto meant = diag::did_you_mean(word, stage_words());
    if (!meant) return Next::Drop;
    report.fix(span, *meant).note(fmt::format("did you mean `{}`?", *meant));
    retype(token, *meant);
    return Next::Again;
  }

  void report_token(const Tokens& tokens, const SyntaxFailure& failure, const Tokens& open) {
    const Token& token = *tokens[failure.at];
    Span span = places_.span(token);
    std::string seen = describe_token(token, places_.text(span));
    if (token.getType() == Token::EOF && failure.at > 0) {
      // What lacks, lacks behind the last word and not at the next declaration.
      Span last = places_.span(*tokens[failure.at - 1]);
      if (!places_.text(span).empty()) seen = "end of the declaration";
      span = {last.file, last.end, last.end};
    }
    std::string expected = describe_expected(failure.expected);
    auto report = expected.empty() ? diags_.report(Code::UnexpectedHere, span, seen)
                                   : diags_.report(Code::UnexpectedToken, span, seen, expected);
    size_t type = token.getType();
    bool mismatch = is_close(type) && !open.empty() && !closes(open.back()->getType(), type);
    bool unclosed = type == MutLexer::PIPE && !open.empty();
    if (mismatch || unclosed) {
      Span opened = places_.span(*open.back());
      report.note(opened, fmt::format("`{}` opened here", places_.text(opened)));
    }
    size_t before = failure.at > 0 ? tokens[failure.at - 1]->getType() : 0;
    if (is_reserved_word(type) && failure.expected.contains(static_cast<size_t>(MutLexer::ID))) {
      report.note(fmt::format("as a name it stands in back-quotes: `` `{}` ``", places_.text(span)));
    } else if (is_stage_word(type) && failure.expected.contains(static_cast<size_t>(MutLexer::PIPE))) {
      report.fix({span.file, span.begin, span.begin}, "| ").note("a stage begins with `|`");
    } else if (type == MutLexer::ASSIGN && failure.expected.contains(static_cast<size_t>(MutLexer::EQUAL))) {
      report.fix(span, "==").note("values are compared with `==`");
    } else if (type == MutLexer::PIPE && before == MutLexer::PIPE) {
      report.note("did you mean `or`?");
    } else if (type == MutLexer::GREATER && before == MutLexer::PIPE) {
      report.fix(span, "").note("a stage begins with `|` alone");
    } else if (type == MutLexer::GREATER && before == MutLexer::LESS) {
      report.note("did you mean `!=`?");
    } else if (type == MutLexer::STAR && before == MutLexer::SELECT) {
      report.note("all fields pass without `select`; `with` adds to them");
    } else if (type == MutLexer::STAR && before == MutLexer::STAR) {
      report.note("write `pow(x, y)`");
    } else if (type == MutLexer::ARROW && !open.empty()) {
      report.note("a lambda is written `x => e`");
    } else if (type == MutLexer::ARROW) {
      report.note("`a b` is the next event, `a then b` a later one");
    } else if (auto advice = said_here(places_.text(span))) {
      report.note(std::string(*advice));
    } else if (failure.at > 0 && before == MutLexer::ID) {
      // `case when`, `lambda x`: the word before was taken for a name.
      if (auto earlier = said_here(places_.text(*tokens[failure.at - 1]))) report.note(std::string(*earlier));
    }
  }

  static Tokens open_brackets(const Tokens& tokens, size_t end) {
    Tokens open;
    for (size_t i = 0; i < end; ++i) {
      size_t type = tokens[i]->getType();
      if (is_open(type)) open.push_back(tokens[i]);
      if (is_close(type) && !open.empty() && closes(open.back()->getType(), type)) open.pop_back();
    }
    return open;
  }

  // Takes the stage around `at` out of `tokens`. False when it lies in none.
  bool drop_stage(Tokens& tokens, size_t at) const {
    auto is_pipe = [&](size_t i, size_t depth) {
      return tokens[i]->getType() == MutLexer::PIPE && (depth == 0 || places_.first_of_line(*tokens[i]));
    };
    size_t begin = 0;
    size_t depth = 0;
    size_t end = tokens.size() - 1;
    for (size_t i = 0; i + 1 < tokens.size(); ++i) {
      size_t type = tokens[i]->getType();
      if (is_open(type)) ++depth;
      if (is_close(type) && depth > 0) --depth;
      if (!is_pipe(i, depth)) continue;
      if (i > 0 && i >= at) {  // stopped at a `|`: the stage before it lacks something
        end = i;
        break;
      }
      begin = i;
      depth = 0;
    }
    if (begin == 0) return false;
    tokens.erase(tokens.begin() + static_cast<ssize_t>(begin), tokens.begin() + static_cast<ssize_t>(end));
    return true;
  }

  // What the declaration would have named, so that uses of it are no errors of their own.
  void note_broken(const Tokens& tokens) {
    bool route = !tokens.empty() && tokens[0]->getType() == MutLexer::ROUTE;
    for (size_t i = 1; i + 1 < tokens.size(); ++i) {
      bool named = i == 1 || (route && tokens[i - 1]->getType() == MutLexer::ARROW);
      if (named && is_name(tokens[i]->getType())) program_.broken.emplace_back(places_.text(*tokens[i]));
    }
  }

  antlr4::TokenSource* source_;
  const Places& places_;
  TreeBuilder& builder_;
  ast::Program& program_;
  diag::Engine& diags_;
  std::vector<std::unique_ptr<antlr4::CommonToken>> ends_;
};

}  // namespace

void parse_by_declaration(TokenList& list, antlr4::TokenSource* source, const Places& places,
                          TreeBuilder& builder, ast::Program& program, diag::Engine& diags) {
  Recovery recovery(source, places, builder, program, diags);
  auto& tokens = list.tokens;
  auto begins = [&](size_t i) {
    if (!is_declaration_word(tokens[i]->getType()) || !places.starts_line(*tokens[i])) return false;
    size_t after = i + 1 < tokens.size() ? tokens[i + 1]->getType() : Token::EOF;
    return is_name(after) || is_reserved_word(after) || after == MutLexer::TEXT_OPEN ||
           after == MutLexer::NUMBER || after == Token::EOF;
  };
  size_t last = tokens.size() - 1;
  auto damage = list.damaged.begin();
  for (size_t begin = 0; begin < last;) {
    size_t end = begin + 1;
    while (end < last && !begins(end)) ++end;
    Tokens chunk;
    for (size_t i = begin; i < end; ++i) chunk.push_back(tokens[i].get());
    chunk.push_back(recovery.end_before(tokens[end].get()));
    // Something refused directly before a declaration word belongs to what stands before it.
    bool damaged = false;
    for (; damage != list.damaged.end() && (*damage <= end || end == last); ++damage) damaged = true;
    recovery.parse_chunk(std::move(chunk), damaged, begin == 0);
    begin = end;
  }
}

}  // namespace mut::syntax

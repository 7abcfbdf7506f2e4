// One run of the generated parser over a stretch of tokens. It stops at the first error; what to
// do then is decided by recover.cpp.
#pragma once
#include <MutParser.h>

#include <memory>
#include <optional>
#include <vector>

#include "compiler/syntax/token_window.h"

namespace mut::syntax {

struct SyntaxFailure {
  size_t at = 0;                       // index of the first token that fits nothing
  antlr4::misc::IntervalSet expected;  // token types that would have; empty when unknown
  bool too_deep = false;
};

enum class Start : uint8_t { Script, Declarations };

class Attempt {
 public:
  // `tokens` must outlive the attempt, as the tree points into it.
  Attempt(const std::vector<antlr4::Token*>& tokens, antlr4::TokenSource* source);
  ~Attempt();

  // By tables, and after a failure by searching the grammar. Nothing when the tokens fit. A Script is
  // searched as SLL: which of its declarations is wrong is cheaper to find one by one.
  std::optional<SyntaxFailure> run(Start start);

  // Of the last successful run; valid as long as this.
  grammar::MutParser::ScriptContext* script() const { return script_; }
  grammar::MutParser::DeclarationsContext* declarations() const { return declarations_; }

 private:
  enum class Way : uint8_t { Tables, Sll, Ll };
  std::optional<SyntaxFailure> run_once(Start start, Way way, std::optional<size_t> watch);

  const std::vector<antlr4::Token*>& tokens_;
  TokenWindow window_;
  std::unique_ptr<grammar::MutParser> parser_;
  grammar::MutParser::ScriptContext* script_ = nullptr;
  grammar::MutParser::DeclarationsContext* declarations_ = nullptr;
};

}  // namespace mut::syntax

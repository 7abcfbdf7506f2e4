#include "compiler/syntax/attempt.h"

#include <cstdint>

#include "compiler/syntax/table_prediction.h"

namespace mut::syntax {
namespace {

using antlr4::Parser;
using antlr4::Token;
using antlr4::atn::PredictionMode;
using grammar::MutParser;

// Bytes of stack one parse may use. The nesting count stops sooner for everything that has a name;
// this is for shapes nobody writes, such as `not a == not a == …`.
constexpr uintptr_t stack_bytes_max = 3 * 1024 * 1024;

struct SyntaxStop {
  Token* token = nullptr;
  bool too_deep = false;
};

uintptr_t stack_position() { return reinterpret_cast<uintptr_t>(__builtin_frame_address(0)); }

class GuardedParser : public MutParser {
 public:
  explicit GuardedParser(antlr4::TokenStream* input) : MutParser(input), stack_begin_(stack_position()) {}

  void enterRule(antlr4::ParserRuleContext* context, size_t state, size_t rule) override {
    check_stack();
    MutParser::enterRule(context, state, rule);
  }
  void enterRecursionRule(antlr4::ParserRuleContext* context, size_t rule) override {
    check_stack();
    MutParser::enterRecursionRule(context, rule);
  }
  void enterRecursionRule(antlr4::ParserRuleContext* context, size_t state, size_t rule,
                          int precedence) override {
    check_stack();
    MutParser::enterRecursionRule(context, state, rule, precedence);
  }

 private:
  void check_stack() {
    uintptr_t here = stack_position();
    if (stack_begin_ > here && stack_begin_ - here > stack_bytes_max)
      throw SyntaxStop{getCurrentToken(), true};
  }
  uintptr_t stack_begin_;
};

// Stops at the first error. With a place to watch, collects what the grammar would take there: the
// parser passes several decisions at one token, and each knows only its own words.
class StopAtError : public antlr4::DefaultErrorStrategy {
 public:
  explicit StopAtError(std::optional<size_t> watch) : watch_(watch) {}

  antlr4::misc::IntervalSet expected;

  void reportError(Parser* parser, const antlr4::RecognitionException& error) override {
    collect(parser);
    throw SyntaxStop{error.getOffendingToken()};
  }
  void recover(Parser* parser, std::exception_ptr) override { throw SyntaxStop{parser->getCurrentToken()}; }
  Token* recoverInline(Parser* parser) override {
    collect(parser);
    throw SyntaxStop{parser->getCurrentToken()};
  }
  void sync(Parser* parser) override { collect(parser); }

 private:
  void collect(Parser* parser) {
    if (!watch_ || parser->getTokenStream()->index() != *watch_) return;
    expected.addAll(parser->getExpectedTokens());
  }
  std::optional<size_t> watch_;
};

}  // namespace

Attempt::Attempt(const std::vector<Token*>& tokens, antlr4::TokenSource* source)
    : tokens_(tokens), window_(tokens, source) {}
Attempt::~Attempt() = default;

std::optional<SyntaxFailure> Attempt::run(Start start) {
  auto failure = run_once(start, Way::Tables, std::nullopt);
  if (!failure) return failure;
  failure = run_once(start, start == Start::Script ? Way::Sll : Way::Ll, std::nullopt);
  if (!failure || failure->too_deep || start == Start::Script) return failure;
  auto explained = run_once(start, Way::Ll, failure->at);
  return explained ? explained : failure;
}

std::optional<SyntaxFailure> Attempt::run_once(Start start, Way way, std::optional<size_t> watch) {
  window_.seek(0);
  script_ = nullptr;
  declarations_ = nullptr;
  parser_ = std::make_unique<GuardedParser>(&window_);
  parser_->removeErrorListeners();
  auto strategy = std::make_shared<StopAtError>(watch);
  parser_->setErrorHandler(strategy);
  auto* simulator = parser_->getInterpreter<antlr4::atn::ParserATNSimulator>();
  if (way == Way::Tables) {
    simulator = new TablePrediction(parser_.get(), *simulator);
    parser_->setInterpreter(simulator);  // owns it, and deletes the one before
  }
  simulator->setPredictionMode(way == Way::Ll ? PredictionMode::LL : PredictionMode::SLL);
  try {
    if (start == Start::Script) {
      script_ = parser_->script();
    } else {
      declarations_ = parser_->declarations();
    }
    return std::nullopt;
  } catch (const SyntaxStop& stop) {
    SyntaxFailure failure;
    failure.too_deep = stop.too_deep;
    failure.expected = strategy->expected;
    failure.at = window_.index();
    for (size_t i = window_.index(); i < tokens_.size(); ++i) {
      if (tokens_[i] == stop.token) failure.at = i;
    }
    return failure;
  }
}

}  // namespace mut::syntax

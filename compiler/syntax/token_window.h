// A stretch of a script's tokens as the parser's input: one declaration, perhaps with a part left out.
#pragma once
#include <antlr4-runtime.h>

#include <vector>

namespace mut::syntax {

// The last token must be of type EOF. Owns nothing.
class TokenWindow : public antlr4::TokenStream {
 public:
  TokenWindow(const std::vector<antlr4::Token*>& tokens, antlr4::TokenSource* source)
      : tokens_(tokens), source_(source) {}

  void consume() override {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  antlr4::Token* LT(ssize_t k) override {
    if (k == 0) return nullptr;
    ssize_t index = static_cast<ssize_t>(at_) + (k > 0 ? k - 1 : k);
    if (index < 0) return nullptr;
    return tokens_[std::min(static_cast<size_t>(index), tokens_.size() - 1)];
  }
  size_t LA(ssize_t k) override {
    antlr4::Token* token = LT(k);
    return token == nullptr ? antlr4::Token::INVALID_TYPE : token->getType();
  }
  ssize_t mark() override { return 0; }
  void release(ssize_t) override {}
  size_t index() override { return at_; }
  void seek(size_t index) override { at_ = std::min(index, tokens_.size() - 1); }
  size_t size() override { return tokens_.size(); }
  std::string getSourceName() const override { return "script"; }
  antlr4::Token* get(size_t index) const override { return tokens_[index]; }
  antlr4::TokenSource* getTokenSource() const override { return source_; }
  // Messages are made from spans, never from these.
  std::string getText(const antlr4::misc::Interval&) override { return ""; }
  std::string getText() override { return ""; }
  std::string getText(antlr4::RuleContext*) override { return ""; }
  std::string getText(antlr4::Token*, antlr4::Token*) override { return ""; }

 private:
  const std::vector<antlr4::Token*>& tokens_;
  antlr4::TokenSource* source_;
  size_t at_ = 0;
};

}  // namespace mut::syntax

#include "compiler/syntax/nesting.h"

#include <MutLexer.h>

namespace mut::syntax {
namespace {

using Lexer = grammar::MutLexer;

bool ends_operand(size_t type) {
  switch (type) {
    case Lexer::PAREN_CLOSE:
    case Lexer::BRACKET_CLOSE:
    case Lexer::BRACE_CLOSE:
    case Lexer::TEXT_CLOSE:
    case Lexer::TRUE:
    case Lexer::FALSE:
    case Lexer::NONE:
      return true;
    default:
      return type >= Lexer::EDITION && type <= Lexer::REGEX;  // names and literals
  }
}

}  // namespace

size_t NestingCounter::add(size_t token_type) {
  Level& level = levels_.back();
  bool keeps_near = false;
  switch (token_type) {
    case Lexer::PAREN_OPEN:
    case Lexer::BRACKET_OPEN:
    case Lexer::BRACE_OPEN:
    case Lexer::HOLE_OPEN:
      levels_.emplace_back();
      ++depth_;
      before_ = token_type;
      return depth_;
    case Lexer::PAREN_CLOSE:
    case Lexer::BRACKET_CLOSE:
    case Lexer::BRACE_CLOSE:
    case Lexer::HOLE_CLOSE:
      depth_ -= level.far + level.near;
      level = {};
      if (levels_.size() > 1) {
        levels_.pop_back();
        --depth_;
      }
      break;
    case Lexer::IF:
    case Lexer::TRY:
    case Lexer::FAT_ARROW:
      // A statement may follow a statement without any sign between them.
      if (token_type != Lexer::FAT_ARROW && ends_operand(before_)) {
        depth_ -= level.far;
        level.far = 0;
      }
      ++level.far;
      ++depth_;
      break;
    case Lexer::NOT:
    case Lexer::MINUS:
      if (token_type == Lexer::NOT || !ends_operand(before_)) {
        ++level.near;
        ++depth_;
        keeps_near = true;
      }
      break;
    case Lexer::COMMA:
    case Lexer::SEMICOLON:
    case Lexer::PIPE:
    case Lexer::ASSIGN:
      depth_ -= level.far;
      level.far = 0;
      break;
    default:
      break;
  }
  if (!keeps_near) {
    depth_ -= levels_.back().near;
    levels_.back().near = 0;
  }
  before_ = token_type;
  return depth_;
}

}  // namespace mut::syntax

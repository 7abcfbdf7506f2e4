// How names and literals are written in a script.
#pragma once
#include <string>
#include <string_view>

#include "compiler/syntax/ast.h"

namespace mut::printer {

enum class NamePlace : uint8_t {
  Plain,     // reserved words stand in back-quotes
  Field,     // after `.` and before `:`: every word is a name
  Alias,     // after `as` of a lookup: `of` has a meaning there
  Pattern,   // of an event in a pattern: the words that may follow a pattern have one
  Operator,  // at the start of a stage: the words of the stages have one
  Connector  // after `=`: `merge` has one
};

std::string spell(const ast::Ident& name, NamePlace place = NamePlace::Plain);
std::string spell(const ast::Path& path, NamePlace first = NamePlace::Plain);

// The inside of `"…"`, with braces doubled.
std::string spell_text(std::string_view value);
std::string quote(std::string_view value);
std::string spell_raw(std::string_view value);
std::string spell_bytes(std::string_view value);

std::string_view spell(ast::BinaryOp op);

}  // namespace mut::printer

// What the words of the language are to a reader of names: the formatter, an editor.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace mut::syntax {

enum class WordKind : unsigned char {
  None,         // no word of the language
  Reserved,     // a name only in back-quotes
  Declaration,  // `stream`, `emit`, …: contextual
  Stage,        // `select`, `top`, …: contextual; `where`, `match` are reserved, `aggregate` is a declaration
  Clause        // the other contextual words
};

WordKind word_kind(std::string_view word);
// Whether a stage of the language begins with it.
bool begins_stage(std::string_view word);
// All of them, in the order of the grammar.
const std::vector<std::string>& all_words();

}  // namespace mut::syntax

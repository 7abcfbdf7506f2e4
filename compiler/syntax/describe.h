// How a token and a choice of tokens are named in a message.
#pragma once
#include <antlr4-runtime.h>

#include <string>
#include <string_view>
#include <vector>

namespace mut::syntax {

std::string describe_token(const antlr4::Token& token, std::string_view text);
// Empty when the set is.
std::string describe_expected(const antlr4::misc::IntervalSet& types);

bool is_declaration_word(size_t type);
// Everything that a name can be without back-quotes.
bool is_name(size_t type);
bool is_reserved_word(size_t type);
bool is_stage_word(size_t type);
const std::vector<std::string>& declaration_words();
const std::vector<std::string>& stage_words();
// The token type of a word of the language; ID for any other.
size_t word_type(const std::string& word);

}  // namespace mut::syntax

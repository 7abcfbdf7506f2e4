// Small pieces of what is typed and shown.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mut::tools {

// Without blanks at both ends.
std::string trimmed(std::string_view text);
std::vector<std::string> words_of(const std::string& text);
// The first word, and what is behind it.
std::pair<std::string, std::string> split_word(const std::string& text);
// To standard output, with a line end.
void print(const std::string& text);
// As a JSON list of texts.
std::string quoted_list(const std::vector<std::string>& texts);
// A plan without the exit code of `mutc plan`, which is nothing here.
std::string plan_text(const std::string& plan);

}  // namespace mut::tools

// Texts of SQL, and what libpq says, in the form in which people are told.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace mut::connector {

// "id" with its quotes; a dot in the name of a table parts it from its schema.
std::string quoted_name(std::string_view name);
std::string quoted_table(std::string_view name);
// Joined by commas, each with its quotes.
std::string quoted_names(const std::vector<std::string>& names);

// Names of a line of CSV.
std::vector<std::string> names_of_header(std::string_view header);

// COPY takes a row that is `\.` alone, which only a row of one text can be, for the end of all rows: with
// quotes it is a text. The rows themselves when there is none such; else `changed` has them.
std::string_view without_end_marks(std::string_view rows, std::string& changed);

// Parts of several lines, joined by "; ", without what only those need who develop a server.
std::string one_line(std::string_view text);
// The SQLSTATE in what a server said before there was a session, which is taken out; empty: there is none.
std::string take_state(std::string& message);

}  // namespace mut::connector

// Rows of tests: what `given` says as text for a source, what `expect` says against what came.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "compiler/reference/value.h"
#include "compiler/sema/test_checker.h"

namespace mut::session {

// A row of `given` as a JSON line for a source of that record.
std::string json_line(const sema::TestValue& row);

// What a row must look like. Fields that are not named are not compared.
struct Pattern {
  enum class Form : uint8_t { Anything, Value, List, Record, Json } form = Form::Anything;
  reference::Value value;      // Value; Json: its text
  std::vector<Pattern> parts;  // List: elements; Record: by field
  std::string text;            // of a row: as written, with its place
};
Pattern pattern_of(const sema::TestValue& row);
// Of a JSON line in a file. Empty: it is no such row; `problem` says why.
std::optional<Pattern> pattern_of_json(const std::string& line, typed::TypeRef record, std::string& problem);

struct ExpectedRows {
  ast::ExpectMode mode = ast::ExpectMode::AnyOrder;
  typed::TypeRef record = nullptr;
};
// What differs, as indented lines; empty when the rows are as expected.
std::string compare_rows(const std::vector<Pattern>& expected, const std::vector<std::string>& got,
                         const ExpectedRows& how);

}  // namespace mut::session

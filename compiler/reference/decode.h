// What input texts mean as values of a type: rules 6.13, 6.15, 6.18, 6.19.
#pragma once
#include <optional>

#include "compiler/reference/json.h"
#include "compiler/reference/value.h"
#include "runtime/codec/text/time.h"

namespace mut::reference {

// Empty: the record cannot be decoded.
std::optional<Value> value_of(const Json& json, typed::TypeRef type, text::TimeUnit unit);
std::optional<Value> value_of_cell(const std::string& text, typed::TypeRef type, text::TimeUnit unit);
// For a field that is absent.
std::optional<Value> value_of_nothing(const typed::Field& field);

}  // namespace mut::reference

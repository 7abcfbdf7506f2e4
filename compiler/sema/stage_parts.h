// Pieces that stages are made of.
#pragma once
#include <vector>

#include "compiler/typed/program.h"

namespace mut::sema {

// A field of the record, as an expression.
typed::ExprPtr field_ref(typed::TypeRef record, size_t index, source::Span span);
// The record that these outputs make.
typed::TypeRef record_of(const std::vector<typed::Output>& outputs, typed::TypeTable& types);

}  // namespace mut::sema

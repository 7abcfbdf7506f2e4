// Calls of aggregates in two versions compared.
#pragma once
#include <string>

#include "compiler/change/cells.h"

namespace mut::change {

// Whether one goes on with what the other has kept, as far as the function says.
bool same_function(const Cell& a, const Cell& b);
// Whether the decimals that they take have the same digits: they are kept as numbers of the last one.
bool same_digits(const typed::AggregateCall& a, const typed::AggregateCall& b);
// Whether what rows have given an aggregate of the script is what the other takes.
bool same_parameters(const typed::AggregateCall& a, const typed::AggregateCall& b);
// As the script calls it.
std::string function_name(const typed::AggregateCall& call);
// Whether a cell keeps values of its argument's type; the others keep int or float sums and counts.
bool keeps_arguments(state::CellFn fn);

}  // namespace mut::change

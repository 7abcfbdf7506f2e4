// Results of aggregates, each computed anew from the list of what was admitted.
#pragma once
#include <optional>
#include <vector>

#include "compiler/reference/value.h"
#include "compiler/typed/program.h"

namespace mut::reference {

// One event in the list of a cell, in order of arrival.
struct Admitted {
  int64_t time = 0;
  Value value;             // none for count()
  Value::Parts arguments;  // of an aggregate of the script
  Value order;             // arg_min, arg_max
};

// Whether the aggregate has a value of no event at all.
bool counts_nothing(typed::AggregateFn fn);

// Of values that may be none; those that the aggregate skips are left out already.
// Throws EventFailure when an integer sum does not fit.
Value aggregate(const typed::AggregateCall& call, const std::vector<Admitted>& list);

// Which of a list collect, string_agg (the first by event time) and top (the largest) keep, in the order of
// the result. Ties by event time, then arrival.
std::vector<size_t> chosen_of(const typed::AggregateCall& call, const std::vector<Admitted>& list);

// Throws when an event of the list cannot be added to an aggregate of the script; the last is the news.
void check_own(const typed::AggregateCall& call, const std::vector<Admitted>& list);

// Sum of a list of int, duration or float. Throws EventFailure.
Value sum_of(const Value::Parts& values, typed::TypeRef type);

}  // namespace mut::reference

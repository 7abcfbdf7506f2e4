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

// Of an aggregate of the script.
Value own_result(const typed::AggregateCall& call, const std::vector<Admitted>& list);
// Throws when an event of the list cannot be added to an aggregate of the script; the last is the news.
void check_own(const typed::AggregateCall& call, const std::vector<Admitted>& list);

// An event of a session, in order of arrival, with what an aggregate of the script admitted of it.
struct SessionEvent {
  int64_t time = 0;
  int64_t kept_to = 0;  // an edit found it in a session that reaches to here; the least time: in none
  std::optional<Admitted> admitted;
};
// The result of an aggregate of the script over one session: states of sessions that an event joins are
// merged, into that of the one that began first. Throws when one cannot be.
Value own_of_session(const typed::AggregateCall& call, const std::vector<SessionEvent>& events, int64_t gap);
// Throws when an event of some sessions of a key cannot be taken; the last is the news.
void check_own_sessions(const typed::AggregateCall& call, const std::vector<SessionEvent>& events,
                        int64_t gap);

// Sum of a list of int, duration or float. Throws EventFailure.
Value sum_of(const Value::Parts& values, typed::TypeRef type);

}  // namespace mut::reference

// Aggregates of the script, from the initial state on, one event after the other.
#include <algorithm>
#include <limits>
#include <optional>

#include "compiler/reference/aggregates.h"
#include "compiler/reference/evaluate.h"

namespace mut::reference {
namespace {

void bind_constants(const typed::OwnAggregate& own, Scope& scope) {
  for (const auto& [local, value] : own.constants) {
    Value constant = evaluate(*value, scope);
    scope.locals[local] = constant;
  }
}

void bind_state(const typed::OwnAggregate& own, const Value::Parts& state, Scope& scope) {
  for (size_t i = 0; i < own.states.size(); ++i) scope.locals[own.states[i].local] = state[i];
}

// All assignments see the state before them.
Value::Parts assign(const std::vector<typed::ExprPtr>& values, Scope& scope) {
  Value::Parts out;
  for (const typed::ExprPtr& value : values) out.push_back(evaluate(*value, scope));
  return out;
}

Value::Parts initial_state(const typed::OwnAggregate& own, Scope& scope) {
  Value::Parts out;
  for (const typed::OwnState& each : own.states) out.push_back(evaluate(*each.initial, scope));
  return out;
}

Value::Parts with_event(const typed::OwnAggregate& own, const Value::Parts& state, const Admitted& event,
                        Scope& scope) {
  bind_state(own, state, scope);
  for (size_t i = 0; i < own.parameters.size(); ++i) scope.locals[own.parameters[i]] = event.arguments[i];
  return assign(own.add, scope);
}

Scope state_after(const typed::AggregateCall& call, const std::vector<Admitted>& list) {
  Scope scope;
  bind_constants(*call.own, scope);
  Value::Parts state = initial_state(*call.own, scope);
  for (const Admitted& event : list) state = with_event(*call.own, state, event, scope);
  bind_state(*call.own, state, scope);
  return scope;
}

// A session as far as its events have come.
struct Session {
  int64_t first = 0;
  int64_t last = 0;
  int64_t kept_to = 0;
  bool counted = false;  // some event
  Value::Parts state;
};

constexpr int64_t not_kept = std::numeric_limits<int64_t>::min();

void take_in(const typed::OwnAggregate& own, const Session& other, Session& into, Scope& scope) {
  into.first = std::min(into.first, other.first);
  into.last = std::max(into.last, other.last);
  into.kept_to = std::max(into.kept_to, other.kept_to);
  if (!other.counted) return;
  if (into.counted) {
    bind_state(own, into.state, scope);
    scope.locals[own.other] = Value(other.state);
    into.state = assign(own.merge, scope);
  } else {
    into.state = other.state;
  }
  into.counted = true;
}

// What an edit to a smaller gap found to be one session stays one.
void join_kept(const typed::OwnAggregate& own, std::vector<Session>& sessions, Scope& scope) {
  std::vector<Session> out;
  for (Session& session : sessions) {
    auto same = std::find_if(out.begin(), out.end(), [&](const Session& other) {
      return session.kept_to != not_kept && session.kept_to == other.kept_to;
    });
    if (same == out.end()) {
      out.push_back(std::move(session));
    } else {
      take_in(own, session, *same, scope);
    }
  }
  sessions = std::move(out);
}

std::vector<Session> sessions_after(const typed::AggregateCall& call, const std::vector<SessionEvent>& events,
                                    int64_t gap, Scope& scope) {
  const typed::OwnAggregate& own = *call.own;
  bind_constants(own, scope);
  std::vector<Session> out;  // in order of their beginning
  for (const SessionEvent& event : events) {
    if (event.kept_to == not_kept) join_kept(own, out, scope);
    std::vector<Session> rest;
    std::optional<size_t> place;
    for (Session& session : out) {
      bool near = event.time - session.first > -gap && event.time - session.last < gap;
      if (near && place) {
        take_in(own, session, rest[*place], scope);
        continue;
      }
      if (near) place = rest.size();
      rest.push_back(std::move(session));
    }
    if (!place) {
      place = rest.size();
      rest.push_back({event.time, event.time, event.kept_to, false, initial_state(own, scope)});
    }
    Session& at = rest[*place];
    take_in(own, {event.time, event.time, event.kept_to, false, {}}, at, scope);
    if (event.admitted) {
      at.state = with_event(own, at.state, *event.admitted, scope);
      at.counted = true;
    }
    out = std::move(rest);
  }
  join_kept(own, out, scope);
  return out;
}

}  // namespace

Value own_result(const typed::AggregateCall& call, const std::vector<Admitted>& list) {
  Scope scope = state_after(call, list);
  return evaluate(*call.own->result, scope);
}

void check_own(const typed::AggregateCall& call, const std::vector<Admitted>& list) {
  state_after(call, list);
}

Value own_of_session(const typed::AggregateCall& call, const std::vector<SessionEvent>& events, int64_t gap) {
  Scope scope;
  std::vector<Session> all = sessions_after(call, events, gap, scope);
  bind_state(*call.own, all.at(0).state, scope);
  return evaluate(*call.own->result, scope);
}

void check_own_sessions(const typed::AggregateCall& call, const std::vector<SessionEvent>& events,
                        int64_t gap) {
  Scope scope;
  sessions_after(call, events, gap, scope);
}

}  // namespace mut::reference

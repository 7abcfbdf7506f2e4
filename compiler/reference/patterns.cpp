#include "compiler/reference/patterns.h"

#include <algorithm>

namespace mut::reference {

using typed::PatternGap;
using typed::PatternNode;

Found PatternSearch::from(size_t start, size_t end, bool over) {
  end_ = end;
  over_ = over;
  bound_.clear();
  State state;
  state.at = start;
  state.gap_begin = start;
  switch (step(match_.root, state, [this](const State& last) { return this->end(last); })) {
    case Try::Yes:
      return Found::Yes;
    case Try::Open:
      return Found::Open;
    default:
      return Found::No;
  }
}

PatternSearch::Try PatternSearch::step(const PatternNode& node, const State& state, const Next& next) {
  switch (node.kind) {
    case PatternNode::Kind::Name:
      return name(node.name, state, next);
    case PatternNode::Kind::Sequence:
      return sequence(node, 0, state, next);
    case PatternNode::Kind::Repeat:
      return repeat(node, 0, state, next);
    case PatternNode::Kind::Choice:
      for (const PatternNode& option : node.parts) {
        if (Try found = step(option, state, next); found != Try::No) return found;
      }
      return Try::No;
  }
  return Try::No;
}

bool PatternSearch::skips_forbidden(const State& state) const {
  if (state.bound) return false;
  for (size_t event = state.gap_begin; event < state.at; ++event) {
    bool any = std::any_of(state.forbidden.begin(), state.forbidden.end(),
                           [&](int name) { return holds_(name, event, bound_); });
    if (any) return true;
  }
  return false;
}

PatternSearch::Try PatternSearch::name(int name, const State& state, const Next& next) {
  if (skips_forbidden(state)) return Try::No;
  if (state.at == end_) return over_ ? Try::No : Try::Open;
  if (!holds_(name, state.at, bound_)) return Try::No;
  bound_.push_back({name, state.at});
  State after;
  after.at = state.at + 1;
  after.bound = true;
  Try found = next(after);
  if (found == Try::No) bound_.pop_back();
  return found;
}

PatternSearch::Try PatternSearch::sequence(const PatternNode& node, size_t part, const State& state,
                                           const Next& next) {
  return step(node.parts[part], state, [&, part](const State& after) {
    if (part + 1 == node.parts.size()) return next(after);
    return gap(node.gaps[part], after,
               [&, part](const State& begin) { return sequence(node, part + 1, begin, next); });
  });
}

// After `then` everything up to the next one is looked for at each event in turn, and the first place is
// taken.
PatternSearch::Try PatternSearch::gap(const PatternGap& gap, State state, const Next& next) {
  if (!gap.relaxed) return next(state);
  if (!state.bound) {  // what stands between two gaps was left out: they are one
    state.forbidden.insert(state.forbidden.end(), gap.forbidden.begin(), gap.forbidden.end());
    return next(state);
  }
  State begin;
  begin.gap_begin = state.at;
  begin.forbidden = gap.forbidden;
  for (begin.at = state.at; begin.at <= end_; ++begin.at) {
    Try found = next(begin);
    if (found != Try::No) return found;
  }
  return Try::Final;
}

PatternSearch::Try PatternSearch::repeat(const PatternNode& node, uint32_t turns, const State& state,
                                         const Next& next) {
  auto more = [&]() -> Try {
    if (turns == node.most) return Try::No;
    size_t before = bound_.size();
    return step(node.parts[0], state, [&](const State& after) {
      if (turns >= node.least && bound_.size() == before) return Try::No;  // rule 9.16
      return repeat(node, turns + 1, after, next);
    });
  };
  auto stop = [&]() -> Try { return turns >= node.least ? next(state) : Try::No; };
  Try found = node.reluctant ? stop() : more();
  if (found != Try::No) return found;
  return node.reluctant ? more() : stop();
}

PatternSearch::Try PatternSearch::end(const State& state) {
  if (!state.bound) {
    if (state.at != end_ || skips_forbidden(state)) return Try::No;
    if (!over_) return Try::Open;
  }
  if (match_.absent.empty()) return Try::Yes;
  for (size_t event = bound_.back().event + 1; event < end_; ++event) {
    for (int name : match_.absent) {
      if (holds_(name, event, bound_)) return Try::Final;
    }
  }
  return over_ ? Try::Yes : Try::Open;
}

}  // namespace mut::reference

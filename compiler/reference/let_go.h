// What an edit cannot bring back: values that a version did not keep.
#pragma once
#include "compiler/reference/state.h"

namespace mut::reference {

// collect, top and string_agg keep no more than they ask for, of each piece by which their stage keeps
// events: a session, a stretch that no window of `rules` begins or ends in, all of a group that has no
// windows. Takes from entries of one key what the cell of `call` has let go.
// The same where each sliding window keeps for itself what it admitted: with aggregates of the script.
void let_go_in_windows(const typed::AggregateCall& call, size_t cell, const std::vector<WindowRule>& rules,
                       std::vector<Entry>& entries);
void let_go_beyond(const typed::AggregateCall& call, size_t cell, const std::vector<WindowRule>& rules,
                   std::vector<Entry>& entries);

}  // namespace mut::reference

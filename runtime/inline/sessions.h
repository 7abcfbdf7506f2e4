// The hot half of session windows: an event that falls into the latest session of its key, not before its
// first event. All else: state/sessions.
#pragma once
#include "runtime/inline/table.h"

namespace mut::inl {

inline bool is_before(int64_t time, int64_t last, int64_t gap) {
  return time < last ||
         static_cast<uint64_t>(time) - static_cast<uint64_t>(last) < static_cast<uint64_t>(gap);
}

// The row of that session, which holds the event from now on; null: another store of its windows is to be
// asked. No other session of the key is near such an event: they are a gap away from what lies between. And
// it is not late: the session has not closed.
inline char* latest_session(const MutSessions& view, const uint64_t* key, int64_t time, uint32_t words,
                            uint64_t text_mask, uint64_t row_size, uint64_t session_offset) {
  bool is_number = text_mask == 0 && words == 1;
  char* row = is_number ? row_recent(view.newest->recent, key[0]) : nullptr;
  if (row == nullptr) {
    uint64_t hash = hash_key(key, words, text_mask, view.newest->seed);
    row = find_row(view.newest, key, hash, words, text_mask, row_size);
    if (row == nullptr) return nullptr;
    if (is_number) note_recent(view.newest, key[0], row, false);
  }
  auto& session = *reinterpret_cast<MutSession*>(row + session_offset);
  if ((session.state & (MUT_SESSION_GIVEN | MUT_SESSION_FOLLOWED)) != 0 || time < view.from ||
      time < session.first || !is_before(time, session.last, view.gap))
    return nullptr;
  session.last = time > session.last ? time : session.last;
  return row;
}

}  // namespace mut::inl

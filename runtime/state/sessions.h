// Session windows: per key the open sessions, each a row of cells; a late event may join two. With `late
// update` those that were given stay as long as it says, and an event may open one again.
#pragma once
#include <map>
#include <optional>
#include <set>

#include "runtime/state/ticking.h"

namespace mut::state {

class SessionStore final : public Store {
 public:
  SessionStore(StoreDesc desc, uint64_t seed, Budget& budget);
  void* view() override { return this; }
  int64_t due() const override;
  void fire(ResultRows& out) override;
  void release() override;
  void advance(int64_t watermark) override;
  uint64_t entry_count() const override { return sessions_.size(); }
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;

  void return_from(const Store& parked, const std::vector<int>& cells) override;

  // The row of the session that an event belongs to, extended to hold it and joined with others that
  // it bridges; null when it is late. `table` gets the table that owns the row, or null when the budget is
  // spent.
  char* row_for(const uint64_t* key, int64_t time, MutTable** table);
  // What the session of the last event gives at once. Valid until the next call.
  const ResultRows& update(batch::Arena& texts);
  // The session of the last event, at `time`, changed: the next tick gives it. `now`: the watermark.
  void mark_changed(int64_t time, int64_t now);
  // How many open sessions of the key an event falls into, which row_for() would join; below 0: it is late.
  int32_t find_near(const uint64_t* key, int64_t time);
  // The row of one of those found last, the one that stays first.
  char* near_row(uint32_t index) { return row_of(near_[index]); }
  MutTable* rows() { return rows_.view(); }
  // Whether cells that keep values may take one of that much text each, from such an event.
  bool has_room(const uint64_t* key, int64_t time, uint64_t text_bytes);

 private:
  struct Session {
    int64_t first = 0;
    int64_t last = 0;
    uint64_t index_number = 0;  // of its key
    uint64_t number = 0;        // of its row
    bool given = false;         // when it closed; kept for late events
    bool changed = true;        // since the last tick
  };
  struct KeySessions {
    std::vector<uint64_t> key;   // texts point into keys_
    std::vector<uint64_t> open;  // numbers of sessions, by time
  };
  // Numbers of the open sessions of a key that an event falls into.
  std::vector<uint64_t> near(const uint64_t* key, int64_t time);
  // An event that falls into no session: whether its own is over, and nothing is given of it any more.
  bool is_over(int64_t time) const;
  bool is_closed(int64_t end) const {
    return closed_ != std::numeric_limits<int64_t>::min() && end <= closed_;
  }
  // Counts an event as late when the session that it is in has closed, once an event.
  void count_late(int64_t end);
  // Puts a session among those that are open, or that are given, by its end.
  void list(Session& session);
  void unlist(const Session& session);
  int64_t next_close() const { return by_end_.empty() ? never : by_end_.begin()->first; }
  // Adds sessions in order of end, start and key.
  void add(std::vector<uint64_t> numbers, ResultRows& out);
  int64_t end_of(const Session& session) const { return session.last + desc_.size; }
  uint64_t key_number(const uint64_t* key);
  char* row_of(uint64_t number);
  void join(uint64_t into, uint64_t from);
  void remove(uint64_t number);

  StoreDesc key_desc_;  // key → number
  StoreDesc row_desc_;  // number → cells
  KeyedTable keys_;
  KeyedTable rows_;
  std::map<uint64_t, Session> sessions_;
  std::map<uint64_t, KeySessions> by_key_;
  std::set<std::pair<int64_t, uint64_t>> by_end_;  // (end, session) of those that are open
  std::set<std::pair<int64_t, uint64_t>> given_;   // the same of those that were given
  uint64_t next_number_ = 0;
  int64_t closed_ = std::numeric_limits<int64_t>::min();
  int64_t sealed_ = std::numeric_limits<int64_t>::min();  // sessions that end by then were over at a cut
  int64_t tick_ = never;                                  // the next one; never: nothing changed
  uint64_t last_ = 0;                                     // session of the last event
  bool counted_late_ = false;                             // the event that find_near() was asked for
  std::optional<ResultRows> updates_;
  const batch::Arena* update_texts_ = nullptr;
  std::vector<uint64_t> fired_;
  std::vector<uint64_t> near_;  // of the last find_near()
};

}  // namespace mut::state

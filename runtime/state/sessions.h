// Session windows: per key the open sessions, each a row of cells; a late event may join two. With `late
// update` those that were given stay as long as it says, and an event may open one again.
#pragma once
#include <map>
#include <optional>
#include <set>

#include "runtime/state/window_store.h"

namespace mut::state {

class SessionStore final : public WindowStore {
 public:
  SessionStore(StoreDesc desc, uint64_t seed, Budget& budget);
  void* view() override { return this; }
  OpenWindows open_windows() const override;
  std::optional<int64_t> open_until() const override { return open_windows().end; }

  // The row of the session that an event belongs to, extended to hold it and joined with others that
  // it bridges; null when it is late. `table` gets the table that owns the row, or null when the budget is
  // spent.
  char* row_for(const uint64_t* key, int64_t time, MutTable** table);
  // How many open sessions of the key an event falls into, which row_for() would join; below 0: it is late.
  int32_t find_near(const uint64_t* key, int64_t time);
  // The row of one of those found last, the one that stays first, and the table that owns it.
  char* near_row(uint32_t index, MutTable** table);

 protected:
  MutTable* own_table(const uint64_t* key, int64_t time) override;
  const ResultRows& own_update(const uint64_t* key, int64_t time, int64_t now, ResultRows& out) override;
  void mark_row(char*) override { sessions_[last_].changed = true; }
  bool own_room(const uint64_t* key, int64_t time, uint64_t text_bytes) override;
  int64_t next_close() const override { return by_end_.empty() ? never : by_end_.begin()->first; }
  void fire_close(ResultRows& out) override;
  std::vector<Extent> ticking() const override;
  void add_changed(Extent window, ResultRows& out) override;
  void all_told() override;
  void release_rows() override;
  void reach(int64_t watermark) override;
  uint64_t own_entries() const override { return sessions_.size(); }
  void take_entries(const WindowStore& old, const std::vector<int>& cells, int64_t watermark) override;
  void give_back(const WindowStore& parked, const std::vector<int>& cells) override;
  std::optional<int64_t> next_end_of_all(const OpenWindows& open, int64_t watermark) const override;
  int64_t edge_from(int64_t time) const override { return time; }
  void begin_at(int64_t) override {}
  void end_at(int64_t) override {}
  bool is_spent(int64_t to) const override { return sessions_.empty() && fired_.empty() && is_over(to - 1); }

 private:
  struct Session {
    int64_t first = 0;
    int64_t last = 0;
    uint64_t index_number = 0;  // of its key
    uint64_t number = 0;
    size_t layer = 0;     // of its row
    bool given = false;   // when it closed; kept for late events
    bool changed = true;  // since the last tick
  };
  // Sessions of one key have their rows in several tables: rows look like those of other windows.
  using Layers = std::vector<std::unique_ptr<KeyedTable>>;
  struct KeySessions {
    std::vector<uint64_t> key;   // texts point into keys_
    std::vector<uint64_t> open;  // numbers of sessions, by time
  };
  // Numbers of the open sessions of a key that an event falls into.
  std::vector<uint64_t> near(const uint64_t* key, int64_t time);
  // An event that falls into no session: whether its own is over, and nothing is given of it any more.
  bool is_over(int64_t time) const;
  bool is_closed(int64_t end) const { return has_closed() && end <= closed_; }
  // Counts an event as late when the session that it is in has closed, once an event.
  void count_late(int64_t end);
  // Puts a session among those that are open, or that are given, by its end.
  void list(Session& session);
  void unlist(const Session& session);
  // Adds sessions in order of end, start and key.
  void add(std::vector<uint64_t> numbers, ResultRows& out);
  int64_t end_of(const Session& session) const { return session.last + desc_.size; }
  uint64_t key_number(const uint64_t* key);
  KeyedTable& table_of_session(const Session& session) const { return *layers_[session.layer]; }
  char* row_of(uint64_t number);
  // A new session of the key, with an empty row; null when the budget is spent.
  char* open_session(const uint64_t* key, int64_t time, MutTable** table);
  void join(uint64_t into, uint64_t from);
  void remove(uint64_t number);

  StoreDesc key_desc_;  // key → number
  KeyedTable keys_;
  Layers layers_;
  Budget nothing_{size_t{0}};
  std::unique_ptr<KeyedTable> full_;  // takes no row
  std::map<uint64_t, Session> sessions_;
  std::map<uint64_t, KeySessions> by_key_;
  std::set<std::pair<int64_t, uint64_t>> by_end_;  // (end, session) of those that are open
  std::set<std::pair<int64_t, uint64_t>> given_;   // the same of those that were given
  uint64_t next_number_ = 0;
  uint64_t last_ = 0;          // session of the last event
  bool counted_late_ = false;  // the event that find_near() was asked for
  std::vector<uint64_t> fired_;
  std::vector<uint64_t> near_;  // of the last find_near()
};

}  // namespace mut::state

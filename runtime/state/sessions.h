// Session windows: per key the open sessions, each a row of cells; a late event may join two.
#pragma once
#include <map>
#include <set>

#include "runtime/state/store.h"

namespace mut::state {

class SessionStore final : public Store {
 public:
  SessionStore(StoreDesc desc, uint64_t seed, Budget& budget);
  void* view() override { return this; }
  int64_t due() const override;
  void fire(ResultRows& out) override;
  void release() override;
  void advance(int64_t watermark) override { closed_ = std::max(closed_, watermark); }
  uint64_t entry_count() const override { return sessions_.size(); }
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;

  // The row of the session that an event belongs to, extended to hold it and joined with others that
  // it bridges; null when it is late. `table` gets the table that owns the row, or null when the budget is
  // spent.
  char* row_for(const uint64_t* key, int64_t time, MutTable** table);
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
  };
  struct KeySessions {
    std::vector<uint64_t> key;   // texts point into keys_
    std::vector<uint64_t> open;  // numbers of sessions, by time
  };
  // Numbers of the open sessions of a key that an event falls into.
  std::vector<uint64_t> near(const uint64_t* key, int64_t time);
  bool is_late(int64_t time) const;  // when it falls into no open session
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
  std::set<std::pair<int64_t, uint64_t>> by_end_;  // (end, session)
  uint64_t next_number_ = 0;
  int64_t closed_ = std::numeric_limits<int64_t>::min();
  std::vector<uint64_t> fired_;
  std::vector<uint64_t> near_;  // of the last find_near()
};

}  // namespace mut::state

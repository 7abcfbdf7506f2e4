// Session windows: per key the open sessions, each a row of cells; a late event may join two. With `late
// update` those that were given stay as long as it says, and an event may open one again.
//
// Most events make the latest session of their key longer: kernels do that by themselves (inline/sessions).
#pragma once
#include <optional>

#include "runtime/state/end_queue.h"
#include "runtime/state/session_rows.h"
#include "runtime/state/window_store.h"

namespace mut::state {

class SessionStore final : public WindowStore {
 public:
  SessionStore(StoreDesc desc, uint64_t seed, Budget& budget);
  void* view() override { return &view_; }
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
  void mark_row(char* row) override;
  bool own_room(const uint64_t* key, int64_t time, uint64_t text_bytes) override;
  // Not later than that: sessions may have become longer, then nothing closes.
  int64_t next_close() const override { return open_.first_end(); }
  void fire_close(ResultRows& out) override;
  std::vector<Extent> ticking() override;
  void add_changed(Extent window, ResultRows& out) override;
  void all_told() override;
  void release_rows() override {}
  void reach(int64_t watermark) override;
  uint64_t own_entries() const override { return rows_.count(); }
  void save_entries(Saver& to) const override;
  void load_entries(Loader& from) override;
  void take_entries(const WindowStore& old, const std::vector<int>& cells, int64_t watermark) override;
  void give_back(const WindowStore& parked, const std::vector<int>& cells) override;
  std::optional<int64_t> next_end_of_all(const OpenWindows& open, int64_t watermark) const override;
  int64_t edge_from(int64_t time) const override { return time; }
  void begin_at(int64_t) override { view_.from = from_; }
  void end_at(int64_t) override {}
  bool is_spent(int64_t to) const override { return rows_.count() == 0 && is_over(to - 1); }

 private:
  using Place = SessionRows::Place;
  struct ChangedSession {
    Extent window;
    Place place;
  };
  // Finds the sessions of a key that an event falls into, in the order in which they were made.
  void look_near(const uint64_t* key, int64_t time);
  // An event that falls into no session: whether its own is over, and nothing is given of it any more.
  bool is_over(int64_t time) const;
  bool is_closed(int64_t end) const { return has_closed() && end <= closed_; }
  // Counts an event as late when the session that it is in has closed, once an event.
  void count_late(int64_t end);
  // Puts a session among those that are open, or that are given, by its end.
  void list(const Place& place);
  // The same as it is marked.
  void enqueue(const Place& place);
  int64_t end_now(const EndQueue::Entry& entry) const;
  // What stands in a queue of that session.
  EndQueue::Entry entry_of(const Place& place) const;
  // Adds sessions in order of end, start and key, which they are put into.
  void add(std::vector<Place>& places, ResultRows& out);
  void add_one(const Place& place, ResultRows& out);
  MutSession& session(const Place& place) const { return rows_.session(place); }
  int64_t end_of(const MutSession& session) const { return session.last + desc_.size; }
  static bool is_given(const MutSession& session) { return (session.state & SessionRows::Given) != 0; }
  static bool has_changed(const MutSession& session) { return (session.state & SessionRows::Changed) != 0; }
  void join(const Place& into, const Place& from);
  // All, in the order in which they were made.
  std::vector<Place> in_order() const;
  // After an edit, from that gap and perhaps other keys: joins a session with those of its key that it is
  // near to now.
  void unite(const Place& made, const uint64_t* key, int64_t gap_before);

  SessionRows rows_;
  MutSessions view_{};
  Budget nothing_{size_t{0}};
  std::unique_ptr<KeyedTable> full_;  // takes no row
  EndQueue open_;
  EndQueue given_;
  EndQueue::Entry last_{};     // session of the last event that row_for() was asked for
  bool counted_late_ = false;  // the event that find_near() was asked for
  std::vector<Place> near_;
  std::vector<Place> closing_;
  std::vector<Place> news_;              // of those, what was not told yet
  std::vector<ChangedSession> changed_;  // of ticking(), by window
  std::vector<uint64_t> key_;            // of the row that is given
};

}  // namespace mut::state

// `sort` and `top` over windows that are not on a line of time: sessions, and numbers of events.
#pragma once
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "runtime/state/held.h"

namespace mut::state {

// Per key the open sessions; an event may join two. `top` keeps the best of each, as many as are asked for.
class HeldSessionStore final : public HeldStore {
 public:
  using HeldStore::HeldStore;
  int64_t due() const override;
  void fire(ResultRows& rows) override;
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;
  void retune(const StoreDesc& next, const std::vector<int>& cells, int64_t watermark) override;

 private:
  void save_rest(SavedRows& rows, Saver& to) const override;
  void load_rest(LoadedRows& rows, Loader& from) override;
  struct Session {
    int64_t first = 0;
    int64_t last = 0;
    std::vector<RowPtr> rows;  // sort: as they came; top: the best first
  };
  void take(uint64_t number, int64_t time, const char* record, int64_t watermark, ResultRows& given) override;
  void put(Session& session, const RowPtr& row);
  int64_t end_of(const Session& session) const;

  std::map<uint64_t, std::vector<Session>> sessions_;  // by number of the key
  std::set<std::pair<int64_t, uint64_t>> ends_;        // of each: its end and that number
};

// Per key the newest events, as many as a window has: with each `every`-th they are given in order.
class HeldCountStore final : public HeldStore {
 public:
  using HeldStore::HeldStore;
  int64_t due() const override { return never; }
  void fire(ResultRows&) override {}
  // What is not full, in order of key. Nothing is left.
  void finish(ResultRows& rows) override;
  void convert_from(const Store& old, const std::vector<int>& cells, int64_t watermark) override;

 private:
  void save_rest(SavedRows& rows, Saver& to) const override;
  void load_rest(LoadedRows& rows, Loader& from) override;
  struct Newest {
    int64_t events = 0;  // of the key, ever
    std::deque<RowPtr> rows;
  };
  void take(uint64_t number, int64_t time, const char* record, int64_t watermark, ResultRows& given) override;
  // The last rows of a key, up to one that is missing to the end of the window.
  void give(const Newest& newest, int64_t missing, ResultRows& given);

  std::map<uint64_t, Newest> newest_of_;  // by number of the key
};

}  // namespace mut::state

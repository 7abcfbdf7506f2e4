// Session windows against lists of sessions, over random events out of order.
#include "runtime/state/sessions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <tuple>

#include "runtime/inline/sessions.h"
#include "runtime/state/cells.h"

namespace mut::test {
namespace {

using state::Budget;
using state::CellDesc;
using state::CellFn;
using state::ResultRows;
using state::SessionStore;
using state::StoreDesc;
using state::StoreKind;

constexpr uint64_t seed = 7;
constexpr int64_t gap = 10;

struct Given {
  int64_t end, start, key, count, sum;
  friend auto operator<=>(const Given&, const Given&) = default;
};

CellDesc cell(const char* name, CellFn fn) {
  CellDesc out;
  out.name = name;
  out.fn = fn;
  out.result = abi::make_scalar(abi::TypeKind::I64);
  return out;
}

StoreDesc sessions(int64_t size, int64_t late_within) {
  StoreDesc out;
  out.kind = StoreKind::Sessions;
  state::KeyDesc key;
  key.name = "k";
  key.type = abi::make_scalar(abi::TypeKind::I64);
  out.keys.push_back(key);
  out.cells = {cell("n/count", CellFn::Count), cell("t/sum", CellFn::IntSum)};
  out.size = size;
  out.late_within = late_within;
  state::lay_out(out);
  return out;
}

// What the store gives, and what was to be given, of the same events.
class BothSessions {
 public:
  BothSessions(int64_t lateness, int64_t late_within)
      : lateness_(lateness), late_within_(late_within), store_(sessions(gap, late_within), seed, budget_) {}

  void add(int64_t key, int64_t time, int64_t value) {
    newest_ = std::max(newest_, time);
    close_until(newest_ - lateness_);
    add_to_store(key, time, value);
    add_to_lists(key, time, value);
  }
  // With what has closed by then in order of end, start and key, on either side.
  void close_until(int64_t watermark) {
    watermark_ = watermark;
    while (store_.due() <= watermark) {
      ResultRows rows(store_.desc(), texts_);
      store_.fire(rows);
      take(rows);
      store_.release();
    }
    store_.advance(watermark);
    std::vector<Given> closing;
    for (auto& [key, of_key] : open_) {
      for (Session& each : of_key) {
        if (each.given || each.last + gap > watermark) continue;
        closing.push_back(row_of(key, each));
        each.given = true;
      }
      std::erase_if(of_key, [&](const Session& each) {
        return each.given && each.last + gap + late_within_ <= watermark;
      });
    }
    std::sort(closing.begin(), closing.end());
    wanted.insert(wanted.end(), closing.begin(), closing.end());
  }
  // Goes on with the sessions in a store of another gap, as after an edit.
  void edit_gap_to(int64_t size) {
    StoreDesc next = sessions(size, late_within_);
    SessionStore changed(next, seed, budget_);
    changed.convert_from(store_, {0, 1}, watermark_);
    EXPECT_FALSE(changed.misfit());
    rows_after_edit = changed.entry_count();
  }

  uint64_t entry_count() const { return store_.entry_count(); }
  uint64_t late_count() const { return store_.late_count(); }
  uint64_t wanted_late = 0;
  uint64_t quick = 0;  // events that a kernel adds by itself
  uint64_t rows_after_edit = 0;
  std::vector<Given> given;
  std::vector<Given> wanted;

 private:
  struct Session {
    int64_t first, last, count, sum;
    bool given = false;
  };
  static Given row_of(int64_t key, const Session& of) {
    return {of.last + gap, of.first, key, of.count, of.sum};
  }

  void take(const ResultRows& rows) {
    const auto& fields = rows.record().fields;
    for (size_t i = 0; i < rows.count(); ++i) {
      const char* row = rows.rows() + i * rows.record().size;
      auto word = [&](size_t field) {
        int64_t out;
        memcpy(&out, row + fields[field].offset, sizeof(out));
        return out;
      };
      given.push_back({word(5), word(4), word(1), word(2), word(3)});
      EXPECT_EQ(rows.times()[i], word(5) - 1);
    }
  }

  void add_to_store(int64_t key, int64_t time, int64_t value) {
    const StoreDesc& desc = store_.desc();
    auto word = static_cast<uint64_t>(key);
    const auto& view = *static_cast<const MutSessions*>(store_.view());
    char* row = late_within_ > 0 ? nullptr
                                 : inl::latest_session(view, &word, time, desc.key_words, desc.text_mask,
                                                       desc.row_size, desc.session_offset);
    MutTable* table = view.newest;
    if (row != nullptr) {
      ++quick;
    } else {
      row = store_.row_for(&word, time, &table);
    }
    if (row == nullptr) return;
    auto& heap = static_cast<state::KeyedTable*>(table->owner)->heap();
    auto words = static_cast<uint64_t>(value);
    for (const CellDesc& each : desc.cells)
      state::add_value(each, row + each.offset, heap, &words, nullptr, time);
    if (late_within_ > 0) take(store_.update(&word, time, watermark_, texts_));
  }

  void add_to_lists(int64_t key, int64_t time, int64_t value) {
    std::vector<Session>& of_key = open_[key];
    Session made{time, time, 1, value};
    bool joins = false;
    for (const Session& each : of_key) {
      if (time <= each.first - gap || time >= each.last + gap) continue;
      joins = true;
      made = {std::min(made.first, each.first), std::max(made.last, each.last), made.count + each.count,
              made.sum + each.sum};
    }
    int64_t end = made.last + gap;
    bool closed = end <= watermark_;
    wanted_late += closed ? 1 : 0;
    if (!joins && closed && end + late_within_ <= watermark_) return;
    std::erase_if(of_key,
                  [&](const Session& each) { return time > each.first - gap && time < each.last + gap; });
    made.given = closed;
    of_key.push_back(made);
    if (closed) wanted.push_back(row_of(key, made));
  }

  int64_t lateness_;
  int64_t late_within_;
  int64_t newest_ = 0;
  int64_t watermark_ = 0;
  Budget budget_{size_t{1} << 28};
  SessionStore store_;
  batch::Arena texts_;
  std::map<int64_t, std::vector<Session>> open_;
};

// How far events are out of order, how far the watermark is behind, how long closed sessions are kept, keys.
using Course = std::tuple<int64_t, int64_t, int64_t, int64_t>;
class Sessions : public testing::TestWithParam<Course> {};

TEST_P(Sessions, GivesWhatListsGive) {
  auto [disorder, lateness, late_within, keys] = GetParam();
  for (uint64_t round = 0; round < 20; ++round) {
    std::mt19937_64 random(round);
    BothSessions both(lateness, late_within);
    int64_t now = 0;
    for (int i = 0; i < 3000; ++i) {
      now += static_cast<int64_t>(random() % (i % 500 < 400 ? 3 : 20));
      int64_t time = now - static_cast<int64_t>(random() % static_cast<uint64_t>(disorder + 1));
      both.add(static_cast<int64_t>(random() % static_cast<uint64_t>(keys)), time,
               static_cast<int64_t>(random() % 100));
      ASSERT_EQ(both.given, both.wanted) << "round " << round << ", event " << i;
    }
    both.close_until(now + 10'000);
    EXPECT_EQ(both.given, both.wanted);
    EXPECT_EQ(both.late_count(), both.wanted_late);
    EXPECT_EQ(both.entry_count(), 0U);
    if (late_within == 0) EXPECT_GT(both.quick, 100U);
  }
}

INSTANTIATE_TEST_SUITE_P(Courses, Sessions,
                         testing::Values(Course{0, 0, 0, 1}, Course{0, 0, 0, 20}, Course{5, 5, 0, 3},
                                         Course{30, 12, 0, 3}, Course{100, 100, 0, 5}, Course{100, 60, 0, 5},
                                         Course{30, 5, 40, 3}, Course{100, 10, 200, 2}, Course{0, 50, 0, 10},
                                         Course{0, 300, 0, 100}, Course{30, 300, 0, 120},
                                         Course{30, 300, 50, 120}));

TEST(Sessions, AreJoinedByALargerGap) {
  BothSessions both(1000, 0);
  for (int64_t time : {0, 15, 60, 75}) both.add(1, time, 1);
  both.add(2, 0, 1);
  EXPECT_EQ(both.entry_count(), 5U);
  both.edit_gap_to(20);
  EXPECT_EQ(both.rows_after_edit, 3U);
  both.edit_gap_to(50);
  EXPECT_EQ(both.rows_after_edit, 2U);
  both.edit_gap_to(5);
  EXPECT_EQ(both.rows_after_edit, 5U);
}

// Sessions inside of windows of another kind have rows as those windows have them.
TEST(Sessions, AreAddedToFromWindowsThatFollowThem) {
  Budget budget(1 << 24);
  SessionStore before(sessions(gap, 0), seed, budget);
  MutTable* table = nullptr;
  for (uint64_t key : {1, 2}) {
    for (int64_t time : {100, 105}) {
      char* row = before.row_for(&key, time, &table);
      for (const CellDesc& each : before.desc().cells) {
        state::add_value(each, row + each.offset, static_cast<state::KeyedTable*>(table->owner)->heap(), &key,
                         nullptr, time);
      }
    }
  }
  StoreDesc next = sessions(gap, 0);
  next.kind = StoreKind::Panes;
  next.size = 50;
  next.every = 50;
  state::lay_out(next);
  EXPECT_LT(next.row_size, before.desc().row_size);
  std::unique_ptr<state::Store> after = state::make_windows(next, seed, budget);
  after->convert_from(before, {0, 1}, 90);
  EXPECT_EQ(after->entry_count(), 2U);
  auto& windows = static_cast<state::WindowStore&>(*after);
  const uint64_t key = 2;
  for (int64_t time : {107, 95}) {
    table = windows.table_of(&key, time);
    ASSERT_NE(table, nullptr);
    EXPECT_EQ(table->row_size, next.row_size);
    char* row = static_cast<state::KeyedTable*>(table->owner)->find_or_insert(&key);
    for (const CellDesc& each : next.cells) {
      state::add_value(each, row + each.offset, static_cast<state::KeyedTable*>(table->owner)->heap(), &key,
                       nullptr, time);
    }
  }
  EXPECT_EQ(after->entry_count(), 2U);
  batch::Arena texts;
  ResultRows rows(next, texts);
  while (after->due() <= 1000) {
    after->fire(rows);
    after->release();
  }
  ASSERT_EQ(rows.count(), 2U);
  auto count_of = [&](size_t i) {
    int64_t out;
    memcpy(&out, rows.rows() + i * rows.record().size + rows.record().fields[2].offset, sizeof(out));
    return out;
  };
  EXPECT_EQ(count_of(0), 2);
  EXPECT_EQ(count_of(1), 4);
}

// Sessions that grow while they stand in the queue, near the time that is reached and years away: each is
// given at its end, none before.
TEST(EndQueue, GivesEachSessionAtItsEndHoweverFarApartEndsAre) {
  for (int64_t stretch : {int64_t{0}, int64_t{5}, int64_t{1000}}) {
    state::EndQueue queue(stretch);
    std::map<uint64_t, int64_t> ends;  // of the sessions that stand there
    std::mt19937_64 random(static_cast<uint64_t>(stretch));
    uint64_t next = 0;
    int64_t reached = -2000;
    auto end_now = [&](const state::EndQueue::Entry& entry) {
      auto found = ends.find(entry.number);
      return found == ends.end() ? state::EndQueue::none : found->second;
    };
    for (int step = 0; step < 20'000; ++step) {
      int64_t spread = random() % 8 == 0 ? int64_t{1} << 40 : 3000;
      int64_t end = reached + 1 + static_cast<int64_t>(random() % static_cast<uint64_t>(spread));
      ends[++next] = end;
      queue.push({end, next, 0});
      auto grown = ends.lower_bound(1 + random() % next);
      if (grown != ends.end() && random() % 2 == 0) grown->second += static_cast<int64_t>(random() % 5000);
      if (grown != ends.end() && random() % 16 == 0) ends.erase(grown);
      while (queue.first_end() <= reached) {
        int64_t first = queue.first_end();
        std::vector<state::EndQueue::Entry> over;
        queue.take(first, end_now, [&](const state::EndQueue::Entry& entry) { over.push_back(entry); });
        for (const state::EndQueue::Entry& entry : over) {
          auto found = ends.find(entry.number);
          if (found == ends.end()) continue;
          ASSERT_GE(found->second, first);
          if (found->second == first) {
            ends.erase(found);
          } else {
            queue.push({found->second, entry.number, 0});
          }
        }
      }
      for (const auto& [number, of] : ends) ASSERT_GT(of, reached) << "session " << number << " was left";
      reached += static_cast<int64_t>(random() % 40);
      if (ends.size() > 400) reached += 3000;
      if (step % 5000 == 4999) reached += int64_t{1} << 41;
    }
  }
}

}  // namespace
}  // namespace mut::test

// Windows of a number of events that overlap, against the events themselves.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <tuple>

#include "runtime/state/cells.h"
#include "runtime/state/paned_counts.h"

namespace mut::test {
namespace {

using state::Budget;
using state::CellDesc;
using state::CellFn;
using state::PanedCountStore;
using state::ResultRows;
using state::StoreDesc;
using state::StoreKind;
using state::WordKind;

constexpr uint64_t seed = 7;

CellDesc cell(const char* name, CellFn fn, WordKind kind, abi::TypeDescRef result) {
  CellDesc out;
  out.name = name;
  out.fn = fn;
  out.kind = kind;
  out.result = std::move(result);
  return out;
}

enum class Keys : uint8_t { None, Numbers };
// Narrow: of those alone that narrow panes have; values below 0 are none.
enum class Cells : uint8_t { Numbers, WithTexts, Narrow };
enum class Times : uint8_t { Mixed, InOrder, MostlyInOrder };

StoreDesc windows(int64_t size, int64_t every, Keys keys, Cells cells) {
  StoreDesc out;
  out.kind = StoreKind::Counts;
  out.size = size;
  out.every = every;
  if (keys == Keys::Numbers) {
    state::KeyDesc key;
    key.name = "k";
    key.type = abi::make_scalar(abi::TypeKind::I64);
    out.keys.push_back(key);
  }
  abi::TypeDescRef word = abi::make_scalar(abi::TypeKind::I64);
  out.cells = {cell("n/count", CellFn::Count, WordKind::Signed, word),
               cell("t/sum", CellFn::IntSum, WordKind::Signed, word),
               cell("l/min", CellFn::Min, WordKind::Signed, word),
               cell("g/max", CellFn::Max, WordKind::Signed, word),
               cell("v/variance", CellFn::Variance, WordKind::Float, abi::make_scalar(abi::TypeKind::F64))};
  if (cells == Cells::Narrow) {
    out.cells.pop_back();
    out.cells[2].result = abi::make_optional(word);
    out.cells[3].result = abi::make_optional(word);
  }
  if (cells == Cells::WithTexts) {
    out.cells.push_back(cell("s/max", CellFn::Max, WordKind::Text, abi::make_scalar(abi::TypeKind::String)));
    out.cells.push_back(
        cell("m/median", CellFn::Quantile, WordKind::Float, abi::make_scalar(abi::TypeKind::F64)));
    out.cells.back().share = 0.5;
  }
  state::lay_out(out);
  return out;
}

struct Event {
  int64_t time;
  int64_t value;
};

std::string text_of(int64_t value) { return "a text that lies in the heap " + std::to_string(value); }

// What a window of these events is to give.
void expect_row(const StoreDesc& desc, const char* row, const abi::TypeDesc& record,
                const std::vector<Event>& events) {
  size_t field = 1 + desc.keys.size();
  auto word = [&](size_t at) {
    int64_t out;
    memcpy(&out, row + record.fields[at].offset, sizeof(out));
    return out;
  };
  auto real = [&](size_t at) {
    double out;
    memcpy(&out, row + record.fields[at].offset, sizeof(out));
    return out;
  };
  std::vector<int64_t> values;
  int64_t sum = 0;
  int64_t first = events[0].time;
  int64_t last = first;
  for (const Event& event : events) {
    if (event.value >= 0) {
      values.push_back(event.value);
      sum += event.value;
    }
    first = std::min(first, event.time);
    last = std::max(last, event.time);
  }
  std::sort(values.begin(), values.end());
  ASSERT_EQ(word(field), static_cast<int64_t>(events.size()));
  ASSERT_EQ(word(field + 1), sum);
  for (size_t i : {size_t{2}, size_t{3}}) {
    const abi::FieldDesc& extreme = record.fields[field + i];
    bool is_there = true;
    if (extreme.type->kind == abi::TypeKind::Optional)
      is_there = row[extreme.offset + extreme.type->present_offset] != 0;
    ASSERT_EQ(is_there, !values.empty());
    if (is_there) ASSERT_EQ(word(field + i), i == 2 ? values.front() : values.back());
  }
  size_t edges = field + desc.cells.size();
  ASSERT_EQ(word(edges), first);
  ASSERT_EQ(word(edges + 1), last);
  if (desc.cells.size() < 5) return;
  double mean = static_cast<double>(sum) / static_cast<double>(values.size());
  double squares = 0;
  for (int64_t value : values) {
    double off = static_cast<double>(value) - mean;
    squares += off * off;
  }
  ASSERT_NEAR(real(field + 4), squares / static_cast<double>(values.size()), 1e-6);
  if (desc.cells.size() > 5) {
    MutStr text;
    memcpy(&text, row + record.fields[field + 5].offset, sizeof(text));
    std::string greatest;
    for (int64_t value : values) greatest = std::max(greatest, text_of(value));
    ASSERT_EQ(std::string(text.data, text.size), greatest);
    size_t middle = values.size() / 2;
    double median = values.size() % 2 == 1 ? static_cast<double>(values[middle])
                                           : static_cast<double>(values[middle - 1] + values[middle]) / 2;
    ASSERT_NEAR(real(field + 6), median, 1e-9);
  }
}

using Course = std::tuple<int64_t, int64_t, Keys, Cells, Times>;
class SlidingCounts : public testing::TestWithParam<Course> {};

int64_t time_of(int64_t event, Times times, std::mt19937_64& random) {
  auto back = static_cast<int64_t>(random() % 50);
  bool late = times == Times::Mixed || (times == Times::MostlyInOrder && event % 400 < 3);
  return event / 2 * 10 - (late ? back : 0);
}
// Now and then a value is the least or the greatest that there is, or there are none for a long while.
int64_t value_of(int64_t event, Cells cells, std::mt19937_64& random) {
  auto value = static_cast<int64_t>(random() % 1000);
  if (cells != Cells::Narrow) return value;
  if (event % 500 > 450) return -1;
  return random() % 5 == 0 ? -1 : value;
}

inl::Extreme extreme_of(state::NarrowCell kind) {
  return kind == state::NarrowCell::Least ? inl::Extreme::Least : inl::Extreme::Greatest;
}

// Calm: as rows of blocks of which all is known do (compiler/codegen/calm_rows.h).
enum class Way : uint8_t { Asked, Calm };

// As a kernel does: a pane that is narrow is filled in place, and the row of its window made of what it
// holds.
void fill(PanedCountStore& store, char* row, const Event& event, Way way, ResultRows& out) {
  const StoreDesc& desc = store.desc();
  state::NarrowLayout layout = state::narrow_layout(desc);
  inl::CountQueue& queue = inl::count_queue(row, layout.code);
  const MutHeap& view = static_cast<MutTable*>(store.view())->heap;
  char* ring = inl::ring_of(queue, view);
  auto [made, leaving, oldest] = way == Way::Calm ? inl::fill_calm_pane(row, event.time, ring, layout.code)
                                                  : inl::fill_pane(row, event.time, ring, layout.code);
  for (const state::NarrowLayout::Cell& cell : layout.cells) {
    auto& total = *reinterpret_cast<inl::CountTotal*>(row + cell.total_offset);
    char* from = row + cell.row_offset;
    char* words = made + cell.pane_offset;
    const char* old = leaving == nullptr ? nullptr : leaving + cell.pane_offset;
    switch (cell.kind) {
      case state::NarrowCell::Count:
        inl::fill_count(*reinterpret_cast<inl::CountCell*>(from), total, words, old);
        break;
      case state::NarrowCell::Sum:
        inl::fill_sum(*reinterpret_cast<inl::IntSumCell*>(from), total, words, old, cell.words);
        break;
      case state::NarrowCell::Least:
      case state::NarrowCell::Greatest:
        (way == Way::Calm ? inl::fill_calm_extreme : inl::fill_extreme)(
            *reinterpret_cast<inl::ExtremeCell*>(from), total, words, queue.next, extreme_of(cell.kind));
    }
  }
  if (!inl::fills_window(queue, layout.code)) return;
  std::vector<state::CellResult> results;
  for (const state::NarrowLayout::Cell& cell : layout.cells) {
    auto& total = *reinterpret_cast<inl::CountTotal*>(row + cell.total_offset);
    state::CellResult result;
    result.words[0] = total.low;
    if (cell.kind == state::NarrowCell::Least || cell.kind == state::NarrowCell::Greatest) {
      inl::ExtremeCell whole =
          inl::whole_extreme(total, queue, oldest + cell.pane_offset, extreme_of(cell.kind));
      result.words[0] = whole.word;
      result.present = whole.count > 0;
    }
    results.push_back(result);
  }
  std::vector<uint64_t> key(desc.key_words + 1);
  if (desc.key_words > 0) memcpy(key.data(), row + 8, desc.key_words * 8);
  out.add_results(key.data(), results, event.time);
  // The edges behind the results.
  size_t edges = 1 + desc.keys.size() + desc.cells.size();
  char* made_row = const_cast<char*>(out.rows());
  memcpy(made_row + out.record().fields[edges].offset, oldest, 8);
  memcpy(made_row + out.record().fields[edges + 1].offset, &event.time, 8);
}

bool is_extreme(state::NarrowCell kind) {
  return kind == state::NarrowCell::Least || kind == state::NarrowCell::Greatest;
}

// A block of one event: the row is changed in a copy. False: the store is to be asked.
bool add_calm(PanedCountStore& store, char* row, const Event& event, ResultRows& out) {
  const StoreDesc& desc = store.desc();
  if (!state::has_narrow_panes(desc)) return false;
  state::NarrowLayout layout = state::narrow_layout(desc);
  if (event.time < inl::count_ever(row, layout.code).newest) return false;
  if (inl::steps_ready(row, layout.code) == 0) store.turn(row);
  if (inl::steps_ready(row, layout.code) == 0) return false;
  alignas(8) char copy[512];
  if (sizeof(copy) < desc.row_size) return false;
  memcpy(copy, row, desc.row_size);
  inl::begin_in_order(copy, layout.code);
  for (const state::NarrowLayout::Cell& cell : layout.cells) {
    char* at = copy + cell.row_offset;
    bool counts = event.value >= 0;
    auto word = static_cast<uint64_t>(event.value);
    if (is_extreme(cell.kind)) {
      auto& extreme = *reinterpret_cast<inl::ExtremeCell*>(at);
      inl::begin_extreme(extreme, extreme_of(cell.kind));
      if (counts) inl::add_extreme(extreme, word, extreme_of(cell.kind));
    } else if (cell.kind == state::NarrowCell::Count) {
      inl::add(*reinterpret_cast<inl::CountCell*>(at));
    } else if (counts) {
      inl::add(*reinterpret_cast<inl::IntSumCell*>(at), event.value);
    }
  }
  if (inl::count_queue(copy, layout.code).in_pane + 1 < layout.code.pane_events) {
    inl::count_in_order(copy, event.time, layout.code);
  } else {
    fill(store, copy, event, Way::Calm, out);
  }
  inl::take_ready(copy, row, layout.code);
  memcpy(row, copy, desc.row_size);
  return true;
}

void add(PanedCountStore& store, uint64_t key, const Event& event, batch::Arena& texts, uint64_t& in_place,
         const std::function<void(const ResultRows&)>& take) {
  auto& table = *static_cast<state::KeyedTable*>(static_cast<MutTable*>(store.view())->owner);
  char* row = table.find_or_insert(&key);
  const StoreDesc& desc = store.desc();
  // Two of three, so that each way begins with what the other has left.
  if (event.time % 3 != 0) {
    ResultRows calm(desc, texts);
    if (add_calm(store, row, event, calm)) {
      if (inl::count_queue(row, state::narrow_layout(desc).code).in_pane == 0) ++in_place;
      return take(calm);
    }
  }
  inl::CountStep step = inl::step_of_count(row, event.time, state::narrow_layout(desc).code);
  if (step == inl::CountStep::Ask) step = store.prepare(row, event.time);
  ASSERT_NE(step, inl::CountStep::Ask);
  for (const CellDesc& each : store.desc().cells) {
    if (event.value < 0 && each.fn != CellFn::Count) continue;  // none
    uint64_t words[2] = {static_cast<uint64_t>(event.value), 0};
    std::string text = text_of(event.value);
    if (each.kind == WordKind::Float) words[0] = inl::as_word(static_cast<double>(event.value));
    if (each.kind == WordKind::Text) {
      MutStr value = abi::make_str(text.data(), static_cast<uint32_t>(text.size()));
      memcpy(words, &value, sizeof(value));
    }
    state::add_value(each, row + each.offset, table.heap(), words, nullptr, event.time);
  }
  if (step == inl::CountStep::Apart) return take(store.count(row, event.time, texts));
  ResultRows rows(desc, texts);
  if (step == inl::CountStep::Fills) {
    ++in_place;
    fill(store, row, event, Way::Asked, rows);
  }
  take(rows);
}

TEST_P(SlidingCounts, GiveWhatTheirEventsGive) {
  auto [size, every, keys, cells, times] = GetParam();
  StoreDesc desc = windows(size, every, keys, cells);
  Budget budget(size_t{1} << 28);
  {
    auto store = std::make_unique<PanedCountStore>(desc, seed, budget);
    batch::Arena texts;
    std::mt19937_64 random(static_cast<uint64_t>(size * 100 + every));
    std::map<uint64_t, std::vector<Event>> seen;
    uint64_t in_place = 0;
    for (int64_t i = 0; i < 2000; ++i) {
      if (i == 700 || i == 1501) {  // an edit in between
        auto next = std::make_unique<PanedCountStore>(desc, seed, budget);
        std::vector<int> all(desc.cells.size());
        for (size_t cell = 0; cell < all.size(); ++cell) all[cell] = static_cast<int>(cell);
        next->convert_from(*store, all, 0);
        EXPECT_EQ(next->entry_count(), store->entry_count());
        store = std::move(next);
      }
      uint64_t key = keys == Keys::None ? 0 : random() % 3;
      Event event{time_of(i, times, random), value_of(i, cells, random)};
      std::vector<Event>& of_key = seen[key];
      of_key.push_back(event);
      auto count = static_cast<int64_t>(of_key.size());
      add(*store, key, event, texts, in_place, [&](const ResultRows& rows) {
        ASSERT_EQ(rows.count(), count % every == 0 ? 1U : 0U);
        if (rows.count() == 0) return;
        auto first = of_key.end() - std::min(size, count);
        expect_row(desc, rows.rows(), rows.record(), {first, of_key.end()});
      });
      if (HasFatalFailure()) return;
    }
    if (cells != Cells::Narrow) EXPECT_EQ(in_place, 0U);
    if (cells == Cells::Narrow && times == Times::InOrder)
      EXPECT_GT(in_place, 2000 / std::gcd(size, every) / 2);
    if (cells == Cells::Narrow && times == Times::MostlyInOrder && size < 200) EXPECT_GT(in_place, 100U);
    ResultRows rest(desc, texts);
    store->finish(rest);
    size_t row = 0;
    for (const auto& [key, of_key] : seen) {
      auto count = static_cast<int64_t>(of_key.size());
      if (count % every == 0) continue;
      int64_t begin = std::max<int64_t>((count / every + 1) * every - size, 0);
      ASSERT_LT(row, rest.count());
      expect_row(desc, rest.rows() + row++ * rest.record().size, rest.record(),
                 {of_key.begin() + begin, of_key.end()});
      if (HasFatalFailure()) return;
    }
    EXPECT_EQ(row, rest.count());
    EXPECT_EQ(store->entry_count(), seen.size());
  }
  EXPECT_EQ(budget.used(), 0U);
}

constexpr auto mixed = Times::Mixed;
constexpr auto in_order = Times::InOrder;
constexpr auto mostly = Times::MostlyInOrder;
INSTANTIATE_TEST_SUITE_P(Courses, SlidingCounts,
                         testing::Values(Course{7, 1, Keys::None, Cells::Numbers, mixed},
                                         Course{1000, 1, Keys::None, Cells::Numbers, mixed},
                                         Course{100, 10, Keys::None, Cells::Numbers, mixed},
                                         Course{16, 1, Keys::Numbers, Cells::Numbers, mixed},
                                         Course{15, 4, Keys::Numbers, Cells::Numbers, in_order},
                                         Course{7, 1, Keys::None, Cells::WithTexts, mixed},
                                         Course{30, 12, Keys::Numbers, Cells::WithTexts, mixed},
                                         Course{2, 1, Keys::Numbers, Cells::Numbers, mixed},
                                         Course{5000, 3, Keys::None, Cells::Numbers, mixed}));
INSTANTIATE_TEST_SUITE_P(Narrow, SlidingCounts,
                         testing::Values(Course{7, 1, Keys::None, Cells::Narrow, in_order},
                                         Course{64, 1, Keys::None, Cells::Narrow, in_order},
                                         Course{100, 10, Keys::None, Cells::Narrow, in_order},
                                         Course{1000, 1, Keys::None, Cells::Narrow, in_order},
                                         Course{15, 4, Keys::Numbers, Cells::Narrow, in_order},
                                         Course{2, 1, Keys::Numbers, Cells::Narrow, in_order},
                                         Course{30, 12, Keys::Numbers, Cells::Narrow, in_order},
                                         Course{5000, 3, Keys::None, Cells::Narrow, in_order},
                                         Course{7, 1, Keys::None, Cells::Narrow, mixed},
                                         Course{30, 12, Keys::None, Cells::Narrow, mostly},
                                         Course{50, 1, Keys::None, Cells::Narrow, mostly},
                                         Course{16, 1, Keys::Numbers, Cells::Narrow, mostly},
                                         Course{20, 6, Keys::Numbers, Cells::Narrow, mostly},
                                         Course{1000, 1, Keys::None, Cells::Narrow, mostly}));

TEST(SlidingCounts, TakeNoMoreThanTheBudgetHas) {
  StoreDesc desc = windows(100'000, 1, Keys::None, Cells::Numbers);
  Budget budget(1 << 16);
  PanedCountStore store(desc, seed, budget);
  batch::Arena texts;
  auto& table = *static_cast<state::KeyedTable*>(static_cast<MutTable*>(store.view())->owner);
  char* row = nullptr;
  uint64_t key = 0;
  int64_t taken = 0;
  for (; taken < 100'000; ++taken) {
    row = table.find_or_insert(&key);
    if (row == nullptr || store.prepare(row, taken) == inl::CountStep::Ask) break;
    store.count(row, taken, texts);
  }
  EXPECT_GT(taken, 50);
  EXPECT_LT(taken, 100'000);
  EXPECT_LE(budget.used(), budget.limit());
  EXPECT_EQ(store.prepare(row, taken), inl::CountStep::Ask);
}

TEST(NarrowPanes, TakeNoMoreThanTheBudgetHas) {
  StoreDesc desc = windows(100'000, 1, Keys::None, Cells::Narrow);
  Budget budget(1 << 16);
  PanedCountStore store(desc, seed, budget);
  batch::Arena texts;
  auto& table = *static_cast<state::KeyedTable*>(static_cast<MutTable*>(store.view())->owner);
  uint64_t key = 0;
  char* row = table.find_or_insert(&key);
  int64_t taken = 0;
  for (; taken < 100'000; ++taken) {
    inl::CountStep step = inl::step_of_count(row, taken, state::narrow_layout(desc).code);
    if (step == inl::CountStep::Ask) step = store.prepare(row, taken);
    if (step == inl::CountStep::Ask) break;
    ResultRows rows(desc, texts);
    fill(store, row, {taken, 0}, Way::Asked, rows);
  }
  EXPECT_GT(taken, 100);
  EXPECT_LT(taken, 100'000);
  EXPECT_LE(budget.used(), budget.limit());
  // Nor for an event out of order, for which they would be wider.
  EXPECT_EQ(store.prepare(row, -1), inl::CountStep::Ask);
  EXPECT_LE(budget.used(), budget.limit());
}

// Values that no other is worse than, which narrow panes cannot tell from none by themselves.
TEST(NarrowPanes, KnowTheLeastNumberFromNone) {
  constexpr int64_t least = std::numeric_limits<int64_t>::min();
  StoreDesc desc = windows(3, 1, Keys::None, Cells::Narrow);
  Budget budget(size_t{1} << 24);
  auto store = std::make_unique<PanedCountStore>(desc, seed, budget);
  batch::Arena texts;
  std::vector<bool> given;
  for (int64_t i = 0; i < 12; ++i) {
    auto& table = *static_cast<state::KeyedTable*>(static_cast<MutTable*>(store->view())->owner);
    uint64_t key = 0;
    char* row = table.find_or_insert(&key);
    inl::CountStep step = inl::step_of_count(row, i, state::narrow_layout(desc).code);
    if (step == inl::CountStep::Ask) step = store->prepare(row, i);
    ASSERT_EQ(step, inl::CountStep::Fills);
    uint64_t words[2] = {static_cast<uint64_t>(least), 0};
    if (i == 1 || i == 7)
      state::add_value(desc.cells[3], row + desc.cells[3].offset, table.heap(), words, nullptr, i);
    ResultRows rows(desc, texts);
    fill(*store, row, {i, 0}, Way::Asked, rows);
    const abi::FieldDesc& greatest = rows.record().fields[4];
    given.push_back(rows.rows()[greatest.offset + greatest.type->present_offset] != 0);
    if (i != 2 && i != 8) continue;  // an edit while the value is in the window
    auto next = std::make_unique<PanedCountStore>(desc, seed, budget);
    next->convert_from(*store, {0, 1, 2, 3}, 0);
    store = std::move(next);
  }
  EXPECT_EQ(given, (std::vector<bool>{false, true, true, true, false, false, false, true, true, true, false,
                                      false}));
}

// An edit adds a cell that narrow panes have not, and one takes it away again.
TEST(NarrowPanes, GoOnThroughPanesOfAnotherKind) {
  StoreDesc narrow = windows(40, 4, Keys::Numbers, Cells::Narrow);
  StoreDesc others = windows(40, 4, Keys::Numbers, Cells::Numbers);
  others.cells[2].result = narrow.cells[2].result;
  others.cells[3].result = narrow.cells[3].result;
  Budget budget(size_t{1} << 28);
  std::unique_ptr<PanedCountStore> store = std::make_unique<PanedCountStore>(narrow, seed, budget);
  batch::Arena texts;
  std::mt19937_64 random(11);
  std::map<uint64_t, std::vector<Event>> seen;
  uint64_t in_place = 0;
  for (int64_t i = 0; i < 3000; ++i) {
    if (i % 500 == 499) {
      bool is_narrow = store->desc().cells.size() == 4;
      auto next = std::make_unique<PanedCountStore>(is_narrow ? others : narrow, seed, budget);
      next->convert_from(*store, is_narrow ? std::vector<int>{0, 1, 2, 3, -1} : std::vector<int>{0, 1, 2, 3},
                         0);
      EXPECT_EQ(next->entry_count(), store->entry_count());
      store = std::move(next);
    }
    uint64_t key = random() % 2;
    Event event{i, static_cast<int64_t>(random() % 1000)};
    std::vector<Event>& of_key = seen[key];
    of_key.push_back(event);
    auto count = static_cast<int64_t>(of_key.size());
    add(*store, key, event, texts, in_place, [&](const ResultRows& rows) {
      ASSERT_EQ(rows.count(), count % 4 == 0 ? 1U : 0U);
      if (rows.count() == 0 || store->desc().cells.size() != 4) return;
      expect_row(narrow, rows.rows(), rows.record(),
                 {of_key.end() - std::min<int64_t>(40, count), of_key.end()});
    });
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(in_place, 200U);
}

}  // namespace
}  // namespace mut::test

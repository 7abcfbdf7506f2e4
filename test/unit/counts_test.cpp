// Windows of a number of events that overlap, against the events themselves.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
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
enum class Cells : uint8_t { Numbers, WithTexts };

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
    values.push_back(event.value);
    sum += event.value;
    first = std::min(first, event.time);
    last = std::max(last, event.time);
  }
  std::sort(values.begin(), values.end());
  ASSERT_EQ(word(field), static_cast<int64_t>(events.size()));
  ASSERT_EQ(word(field + 1), sum);
  ASSERT_EQ(word(field + 2), values.front());
  ASSERT_EQ(word(field + 3), values.back());
  double mean = static_cast<double>(sum) / static_cast<double>(values.size());
  double squares = 0;
  for (int64_t value : values) {
    double off = static_cast<double>(value) - mean;
    squares += off * off;
  }
  ASSERT_NEAR(real(field + 4), squares / static_cast<double>(values.size()), 1e-6);
  size_t edges = field + desc.cells.size();
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
  ASSERT_EQ(word(edges), first);
  ASSERT_EQ(word(edges + 1), last);
}

using Course = std::tuple<int64_t, int64_t, Keys, Cells>;
class SlidingCounts : public testing::TestWithParam<Course> {};

void add(PanedCountStore& store, uint64_t key, const Event& event, batch::Arena& texts,
         const std::function<void(const ResultRows&)>& take) {
  char* row = store.prepare(&key);
  ASSERT_NE(row, nullptr);
  auto& table = *static_cast<state::KeyedTable*>(static_cast<MutTable*>(store.view())->owner);
  for (const CellDesc& each : store.desc().cells) {
    uint64_t words[2] = {static_cast<uint64_t>(event.value), 0};
    std::string text = text_of(event.value);
    if (each.kind == WordKind::Float) words[0] = inl::as_word(static_cast<double>(event.value));
    if (each.kind == WordKind::Text) {
      MutStr value = abi::make_str(text.data(), static_cast<uint32_t>(text.size()));
      memcpy(words, &value, sizeof(value));
    }
    state::add_value(each, row + each.offset, table.heap(), words, nullptr, event.time);
  }
  take(store.count(row, event.time, texts));
}

TEST_P(SlidingCounts, GiveWhatTheirEventsGive) {
  auto [size, every, keys, cells] = GetParam();
  StoreDesc desc = windows(size, every, keys, cells);
  Budget budget(size_t{1} << 28);
  {
    auto store = std::make_unique<PanedCountStore>(desc, seed, budget);
    batch::Arena texts;
    std::mt19937_64 random(static_cast<uint64_t>(size * 100 + every));
    std::map<uint64_t, std::vector<Event>> seen;
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
      Event event{i * 10 - static_cast<int64_t>(random() % 50), static_cast<int64_t>(random() % 1000)};
      std::vector<Event>& of_key = seen[key];
      of_key.push_back(event);
      auto count = static_cast<int64_t>(of_key.size());
      add(*store, key, event, texts, [&](const ResultRows& rows) {
        ASSERT_EQ(rows.count(), count % every == 0 ? 1U : 0U);
        if (rows.count() == 0) return;
        auto first = of_key.end() - std::min(size, count);
        expect_row(desc, rows.rows(), rows.record(), {first, of_key.end()});
      });
      if (HasFatalFailure()) return;
    }
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

INSTANTIATE_TEST_SUITE_P(
    Courses, SlidingCounts,
    testing::Values(Course{7, 1, Keys::None, Cells::Numbers}, Course{1000, 1, Keys::None, Cells::Numbers},
                    Course{100, 10, Keys::None, Cells::Numbers}, Course{16, 1, Keys::Numbers, Cells::Numbers},
                    Course{15, 4, Keys::Numbers, Cells::Numbers}, Course{7, 1, Keys::None, Cells::WithTexts},
                    Course{30, 12, Keys::Numbers, Cells::WithTexts},
                    Course{2, 1, Keys::Numbers, Cells::Numbers},
                    Course{5000, 3, Keys::None, Cells::Numbers}));

TEST(SlidingCounts, TakeNoMoreThanTheBudgetHas) {
  StoreDesc desc = windows(100'000, 1, Keys::None, Cells::Numbers);
  Budget budget(1 << 16);
  PanedCountStore store(desc, seed, budget);
  batch::Arena texts;
  uint64_t key = 0;
  int64_t taken = 0;
  for (; taken < 100'000; ++taken) {
    char* row = store.prepare(&key);
    if (row == nullptr) break;
    store.count(row, taken, texts);
  }
  EXPECT_GT(taken, 50);
  EXPECT_LT(taken, 100'000);
  EXPECT_LE(budget.used(), budget.limit());
  EXPECT_EQ(store.prepare(&key), nullptr);
}

}  // namespace
}  // namespace mut::test

// Histories of the last events of a key against the events themselves, over random events out of order.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <tuple>

#include "runtime/inline/cells.h"
#include "runtime/inline/table.h"
#include "runtime/state/rings.h"

namespace mut::test {
namespace {

using state::Budget;
using state::CellDesc;
using state::CellFn;
using state::RingStore;
using state::StoreDesc;
using state::StoreKind;
using state::WordKind;

constexpr uint64_t seed = 7;

enum Column : uint32_t { Whole, Real, Exact, Flag };

CellDesc cell(CellFn fn, Column column, WordKind kind, abi::TypeDescRef result) {
  CellDesc out;
  out.fn = fn;
  out.column = column;
  out.kind = kind;
  out.result = std::move(result);
  return out;
}

StoreDesc history(int64_t span, uint64_t count) {
  StoreDesc out;
  out.kind = StoreKind::Ring;
  state::KeyDesc key;
  key.name = "k";
  key.type = abi::make_scalar(abi::TypeKind::I64);
  out.keys.push_back(key);
  out.span = span;
  out.count = count;
  out.columns = {{WordKind::Signed, 0}, {WordKind::Float, 0}, {WordKind::Decimal, 0}, {WordKind::Signed, 0}};
  abi::TypeDescRef word = abi::make_scalar(abi::TypeKind::I64);
  abi::TypeDescRef real = abi::make_scalar(abi::TypeKind::F64);
  abi::TypeDescRef exact = abi::make_scalar(abi::TypeKind::Decimal);
  out.cells = {cell(CellFn::Count, Whole, WordKind::Signed, word),
               cell(CellFn::IntSum, Whole, WordKind::Signed, word),
               cell(CellFn::Min, Whole, WordKind::Signed, word),
               cell(CellFn::Max, Whole, WordKind::Signed, word),
               cell(CellFn::FloatSum, Real, WordKind::Float, real),
               cell(CellFn::Avg, Real, WordKind::Float, real),
               cell(CellFn::Max, Real, WordKind::Float, real),
               cell(CellFn::Min, Real, WordKind::Float, real),
               cell(CellFn::DecimalSum, Exact, WordKind::Decimal, exact),
               cell(CellFn::Max, Exact, WordKind::Decimal, exact),
               cell(CellFn::Any, Flag, WordKind::Signed, word),
               cell(CellFn::All, Flag, WordKind::Signed, word)};
  state::lay_out(out);
  return out;
}

struct Event {
  int64_t time;
  uint64_t present;  // by column
  int64_t whole;
  double real;
  __int128 exact;
  int64_t flag;
};

// The words that each cell gives over these events, one after the other; nothing: none.
std::vector<std::optional<std::array<uint64_t, 2>>> results_of(const std::vector<Event>& events) {
  auto of = [&](Column column) {
    std::vector<Event> out;
    std::copy_if(events.begin(), events.end(), std::back_inserter(out),
                 [&](const Event& event) { return (event.present >> column & 1U) != 0; });
    return out;
  };
  auto one = [](auto word) { return std::array<uint64_t, 2>{static_cast<uint64_t>(word), 0}; };
  auto two = [](__int128 units) {
    std::array<uint64_t, 2> out;
    memcpy(out.data(), &units, sizeof(units));
    return out;
  };
  std::vector<std::optional<std::array<uint64_t, 2>>> out;
  std::vector<Event> whole = of(Whole);
  int64_t sum = 0;
  std::optional<int64_t> least;
  std::optional<int64_t> greatest;
  for (const Event& event : whole) {
    sum += event.whole;
    least = std::min(least.value_or(event.whole), event.whole);
    greatest = std::max(greatest.value_or(event.whole), event.whole);
  }
  out.emplace_back(one(whole.size()));
  out.emplace_back(one(sum));
  out.push_back(least ? std::optional(one(*least)) : std::nullopt);
  out.push_back(greatest ? std::optional(one(*greatest)) : std::nullopt);
  std::vector<Event> real = of(Real);
  inl::FloatSumCell reals{};
  inl::ExtremeCell most{};
  inl::ExtremeCell fewest{};
  for (const Event& event : real) {
    add(reals, event.real);
    add_max(most, inl::as_word(event.real), inl::Order::Float);
    add_min(fewest, inl::as_word(event.real), inl::Order::Float);
  }
  out.emplace_back(one(inl::as_word(value(reals))));
  out.push_back(real.empty() ? std::nullopt : std::optional(one(inl::as_word(mean(reals)))));
  out.push_back(real.empty() ? std::nullopt : std::optional(one(most.word)));
  out.push_back(real.empty() ? std::nullopt : std::optional(one(fewest.word)));
  __int128 units = 0;
  std::optional<__int128> largest;
  for (const Event& event : of(Exact)) {
    units += event.exact;
    largest = std::max(largest.value_or(event.exact), event.exact);
  }
  out.emplace_back(two(units));
  out.push_back(largest ? std::optional(two(*largest)) : std::nullopt);
  std::vector<Event> flags = of(Flag);
  auto set = std::count_if(flags.begin(), flags.end(), [](const Event& event) { return event.flag != 0; });
  out.push_back(flags.empty() ? std::nullopt : std::optional(one(set > 0 ? 1 : 0)));
  out.push_back(flags.empty() ? std::nullopt
                              : std::optional(one(set == static_cast<ptrdiff_t>(flags.size()) ? 1 : 0)));
  return out;
}

// Span, count, how far events are out of order, and what floats are: whole, now and then not, or all kinds.
enum class Floats : uint8_t { Whole, Mostly, Any };
using Course = std::tuple<int64_t, uint64_t, int64_t, Floats>;
class Histories : public testing::TestWithParam<Course> {};

double draw_float(std::mt19937_64& random, Floats floats) {
  auto number = static_cast<double>(static_cast<int64_t>(random() % 2001) - 1000);
  if (floats == Floats::Whole || (floats == Floats::Mostly && random() % 400 != 0)) return number;
  switch (random() % 8) {
    case 0:
      return -0.0;
    case 1:
      return std::nan("");
    case 2:
      return random() % 2 == 0 ? HUGE_VAL : 9007199254740992.0;
    default:
      return number / 7;
  }
}

TEST_P(Histories, GiveWhatTheirEventsGive) {
  auto [span, count, disorder, floats] = GetParam();
  StoreDesc desc = history(span, count);
  Budget budget(size_t{1} << 28);
  {
    std::unique_ptr<state::Store> store = std::make_unique<RingStore>(desc, seed, budget);
    std::mt19937_64 random(static_cast<uint64_t>(span + disorder) + count);
    std::map<uint64_t, std::vector<Event>> kept;  // by key, as they came
    int64_t watermark = std::numeric_limits<int64_t>::min();
    int64_t newest = 0;
    for (int64_t i = 0; i < 4000; ++i) {
      uint64_t key = random() % 2;
      Event event{i * 10 - static_cast<int64_t>(random() % static_cast<uint64_t>(disorder + 1)),
                  random() | random(),
                  static_cast<int64_t>(random() % 5000) - 2500,
                  draw_float(random, floats),
                  static_cast<int64_t>(random() % 100'000) - 50'000,
                  static_cast<int64_t>(random() % 40 != 0)};
      newest = std::max(newest, event.time);
      watermark = std::max(watermark, newest - disorder);
      auto* ring = static_cast<RingStore*>(store.get());
      ring->observe(watermark);
      if (i % 50 == 0) ring->advance(watermark);
      if (i == 1500) {
        StoreDesc same = ring->desc();
        std::vector<int> all(same.cells.size());
        for (size_t each = 0; each < all.size(); ++each) all[each] = static_cast<int>(each);
        ring->retune(same, all, watermark);
      }
      if (i == 2500) {
        store = ring->branch();
        ring = static_cast<RingStore*>(store.get());
      }
      auto* table = static_cast<MutTable*>(ring->view());
      char* row = inl::find_or_insert(table, &key, 1, 0, table->row_size);
      std::vector<uint64_t> sample(desc.sample_words, 0);
      sample[0] = static_cast<uint64_t>(event.time);
      sample[2] = event.present & 15U;
      sample[desc.columns[Whole].word] = static_cast<uint64_t>(event.whole);
      sample[desc.columns[Real].word] = inl::as_word(event.real);
      memcpy(&sample[desc.columns[Exact].word], &event.exact, sizeof(event.exact));
      sample[desc.columns[Flag].word] = static_cast<uint64_t>(event.flag);
      std::vector<Event>& of_key = kept[key];
      bool excluding = random() % 4 == 0;
      std::vector<Event> seen;
      if (span == 0) {
        uint64_t wanted = count - (excluding ? 0 : 1);
        seen.assign(of_key.end() - static_cast<ptrdiff_t>(std::min<uint64_t>(wanted, of_key.size())),
                    of_key.end());
      } else {
        int64_t oldest = std::max(event.time, watermark) - span;
        std::copy_if(of_key.begin(), of_key.end(), std::back_inserter(seen),
                     [&](const Event& each) { return each.time > oldest && each.time <= event.time; });
        std::stable_sort(seen.begin(), seen.end(),
                         [](const Event& a, const Event& b) { return a.time < b.time; });
      }
      if (!excluding) seen.push_back(event);
      auto wanted = results_of(seen);
      batch::Arena arena;
      for (uint32_t each = 0; each < desc.cells.size(); ++each) {
        state::CellResult got = ring->query(row, each, sample.data(), excluding, arena);
        ASSERT_EQ(got.present, wanted[each].has_value()) << "event " << i << ", cell " << each;
        if (!got.present) continue;
        ASSERT_EQ(got.words[0], (*wanted[each])[0]) << "event " << i << ", cell " << each;
        if (desc.cells[each].kind == WordKind::Decimal) ASSERT_EQ(got.words[1], (*wanted[each])[1]);
      }
      ASSERT_TRUE(ring->push(row, sample.data()));
      if (span == 0 || event.time > watermark - span) of_key.push_back(event);
    }
  }
  EXPECT_EQ(budget.used(), 0U);
  EXPECT_EQ(budget.leaving(), 0U);
}

// What is carried along refuses no event: a budget in which the samples alone have room is enough, and rising
// values, all of which stay in the queue of the least, give the same.
TEST(Histories, CarriedResultsTakeNoRoomFromEvents) {
  StoreDesc desc = history(1'000'000, 0);
  enum class Asks : uint8_t { Nothing, Results };
  // Whether all events had room.
  auto take = [&](size_t bytes, Asks asks) {
    Budget budget(bytes);
    bool all = true;
    {
      RingStore store(desc, seed, budget);
      auto* table = static_cast<MutTable*>(store.view());
      for (uint64_t i = 0; i < 20'000 && all; ++i) {
        uint64_t key = i % 3;
        char* row = inl::find_or_insert(table, &key, 1, 0, table->row_size);
        std::vector<uint64_t> sample(desc.sample_words, 0);
        sample[0] = i;
        sample[2] = 1U << Whole;
        sample[desc.columns[Whole].word] = i + 5;
        batch::Arena arena;
        for (uint32_t cell : {1U, 2U}) {
          if (asks == Asks::Nothing) break;
          uint64_t before = i / 3;
          uint64_t sum = (before + 1) * (key + 5) + 3 * (before * (before + 1) / 2);
          EXPECT_EQ(store.query(row, cell, sample.data(), false, arena).words[0], cell == 2 ? key + 5 : sum);
        }
        all = store.push(row, sample.data());
      }
    }
    EXPECT_EQ(budget.used(), 0U);
    EXPECT_EQ(budget.leaving(), 0U);
    return all;
  };
  size_t least = size_t{1} << 16;
  while (!take(least, Asks::Nothing)) least += least / 16;
  EXPECT_TRUE(take(least, Asks::Results));
}

INSTANTIATE_TEST_SUITE_P(
    Courses, Histories,
    testing::Values(Course{0, 1, 0, Floats::Whole}, Course{0, 30, 0, Floats::Any},
                    Course{0, 100, 0, Floats::Whole}, Course{0, 100, 300, Floats::Mostly},
                    Course{0, 1000, 0, Floats::Mostly}, Course{3000, 0, 0, Floats::Whole},
                    Course{3000, 0, 500, Floats::Mostly}, Course{20'000, 0, 100, Floats::Any},
                    Course{2000, 0, 4000, Floats::Whole}));

}  // namespace
}  // namespace mut::test

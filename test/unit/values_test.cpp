// Cells that keep values against sorted lists: as they grow, as one would be added, merged, and freed.
#include "runtime/state/values.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace mut::state {
namespace {

// One cell with a heap of its own.
class Kept {
 public:
  explicit Kept(const CellDesc& desc) : desc_(desc), heap_(budget_, view_) {}
  void add(const uint64_t* words, int64_t time) { add_kept(desc_, cell_, heap_, words, time); }
  void add(double value) {
    uint64_t word = inl::as_word(value);
    add(&word, 0);
  }
  void merge(const Kept& other) { merge_kept(desc_, cell_, heap_, other.cell_, other.heap_); }
  void free() { free_kept(desc_, cell_, heap_); }
  CellResult quantile() const { return quantile_result(desc_, cell_, heap_); }
  CellResult peek(double value) const { return peek_quantile(desc_, cell_, heap_, value); }
  CellResult list(const KeptValue* next, batch::Arena& arena) const {
    return list_result(desc_, cell_, heap_, next, arena);
  }

 private:
  const CellDesc& desc_;
  Budget budget_{size_t{1} << 30};
  MutHeap view_{};
  Heap heap_;
  alignas(8) char cell_[sizeof(QuantileCell)] = {};
};

CellDesc describe(CellFn fn, WordKind kind, abi::TypeKind element) {
  CellDesc out;
  out.fn = fn;
  out.kind = kind;
  out.result = abi::make_optional(abi::make_list(abi::make_scalar(element)));
  return out;
}

// Value at the place, by the definition.
double wanted_quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end(), inl::total_less);
  double at = share * static_cast<double>(values.size() - 1);
  auto below = static_cast<size_t>(at);
  double part = at - static_cast<double>(below);
  double low = values[below];
  if (part == 0 || inl::total_equal(low, values[below + 1])) return low + 0.0;
  return low * (1 - part) + values[below + 1] * part + 0.0;
}

void expect_number(const CellResult& result, double wanted) {
  ASSERT_TRUE(result.present);
  double found = inl::as_double(result.words[0]);
  if (std::isnan(wanted)) {
    EXPECT_TRUE(std::isnan(found));
  } else {
    EXPECT_EQ(found, wanted);
  }
}

TEST(Values, QuantilesAreThoseOfTheSortedList) {
  std::mt19937_64 random(3);
  for (double share : {0.0, 0.1, 0.5, 0.9, 0.999, 1.0, 1 - 0x1p-53}) {
    for (bool ranked : {false, true}) {
      CellDesc desc;
      desc.fn = CellFn::Quantile;
      desc.share = share;
      desc.ranked = ranked;
      Kept cell(desc);
      EXPECT_FALSE(cell.quantile().present);
      std::vector<double> all;
      for (int step = 0; step < 400; ++step) {
        double value = static_cast<double>(static_cast<int64_t>(random() % 41) - 20) / 4;
        if (random() % 50 == 0) value = std::numeric_limits<double>::infinity();
        if (random() % 50 == 0) value = -std::numeric_limits<double>::infinity();
        if (random() % 60 == 0) value = std::numeric_limits<double>::quiet_NaN();
        all.push_back(value);
        if (ranked) expect_number(cell.peek(value), wanted_quantile(all, share));
        cell.add(value);
        expect_number(cell.quantile(), wanted_quantile(all, share));
      }
      // Of panes, whatever the share of those was.
      CellDesc other = desc;
      other.ranked = !ranked;
      other.share = 1 - share;
      Kept merged(desc);
      for (size_t from = 0; from < all.size(); from += 37) {
        Kept pane(other);
        for (size_t i = from; i < std::min(from + 37, all.size()); ++i) pane.add(all[i]);
        merged.merge(pane);
      }
      expect_number(merged.quantile(), wanted_quantile(all, share));
      merged.free();
      EXPECT_FALSE(merged.quantile().present);
    }
  }
}

struct Event {
  std::string text;
  int64_t time;
};

std::vector<std::string> wanted_texts(std::vector<Event> events, const CellDesc& desc) {
  std::stable_sort(events.begin(), events.end(), [&](const Event& a, const Event& b) {
    if (desc.fn == CellFn::Top && a.text != b.text) return a.text > b.text;
    return a.time < b.time;
  });
  if (desc.most != 0 && events.size() > desc.most) events.resize(desc.most);
  std::vector<std::string> out;
  for (const Event& event : events) out.push_back(event.text);
  return out;
}

std::vector<std::string> texts_of(const CellResult& result) {
  std::vector<std::string> out;
  if (!result.present) return out;
  MutList list;
  memcpy(&list, result.words, sizeof(list));
  const auto* texts = static_cast<const MutStr*>(list.data);
  for (uint64_t i = 0; i < list.count; ++i) out.emplace_back(abi::view(texts[i]));
  return out;
}

KeptValue as_kept(const Event& event) {
  KeptValue out;
  MutStr text = abi::make_str(event.text);
  memcpy(out.words, &text, sizeof(text));
  out.time = event.time;
  return out;
}

TEST(Values, ListsAreTheFirstOfTheSortedList) {
  std::mt19937_64 random(5);
  for (CellFn fn : {CellFn::Collect, CellFn::Top}) {
    for (uint64_t most : {0U, 1U, 3U, 40U}) {
      CellDesc desc = describe(fn, WordKind::Text, abi::TypeKind::String);
      desc.most = most;
      Kept cell(desc);
      Kept early(desc);
      Kept late(desc);
      std::vector<Event> all;
      for (int step = 0; step < 150; ++step) {
        Event event{std::string(random() % 30, static_cast<char>('a' + random() % 5)),
                    static_cast<int64_t>(random() % 60)};
        all.push_back(event);
        KeptValue kept = as_kept(event);
        batch::Arena arena;
        EXPECT_EQ(texts_of(cell.list(&kept, arena)), wanted_texts(all, desc));
        cell.add(kept.words, kept.time);
        (event.time < 30 ? early : late).add(kept.words, kept.time);
        EXPECT_EQ(texts_of(cell.list(nullptr, arena)), wanted_texts(all, desc));
      }
      // Two panes part the events by time.
      early.merge(late);
      batch::Arena arena;
      EXPECT_EQ(texts_of(early.list(nullptr, arena)), wanted_texts(all, desc));
      early.free();
      EXPECT_FALSE(early.list(nullptr, arena).present);
      std::vector<KeptValue> values;
      for (const Event& event : all) values.push_back(as_kept(event));
      EXPECT_EQ(texts_of(list_of(desc, values, arena)), wanted_texts(all, desc));
    }
  }
}

TEST(Values, FewerAreKeptWhenFewerAreWanted) {
  CellDesc three = describe(CellFn::Collect, WordKind::Signed, abi::TypeKind::I64);
  three.most = 3;
  CellDesc two = three;
  two.most = 2;
  Kept from(three);
  for (uint64_t n : {7U, 8U, 9U}) from.add(&n, static_cast<int64_t>(n));
  Kept to(two);
  to.merge(from);
  batch::Arena arena;
  MutList list;
  CellResult result = to.list(nullptr, arena);
  memcpy(&list, result.words, sizeof(list));
  ASSERT_EQ(list.count, 2U);
  EXPECT_EQ(static_cast<const int64_t*>(list.data)[1], 8);
}

}  // namespace
}  // namespace mut::state

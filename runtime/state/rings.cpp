#include "runtime/state/rings.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <unordered_set>
#include <utility>

#include "runtime/abi/deliberate.h"
#include "runtime/decimal/decimal.h"
#include "runtime/state/sketch.h"
#include "runtime/state/values.h"

namespace mut::state {
namespace {
constexpr uint32_t small_set_max = 64;
// Samples that one look of expiry lets go at least, where as many have passed: some 50 µs.
constexpr uint64_t drops_least = 1024;
}  // namespace

RingStore::RingStore(StoreDesc desc, uint64_t seed, Budget& budget)
    : Store(std::move(desc)), budget_(budget), table_(desc_, seed, budget), running_(budget), seed_(seed) {}

RingStore::Ref RingStore::load(const char* row) const {
  Ref out;
  memcpy(&out, row + ref_offset(), sizeof(out));
  return out;
}
void RingStore::save(char* row, const Ref& ref) const { memcpy(row + ref_offset(), &ref, sizeof(ref)); }

uint64_t* RingStore::at(const Ref& ref, uint32_t index) const {
  uint32_t slot = (ref.head + index) & (ref.capacity - 1);
  char* base = const_cast<KeyedTable&>(table_).heap().at(ref.offset);
  return reinterpret_cast<uint64_t*>(base) + static_cast<size_t>(slot) * desc_.sample_words;
}

void RingStore::free_sample(uint64_t* sample) {
  for (size_t i = 0; i < desc_.columns.size(); ++i) {
    if (desc_.columns[i].kind != WordKind::Text || (sample[2] >> i & 1U) == 0) continue;
    MutStoredStr text;
    memcpy(&text, sample + desc_.columns[i].word, sizeof(text));
    table_.heap().free(text);
  }
}

void RingStore::drop_oldest(Ref& ref) {
  if (ref.running != 0) leave_running(ref);
  free_sample(at(ref, 0));
  ref.head = (ref.head + 1) & (ref.capacity - 1);
  --ref.count;
  --sample_count_;
}

void RingStore::purge(Ref& ref) {
  if (desc_.span == 0 || watermark_ == std::numeric_limits<int64_t>::min()) return;
  while (ref.count > 0 && static_cast<int64_t>(at(ref, 0)[0]) <= watermark_ - desc_.span) drop_oldest(ref);
}

bool RingStore::is_past(const char* row, int64_t watermark) const {
  if (desc_.ttl == 0) return false;
  Ref ref = load(row);
  // Samples of a span of time are in order of time, others in order of arrival.
  for (uint32_t i = desc_.span == 0 || ref.count == 0 ? 0 : ref.count - 1; i < ref.count; ++i) {
    int64_t end;
    if (__builtin_add_overflow(static_cast<int64_t>(at(ref, i)[0]), desc_.ttl, &end) || end >= watermark)
      return false;
  }
  return true;
}

void RingStore::forget_past(char* row) {
  if (!is_past(row, watermark_)) return;
  Ref ref = load(row);
  while (ref.count > 0) drop_oldest(ref);
  save(row, ref);
}

bool RingStore::counts(const uint64_t* sample, const CellDesc& cell) const {
  auto time = static_cast<int64_t>(sample[0]);
  auto arrival = static_cast<int64_t>(sample[1]);
  if (arrival < cell.since || (sample[2] >> cell.column & 1U) == 0) return false;
  return std::none_of(cell.forgotten.begin(), cell.forgotten.end(),
                      [&](const Forgotten& gone) { return time <= gone.time && arrival <= gone.arrival; });
}

// Few texts: each against those before it. Texts of at most four bytes are their first word.
uint64_t RingStore::distinct_few(const char* row, const CellDesc& cell, uint32_t first, uint32_t last,
                                 const uint64_t* self) const {
  Ref ref = load(row);
  uint32_t word = desc_.columns[cell.column].word;
  const Heap& heap = const_cast<KeyedTable&>(table_).heap();
  MutStr seen[small_set_max + 1];
  uint64_t count = 0;
  auto add = [&](MutStr text) {
    for (uint64_t i = 0; i < count; ++i) {
      if (abi::equal(seen[i], text)) return;
    }
    seen[count++] = text;
  };
  for (uint32_t i = first; i < last; ++i) {
    if (!counts(at(ref, i), cell)) continue;
    MutStoredStr stored;
    memcpy(&stored, at(ref, i) + word, sizeof(stored));
    add({stored.size, stored.prefix, stored.size > 4 ? heap.at(stored.offset) : ""});
  }
  if (self != nullptr) {
    MutStr text;
    memcpy(&text, self, sizeof(text));
    add(text);
  }
  return count;
}

// By time the event sees (t - span, t]; by count the last N with itself, or the N before it.
RingStore::Range RingStore::range(const char* row, const uint64_t* sample, bool excluding) const {
  Ref ref = load(row);
  auto time = static_cast<int64_t>(sample[0]);
  Range out{0, ref.count};
  if (desc_.span == 0) {
    uint64_t wanted = desc_.count - (excluding || MUT_DELIBERATE_FAULT(history_one_more) ? 0 : 1);
    if (ref.count > wanted) out.first = ref.count - static_cast<uint32_t>(wanted);
    return out;
  }
  while (out.last > 0 && !MUT_DELIBERATE_FAULT(history_sees_ahead) &&
         static_cast<int64_t>(at(ref, out.last - 1)[0]) > time)
    --out.last;
  // Samples are in order of time: halve instead of walking when many are too old.
  int64_t oldest = (is_started() ? std::max(time, watermark_) : time) - desc_.span;
  uint32_t high = out.last;
  while (out.first < high) {
    uint32_t middle = (out.first + high) / 2;
    if (static_cast<int64_t>(at(ref, middle)[0]) > oldest) {
      high = middle;
    } else {
      out.first = middle + 1;
    }
  }
  return out;
}

const uint64_t* RingStore::counted(const char* row, uint32_t cell, uint32_t index) const {
  Ref ref = load(row);
  const uint64_t* sample = at(ref, index);
  return counts(sample, desc_.cells[cell]) ? sample : nullptr;
}

MutStr RingStore::text(const uint64_t* words) const {
  MutStoredStr stored;
  memcpy(&stored, words, sizeof(stored));
  return const_cast<KeyedTable&>(table_).heap().load(stored);
}

CellResult RingStore::query(const char* row, uint32_t index, const uint64_t* sample, bool excluding,
                            batch::Arena& arena) const {
  const CellDesc& cell = desc_.cells[index];
  uint32_t word = desc_.columns[cell.column].word;
  Ref ref = load(row);
  auto time = static_cast<int64_t>(sample[0]);
  auto [first, last] = range(row, sample, excluding);
  bool self = !excluding && (sample[2] >> cell.column & 1U) != 0;
  const Heap& heap = const_cast<KeyedTable&>(table_).heap();
  auto value_at = [&](uint32_t i) { return at(ref, i) + word; };
  auto for_each = [&](auto visit) {
    for (uint32_t i = first; i < last; ++i) {
      if (counts(at(ref, i), cell)) visit(value_at(i), static_cast<int64_t>(at(ref, i)[0]));
    }
  };
  CellResult out;
  if (carry(row, index, {first, last}, self ? sample + word : nullptr, out)) return out;
  auto number = [&](double value, bool present) {
    out.words[0] = inl::as_word(value);
    out.present = present;
    return out;
  };
  switch (cell.fn) {
    case CellFn::Count: {
      uint64_t count = self ? 1 : 0;
      for_each([&](const uint64_t*, int64_t) { ++count; });
      out.words[0] = count;
      return out;
    }
    case CellFn::IntSum: {
      inl::IntSumCell sum{};
      for_each([&](const uint64_t* value, int64_t) { add(sum, static_cast<int64_t>(value[0])); });
      if (self) add(sum, static_cast<int64_t>(sample[word]));
      out.words[0] = sum.low;
      out.overflow = !fits(sum);
      return out;
    }
    case CellFn::DecimalSum:
    case CellFn::DecimalAvg: {
      inl::DecimalSumCell sum{};
      for_each([&](const uint64_t* value, int64_t) { add(sum, value[0], value[1]); });
      if (self) add(sum, sample[word], sample[word + 1]);
      return cell_result(cell, reinterpret_cast<const char*>(&sum), heap);
    }
    case CellFn::FloatSum:
    case CellFn::Avg: {
      inl::FloatSumCell sum{};
      for_each([&](const uint64_t* value, int64_t) { add(sum, inl::as_double(value[0])); });
      if (self) add(sum, inl::as_double(sample[word]));
      return cell.fn == CellFn::Avg ? number(mean(sum), sum.count > 0) : number(value(sum), true);
    }
    case CellFn::Variance:
    case CellFn::VarianceSample:
    case CellFn::Stddev:
    case CellFn::StddevSample: {
      inl::MomentsCell moments{};
      for_each([&](const uint64_t* value, int64_t) { add(moments, inl::as_double(value[0])); });
      if (self) add(moments, inl::as_double(sample[word]));
      bool of_sample = cell.fn == CellFn::VarianceSample || cell.fn == CellFn::StddevSample;
      double variance = of_sample ? variance_sample(moments) : inl::variance(moments);
      bool root = cell.fn == CellFn::Stddev || cell.fn == CellFn::StddevSample;
      return number(root ? std::sqrt(variance) : variance, moments.count > (of_sample ? 1 : 0));
    }
    case CellFn::Any:
    case CellFn::All: {
      inl::BoolCell seen{};
      for_each([&](const uint64_t* value, int64_t) { add(seen, static_cast<uint8_t>(value[0])); });
      if (self) add(seen, static_cast<uint8_t>(sample[word]));
      out.words[0] = static_cast<uint64_t>(cell.fn == CellFn::Any ? seen.any : seen.all);
      out.present = seen.count > 0;
      return out;
    }
    case CellFn::Distinct: {
      uint64_t count = 0;
      if (cell.kind == WordKind::Text && last - first < small_set_max) {
        count = distinct_few(row, cell, first, last, self ? sample + word : nullptr);
      } else if (cell.kind == WordKind::Text) {
        std::unordered_set<std::string_view> seen;
        for_each([&](const uint64_t* value, int64_t) {
          MutStoredStr text;
          memcpy(&text, value, sizeof(text));
          seen.insert(abi::view(heap.load(text)));
        });
        if (self) {
          MutStr text;
          memcpy(&text, sample + word, sizeof(text));
          seen.insert(abi::view(text));
        }
        count = seen.size();
      } else if (cell.kind == WordKind::Decimal) {
        std::set<std::pair<uint64_t, uint64_t>> seen;
        for_each([&](const uint64_t* value, int64_t) { seen.emplace(value[0], value[1]); });
        if (self) seen.emplace(sample[word], sample[word + 1]);
        count = seen.size();
      } else {
        std::unordered_set<uint64_t> seen;
        auto canonical = [&](uint64_t value) {
          return cell.kind == WordKind::Float ? inl::key_word(inl::as_double(value)) : value;
        };
        for_each([&](const uint64_t* value, int64_t) { seen.insert(canonical(value[0])); });
        if (self) seen.insert(canonical(sample[word]));
        count = seen.size();
      }
      out.words[0] = count;
      return out;
    }
    case CellFn::Min:
    case CellFn::Max:
    case CellFn::First:
    case CellFn::Last: {
      out.present = false;
      int64_t kept_time = 0;
      auto take = [&](const uint64_t* value, int64_t value_time) {
        bool better = !out.present;
        if (!better) {
          int order = compare_words(value, out.words, cell.kind);
          better = cell.fn == CellFn::Min     ? order < 0
                   : cell.fn == CellFn::Max   ? order > 0
                   : cell.fn == CellFn::First ? value_time < kept_time
                                              : value_time >= kept_time;
        }
        if (!better) return;
        out.words[0] = value[0];
        if (word_count(cell.kind) == 2) out.words[1] = value[1];
        out.present = true;
        kept_time = value_time;
      };
      for_each([&](const uint64_t* value, int64_t value_time) {
        uint64_t words[2] = {0, 0};
        load_value(cell.kind, value, words);
        take(words, value_time);
      });
      if (self) take(sample + word, time);
      return out;
    }
    case CellFn::Quantile: {
      std::vector<double> values;
      for_each([&](const uint64_t* value, int64_t) { values.push_back(inl::as_double(value[0])); });
      if (self) values.push_back(inl::as_double(sample[word]));
      return quantile_of(cell.share, values);
    }
    case CellFn::ApproxDistinct: {
      std::vector<uint64_t> hashes;
      auto add = [&](const uint64_t* value) {
        uint64_t words[2];
        memcpy(words, value, word_count(cell.kind) * 8U);
        if (cell.kind == WordKind::Float) words[0] = inl::key_word(inl::as_double(words[0]));
        hashes.push_back(sketch_hash(words, cell.kind));
      };
      for_each([&](const uint64_t* value, int64_t) {
        uint64_t words[2];
        load_value(cell.kind, value, words);
        add(words);
      });
      if (self) add(sample + word);
      out.words[0] = static_cast<uint64_t>(count_of_hashes(hashes));
      return out;
    }
    case CellFn::Rank: {
      out.words[0] = 1;
      out.present = (sample[2] >> cell.column & 1U) != 0;
      for_each([&](const uint64_t* value, int64_t) {
        uint64_t words[2] = {0, 0};
        load_value(cell.kind, value, words);
        if (compare_words(words, sample + word, cell.kind) > 0) ++out.words[0];
      });
      return out;
    }
    case CellFn::Collect:
    case CellFn::Top:
    case CellFn::StringAgg: {
      std::vector<KeptValue> values;
      for_each([&](const uint64_t* value, int64_t value_time) {
        values.emplace_back();
        load_value(cell.kind, value, values.back().words);
        values.back().time = value_time;
      });
      if (self) {
        values.emplace_back();
        memcpy(values.back().words, sample + word, word_count(cell.kind) * 8U);
        values.back().time = time;
      }
      return list_of(cell, std::move(values), arena);
    }
    default:
      return out;
  }
}

// A value of a sample, texts as MutStr.
void RingStore::load_value(WordKind kind, const uint64_t* from, uint64_t* words) const {
  words[0] = from[0];
  if (kind == WordKind::Decimal) words[1] = from[1];
  if (kind != WordKind::Text) return;
  MutStr loaded = text(from);
  memcpy(words, &loaded, sizeof(loaded));
}

bool RingStore::goes_next(const Ref& ref) const {
  if (desc_.span == 0) return desc_.count != 0 && ref.count >= desc_.count;
  return is_started() && static_cast<int64_t>(at(ref, 0)[0]) <= watermark_ - desc_.span;
}

bool RingStore::has_room(const char* row, const uint64_t* sample) const {
  const Heap& heap = const_cast<KeyedTable&>(table_).heap();
  Ref ref = load(row);
  const uint64_t* oldest = ref.count > 0 ? at(ref, 0) : nullptr;
  if (oldest != nullptr && !goes_next(ref)) oldest = nullptr;
  uint64_t growth = 0;
  if (ref.count == ref.capacity && oldest == nullptr)
    growth = heap.growth(
        static_cast<uint64_t>(ref.capacity == 0 ? 4 : ref.capacity * 2) * desc_.sample_words * 8, 0);
  for (size_t i = 0; i < desc_.columns.size(); ++i) {
    if (desc_.columns[i].kind != WordKind::Text || (sample[2] >> i & 1U) == 0) continue;
    const uint32_t word = desc_.columns[i].word;
    MutStr text;
    memcpy(&text, sample + word, sizeof(text));
    MutStoredStr gone{0, 0, 0};
    if (oldest != nullptr && (oldest[2] >> i & 1U) != 0) memcpy(&gone, oldest + word, sizeof(gone));
    growth += heap.growth(text.size, gone.size);
  }
  if (growth == 0 || budget_.fits(growth)) return true;
  ++asked_;
  return false;
}

// What samples that have passed have left free is room, whatever the budget has.
bool RingStore::has_room_for(uint64_t bytes) {
  uint64_t growth = table_.heap().growth(bytes, 0);
  return growth == 0 || budget_.fits(growth);
}

bool RingStore::push(char* row, const uint64_t* sample) {
  ++asked_;
  Ref ref = load(row);
  purge(ref);
  // `excluding current` reads count samples before the event: one more than it would with itself.
  if (desc_.span == 0 && desc_.count != 0) {
    while (ref.count >= desc_.count) drop_oldest(ref);
  }
  if (desc_.span != 0 && is_started() && static_cast<int64_t>(sample[0]) <= watermark_ - desc_.span) {
    ++late_;
    ++arrivals_;
    save(row, ref);
    return true;  // no later event can see it
  }
  if (ref.count == ref.capacity) {
    uint32_t capacity = ref.capacity == 0 ? 4 : ref.capacity * 2;
    uint64_t bytes = static_cast<uint64_t>(capacity) * desc_.sample_words * 8;
    if (!has_room_for(bytes)) {
      save(row, ref);  // without the samples that were let go
      return false;
    }
    Ref bigger{table_.heap().allocate(bytes), capacity, 0, ref.count, ref.running};
    for (uint32_t i = 0; i < ref.count; ++i) memcpy(at(bigger, i), at(ref, i), desc_.sample_words * 8U);
    if (ref.capacity != 0)
      table_.heap().free(ref.offset, static_cast<uint64_t>(ref.capacity) * desc_.sample_words * 8);
    ref = bigger;
  }
  uint32_t place = ref.count;
  ++ref.count;
  ++sample_count_;
  if (desc_.span != 0) {
    while (place > 0 && static_cast<int64_t>(at(ref, place - 1)[0]) > static_cast<int64_t>(sample[0])) {
      memcpy(at(ref, place), at(ref, place - 1), desc_.sample_words * 8U);
      --place;
    }
  }
  uint64_t* target = at(ref, place);
  memcpy(target, sample, desc_.sample_words * 8U);
  target[1] = ++arrivals_;
  for (size_t i = 0; i < desc_.columns.size(); ++i) {
    if (desc_.columns[i].kind != WordKind::Text || (sample[2] >> i & 1U) == 0) continue;
    MutStr text;
    memcpy(&text, sample + desc_.columns[i].word, sizeof(text));
    MutStoredStr stored = table_.heap().store(abi::view(text));
    memcpy(at(ref, place) + desc_.columns[i].word, &stored, sizeof(stored));
  }
  if (ref.running != 0 && place + 1 < ref.count) insert_running(ref, place);
  save(row, ref);
  return true;
}

bool RingStore::seen_near(const char* row, int64_t time) const {
  Ref ref = load(row);
  for (uint32_t i = ref.count; i-- > 0;) {
    auto passed = static_cast<int64_t>(at(ref, i)[0]);
    if (is_started() && passed <= watermark_ - desc_.span) break;  // not held any more
    if ((passed - time < desc_.span || MUT_DELIBERATE_FAULT(dedupe_one_sided)) && time - passed < desc_.span)
      return true;
    if (passed <= time - desc_.span) break;
  }
  return false;
}

bool RingStore::is_full(const char* row, int64_t time, int64_t most) const {
  Ref ref = load(row);
  // Passed events are in order of time.
  auto later_than = [&](int64_t instant) {
    uint32_t low = 0;
    uint32_t high = ref.count;
    while (low < high) {
      uint32_t middle = (low + high) / 2;
      if (static_cast<int64_t>(at(ref, middle)[0]) > instant) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  };
  uint32_t first = later_than((is_started() ? std::max(time, watermark_) : time) - desc_.span);
  uint32_t end = later_than(time);
  if (MUT_DELIBERATE_FAULT(throttle_one_more)) ++most;
  return end > first && static_cast<int64_t>(end - first) >= most;
}

// Drops what no event in time can see; keys left without samples go too, some segments a call. An edit, or a
// jump of the watermark, may have made many samples old at once: those go a piece at a time, twice as many as
// come.
void RingStore::advance(int64_t watermark) {
  watermark_ = std::max(watermark_, watermark);
  if (desc_.span == 0 && desc_.ttl == 0) return;
  size_t segments = table_.take_sweep(asked_ - counted_);
  counted_ = asked_;
  if (segments == 0) return;
  const uint64_t drops = std::max(drops_least, 2 * std::exchange(asked_, 0));
  counted_ = 0;
  const uint64_t held_least = sample_count_ - std::min(sample_count_, drops);
  for (; segments > 0; --segments, ++sweep_) {
    table_.for_segment(sweep_, [&](char* row) {
      if (sample_count_ <= held_least) return;
      forget_past(row);
      Ref ref = load(row);
      purge(ref);
      save(row, ref);
    });
    if (sample_count_ <= held_least && sample_count_ > 0) return;  // the rest of the segment at the next call
    auto empty = [&](const char* row) { return load(row).count == 0; };
    for (const std::vector<uint64_t>& key : table_.keys_of_segment(sweep_, empty)) {
      char* row = table_.find(key.data());
      Ref ref = load(row);
      if (ref.capacity != 0)
        table_.heap().free(ref.offset, static_cast<uint64_t>(ref.capacity) * desc_.sample_words * 8);
      running_.free(ref.running);
      table_.erase(row);
    }
  }
}

}  // namespace mut::state

extern "C" {

// First and last index of the samples that an event sees, as two halves of a word; the last is not seen.
uint64_t mut_ring_range(void* store, const char* row, const uint64_t* sample, int32_t excluding) {
  auto [first, last] = static_cast<mut::state::RingStore*>(store)->range(row, sample, excluding != 0);
  return uint64_t{first} << 32U | last;
}

// Null when the sample does not count for the cell.
const uint64_t* mut_ring_sample(void* store, const char* row, uint32_t cell, uint32_t index) {
  return static_cast<mut::state::RingStore*>(store)->counted(row, cell, index);
}

void mut_ring_text(void* store, const uint64_t* words, MutStr* out) {
  *out = static_cast<mut::state::RingStore*>(store)->text(words);
}

int32_t mut_ring_room(void* store, const char* row, const uint64_t* sample) {
  return static_cast<mut::state::RingStore*>(store)->has_room(row, sample) ? 1 : 0;
}

int32_t mut_ring_push(void* store, char* row, const uint64_t* sample) {
  return static_cast<mut::state::RingStore*>(store)->push(row, sample) ? 1 : 0;
}

int32_t mut_throttle_full(void* store, const char* row, int64_t time, int64_t most) {
  return static_cast<mut::state::RingStore*>(store)->is_full(row, time, most) ? 1 : 0;
}

int32_t mut_dedupe_seen(void* store, const char* row, int64_t time) {
  return static_cast<mut::state::RingStore*>(store)->seen_near(row, time) ? 1 : 0;
}

}  // extern "C"

// Samples under another version: their columns converted, kept beside the old ones, and put together.
#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/abi/check.h"
#include "runtime/abi/deliberate.h"
#include "runtime/state/rings.h"
#include "runtime/state/values.h"

namespace mut::state {

std::vector<int> RingStore::column_sources(const RingStore& old, const std::vector<int>& cells) const {
  std::vector<int> out(desc_.columns.size(), -1);
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] < 0) continue;
    const CellDesc& from = old.desc_.cells[static_cast<size_t>(cells[i])];
    const CellDesc& to = desc_.cells[i];
    for (uint32_t column = 0; column < std::min(from.columns, to.columns); ++column)
      out[to.column + column] = static_cast<int>(from.column + column);
  }
  return out;
}

void RingStore::take_columns(const RingStore& old, const uint64_t* from, const std::vector<int>& columns,
                             uint64_t* sample) const {
  std::fill_n(sample, desc_.sample_words, 0);
  sample[0] = from[0];
  for (size_t column = 0; column < columns.size(); ++column) {
    if (columns[column] < 0) continue;
    auto old_column = static_cast<size_t>(columns[column]);
    if ((from[2] >> old_column & 1U) == 0) continue;
    sample[2] |= uint64_t{1} << column;
    const uint64_t* value = from + old.desc_.columns[old_column].word;
    uint64_t* target = sample + desc_.columns[column].word;
    memcpy(target, value, word_count(desc_.columns[column].kind) * 8U);
    if (desc_.columns[column].kind != WordKind::Text) continue;
    MutStoredStr stored;
    memcpy(&stored, value, sizeof(stored));
    MutStr text = const_cast<KeyedTable&>(old.table_).heap().load(stored);
    memcpy(target, &text, sizeof(text));
  }
}

void RingStore::begin_from(const RingStore& old, const std::vector<int>& cells, int64_t watermark) {
  watermark_ = std::max(old.watermark_, watermark);
  shortened_ = old.shortened_ || (desc_.span != 0 && desc_.span < old.desc_.span);
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] < 0) {
      desc_.cells[i].since = static_cast<int64_t>(old.arrivals_) + 1;
    } else {
      take_begin(old.desc_.cells[static_cast<size_t>(cells[i])], 0, desc_.cells[i]);
    }
  }
  arrivals_ = old.arrivals_;
  late_ = old.late_;  // what a shorter history lets go is not late
}

// Samples are in order of time, or of arrival: what goes over are the last ones. What the old store did not
// hold any more does not, whether the memory of it was freed yet or not.
uint32_t RingStore::first_taken(const RingStore& old, const Ref& ref, int64_t watermark) const {
  uint32_t lost = MUT_DELIBERATE_FAULT(swap_loses_oldest) && ref.count > 0 ? 1 : 0;
  if (desc_.span == 0) {
    bool fewer = desc_.count != 0 && ref.count > desc_.count;
    return std::max(lost, fewer ? ref.count - static_cast<uint32_t>(desc_.count) : 0);
  }
  uint32_t first = 0;
  uint32_t end = watermark == std::numeric_limits<int64_t>::min() ? 0 : ref.count;
  int64_t span = std::min(desc_.span, old.desc_.span);
  while (first < end) {
    uint32_t middle = (first + end) / 2;
    if (static_cast<int64_t>(old.at(ref, middle)[0]) <= watermark - span) {
      first = middle + 1;
    } else {
      end = middle;
    }
  }
  return std::max(lost, first);
}

bool RingStore::take_samples(const RingStore& old, const Ref& from, uint32_t first,
                             const std::vector<int>& columns, Room room, char* made) {
  MUT_CHECK(load(made).count == 0, "a key takes the samples of one that was there");
  Ref ref{0, 4, 0, from.count - first, 0};
  while (ref.capacity < ref.count) ref.capacity *= 2;
  const uint64_t bytes = uint64_t{ref.capacity} * desc_.sample_words * 8;
  if (room == Room::OfBudget && !budget_.fits(bytes)) return false;
  ref.offset = table_.heap().allocate(bytes);
  for (uint32_t i = 0; i < ref.count; ++i) {
    const uint64_t* sample = old.at(from, first + i);
    uint64_t* to = at(ref, i);
    take_columns(old, sample, columns, to);
    to[1] = sample[1];
    for (size_t column = 0; column < columns.size(); ++column) {
      if (desc_.columns[column].kind != WordKind::Text || (to[2] >> column & 1U) == 0) continue;
      MutStr text;
      memcpy(&text, to + desc_.columns[column].word, sizeof(text));
      MutStoredStr stored = table_.heap().store(abi::view(text));
      memcpy(to + desc_.columns[column].word, &stored, sizeof(stored));
    }
  }
  sample_count_ += ref.count;
  save(made, ref);
  return true;
}

void RingStore::convert_from(const Store& old_store, const std::vector<int>& cells, int64_t watermark) {
  const auto& old = static_cast<const RingStore&>(old_store);
  begin_from(old, cells, watermark);
  std::vector<int> columns = column_sources(old, cells);
  std::vector<uint64_t> key(key_room(old.desc_));
  std::vector<uint64_t> sample(desc_.sample_words);
  // Of a key of another type that two had become: floats of large whole numbers.
  auto add_samples = [&](const Ref& from, uint32_t first, char* made) {
    bool all = true;
    for (uint32_t i = first; i < from.count && all; ++i) {
      take_columns(old, old.at(from, i), columns, sample.data());
      arrivals_ = old.at(from, i)[1] - 1;  // push() counts one up
      all = push(made, sample.data());
    }
    arrivals_ = old.arrivals_;
    return all;
  };
  old.table_.for_each([&](char* row) {
    Ref ref = old.load(row);
    uint32_t first = first_taken(old, ref, watermark_);
    if (first >= ref.count || old.is_past(row, watermark_)) return;
    old.table_.load_key(row, key.data());
    (void)place_key(old.desc_, key.data());
    char* made = table_.find_or_insert(key.data());
    bool taken = made != nullptr &&
                 (load(made).count > 0 ? add_samples(ref, first, made)
                                       : take_samples(old, ref, first, columns, Room::OfBudget, made));
    if (!taken) note(key.data(), no_memory);
  });
  running_.forget();
}

bool RingStore::can_take_over(const Store& old, const std::vector<int>&) const {
  return old.desc().kind == desc_.kind && has_same_key_words(old.desc(), desc_);
}

void RingStore::take_over(std::shared_ptr<Store> old_store, const std::vector<int>& cells, int64_t watermark,
                          std::shared_ptr<KeyChange> change) {
  MUT_CHECK(!change, "keys of samples that are made anew are made at the cut");
  auto& old = static_cast<RingStore&>(*old_store);
  begin_from(old, cells, watermark);
  waiting_ = old.sample_count_;
  auto lives = [this, &old, cut = watermark_](const char* row) {
    Ref ref = old.load(row);
    return first_taken(old, ref, cut) < ref.count && !old.is_past(row, cut);
  };
  auto convert = [this, &old, cut = watermark_, columns = column_sources(old, cells)](const char* row,
                                                                                      char* made) {
    Ref ref = old.load(row);
    waiting_ -= ref.count;
    take_samples(old, ref, first_taken(old, ref, cut), columns, Room::Regardless, made);
  };
  table_.take_over(old.table_, {lives, convert});
  before_ = std::move(old_store);
}

void RingStore::take_begin(const CellDesc& from, int64_t shift, CellDesc& to) {
  to.since = from.since + shift;
  to.forgotten = from.forgotten;
  for (Forgotten& gone : to.forgotten) gone.arrival += shift;
}

// What a history over `span` does not hold at the watermark is gone for the cell from here on, whether the
// memory of it was freed yet or not.
void RingStore::forget_older(int64_t span, CellDesc& cell) const {
  if (watermark_ == std::numeric_limits<int64_t>::min()) return;
  cell.forgotten.push_back({watermark_ - span, static_cast<int64_t>(arrivals_)});
}

void RingStore::retune(const StoreDesc& next, const std::vector<int>& cells, int64_t watermark) {
  watermark_ = std::max(watermark_, watermark);
  StoreDesc before = std::exchange(desc_, next);
  running_.forget();
  if (MUT_DELIBERATE_FAULT(swap_span_kept)) desc_.span = before.span;
  for (size_t i = 0; i < cells.size(); ++i) {
    CellDesc& cell = desc_.cells[i];
    if (cells[i] < 0) {
      cell.since = static_cast<int64_t>(arrivals_) + 1;
      continue;
    }
    take_begin(before.cells[static_cast<size_t>(cells[i])], 0, cell);
    // Below what is held anyway nothing has to be remembered.
    std::erase_if(cell.forgotten,
                  [&](const Forgotten& gone) { return gone.time <= watermark_ - desc_.span; });
    if (desc_.span != before.span) forget_older(std::min(desc_.span, before.span), cell);
  }
  shortened_ = shortened_ || desc_.span < before.span;
}

std::unique_ptr<Store> RingStore::branch() const {
  auto bytes = std::make_unique<Budget>(&budget_.engine());
  auto out = std::make_unique<RingStore>(desc_, seed_, *bytes);
  out->count_in(std::move(bytes));
  out->table_.copy_from(table_);
  out->running_.begin_after(running_.last_number());
  out->arrivals_ = arrivals_;
  out->sample_count_ = sample_count_;
  out->watermark_ = watermark_;
  out->shortened_ = shortened_;
  out->late_ = late_;
  return out;
}

uint64_t* RingStore::find_sample(const char* row, uint64_t time, uint64_t arrival) const {
  Ref ref = load(row);
  uint32_t first = 0;
  if (desc_.span != 0) {  // in order of time
    uint32_t end = ref.count;
    while (first < end) {
      uint32_t middle = (first + end) / 2;
      if (static_cast<int64_t>(at(ref, middle)[0]) < static_cast<int64_t>(time)) {
        first = middle + 1;
      } else {
        end = middle;
      }
    }
  }
  for (uint32_t i = first; i < ref.count; ++i) {
    uint64_t* sample = at(ref, i);
    if (sample[0] == time && sample[1] == arrival) return sample;
    if (desc_.span != 0 && sample[0] != time) break;
  }
  return nullptr;
}

// Both stores stand in one stage and so count the same events: their arrival numbers differ by a
// constant, and the samples of one event are put together.
void RingStore::join_from(const Store& old_store, const std::vector<int>& cells, int64_t) {
  const auto& old = static_cast<const RingStore&>(old_store);
  running_.forget();
  uint64_t shift = arrivals_ - old.arrivals_;
  uint64_t arrivals = arrivals_;
  uint64_t late = late_;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] < 0) continue;
    CellDesc& cell = desc_.cells[i];
    take_begin(old.desc_.cells[static_cast<size_t>(cells[i])], static_cast<int64_t>(shift), cell);
    // The larger ring holds what the other does not: it stays unseen for the cells that come from there.
    if (old.desc_.span != 0) forget_older(old.desc_.span, cell);
  }
  std::vector<int> columns = column_sources(old, cells);
  // Older, over a longer stretch and never shortened: every sample of the other is among ours.
  bool by_time = desc_.columns.size() == 1 && desc_.span != 0 && old.desc_.span != 0;
  if (by_time && !shortened_ && old.arrivals_ <= arrivals) return;
  std::vector<uint64_t> key(key_room(old.desc_));
  std::vector<uint64_t> sample(desc_.sample_words);
  old.table_.for_each([&](char* row) {
    Ref ref = old.load(row);
    if (ref.count == 0) return;
    old.table_.load_key(row, key.data());
    (void)place_key(old.desc_, key.data());
    char* made = table_.find_or_insert(key.data());
    if (made == nullptr) return;
    for (uint32_t i = 0; i < ref.count; ++i) {
      const uint64_t* from = old.at(ref, i);
      take_columns(old, from, columns, sample.data());
      uint64_t arrival = from[1] + shift;
      if (uint64_t* known = find_sample(made, from[0], arrival)) {
        add_columns(sample.data(), known);
        continue;
      }
      if (desc_.span == 0) continue;  // by count: older than all that the larger ring kept
      arrivals_ = arrival - 1;
      push(made, sample.data());
    }
  });
  arrivals_ = arrivals;
  late_ = late;
}

// Both stores went on from one: samples of one event have the same number. Those of the gap lack a column,
// unless a cell that went on has kept it.
void RingStore::return_from(const Store& parked, const std::vector<int>& cells) {
  const auto& old = static_cast<const RingStore&>(parked);
  running_.forget();
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] >= 0) take_begin(old.desc_.cells[static_cast<size_t>(cells[i])], 0, desc_.cells[i]);
  }
  std::vector<int> columns = column_sources(old, cells);
  std::vector<uint64_t> key(key_room(old.desc_));
  std::vector<uint64_t> sample(desc_.sample_words);
  old.table_.for_each([&](char* row) {
    Ref ref = old.load(row);
    if (ref.count == 0) return;
    old.table_.load_key(row, key.data());
    (void)place_key(old.desc_, key.data());
    const char* mine = table_.find(key.data());
    if (mine == nullptr) return;
    for (uint32_t i = 0; i < ref.count; ++i) {
      const uint64_t* from = old.at(ref, i);
      uint64_t* known = find_sample(mine, from[0], from[1]);
      if (known == nullptr) continue;  // it has left since
      take_columns(old, from, columns, sample.data());
      add_columns(sample.data(), known);
    }
  });
}

// Columns that the stored sample lacks.
void RingStore::add_columns(const uint64_t* sample, uint64_t* known) {
  for (size_t column = 0; column < desc_.columns.size(); ++column) {
    uint64_t bit = uint64_t{1} << column;
    if ((sample[2] & bit) == 0 || (known[2] & bit) != 0) continue;
    known[2] |= bit;
    uint32_t word = desc_.columns[column].word;
    memcpy(known + word, sample + word, word_count(desc_.columns[column].kind) * 8U);
    if (desc_.columns[column].kind != WordKind::Text) continue;
    MutStr text;
    memcpy(&text, sample + word, sizeof(text));
    MutStoredStr stored = table_.heap().store(abi::view(text));
    memcpy(known + word, &stored, sizeof(stored));
  }
}

}  // namespace mut::state

// Samples under another version: their columns converted, kept beside the old ones, and put together.
#include <algorithm>
#include <cstring>
#include <unordered_set>
#include <utility>

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

void RingStore::convert_from(const Store& old_store, const std::vector<int>& cells, int64_t watermark) {
  const auto& old = static_cast<const RingStore&>(old_store);
  watermark_ = std::max(old.watermark_, watermark);
  shortened_ = old.shortened_ || (desc_.span != 0 && desc_.span < old.desc_.span);
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] < 0) {
      desc_.cells[i].since = static_cast<int64_t>(old.arrivals_) + 1;
    } else {
      take_begin(old.desc_.cells[static_cast<size_t>(cells[i])], 0, desc_.cells[i]);
    }
  }
  std::vector<int> columns = column_sources(old, cells);
  std::vector<uint64_t> key(key_room(old.desc_));
  std::vector<uint64_t> sample(desc_.sample_words);
  old.table_.for_each([&](char* row) {
    Ref ref = old.load(row);
    if (ref.count == 0 || old.is_past(row, watermark_)) return;
    old.table_.load_key(row, key.data());
    (void)place_key(old.desc_, key.data());
    char* made = table_.find_or_insert(key.data());
    if (made == nullptr) return note(key.data(), no_memory);
    for (uint32_t i = old.first_kept(ref) + (MUT_DELIBERATE_FAULT(swap_loses_oldest) ? 1 : 0); i < ref.count;
         ++i) {
      const uint64_t* from = old.at(ref, i);
      // What the old store did not show any more, whether the memory of it was freed yet or not.
      if (old.is_gone(from) || (old.desc_.span != 0 && old.is_passed(from))) continue;
      take_columns(old, from, columns, sample.data());
      arrivals_ = from[1] - 1;  // push() counts one up
      push(made, sample.data());
    }
  });
  running_.forget();
  arrivals_ = old.arrivals_;
  swept_arrivals_ = arrivals_;
  late_ = old.late_;  // what a shorter history lets go is not late
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
  std::erase_if(gone_, [&](const Forgotten& gone) { return gone.time <= watermark_ - desc_.span; });
  if (desc_.kind == StoreKind::Dedupe && desc_.span > before.span && is_started())
    gone_.push_back({watermark_ - before.span, static_cast<int64_t>(arrivals_)});
  if (desc_.span == 0 && desc_.count != before.count) keep_last(before.count);
}

bool RingStore::is_gone(const uint64_t* sample) const {
  return std::any_of(gone_.begin(), gone_.end(), [&](const Forgotten& gone) {
    return static_cast<int64_t>(sample[0]) <= gone.time && static_cast<int64_t>(sample[1]) <= gone.arrival;
  });
}

// A shorter history shows the last samples, and drops the others of a key when its next one comes, or bit by
// bit. One that is made longer before all are gone has to know how many it showed.
void RingStore::keep_last(uint64_t before) {
  bool shorter = desc_.count != 0 && (before == 0 || desc_.count < before);
  if (shorter) {
    trim_at_ = 0;
  } else if (trim_at_) {
    // Fewer of more samples: what was kept of less is said by it too.
    while (!kept_last_.empty() && kept_last_.back().count >= before) kept_last_.pop_back();
    kept_last_.push_back({static_cast<int64_t>(arrivals_), before});
  }
}

uint32_t RingStore::first_kept(const Ref& ref) const {
  if (!trim_at_) return 0;
  auto beyond = [](uint32_t held, uint64_t most) {
    return held > most ? held - static_cast<uint32_t>(most) : 0;
  };
  uint32_t first = desc_.count == 0 ? 0 : beyond(ref.count, desc_.count);
  for (const KeptLast& kept : kept_last_) {
    uint32_t known = 0;  // samples are in order of arrival
    uint32_t end = ref.count;
    while (known < end) {
      uint32_t middle = (known + end) / 2;
      if (static_cast<int64_t>(at(ref, middle)[1]) <= kept.arrival) {
        known = middle + 1;
      } else {
        end = middle;
      }
    }
    first = std::max(first, beyond(known, kept.count));
  }
  return first;
}

// Rows of a segment that is divided go to the last, which is looked at later.
void RingStore::trim(uint64_t most) {
  if (!trim_at_) return;
  const uint64_t held_least = sample_count_ - std::min(sample_count_, most);
  table_.for_segment(*trim_at_, [&](char* row) {
    Ref ref = load(row);
    for (uint32_t extra = first_kept(ref); extra > 0 && sample_count_ > held_least; --extra) drop_oldest(ref);
    save(row, ref);
  });
  if (sample_count_ <= held_least && sample_count_ > 0) return;
  if (++*trim_at_ < table_.segment_count()) return;
  trim_at_.reset();
  kept_last_.clear();
}

std::unique_ptr<Store> RingStore::branch() const {
  auto bytes = std::make_unique<Budget>(&budget_.engine());
  auto out = std::make_unique<RingStore>(desc_, seed_, *bytes);
  out->count_in(std::move(bytes));
  out->table_.copy_from(table_);
  out->running_.begin_after(running_.last_number());
  out->arrivals_ = arrivals_;
  out->swept_arrivals_ = swept_arrivals_;
  out->sample_count_ = sample_count_;
  out->watermark_ = watermark_;
  out->shortened_ = shortened_;
  out->gone_ = gone_;
  out->kept_last_ = kept_last_;
  out->trim_at_ = trim_at_;
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
    for (uint32_t i = old.first_kept(ref); i < ref.count; ++i) {
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
    for (uint32_t i = old.first_kept(ref); i < ref.count; ++i) {
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

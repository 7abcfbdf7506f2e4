#include "runtime/state/keyed_table.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

#include "runtime/inline/table.h"

namespace mut::state {
namespace {

constexpr uint32_t segment_bytes_max = RowMemory::piece_bytes;
// A table of fewer full segments does not take a region for itself.
constexpr size_t segments_apart_max = 16;
constexpr uint32_t slots_first = 8;
constexpr uint32_t no_slot = ~0U;
// Fewer are not worth the memory of MutRecent.
constexpr uint64_t recent_rows_min = 64;
// What only saves time is taken where the budget has so many times as much left.
constexpr uint64_t room_to_spare = 16;
constexpr std::align_val_t row_alignment{64};
constexpr uint32_t roomy_slots = 512;
// About what the last private cache holds.
constexpr size_t wide_bytes = 2 * 1024 * 1024;

uint64_t row_hash(const char* row) {
  uint64_t hash;
  memcpy(&hash, row, 8);
  return hash;
}

// Slots of a segment that fills a piece of RowMemory with its rows and their tags.
uint32_t slots_of_piece(uint32_t row_size) {
  uint32_t groups = segment_bytes_max / (inl::group_slots * (row_size + 1));
  return std::max(groups, 1U) * inl::group_slots;
}

// How many rows a segment holds before it grows. A small table has room to spare: half full, a look-up hardly
// ever meets the tag of another key or a full group, neither of which can be foreseen.
uint32_t rows_max(uint32_t slots) { return slots <= roomy_slots ? slots / 2 : slots - slots / 5; }

}  // namespace

KeyedTable::KeyedTable(const StoreDesc& desc, uint32_t row_size, uint32_t key_words, uint64_t text_mask,
                       uint64_t seed, Budget& budget)
    : desc_(desc),
      key_words_(key_words),
      text_mask_(text_mask),
      budget_(budget),
      heap_(budget, view_.heap),
      has_groups_(key_words == desc.key_words && row_size == desc.row_size && text_mask == desc.text_mask) {
  slots_max_ = slots_of_piece(row_size);
  view_.row_size = row_size;
  view_.seed = seed;
  view_.ttl = desc.ttl;
  view_.owner = this;
  segments_.push_back(make_segment(slots_first, 0));
  directory_.resize(2);
  places_.resize(2);
  point(0, 2, *segments_[0]);
  view_.directory = places_.data();
  view_.directory_shift = 63;
}

KeyedTable::~KeyedTable() {
  for (auto& segment : segments_) free_rows(*segment);
  if (ahead_) budget_.remove(sizeof(MutAhead));
  if (recent_) budget_.remove(sizeof(MutRecent));
}

void KeyedTable::copy_from(const KeyedTable& other) {
  for (auto& segment : segments_) free_rows(*segment);
  segments_.clear();
  heap_.copy_from(other.heap_);
  directory_.resize(other.directory_.size());
  places_.resize(other.places_.size());
  view_.seed = other.view_.seed;
  view_.directory = places_.data();
  view_.directory_shift = other.view_.directory_shift;
  row_count_ = other.row_count_;
  group_ = other.group_;
  uint32_t directory_bits = 64 - static_cast<uint32_t>(view_.directory_shift);
  for (size_t at = 0; at < other.directory_.size();) {
    const MutSegment& from = *other.directory_[at];
    segments_.push_back(make_segment(from.slot_count, from.depth));
    MutSegment& made = *segments_.back();
    memcpy(made.rows, from.rows, bytes_of(from));
    made.used = from.used;
    size_t span = size_t{1} << (directory_bits - from.depth);
    point(at, span, made);
    at += span;
  }
  look_ahead();
}

void KeyedTable::point(size_t first, size_t count, MutSegment& segment) {
  for (size_t i = first; i < first + count; ++i) {
    directory_[i] = &segment;
    places_[i] = {segment.rows, segment.slot_count * static_cast<uint32_t>(view_.row_size),
                  group_count(segment)};
  }
}

std::unique_ptr<MutSegment> KeyedTable::make_segment(uint32_t slot_count, uint32_t depth) {
  auto out = std::make_unique<MutSegment>();
  out->slot_count = slot_count;
  out->depth = depth;
  out->number = static_cast<uint32_t>(segments_.size());
  size_t bytes = bytes_of(*out);
  bool is_piece = bytes <= segment_bytes_max && bytes > segment_bytes_max / 2;
  if (is_piece && segments_.size() > segments_apart_max) {
    out->rows = memory_.take(bytes);
  } else if (char* spilled = is_piece ? budget_.take_spilled(segment_bytes_max) : nullptr) {
    out->rows = spilled;
    budget_.in_file(bytes);
  } else {
    // A row of 64 bytes is one line of the cache.
    out->rows = static_cast<char*>(operator new[](bytes, row_alignment));
  }
  uint8_t* tags = tags_of(*out);
  memset(tags, inl::tag_free, slot_count);
  memset(tags + slot_count, inl::tag_closed, group_count(*out) * inl::group_slots - slot_count);
  budget_.add(bytes + sizeof(MutSegment));
  return out;
}

void KeyedTable::free_rows(MutSegment& segment) {
  size_t bytes = bytes_of(segment);
  budget_.remove(bytes + sizeof(MutSegment));
  if (memory_.owns(segment.rows)) {
    memory_.give_back(segment.rows, bytes);
  } else if (budget_.owns_spilled(segment.rows)) {
    budget_.out_of_file(bytes);
    budget_.give_back_spilled(segment.rows, segment_bytes_max);
  } else {
    operator delete[](segment.rows, row_alignment);
  }
  segment.rows = nullptr;
}

void KeyedTable::rows_moved() {
  view_.only = nullptr;
  if (ahead_) ahead_->fresh = 0;
  if (recent_) memset(recent_->rows, 0, sizeof(recent_->rows));
}

void KeyedTable::row_moves(const char* row) {
  if (view_.only == row) view_.only = nullptr;
  // Of the events to come only those that met it look again: where each event lets go of a row, as in a join,
  // to start over would be to look for all of them at each.
  if (ahead_ && ahead_->fresh != 0) {
    for (uint64_t event = ahead_->now; event < ahead_->matched; ++event) {
      char*& met = inl::at_number(*ahead_, event).row;
      if (met == row) met = nullptr;
    }
  }
  if (!recent_) return;
  uint64_t key;
  memcpy(&key, row + 8, 8);
  char*& known = inl::recent_place(*recent_, key);
  if (known == row) known = nullptr;
}

void KeyedTable::consider_recent() {
  bool fits_key = key_words_ == 1 && text_mask_ == 0;
  if (recent_ || recent_is_over_ || row_count_ < recent_rows_min || !fits_key) return;
  if (!budget_.fits(sizeof(MutRecent) * room_to_spare)) return;
  recent_ = std::make_unique<MutRecent>();
  view_.recent = recent_.get();
  budget_.add(sizeof(MutRecent));
}

void KeyedTable::stop_recent() {
  if (!recent_) return;
  view_.recent = nullptr;
  recent_.reset();
  recent_is_over_ = true;
  budget_.remove(sizeof(MutRecent));
}

char* KeyedTable::find(const uint64_t* key) const {
  return find(key, inl::hash_key(key, key_words_, text_mask_, view_.seed));
}
char* KeyedTable::find(const uint64_t* key, uint64_t hash) const {
  return inl::find_row(&view_, key, hash, key_words_, text_mask_, view_.row_size);
}

char* KeyedTable::find_or_insert(const uint64_t* key) {
  return find_or_insert(key, inl::hash_key(key, key_words_, text_mask_, view_.seed));
}
char* KeyedTable::find_or_insert(const uint64_t* key, uint64_t hash) {
  char* row = find(key, hash);
  return row != nullptr ? row : insert(key, hash);
}

char* KeyedTable::place(MutSegment& segment, uint64_t hash) {
  uint8_t* tags = tags_of(segment);
  uint32_t groups = group_count(segment);
  auto group = static_cast<uint32_t>(inl::home_group(hash, groups));
  while (true) {
    uint32_t free = inl::tags_equal(tags + group * inl::group_slots, inl::tag_free);
    if (free != 0) {
      uint32_t slot = group * inl::group_slots + static_cast<uint32_t>(__builtin_ctz(free));
      tags[slot] = inl::tag_of(hash);
      return segment.rows + slot * view_.row_size;
    }
    if (++group == groups) group = 0;
  }
}

void KeyedTable::look_ahead() {
  rows_moved();
  if (ahead_ || segments_.size() * segment_bytes_max <= wide_bytes) return;
  ahead_ = std::make_unique<MutAhead>();
  ahead_->table = &view_;
  view_.ahead = ahead_.get();
  budget_.add(sizeof(MutAhead));
}

std::unique_ptr<MutSegment> KeyedTable::split(MutSegment& low) {
  auto high = make_segment(low.slot_count, ++low.depth);
  uint8_t* tags = tags_of(low);
  // What stays lies where it lay, but for rows that a full group had turned away: it may have room now.
  std::vector<char> strays;
  low.used = 0;
  for_rows(low, [&](const char* row) {
    uint64_t hash = row_hash(row);
    auto slot = static_cast<uint32_t>(static_cast<uint64_t>(row - low.rows) / view_.row_size);
    if ((hash >> (64 - low.depth) & 1U) != 0) {
      memcpy(place(*high, hash), row, view_.row_size);
      ++high->used;
    } else {
      ++low.used;
      if (slot / inl::group_slots == inl::home_group(hash, group_count(low))) return;
      strays.insert(strays.end(), row, row + view_.row_size);
    }
    tags[slot] = inl::tag_free;
  });
  for (size_t at = 0; at < strays.size(); at += view_.row_size) {
    const char* row = strays.data() + at;
    memcpy(place(low, row_hash(row)), row, view_.row_size);
  }
  return high;
}

bool KeyedTable::grow(uint64_t hash, Room room) {
  rows_moved();
  MutSegment* old = segment_of(hash);
  uint32_t slots = old->slot_count;
  uint32_t directory_bits = 64 - static_cast<uint32_t>(view_.directory_shift);
  if (room == Room::OfBudget && !budget_.fits(static_cast<size_t>(slots) * view_.row_size * 2)) return false;
  // Equal prefixes this deep come from equal hashes: a split would not part them.
  constexpr uint32_t depth_max = 40;
  if (slots < slots_max_ || old->depth >= depth_max) {
    auto bigger = make_segment(slots < slots_max_ ? std::min(slots * 2, slots_max_) : slots * 2, old->depth);
    for_rows(*old, [&](const char* row) { memcpy(place(*bigger, row_hash(row)), row, view_.row_size); });
    std::swap(old->rows, bigger->rows);
    std::swap(old->slot_count, bigger->slot_count);
    size_t span = size_t{1} << (directory_bits - old->depth);
    point((hash >> view_.directory_shift) / span * span, span, *old);
    free_rows(*bigger);
    return true;
  }
  // Split by the next bit of the hash; the directory doubles when the segment already uses all its bits.
  if (old->depth == directory_bits) {
    std::vector<MutSegment*> before = directory_;
    directory_.resize(before.size() * 2);
    places_.resize(before.size() * 2);
    for (size_t i = 0; i < before.size(); ++i) point(2 * i, 2, *before[i]);
    view_.directory = places_.data();
    --view_.directory_shift;
    ++directory_bits;
  }
  size_t span = size_t{1} << (directory_bits - old->depth);  // entries that named the segment
  size_t first = (hash >> view_.directory_shift) / span * span;
  segments_.push_back(split(*old));
  point(first + span / 2, span / 2, *segments_.back());
  look_ahead();
  return true;
}

size_t KeyedTable::take_sweep(uint64_t changed_rows) {
  constexpr uint64_t rows_least = 64;      // a µs
  constexpr uint64_t slots_as_a_row = 16;  // a look at empty ones
  to_sweep_ += 2 * std::exchange(asked_rows_, 0) + changed_rows + rows_least;
  uint64_t each =
      std::max<uint64_t>(row_count_ / segments_.size(), segments_[0]->slot_count / slots_as_a_row) + 1;
  size_t out = to_sweep_ / each;
  if (out >= segments_.size()) {
    to_sweep_ = 0;
    return segments_.size();
  }
  to_sweep_ -= out * each;
  return out;
}

char* KeyedTable::insert(const uint64_t* key, uint64_t hash) {
  // A row that was there before the edit is there whatever the budget says.
  bool known = backlog_ && backlog_->has(key);
  char* row = make_row(key, hash, known ? Room::Regardless : Room::OfBudget);
  if (backlog_ && row != nullptr) {
    backlog_->give(key, row);
    forget_emptied();
  }
  return row;
}

void KeyedTable::make_room(uint64_t rows) {
  uint32_t slots = slots_first;
  while (rows_max(slots) < rows && slots < slots_max_) slots = std::min(slots * 2, slots_max_);
  if (slots == slots_first || !budget_.fits(slots * (view_.row_size + 1) * room_to_spare)) return;
  rows_moved();
  free_rows(*segments_[0]);
  segments_.clear();
  segments_.push_back(make_segment(slots, 0));
  point(0, directory_.size(), *segments_[0]);
}

char* KeyedTable::make_row_regardless(const uint64_t* key) {
  return make_row(key, inl::hash_key(key, key_words_, text_mask_, view_.seed), Room::Regardless);
}

void KeyedTable::take_over(const KeyedTable& before, TakeOver fill) {
  backlog_ = std::make_unique<Backlog>(before, std::move(fill));
  forget_emptied();
}

// The older table may be gone as soon as nothing is left of it.
void KeyedTable::forget_emptied() {
  if (left() == 0) backlog_.reset();
}

uint64_t KeyedTable::take_piece(uint64_t rows) {
  uint64_t taken = 0;
  while (taken < rows && left() > 0) taken += backlog_->give_rows(*this, rows - taken);
  forget_emptied();
  return taken;
}

char* KeyedTable::find_or_take(const uint64_t* key) {
  char* row = find(key);
  return row == nullptr && backlog_ && backlog_->has(key) ? find_or_insert(key) : row;
}

RowPlace KeyedTable::place_of(const char* row) const {
  const MutSegment& segment = *segment_of(row_hash(row));
  return {segment.number, static_cast<uint32_t>(static_cast<uint64_t>(row - segment.rows) / view_.row_size)};
}

char* KeyedTable::make_row(const uint64_t* key, uint64_t hash, Room room) {
  ++asked_rows_;
  MutSegment* segment = segment_of(hash);
  while (segment->used + 1 > rows_max(segment->slot_count)) {
    if (!grow(hash, room)) return nullptr;
    segment = segment_of(hash);
  }
  char* row = place(*segment, hash);
  ++segment->used;
  ++row_count_;
  memset(row, 0, view_.row_size);
  memcpy(row, &hash, 8);
  auto* words = reinterpret_cast<uint64_t*>(row + 8);
  for (uint32_t i = 0; i < key_words_; ++i) {
    words[i] = key[i];
    if ((text_mask_ >> i & 1U) == 0) continue;
    MutStr text;
    memcpy(&text, key + i, sizeof(text));
    MutStoredStr stored = heap_.store(abi::view(text));
    memcpy(words + i, &stored, sizeof(stored));
    ++i;
  }
  if (has_groups_ && is_aged(desc_)) memcpy(row + desc_.row_size - 8, &no_event_yet, 8);
  if (has_groups_ && desc_.group_offset != 0) {
    uint64_t group = next_group();
    memcpy(row + desc_.group_offset, &group, 8);
  }
  return row;
}

void KeyedTable::erase(char* row) {
  row_moves(row);
  auto* words = reinterpret_cast<uint64_t*>(row + 8);
  for (uint32_t i = 0; i < key_words_; ++i) {
    if ((text_mask_ >> i & 1U) == 0) continue;
    MutStoredStr stored;
    memcpy(&stored, words + i, sizeof(stored));
    heap_.free(stored);
    ++i;
  }
  MutSegment* segment = segment_of(row_hash(row));
  uint8_t* tags = tags_of(*segment);
  auto hole = static_cast<uint32_t>(static_cast<uint64_t>(row - segment->rows) / view_.row_size);
  // No tombstones: a group that was full may have turned rows away, and one of those takes the place.
  while (true) {
    tags[hole] = inl::tag_free;
    uint32_t group = hole / inl::group_slots;
    uint32_t free = inl::tags_equal(tags + group * inl::group_slots, inl::tag_free);
    if ((free & (free - 1)) != 0) break;  // it had room before
    uint32_t moves = turned_away(*segment, group);
    if (moves == no_slot) break;
    row_moves(segment->rows + moves * view_.row_size);
    memcpy(segment->rows + hole * view_.row_size, segment->rows + moves * view_.row_size, view_.row_size);
    tags[hole] = tags[moves];
    hole = moves;
  }
  --segment->used;
  --row_count_;
}

uint32_t KeyedTable::turned_away(const MutSegment& segment, uint32_t group) const {
  const uint8_t* tags = tags_of(segment);
  uint32_t groups = group_count(segment);
  auto steps = [&](uint32_t from, uint32_t to) { return to >= from ? to - from : to + groups - from; };
  for (uint32_t at = (group + 1) % groups; at != group; at = (at + 1) % groups) {
    const uint8_t* of = tags + at * inl::group_slots;
    for (uint32_t taken = inl::tags_taken(of); taken != 0; taken &= taken - 1) {
      uint32_t slot = at * inl::group_slots + static_cast<uint32_t>(__builtin_ctz(taken));
      auto home =
          static_cast<uint32_t>(inl::home_group(row_hash(segment.rows + slot * view_.row_size), groups));
      if (steps(home, at) >= steps(group, at)) return slot;
    }
    if (inl::tags_equal(of, inl::tag_free) != 0) break;  // rows are turned away by full groups only
  }
  return no_slot;
}

void KeyedTable::load_key(const char* row, uint64_t* out) const {
  memcpy(out, row + 8, key_words_ * 8U);
  for (uint32_t i = 0; i < key_words_; ++i) {
    if ((text_mask_ >> i & 1U) == 0) continue;
    MutStoredStr stored;
    memcpy(&stored, out + i, sizeof(stored));
    MutStr text = heap_.load(stored);
    memcpy(out + i, &text, sizeof(text));
    ++i;
  }
}

// ---- distinct

KeyedTable& KeyedTable::distinct_values(uint32_t cell_index) {
  if (distinct_.size() <= cell_index) distinct_.resize(desc_.cells.size());
  auto& table = distinct_[cell_index];
  if (!table) {
    uint32_t words = 1 + word_count(desc_.cells[cell_index].kind);
    uint64_t mask = desc_.cells[cell_index].kind == WordKind::Text ? 2 : 0;
    table = std::make_unique<KeyedTable>(desc_, 8 + words * 8, words, mask, view_.seed, budget_);
  }
  return *table;
}

namespace {
void distinct_key(const StoreDesc& desc, const char* row, const uint64_t* value, WordKind kind,
                  uint64_t* key) {
  memcpy(key, row + desc.group_offset, 8);
  memcpy(key + 1, value, word_count(kind) * 8U);
}
}  // namespace

bool KeyedTable::add_distinct(char* row, uint32_t cell_index, const uint64_t* value) {
  uint64_t key[3];
  const CellDesc& cell = desc_.cells[cell_index];
  distinct_key(desc_, row, value, cell.kind, key);
  KeyedTable& values = distinct_values(cell_index);
  if (values.find(key) != nullptr) return false;
  if (values.find_or_insert(key) == nullptr) return false;
  int64_t count;
  memcpy(&count, row + cell.offset, 8);
  ++count;
  memcpy(row + cell.offset, &count, 8);
  return true;
}

bool KeyedTable::has_distinct(const char* row, uint32_t cell_index, const uint64_t* value) const {
  if (cell_index >= distinct_.size() || !distinct_[cell_index]) return false;
  uint64_t key[3];
  distinct_key(desc_, row, value, desc_.cells[cell_index].kind, key);
  return distinct_[cell_index]->find(key) != nullptr;
}

void KeyedTable::erase_distinct(uint64_t group) {
  if (distinct_.empty()) return;
  gone_.insert(group);
  // A segment holds the values of many groups: a look at each for every eighth that is over keeps what waits
  // small.
  constexpr size_t groups_per_segment = 32;
  if (gone_.size() % groups_per_segment == 0) sweep_distinct();
}

void KeyedTable::purge_distinct() {
  while (!gone_.empty() || !going_.empty()) sweep_distinct();
}

// What is split while it is swept goes on at the end, so one pass sees every row.
void KeyedTable::sweep_distinct() {
  if (going_.empty()) {
    going_.swap(gone_);
    swept_segments_ = 0;
  }
  bool over = true;
  for (auto& table : distinct_) {
    if (!table || swept_segments_ >= table->segment_count()) continue;
    auto is_going = [&](const char* row) {
      uint64_t group;
      memcpy(&group, row + 8, 8);
      return going_.contains(group);
    };
    for (const std::vector<uint64_t>& key : table->keys_of_segment(swept_segments_, is_going))
      table->erase(table->find(key.data()));
    over = over && swept_segments_ + 1 >= table->segment_count();
  }
  ++swept_segments_;
  if (over) going_.clear();
}

}  // namespace mut::state

extern "C" {

char* mut_table_insert(MutTable* table, const uint64_t* key, uint64_t hash) {
  auto& of = *static_cast<mut::state::KeyedTable*>(table->owner);
  char* row = of.insert(key, hash);
  of.consider_recent();
  return row;
}
void mut_table_forget_recent(MutTable* table) {
  static_cast<mut::state::KeyedTable*>(table->owner)->stop_recent();
}

}  // extern "C"

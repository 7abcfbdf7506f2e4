// Tables and heaps as bytes: whole segments and blocks, since rows hold no pointers.
#include "runtime/abi/check.h"
#include "runtime/state/keyed_table.h"
#include "runtime/state/saved.h"

namespace mut::state {
namespace {

// More bits of a hash than any directory uses.
constexpr uint32_t directory_bits_max = 40;
// Longer pieces are not made.
constexpr uint64_t block_bytes_most = uint64_t{1} << 32;

}  // namespace

void Heap::save(Saver& to) const {
  to.value(static_cast<uint64_t>(blocks_.size()));
  for (size_t i = 0; i < blocks_.size(); ++i) {
    to.value(static_cast<uint64_t>(block_bytes_[i]));
    if (blocks_[i] == nullptr) continue;
    to.next_block();
    to.bytes(blocks_[i], block_bytes_[i]);
    to.next_block();
  }
  for (const auto& pieces : free_) pass_plain(to, pieces);
  pass_plain(to, empty_);
  pass_values(to, current_, next_, end_, block_size_next_);
}

void Heap::load(Loader& from) {
  MUT_CHECK(blocks_.empty(), "a heap with pieces is not loaded");
  uint64_t count = from.count(8);
  for (uint64_t i = 0; i < count && from.fine(); ++i) {
    uint64_t bytes = from.count(1);
    if (bytes > block_bytes_most) from.fail();
    if (!from.fine()) break;
    blocks_.push_back(bytes == 0 ? nullptr : make_block(bytes));
    block_bytes_.push_back(bytes);
    budget_.add(bytes);
    if (bytes > 0) from.bytes(blocks_.back(), bytes);
  }
  view_.blocks = blocks_.data();
  for (auto& pieces : free_) pass_plain(from, pieces);
  pass_plain(from, empty_);
  pass_values(from, current_, next_, end_, block_size_next_);
}

void KeyedTable::save(Saver& to) const {
  MUT_CHECK(left() == 0, "rows that are to be taken over are taken before a table is saved");
  uint32_t directory_bits = 64 - static_cast<uint32_t>(view_.directory_shift);
  pass_values(to, view_.row_size, view_.seed, directory_bits, row_count_, group_);
  for (size_t at = 0; at < directory_.size();) {
    const MutSegment& segment = *directory_[at];
    pass_values(to, segment.slot_count, segment.depth, segment.used);
    to.next_block();
    to.bytes(segment.rows, bytes_of(segment));
    to.next_block();
    at += size_t{1} << (directory_bits - segment.depth);
  }
  heap_.save(to);
  to.value(static_cast<uint64_t>(distinct_.size()));
  for (const auto& values : distinct_) {
    to.value(static_cast<uint8_t>(values ? 1 : 0));
    if (values) values->save(to);
  }
  pass_set(to, going_);
  pass_set(to, gone_);
  to.value(swept_segments_);
}

void KeyedTable::clear_for_load() {
  MUT_CHECK(row_count_ == 0 && distinct_.empty() && !backlog_, "a table with rows is not loaded");
  for (auto& segment : segments_) free_rows(*segment);
  segments_.clear();
}

void KeyedTable::load(Loader& from) {
  clear_for_load();
  uint64_t row_size = 0;
  uint32_t directory_bits = 0;
  pass_values(from, row_size, view_.seed, directory_bits, row_count_, group_);
  bool fits_memory = directory_bits > 0 && directory_bits <= directory_bits_max &&
                     (uint64_t{1} << directory_bits) <= from.left();  // segments are larger than their places
  if (row_size != view_.row_size || !fits_memory) from.fail();
  if (!from.fine()) directory_bits = 1;
  size_t places = size_t{1} << directory_bits;
  directory_.resize(places);
  places_.resize(places);
  view_.directory = places_.data();
  view_.directory_shift = 64 - directory_bits;
  for (size_t at = 0; at < places;) {
    uint32_t slot_count = 0;
    uint32_t depth = 0;
    uint32_t used = 0;
    pass_values(from, slot_count, depth, used);
    bool fits = slot_count > 0 && slot_count * view_.row_size <= from.left() && slot_count <= from.left() &&
                used <= slot_count && depth <= directory_bits &&
                at % (size_t{1} << (directory_bits - std::min(depth, directory_bits))) == 0;
    if (!fits) from.fail();
    if (!from.fine()) {  // a table that can be destroyed
      slot_count = inl::group_slots;
      depth = 0;
      at = 0;
    }
    segments_.push_back(make_segment(slot_count, depth));
    MutSegment& made = *segments_.back();
    if (from.fine()) from.bytes(made.rows, bytes_of(made));
    made.used = used;
    size_t span = size_t{1} << (directory_bits - depth);
    point(at, span, made);
    at += span;
  }
  heap_.load(from);
  uint64_t distinct = from.count(1);
  for (uint64_t i = 0; i < distinct && from.fine(); ++i) {
    uint8_t is_there = 0;
    from.value(is_there);
    if (is_there == 0) continue;
    if (i >= desc_.cells.size()) return from.fail();
    distinct_values(static_cast<uint32_t>(i)).load(from);
  }
  pass_set(from, going_);
  pass_set(from, gone_);
  from.value(swept_segments_);
  look_ahead();
}

}  // namespace mut::state

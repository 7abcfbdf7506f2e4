#include "runtime/state/apart_counts.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "runtime/state/values.h"

namespace mut::state {
namespace {

StoreDesc describe_parts(const StoreDesc& desc) {
  StoreDesc out;
  out.kind = StoreKind::Counts;
  for (const char* name : {"key", "number"}) {
    KeyDesc key;
    key.name = name;
    key.type = abi::make_scalar(abi::TypeKind::I64);
    out.keys.push_back(std::move(key));
  }
  out.cells = desc.cells;
  lay_out(out);
  return out;
}

}  // namespace

ApartCountStore::ApartCountStore(StoreDesc desc, uint64_t seed, Budget& budget)
    : SlidingCountStore(std::move(desc), seed, budget),
      part_desc_(describe_parts(desc_)),
      parts_(part_desc_, seed, budget) {}

uint64_t ApartCountStore::id_of(const char* row) const {
  uint64_t out;
  memcpy(&out, row + desc_.row_size - sizeof(Extent) - sizeof(out), sizeof(out));
  return out;
}

void ApartCountStore::keep_id(char* row, uint64_t id) const {
  memcpy(row + desc_.row_size - sizeof(Extent) - sizeof(id), &id, sizeof(id));
}

char* ApartCountStore::make_part(uint64_t id, uint64_t number) {
  uint64_t key[] = {id, number};
  return parts_.find_or_insert(key);
}

char* ApartCountStore::part(uint64_t id, uint64_t number) const {
  uint64_t key[] = {id, number};
  return parts_.find(key);
}

void ApartCountStore::drop_part(uint64_t id, uint64_t number) {
  char* row = part(id, number);
  if (row == nullptr) return;
  for (const CellDesc& cell : part_desc_.cells) free_cell(cell, row + cell.offset, parts_.heap());
  if (part_desc_.group_offset != 0) {
    uint64_t group;
    memcpy(&group, row + part_desc_.group_offset, 8);
    parts_.erase_distinct(group);
  }
  parts_.erase(row);
}

void ApartCountStore::free_values(char* row) {
  for (uint64_t number : parts_of(row)) drop_part(id_of(row), number);
  CountStore::free_values(row);
}

std::vector<uint64_t> ApartCountStore::parts_of(const char* row) const {
  if (id_of(row) == 0) return {};
  int64_t next_event = extent_of(desc_, row).events;
  std::vector<uint64_t> out(last_of(next_event) - first_of(next_event) + 1);
  std::iota(out.begin(), out.end(), first_of(next_event));
  return out;
}

uint32_t ApartCountStore::prepare(const uint64_t* key) {
  char* row = table_.find_or_insert(key);
  if (row == nullptr) return 0;
  if (id_of(row) == 0) keep_id(row, ++last_id_);
  int64_t event = extent_of(desc_, row).events;
  open_id_ = id_of(row);
  open_first_ = first_of(event);
  uint64_t last = last_of(event);
  for (uint64_t i = open_first_; i <= last; ++i) {
    if (make_part(open_id_, i) == nullptr) return 0;
  }
  open_count_ = static_cast<uint32_t>(last - open_first_ + 1);
  return open_count_;
}

bool ApartCountStore::has_room(const uint64_t*, uint64_t text_bytes) {
  uint64_t bytes = open_count_ * (distinct_growth(part_desc_) + text_bytes);
  for (uint32_t i = 0; i < open_count_; ++i) bytes += growth_of(part_desc_, window(i));
  if (!parts_.heap().fits(bytes)) parts_.purge_distinct();
  return parts_.heap().fits(bytes);
}

void ApartCountStore::take(char* row, int64_t time, ResultRows& out) {
  Extent ever = extent_of(desc_, row);
  uint64_t id = id_of(row);
  uint64_t first = first_of(ever.events);
  for (uint64_t i = first; i <= last_of(ever.events); ++i) {
    char* window = part(id, i);
    if (window == nullptr) continue;
    Extent extent = extent_of(part_desc_, window);
    extent.add({1, time, time});
    keep(part_desc_, window, extent);
  }
  ever = {ever.events + 1, ever.least, std::max(ever.newest, time)};
  keep(desc_, row, ever);
  if (ever.events % desc_.every != 0) return;
  if (const char* window = part(id, first); window != nullptr) give_part(row, window, out);
  drop_part(id, first);
}

void ApartCountStore::give_rest(const char* row, ResultRows& out) {
  Extent ever = extent_of(desc_, row);
  if (ever.events % desc_.every == 0) return;
  if (const char* window = part(id_of(row), first_of(ever.events)); window != nullptr)
    give_part(row, window, out);
}

void ApartCountStore::give_part(const char* row, const char* part, ResultRows& out) const {
  Extent extent = extent_of(part_desc_, part);
  std::vector<uint64_t> key(desc_.key_words + 1);
  table_.load_key(row, key.data());
  out.add(parts_, part, key.data(), extent.least, extent.newest, extent.newest);
}

// `n` and `k` are the same, and windows were kept apart: the comparison lets no others in.
void ApartCountStore::convert_from(const Store& old_store, const std::vector<int>& cells, int64_t watermark) {
  CountStore::convert_from(old_store, cells, watermark);
  const auto& old = static_cast<const ApartCountStore&>(old_store);
  for_each_converted(old, [&](char* row, char* made) {
    keep_id(made, ++last_id_);
    for (uint64_t number : old.parts_of(row)) {
      const char* from = old.part(old.id_of(row), number);
      char* to = from == nullptr ? nullptr : make_part(id_of(made), number);
      if (to == nullptr) continue;
      convert_row(old.parts_, from, parts_, to, cells);
      keep(part_desc_, to, extent_of(old.part_desc_, from));
    }
  });
}

}  // namespace mut::state

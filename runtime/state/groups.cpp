#include "runtime/state/groups.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <typeinfo>

#include "runtime/abi/deliberate.h"
#include "runtime/state/narrowing.h"

namespace mut::state {

// Forgets groups whose last event is `ttl` past, some segments a call.
void GroupStore::advance(int64_t watermark) {
  if (desc_.ttl == 0) return;
  auto past = [&](const char* row) { return is_past(row, watermark); };
  for (size_t segments = table_.take_sweep(); segments > 0; --segments) {
    for (const std::vector<uint64_t>& key : table_.keys_of_segment(sweep_++, past)) {
      char* row = table_.find(key.data());
      free_values(row);
      table_.erase(row);
    }
  }
}

bool GroupStore::is_past(const char* row, int64_t watermark) const {
  int64_t newest;
  memcpy(&newest, row + desc_.row_size - 8, 8);
  int64_t end;
  return desc_.ttl != 0 && !__builtin_add_overflow(newest, desc_.ttl, &end) && end < watermark;
}

void GroupStore::forget(char* row) {
  if (MUT_DELIBERATE_FAULT(ttl_never)) return;
  free_values(row);
  if (desc_.group_offset != 0) {
    uint64_t group = table_.next_group();
    memcpy(row + desc_.group_offset, &group, 8);
  }
  uint32_t cells = 8 + desc_.key_words * 8 + (desc_.group_offset != 0 ? 8 : 0);
  memset(row + cells, 0, desc_.row_size - cells);
  memcpy(row + desc_.row_size - 8, &no_event_yet, 8);
}

void GroupStore::free_values(char* row) {
  for (const CellDesc& cell : desc_.cells) free_cell(cell, row + cell.offset, table_.heap());
  if (desc_.group_offset == 0) return;
  uint64_t group;
  memcpy(&group, row + desc_.group_offset, 8);
  table_.erase_distinct(group);
}

void GroupStore::finish(ResultRows& out) {
  if (desc_.kind != StoreKind::Whole) return;
  table_.take_rest();
  out.add_table(table_, 0, 0, [&](const char* row) {
    int64_t newest;
    memcpy(&newest, row + desc_.row_size - 8, 8);
    return newest;
  });
}

namespace {

std::string misfit_of(const CellDesc& old_cell, const char* value, const Heap& heap, const CellDesc& cell) {
  const abi::TypeDesc* from = kept_type(old_cell);
  const abi::TypeDesc* to = kept_type(cell);
  if (from == nullptr || to == nullptr || !is_narrower(*from, *to)) return "";
  CellResult kept = cell_result(old_cell, value, heap);
  if (old_cell.fn == CellFn::Own) {
    uint64_t words[2];
    memcpy(words, value, sizeof(words));
    kept.present = words[0] != 0;
    kept.words[0] = words[1];
  }
  if (!kept.present || fits(*from, kept.words[0], *to)) return "";
  return "`" + cell.name + "` is " + number_text(*from, kept.words[0]) + ", which its new type does not hold";
}

}  // namespace

bool has_same_key_words(const StoreDesc& old, const StoreDesc& next) {
  auto scale = [](const KeyDesc& of) { return (of.optional ? *of.type->element : *of.type).scale; };
  auto same_words = [&](const KeyDesc& a, const KeyDesc& b) {
    return a.word == b.word && a.kind == b.kind && a.optional == b.optional &&
           (a.kind != WordKind::Decimal || scale(a) == scale(b));
  };
  return old.key_words == next.key_words && old.text_mask == next.text_mask &&
         std::equal(old.keys.begin(), old.keys.end(), next.keys.begin(), next.keys.end(), same_words);
}

bool converts_apart(const StoreDesc& old, const StoreDesc& next, const std::vector<int>& cells) {
  if (!has_same_key_words(old, next)) return false;
  if (old.has_distinct || next.has_distinct) return false;  // values of groups lie in tables of their own
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] < 0) continue;
    const abi::TypeDesc* from = kept_type(old.cells[static_cast<size_t>(cells[i])]);
    const abi::TypeDesc* to = kept_type(next.cells[i]);
    if (from != nullptr && to != nullptr && is_narrower(*from, *to)) return false;
  }
  return true;
}

std::string convert_row(const KeyedTable& from, const char* old_row, KeyedTable& to, char* new_row,
                        const std::vector<int>& cells) {
  const StoreDesc& desc = to.desc();
  std::string misfit;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] < 0 || (MUT_DELIBERATE_FAULT(swap_loses_cell) && i + 1 == cells.size())) continue;
    const CellDesc& cell = desc.cells[i];
    const CellDesc& old_cell = from.desc().cells[static_cast<size_t>(cells[i])];
    if (misfit.empty())
      misfit = misfit_of(old_cell, old_row + old_cell.offset, const_cast<KeyedTable&>(from).heap(), cell);
    if (cell.fn != CellFn::Distinct) {
      merge_cell(cell, new_row + cell.offset, to.heap(), old_row + old_cell.offset,
                 const_cast<KeyedTable&>(from).heap());
      continue;
    }
    uint64_t group;
    memcpy(&group, old_row + from.desc().group_offset, 8);
    KeyedTable& values = const_cast<KeyedTable&>(from).distinct_values(static_cast<uint32_t>(cells[i]));
    // Found before any is added: two sessions that become one have theirs in one table, which then grows.
    std::vector<std::array<uint64_t, 3>> found;
    values.for_each([&](char* row) {
      std::array<uint64_t, 3> key{};
      values.load_key(row, key.data());
      if (key[0] == group) found.push_back(key);
    });
    for (const auto& key : found) to.add_distinct(new_row, static_cast<uint32_t>(i), key.data() + 1);
  }
  return misfit;
}

std::string GroupStore::convert_group(const GroupStore& old_groups, const char* row, char* made,
                                      const std::vector<int>& cells, int64_t watermark) {
  const KeyedTable& old = old_groups.table_;
  std::string misfit = convert_row(old, row, table_, made, cells);
  if (!is_aged(desc_)) return misfit;
  int64_t last = watermark;  // a group without a time begins its `ttl` at the cut
  if (is_aged(old.desc())) memcpy(&last, row + old.desc().row_size - 8, 8);
  int64_t known;  // of a group that went into the same one
  memcpy(&known, made + desc_.row_size - 8, 8);
  last = std::max(last, known);
  memcpy(made + desc_.row_size - 8, &last, 8);
  if (desc_.kind == StoreKind::Counts) memcpy(made + desc_.row_size - 24, row + old.desc().row_size - 24, 16);
  return misfit;
}

void GroupStore::convert_from(const Store& old_store, const std::vector<int>& cells, int64_t watermark) {
  const auto& old_groups = static_cast<const GroupStore&>(old_store);
  const KeyedTable& old = old_groups.table_;
  std::vector<uint64_t> key(key_room(old.desc()));
  late_ = old_store.late_count();
  // Distinct values are found by group number: go over them once, not once per group.
  std::vector<int> plain = plain_cells(cells);
  old.for_each([&](char* row) {
    if (old_groups.is_past(row, watermark))
      return;  // forgotten, whether the memory of it was freed yet or not
    old.load_key(row, key.data());
    if (key_change_ != nullptr) key_change_->begin_row(old, row);
    if (!place_key(old.desc(), key.data())) return;
    char* made = table_.find_or_insert(key.data());
    if (made == nullptr) return note(key.data(), no_memory);
    note(key.data(), convert_group(old_groups, row, made, plain, watermark));
    if (key_change_ != nullptr) key_change_->end_row(table_, made);
  });
  take_distinct(old_groups, cells, watermark);
}

bool GroupStore::can_take_over(const Store& old, const std::vector<int>& cells) const {
  // What else groups of a store may have is taken over at the cut, with all of them.
  bool plain = desc_.kind == StoreKind::Groups || desc_.kind == StoreKind::Whole;
  // Cells of aggregates of the script are looked for by kernels, before they make a row.
  auto own = [](const CellDesc& cell) { return cell.fn == CellFn::Own; };
  return plain && typeid(*this) == typeid(GroupStore) && typeid(old) == typeid(GroupStore) &&
         std::none_of(desc_.cells.begin(), desc_.cells.end(), own) &&
         converts_apart(old.desc(), desc_, cells);
}

void GroupStore::take_over(std::shared_ptr<Store> old_store, const std::vector<int>& cells, int64_t watermark,
                           std::shared_ptr<KeyChange> change) {
  auto& old = static_cast<GroupStore&>(*old_store);
  late_ = old.late_;
  auto convert = [this, &old, cells, watermark, change = change.get(),
                  key = std::vector<uint64_t>(key_room(old.desc()))](const char* row, char* made) mutable {
    if (change == nullptr) {
      convert_group(old, row, made, cells, watermark);
      return;
    }
    old.table_.load_key(row, key.data());
    change->begin_row(old.table_, row);
    change->apply(old.desc(), desc_, key.data());
    convert_group(old, row, made, cells, watermark);
    change->end_row(table_, made);
  };
  table_.take_over(old.table_,
                   {[&old, watermark](const char* row) { return !old.is_past(row, watermark); }, convert});
  before_ = std::move(old_store);
  change_ = std::move(change);
}

// Rows that are there are merged with, as of keys that become one.
void GroupStore::join_from(const Store& old, const std::vector<int>& cells, int64_t watermark) {
  uint64_t late = late_;
  GroupStore::convert_from(old, cells, watermark);
  late_ += late;
}

void GroupStore::return_from(const Store& parked, const std::vector<int>& cells) {
  const auto& old_groups = static_cast<const GroupStore&>(parked);
  const KeyedTable& old = old_groups.table_;
  std::vector<uint64_t> key(key_room(old.desc()));
  std::vector<int> plain = plain_cells(cells);
  old.for_each([&](char* row) {
    old.load_key(row, key.data());
    if (!place_key(old.desc(), key.data())) return;
    if (char* mine = table_.find(key.data()); mine != nullptr) convert_row(old, row, table_, mine, plain);
  });
  take_distinct(old_groups, cells, std::numeric_limits<int64_t>::min());
}

std::vector<int> GroupStore::plain_cells(const std::vector<int>& cells) const {
  std::vector<int> plain = cells;
  for (size_t i = 0; i < plain.size(); ++i) {
    if (desc_.cells[i].fn == CellFn::Distinct) plain[i] = -1;
  }
  return plain;
}

void GroupStore::take_distinct(const GroupStore& old_groups, const std::vector<int>& cells,
                               int64_t watermark) {
  const KeyedTable& old = old_groups.table_;
  std::vector<uint64_t> key(key_room(old.desc()));
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i] < 0 || desc_.cells[i].fn != CellFn::Distinct) continue;
    std::vector<std::pair<uint64_t, char*>> rows;
    old.for_each([&](char* row) {
      if (old_groups.is_past(row, watermark)) return;
      uint64_t group;
      memcpy(&group, row + old.desc().group_offset, 8);
      old.load_key(row, key.data());
      if (!place_key(old.desc(), key.data())) return;
      rows.emplace_back(group, table_.find(key.data()));
    });
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    KeyedTable& values = const_cast<KeyedTable&>(old).distinct_values(static_cast<uint32_t>(cells[i]));
    values.for_each([&](char* row) {
      uint64_t value[3];
      values.load_key(row, value);
      auto found = std::lower_bound(rows.begin(), rows.end(), value[0],
                                    [](const auto& a, uint64_t group) { return a.first < group; });
      if (found != rows.end() && found->first == value[0] && found->second != nullptr) {
        table_.add_distinct(found->second, static_cast<uint32_t>(i), value + 1);
      }
    });
  }
}

}  // namespace mut::state

#include "runtime/state/tables.h"

#include <algorithm>
#include <cstring>

#include "runtime/abi/check.h"
#include "runtime/abi/deliberate.h"
#include "runtime/state/packed.h"
#include "runtime/state/row_change.h"

namespace mut::state {

TableStore::TableStore(StoreDesc desc, uint64_t seed, Budget& budget)
    : Store(std::move(desc)),
      budget_(budget),
      table_(desc_, seed, budget),
      has_references_(abi::has_references(*desc_.table.record)) {}

TableStore::Versions TableStore::load(const char* row) const {
  Versions out;
  memcpy(&out, row + 8 + desc_.key_words * size_t{8}, sizeof(out));
  return out;
}
void TableStore::save(char* row, const Versions& versions) const {
  memcpy(row + 8 + desc_.key_words * size_t{8}, &versions, sizeof(versions));
}
TableStore::Version* TableStore::at(const Versions& versions, uint32_t index) const {
  uint32_t slot = (versions.head + index) & (versions.capacity - 1);
  return reinterpret_cast<Version*>(table_heap().at(versions.offset)) + slot;
}

bool TableStore::is_gone(int64_t time) const {
  if (time < gone_before_) return true;
  int64_t end = 0;
  if (MUT_DELIBERATE_FAULT(table_ttl_never)) return false;
  return desc_.ttl != 0 && !__builtin_add_overflow(time, desc_.ttl, &end) && end < watermark_;
}

bool TableStore::is_over(int64_t replaced) const {
  if (replaced <= over_upto_) return true;
  int64_t end = 0;
  return !__builtin_add_overflow(replaced, desc_.table.versioned, &end) && end <= watermark_;
}

void TableStore::drop_oldest(Versions& versions) {
  Version& oldest = *at(versions, 0);
  table_heap().free(oldest.piece, oldest.bytes);
  versions.head = (versions.head + 1) & (versions.capacity - 1);
  --versions.count;
}

bool TableStore::is_newest(const Versions& versions, int64_t time) const {
  return versions.count == 0 || desc_.table.by_arrival || time >= at(versions, versions.count - 1)->time;
}

bool TableStore::add(char* row, int64_t time, uint64_t arrival, const char* record) {
  Versions versions = load(row);
  uint64_t bytes = packed_bytes(*desc_.table.record, record);
  bool grows = versions.count == versions.capacity;
  uint32_t capacity = !grows ? versions.capacity : versions.capacity == 0 ? 1 : versions.capacity * 2;
  if (!budget_.fits(bytes + (grows ? capacity * sizeof(Version) : 0))) return false;
  if (grows) {
    Versions bigger{table_heap().allocate(capacity * sizeof(Version)), capacity, 0, versions.count, 0};
    for (uint32_t i = 0; i < versions.count; ++i) *at(bigger, i) = *at(versions, i);
    if (versions.capacity != 0) table_heap().free(versions.offset, versions.capacity * sizeof(Version));
    versions = bigger;
  }
  Version made{time, arrival, table_heap().allocate(bytes), bytes};
  pack(*desc_.table.record, record, table_heap().at(made.piece));
  uint32_t index = versions.count++;
  while (!desc_.table.by_arrival && index > 0 && at(versions, index - 1)->time > time) {
    *at(versions, index) = *at(versions, index - 1);
    --index;
  }
  *at(versions, index) = made;
  save(row, versions);
  return true;
}

Put TableStore::put(const uint64_t* key, int64_t time, const char* record) {
  changed_key_.assign(key, key + desc_.key_words);
  if (is_gone(time)) return Put::Older;
  char* row = table_.find_or_insert(key);
  if (row == nullptr) return Put::NoMemory;
  Versions versions = load(row);
  bool fresh = versions.count == 0;
  bool forgotten = !fresh && is_gone(at(versions, versions.count - 1)->time);
  bool newer = forgotten || is_newest(versions, time);
  if (MUT_DELIBERATE_FAULT(table_by_arrival)) newer = true;
  if (!newer && desc_.table.versioned == 0) return Put::Older;
  if (!add(row, time, arrivals_ + 1, record)) {
    if (fresh) erase(row);
    return Put::NoMemory;
  }
  ++arrivals_;
  versions = load(row);
  // A key that was forgotten starts anew.
  while (versions.count > 1 && (forgotten || desc_.table.versioned == 0 || is_over(at(versions, 1)->time)))
    drop_oldest(versions);
  save(row, versions);
  if (fresh) ++row_count_;
  return newer ? Put::Taken : Put::Older;
}

const char* TableStore::find(const uint64_t* key, int64_t as_of, batch::Arena& arena) const {
  const char* row = table_.find(key);
  if (row == nullptr) return nullptr;
  Versions versions = load(row);
  uint32_t last = versions.count - 1;
  if (is_gone(at(versions, last)->time)) return nullptr;
  uint32_t index = last;
  if (as_of != never) {
    uint32_t low = 0;
    uint32_t high = versions.count;
    while (low < high) {
      uint32_t middle = (low + high) / 2;
      if (at(versions, middle)->time <= as_of) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == 0) return nullptr;
    index = MUT_DELIBERATE_FAULT(as_of_oldest) ? 0 : low - 1;
    if (index < last && is_over(at(versions, index + 1)->time)) return nullptr;
  }
  const Version& found = *at(versions, index);
  const char* piece = table_heap().at(found.piece);
  if (!has_references_) return piece;
  auto* copy = static_cast<char*>(arena.allocate(found.bytes));
  memcpy(copy, piece, found.bytes);
  unpack(*desc_.table.record, copy);
  return copy;
}

void TableStore::erase(char* row) {
  Versions versions = load(row);
  while (versions.count > 0) drop_oldest(versions);
  if (versions.capacity != 0) table_heap().free(versions.offset, versions.capacity * sizeof(Version));
  table_.erase(row);
}

void TableStore::advance(int64_t) {
  if (desc_.ttl == 0) return;
  auto gone = [&](const char* row) {
    Versions versions = load(row);
    return is_gone(at(versions, versions.count - 1)->time);
  };
  for (size_t segments = table_.take_sweep(); segments > 0; --segments) {
    for (const std::vector<uint64_t>& key : table_.keys_of_segment(sweep_++, gone)) {
      erase(table_.find(key.data()));
      --row_count_;
    }
  }
}

// By its rules and its watermark.
void TableStore::let_go(const TableStore& old) {
  watermark_ = old.watermark_;
  gone_before_ = old.gone_before_;
  over_upto_ = old.over_upto_;
  int64_t time = 0;
  bool begun = watermark_ != std::numeric_limits<int64_t>::min();
  if (begun && old.desc_.ttl != 0 && !__builtin_sub_overflow(watermark_, old.desc_.ttl, &time))
    gone_before_ = std::max(gone_before_, time);
  if (begun && !__builtin_sub_overflow(watermark_, old.desc_.table.versioned, &time))
    over_upto_ = std::max(over_upto_, time);
}

void TableStore::retune(const StoreDesc& next, const std::vector<int>&, int64_t) {
  let_go(*this);
  desc_ = next;
}

void TableStore::convert_from(const Store& old_store, const std::vector<int>& cells, int64_t) {
  const auto& old = static_cast<const TableStore&>(old_store);
  late_ = old.late_;
  if (cells[0] < 0) {
    watermark_ = old.watermark_;
    return;
  }
  let_go(old);
  arrivals_ = std::max(arrivals_, old.arrivals_);
  if (row_keys_ != nullptr) return rekey(old);
  auto change = RowChange::between(old.desc_.table.record, desc_.table.record);
  MUT_CHECK(change, "rows of a table that do not convert");
  std::vector<uint64_t> key(desc_.key_words + 1);
  std::vector<char> record;
  old.table_.for_each([&](char* row) {
    Versions versions = old.load(row);
    if (is_gone(old.at(versions, versions.count - 1)->time)) return;
    old.table_.load_key(row, key.data());
    if (!place_key(old.desc_, key.data())) return;
    char* made = table_.find_or_insert(key.data());
    if (made == nullptr) return note(key.data(), no_memory);
    ++row_count_;
    // Versions before the newest are held by `versioned`, whatever `ttl` says of their time.
    for (uint32_t i = desc_.table.versioned == 0 ? versions.count - 1 : 0; i < versions.count; ++i) {
      const Version& version = *old.at(versions, i);
      const char* piece = old.table_heap().at(version.piece);
      record.assign(piece, piece + version.bytes);
      unpack(*old.desc_.table.record, record.data());
      note(key.data(), change->misfit(record.data()));
      if (!add(made, version.time, version.arrival, change->apply(record.data()).data())) break;
    }
    if (load(made).count > 0) return;
    table_.erase(made);
    --row_count_;
  });
}

// As if what is kept came anew, in its order: of a table without `versioned` the newest row of each key
// stays.
void TableStore::rekey(const TableStore& old) {
  auto change = RowChange::between(old.desc_.table.record, desc_.table.record);
  MUT_CHECK(change, "rows of a table that do not convert");
  struct Kept {
    const char* row;
    Version version;
  };
  std::vector<Kept> kept;
  old.table_.for_each([&](char* row) {
    Versions versions = old.load(row);
    if (old.is_gone(old.at(versions, versions.count - 1)->time)) return;
    for (uint32_t i = 0; i < versions.count; ++i) {
      // What its key has let go is not seen under another.
      bool replaced = i + 1 < versions.count;
      if (replaced && (old.desc_.table.versioned == 0 || old.is_over(old.at(versions, i + 1)->time)))
        continue;
      kept.push_back({row, *old.at(versions, i)});
    }
  });
  if (MUT_DELIBERATE_FAULT(rekey_loses_rows)) kept.clear();
  std::sort(kept.begin(), kept.end(),
            [](const Kept& a, const Kept& b) { return a.version.arrival < b.version.arrival; });
  std::vector<uint64_t> key(key_room(old.desc_));
  std::vector<char> record;
  for (const Kept& each : kept) {
    const char* piece = old.table_heap().at(each.version.piece);
    record.assign(piece, piece + each.version.bytes);
    unpack(*old.desc_.table.record, record.data());
    if (std::string misfit = change->misfit(record.data()); !misfit.empty())
      return row_keys_->refuse(*old.desc_.table.record, record.data(), misfit);
    std::vector<char> taken = change->apply(record.data());
    old.table_.load_key(each.row, key.data());
    if (row_keys_->apply(old.desc_, desc_, 0, taken.data(), key.data()) != RowKeys::Made::Key) return;
    char* row = table_.find_or_insert(key.data());
    if (row == nullptr) return note(key.data(), no_memory);
    Versions versions = load(row);
    bool fresh = versions.count == 0;
    if (desc_.table.versioned == 0 && !is_newest(versions, each.version.time)) continue;
    if (!add(row, each.version.time, each.version.arrival, taken.data())) {
      if (fresh) erase(row);
      return note(key.data(), no_memory);
    }
    if (fresh) ++row_count_;
    versions = load(row);
    while (desc_.table.versioned == 0 && versions.count > 1) drop_oldest(versions);
    save(row, versions);
  }
}

}  // namespace mut::state

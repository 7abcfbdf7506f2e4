#include "runtime/state/sessions.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/abi/deliberate.h"
#include "runtime/state/values.h"

namespace mut::state {
namespace {

StoreDesc describe_keys(const StoreDesc& desc) {
  StoreDesc out;
  out.keys = desc.keys;
  CellDesc number;
  number.name = "number";
  out.cells.push_back(number);
  lay_out(out);
  return out;
}

StoreDesc describe_rows(const StoreDesc& desc) {
  StoreDesc out;
  KeyDesc number;
  number.name = "number";
  number.type = abi::make_scalar(abi::TypeKind::I64);
  out.keys.push_back(number);
  out.cells = desc.cells;
  lay_out(out);
  return out;
}

}  // namespace

SessionStore::SessionStore(StoreDesc desc, uint64_t seed, Budget& budget)
    : Store(std::move(desc)),

      key_desc_(describe_keys(desc_)),
      row_desc_(describe_rows(desc_)),
      keys_(key_desc_, seed, budget),
      rows_(row_desc_, seed, budget) {}

uint64_t SessionStore::key_number(const uint64_t* key) {
  char* row = keys_.find(key);
  uint64_t number = 0;
  if (row != nullptr) {
    memcpy(&number, row + key_desc_.cells[0].offset, 8);
    return number;
  }
  row = keys_.find_or_insert(key);
  if (row == nullptr) return 0;
  number = ++next_number_;
  memcpy(row + key_desc_.cells[0].offset, &number, 8);
  KeySessions& made = by_key_[number];
  made.key.resize(desc_.key_words + 1);
  keys_.load_key(row, made.key.data());
  return number;
}

char* SessionStore::row_of(uint64_t number) { return rows_.find(&number); }

void SessionStore::join(uint64_t into, uint64_t from) {
  Session& target = sessions_[into];
  Session& source = sessions_[from];
  unlist(target);
  target.first = std::min(target.first, source.first);
  target.last = std::max(target.last, source.last);
  target.changed = target.changed || source.changed;
  list(target);
  char* target_row = row_of(into);
  char* source_row = row_of(from);
  std::vector<int> all(desc_.cells.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
  if (!MUT_DELIBERATE_FAULT(session_join_empty)) convert_row(rows_, source_row, rows_, target_row, all);
  remove(from);
}

void SessionStore::list(Session& session) {
  session.given = desc_.late_within > 0 && is_closed(end_of(session));
  (session.given ? given_ : by_end_).insert({end_of(session), session.number});
}

void SessionStore::unlist(const Session& session) {
  by_end_.erase({end_of(session), session.number});
  given_.erase({end_of(session), session.number});
}

void SessionStore::remove(uint64_t number) {
  Session session = sessions_[number];
  unlist(session);
  char* row = row_of(number);
  for (const CellDesc& cell : row_desc_.cells) free_cell(cell, row + cell.offset, rows_.heap());
  if (row_desc_.group_offset != 0) {
    uint64_t group;
    memcpy(&group, row + row_desc_.group_offset, 8);
    rows_.erase_distinct(group);
  }
  rows_.erase(row_of(number));
  KeySessions& of_key = by_key_[session.index_number];
  std::erase(of_key.open, number);
  if (of_key.open.empty()) {
    char* key_row = keys_.find(of_key.key.data());
    by_key_.erase(session.index_number);
    keys_.erase(key_row);
  }
  sessions_.erase(number);
}

std::vector<uint64_t> SessionStore::near(const uint64_t* key, int64_t time) {
  std::vector<uint64_t> out;
  char* known = keys_.find(key);
  if (known == nullptr) return out;
  uint64_t index_number;
  memcpy(&index_number, known + key_desc_.cells[0].offset, 8);
  for (uint64_t number : by_key_[index_number].open) {
    const Session& session = sessions_[number];
    int64_t before = MUT_DELIBERATE_FAULT(session_half_gap) ? desc_.size / 2 : desc_.size;
    if (time > session.first - before && time < session.last + desc_.size) out.push_back(number);
  }
  return out;
}

bool SessionStore::is_over(int64_t time) const {
  int64_t end = time + desc_.size;
  return is_closed(end) && (end <= sealed_ || end + desc_.late_within <= closed_);
}

void SessionStore::count_late(int64_t end) {
  if (!counted_late_ && is_closed(end)) ++late_;
  counted_late_ = false;
}

int32_t SessionStore::find_near(const uint64_t* key, int64_t time) {
  near_ = near(key, time);
  int64_t last = time;
  for (uint64_t number : near_) last = std::max(last, sessions_[number].last);
  counted_late_ = false;
  count_late(last + desc_.size);
  if (near_.empty() && is_over(time)) return -1;
  counted_late_ = true;
  return static_cast<int32_t>(near_.size());
}

void SessionStore::advance(int64_t watermark) {
  closed_ = std::max(closed_, watermark);
  while (!given_.empty() && given_.begin()->first + desc_.late_within <= closed_)
    remove(given_.begin()->second);
}

bool SessionStore::has_room(const uint64_t* key, int64_t time, uint64_t text_bytes) {
  std::vector<uint64_t> joined = near(key, time);
  uint64_t bytes = text_bytes + distinct_growth(row_desc_);
  for (uint64_t number : joined) {
    const char* row = row_of(number);
    // What is joined is moved to where there is room for all.
    bytes += growth_of(row_desc_, row) + (joined.size() > 1 ? 2 * kept_bytes(row_desc_, row) : 0);
  }
  if (!rows_.heap().fits(bytes)) rows_.purge_distinct();
  return rows_.heap().fits(bytes);
}

char* SessionStore::row_for(const uint64_t* key, int64_t time, MutTable** table) {
  *table = rows_.view();
  int64_t gap = desc_.size;
  uint64_t chosen = 0;
  for (uint64_t number : near(key, time)) {
    if (chosen == 0) {
      chosen = number;
    } else {
      join(chosen, number);
    }
  }
  bool is_new = chosen == 0;
  if (is_new) {
    count_late(time + gap);
    if (is_over(time)) return nullptr;
    chosen = ++next_number_;
    bool has_row = rows_.find_or_insert(&chosen) != nullptr;
    uint64_t index_number = has_row ? key_number(key) : 0;
    if (index_number == 0) {
      if (has_row) rows_.erase(rows_.find(&chosen));
      *table = nullptr;
      return nullptr;
    }
    sessions_[chosen] = {time, time, index_number, chosen};
    by_key_[index_number].open.push_back(chosen);
  } else {
    unlist(sessions_[chosen]);
  }
  Session& session = sessions_[chosen];
  session.first = std::min(session.first, time);
  session.last = std::max(session.last, time);
  list(session);
  if (!is_new) count_late(end_of(session));
  last_ = chosen;
  return row_of(chosen);
}

const ResultRows& SessionStore::update(batch::Arena& texts) {
  if (!updates_ || update_texts_ != &texts) updates_.emplace(desc_, texts);
  update_texts_ = &texts;
  updates_->clear();
  if (sessions_[last_].given || desc_.gives == Gives::AtUpdate) add({last_}, *updates_);
  return *updates_;
}

void SessionStore::mark_changed(int64_t time, int64_t now) {
  Session& session = sessions_[last_];
  session.changed = true;
  if (tick_ == never) tick_ = tick_behind(now, time, desc_.tick_every);
}

int64_t SessionStore::due() const { return std::min(next_close(), tick_); }

void SessionStore::add(std::vector<uint64_t> numbers, ResultRows& out) {
  auto place = [&](uint64_t number) {
    const Session& session = sessions_[number];
    return std::pair(end_of(session), session.first);
  };
  std::stable_sort(numbers.begin(), numbers.end(),
                   [&](uint64_t a, uint64_t b) { return place(a) < place(b); });
  for (size_t i = 0; i < numbers.size();) {
    size_t first_row = out.count();
    auto [end, start] = place(numbers[i]);
    for (; i < numbers.size() && place(numbers[i]) == std::pair(end, start); ++i) {
      const Session& session = sessions_[numbers[i]];
      out.add(rows_, row_of(numbers[i]), by_key_[session.index_number].key.data(), start, end, end - 1);
    }
    out.sort_by_key(first_row);
  }
}

void SessionStore::fire(ResultRows& out) {
  int64_t end = next_close();
  if (tick_ < end) {
    std::vector<uint64_t> changed;
    for (const auto& [session_end, number] : by_end_) {
      if (std::exchange(sessions_[number].changed, false)) changed.push_back(number);
    }
    tick_ = never;
    return add(std::move(changed), out);
  }
  std::vector<uint64_t> numbers;
  for (const auto& [session_end, number] : by_end_) {
    if (session_end != end) break;
    numbers.push_back(number);
  }
  std::vector<uint64_t> news;
  for (uint64_t number : numbers) {
    // All was given at each update, or at the last tick when nothing has come since.
    bool told =
        desc_.gives == Gives::AtUpdate || (desc_.gives == Gives::AtTicks && !sessions_[number].changed);
    if (!told) news.push_back(number);
  }
  add(std::move(news), out);
  closed_ = std::max(closed_, end);
  for (uint64_t number : numbers) {
    by_end_.erase({end, number});
    if (desc_.late_within == 0) continue;
    sessions_[number].given = true;
    given_.insert({end, number});
  }
  if (desc_.late_within == 0) fired_ = std::move(numbers);
}

void SessionStore::release() {
  for (uint64_t number : fired_) remove(number);
  fired_.clear();
}

void SessionStore::convert_from(const Store& old_store, const std::vector<int>& cells, int64_t watermark) {
  auto& old = const_cast<SessionStore&>(static_cast<const SessionStore&>(old_store));
  late_ = old.late_count();
  closed_ = std::max(closed_, old.closed_);
  if (desc_.gives == Gives::AtTicks) tick_ = std::min(tick_, old.tick_);
  bool same_gap = desc_.size == old.desc_.size;
  int64_t closed = std::max(closed_, watermark);
  sealed_ = std::max(sealed_, old.sealed_);
  if (closed != std::numeric_limits<int64_t>::min())
    sealed_ = std::max(sealed_, closed - (same_gap ? old.desc_.late_within : 0));
  // A larger gap joins open sessions (row 20); a smaller one applies to open ones as they are.
  for (const auto& [number, session] : old.sessions_) {
    // What was given stays as it was, or goes.
    if (session.given && (!same_gap || desc_.late_within == 0)) continue;
    const KeySessions& of_key = old.by_key_[session.index_number];
    std::vector<uint64_t> key = of_key.key;
    key.resize(std::max(key.size(), key_room(old.desc_)));
    if (!place_key(old.desc_, key.data())) continue;
    uint64_t index_number = key_number(key.data());
    uint64_t made = ++next_number_;
    char* row = rows_.find_or_insert(&made);
    if (row == nullptr) {
      note(key.data(), no_memory);
      continue;
    }
    convert_row(old.rows_, old.row_of(number), rows_, row, cells);
    // What gave its results when sessions closed has given nothing of the open ones yet.
    bool changed = old.desc_.gives != Gives::AtTicks || session.changed;
    sessions_[made] = {session.first, session.last, index_number, made, session.given, changed};
    (session.given ? given_ : by_end_).insert({session.last + desc_.size, made});
    auto& open = by_key_[index_number].open;
    open.push_back(made);
    for (size_t i = 0; i + 1 < open.size();) {
      const Session& other = sessions_[open[i]];
      const Session& mine = sessions_[made];
      bool near = mine.first < other.last + desc_.size && other.first < mine.last + desc_.size;
      if (near && desc_.size > old.desc_.size) {
        join(made, open[i]);
        i = 0;
      } else {
        ++i;
      }
    }
  }
}

// A session that went on holds the parked one whole, and perhaps several that it has joined since.
void SessionStore::return_from(const Store& parked, const std::vector<int>& cells) {
  auto& old = const_cast<SessionStore&>(static_cast<const SessionStore&>(parked));
  for (const auto& [number, session] : old.sessions_) {
    std::vector<uint64_t> key = old.by_key_[session.index_number].key;
    if (!place_key(old.desc_, key.data())) continue;
    const char* index = keys_.find(key.data());
    if (index == nullptr) continue;
    for (uint64_t open : by_key_[key_number(key.data())].open) {
      const Session& mine = sessions_[open];
      if (mine.first > session.first || session.last > mine.last) continue;
      convert_row(old.rows_, old.row_of(number), rows_, row_of(open), cells);
      break;
    }
  }
}

}  // namespace mut::state

extern "C" char* mut_session_row(void* store, const uint64_t* key, int64_t time, MutTable** table) {
  return static_cast<mut::state::SessionStore*>(store)->row_for(key, time, table);
}

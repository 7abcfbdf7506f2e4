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

}  // namespace

SessionStore::SessionStore(StoreDesc desc, uint64_t seed, Budget& budget)
    : WindowStore(std::move(desc), seed, budget),
      key_desc_(describe_keys(desc_)),
      keys_(key_desc_, seed, budget) {
  layers_.push_back(std::make_unique<KeyedTable>(desc_, seed, budget));
}

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

char* SessionStore::row_of(uint64_t number) {
  const Session& session = sessions_[number];
  return table_of_session(session).find(by_key_[session.index_number].key.data());
}

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
  if (!MUT_DELIBERATE_FAULT(session_join_empty))
    convert_row(table_of_session(source), source_row, table_of_session(target), target_row, all);
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
  KeyedTable& rows = table_of_session(session);
  char* row = row_of(number);
  for (const CellDesc& cell : desc_.cells) free_cell(cell, row + cell.offset, rows.heap());
  if (desc_.group_offset != 0) {
    uint64_t group;
    memcpy(&group, row + desc_.group_offset, 8);
    rows.erase_distinct(group);
  }
  rows.erase(row);
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
  if (time < from_) {  // of an earlier kind of window, all of which are over
    ++late_;
    return -1;
  }
  near_ = near(key, time);
  int64_t last = time;
  for (uint64_t number : near_) last = std::max(last, sessions_[number].last);
  counted_late_ = false;
  count_late(last + desc_.size);
  if (near_.empty() && is_over(time)) return -1;
  counted_late_ = true;
  return static_cast<int32_t>(near_.size());
}

void SessionStore::reach(int64_t watermark) {
  closed_ = std::max(closed_, watermark);
  while (!given_.empty() && given_.begin()->first + desc_.late_within <= closed_)
    remove(given_.begin()->second);
}

bool SessionStore::own_room(const uint64_t* key, int64_t time, uint64_t text_bytes) {
  std::vector<uint64_t> joined = near(key, time);
  uint64_t bytes = text_bytes + distinct_growth(desc_);
  for (uint64_t number : joined) {
    const char* row = row_of(number);
    // What is joined is moved to where there is room for all.
    bytes += growth_of(desc_, row) + (joined.size() > 1 ? 2 * kept_bytes(desc_, row) : 0);
  }
  if (budget_.fits(bytes)) return true;
  for (const auto& layer : layers_) layer->purge_distinct();
  return budget_.fits(bytes);
}

char* SessionStore::near_row(uint32_t index, MutTable** table) {
  uint64_t number = near_[index];
  *table = table_of_session(sessions_[number]).view();
  return row_of(number);
}

char* SessionStore::open_session(const uint64_t* key, int64_t time, MutTable** table) {
  uint64_t index_number = key_number(key);
  if (index_number == 0) return nullptr;
  KeySessions& of_key = by_key_[index_number];
  auto is_taken = [&](size_t layer) {
    return std::any_of(of_key.open.begin(), of_key.open.end(),
                       [&](uint64_t other) { return sessions_[other].layer == layer; });
  };
  size_t layer = 0;
  while (is_taken(layer)) ++layer;
  if (layer == layers_.size()) layers_.push_back(std::make_unique<KeyedTable>(desc_, seed_, budget_));
  char* row = layers_[layer]->find_or_insert(key);
  if (row == nullptr) {
    if (of_key.open.empty()) {
      by_key_.erase(index_number);
      keys_.erase(keys_.find(key));
    }
    return nullptr;
  }
  last_ = ++next_number_;
  Session& made = sessions_[last_];
  made.first = time;
  made.last = time;
  made.index_number = index_number;
  made.number = last_;
  made.layer = layer;
  of_key.open.push_back(last_);
  *table = layers_[layer]->view();
  return row;
}

MutTable* SessionStore::own_table(const uint64_t* key, int64_t time) {
  MutTable* table = nullptr;
  char* row = row_for(key, time, &table);
  if (row != nullptr) return table;
  if (table != nullptr) return nullptr;  // late
  // Whoever looks for the row is to meet the same lack of memory.
  if (!full_) full_ = std::make_unique<KeyedTable>(desc_, seed_, nothing_);
  return full_->view();
}

char* SessionStore::row_for(const uint64_t* key, int64_t time, MutTable** table) {
  *table = layers_[0]->view();
  if (time < from_) {
    MutTable* found = table_of(key, time);
    if (found == nullptr) return nullptr;
    char* row = static_cast<KeyedTable*>(found->owner)->find_or_insert(key);
    *table = row != nullptr ? found : nullptr;
    return row;
  }
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
    if (open_session(key, time, table) == nullptr) {
      *table = nullptr;
      return nullptr;
    }
    chosen = last_;
  } else {
    unlist(sessions_[chosen]);
  }
  Session& session = sessions_[chosen];
  session.first = std::min(session.first, time);
  session.last = std::max(session.last, time);
  list(session);
  if (!is_new) count_late(end_of(session));
  last_ = chosen;
  *table = table_of_session(session).view();
  return row_of(chosen);
}

const ResultRows& SessionStore::own_update(const uint64_t*, int64_t, int64_t, ResultRows& out) {
  if (sessions_[last_].given || desc_.gives == Gives::AtUpdate) add({last_}, out);
  return out;
}

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
      out.add(table_of_session(session), row_of(numbers[i]), by_key_[session.index_number].key.data(), start,
              end, end - 1);
    }
    out.sort_by_key(first_row);
  }
}

std::vector<WindowStore::Extent> SessionStore::ticking() const {
  std::set<Extent> windows;
  for (const auto& [end, number] : by_end_) {
    const Session& session = sessions_.at(number);
    if (session.changed) windows.insert({end, session.first});
  }
  return {windows.begin(), windows.end()};
}

void SessionStore::add_changed(Extent window, ResultRows& out) {
  std::vector<uint64_t> changed;
  for (auto at = by_end_.lower_bound({window.first, 0}); at != by_end_.end() && at->first == window.first;
       ++at) {
    const Session& session = sessions_[at->second];
    if (session.changed && session.first == window.second) changed.push_back(at->second);
  }
  add(std::move(changed), out);
}

void SessionStore::all_told() {
  for (const auto& [end, number] : by_end_) sessions_[number].changed = false;
}

void SessionStore::fire_close(ResultRows& out) {
  int64_t end = next_close();
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

void SessionStore::release_rows() {
  for (uint64_t number : fired_) remove(number);
  fired_.clear();
}

OpenWindows SessionStore::open_windows() const {
  OpenWindows out;
  if (earlier_) out.boundary = earlier_->open_until();
  if (!by_end_.empty()) {
    int64_t last = by_end_.rbegin()->first;
    out.boundary = std::max(out.boundary.value_or(last), last);
    out.of_newest = true;
  }
  out.end = out.boundary;
  return out;
}

std::optional<int64_t> SessionStore::next_end_of_all(const OpenWindows& open, int64_t watermark) const {
  constexpr int64_t nothing = std::numeric_limits<int64_t>::min();
  int64_t base = open.boundary.value_or(nothing);
  if (!open.of_newest) base = std::max({base, from_, watermark});
  return base == nothing ? std::nullopt : std::optional(base);
}

void SessionStore::take_entries(const WindowStore& old_store, const std::vector<int>& cells,
                                int64_t watermark) {
  auto& old = const_cast<SessionStore&>(static_cast<const SessionStore&>(old_store));
  bool same_gap = desc_.size == old.desc_.size;
  seal(watermark, same_gap ? old.desc_.late_within : 0);
  bool unites = !key_places_.empty() || key_change_ != nullptr;
  // A larger gap joins open sessions (row 20); a smaller one applies to open ones as they are.
  for (const auto& [number, session] : old.sessions_) {
    // What was given stays as it was, or goes.
    if (session.given && (!same_gap || desc_.late_within == 0)) continue;
    const KeySessions& of_key = old.by_key_[session.index_number];
    std::vector<uint64_t> key = of_key.key;
    key.resize(std::max(key.size(), key_room(old.desc_)));
    if (!place_key(old.desc_, key.data())) continue;
    MutTable* table = nullptr;
    char* row = open_session(key.data(), session.first, &table);
    if (row == nullptr) {
      note(key.data(), no_memory);
      continue;
    }
    uint64_t made = last_;
    Session& mine = sessions_[made];
    convert_row(old.table_of_session(session), old.row_of(number), table_of_session(mine), row, cells);
    mine.last = session.last;
    mine.given = session.given;
    // What gave its results when sessions closed has given nothing of the open ones yet.
    mine.changed = old.desc_.gives != Gives::AtTicks || session.changed;
    (mine.given ? given_ : by_end_).insert({end_of(mine), made});
    auto& open = by_key_[mine.index_number].open;
    for (size_t i = 0; i + 1 < open.size();) {
      const Session& other = sessions_[open[i]];
      bool near = mine.first < other.last + desc_.size && other.first < mine.last + desc_.size;
      if (near && (desc_.size > old.desc_.size || (unites && !mine.given && !other.given))) {
        join(made, open[i]);
        i = 0;
      } else {
        ++i;
      }
    }
  }
}

// A session that went on holds the parked one whole, and perhaps several that it has joined since.
void SessionStore::give_back(const WindowStore& parked, const std::vector<int>& cells) {
  auto& old = const_cast<SessionStore&>(static_cast<const SessionStore&>(parked));
  for (const auto& [number, session] : old.sessions_) {
    std::vector<uint64_t> key = old.by_key_[session.index_number].key;
    if (!place_key(old.desc_, key.data())) continue;
    const char* index = keys_.find(key.data());
    if (index == nullptr) continue;
    for (uint64_t open : by_key_[key_number(key.data())].open) {
      const Session& mine = sessions_[open];
      if (mine.first > session.first || session.last > mine.last) continue;
      convert_row(old.table_of_session(session), old.row_of(number), table_of_session(mine), row_of(open),
                  cells);
      break;
    }
  }
}

}  // namespace mut::state

#include "runtime/state/sessions.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "runtime/abi/deliberate.h"
#include "runtime/state/values.h"

namespace mut::state {
namespace {

// Of the gap, whose ends are asked for together.
constexpr int64_t stretches = 16;

}  // namespace

SessionStore::SessionStore(StoreDesc desc, uint64_t seed, Budget& budget)
    : WindowStore(std::move(desc), seed, budget),
      rows_(desc_, seed, budget),
      view_{rows_.newest().view(), desc_.size, from_},
      open_(desc_.size / stretches),
      given_(desc_.size / stretches),
      key_(desc_.key_words + 1) {}

EndQueue::Entry SessionStore::entry_of(const Place& place) const {
  return {end_of(session(place)), rows_.number(place), SessionRows::hash(place)};
}

void SessionStore::join(const Place& into, const Place& from) {
  MutSession& target = session(into);
  const MutSession& source = session(from);
  target.first = std::min(target.first, source.first);
  target.last = std::max(target.last, source.last);
  target.state |= source.state & SessionRows::Changed;
  list(into);
  std::vector<int> all(desc_.cells.size());
  std::iota(all.begin(), all.end(), 0);
  if (!MUT_DELIBERATE_FAULT(session_join_empty))
    convert_row(rows_.table(from), from.row, rows_.table(into), into.row, all);
  rows_.erase(from);
}

void SessionStore::list(const Place& place) {
  MutSession& of = session(place);
  bool given = desc_.late_within > 0 && is_closed(end_of(of));
  of.state = given ? of.state | SessionRows::Given : of.state & ~uint64_t{SessionRows::Given};
  enqueue(place);
}

void SessionStore::enqueue(const Place& place) {
  MutSession& of = session(place);
  uint64_t among = is_given(of) ? SessionRows::AmongGiven : SessionRows::AmongOpen;
  if ((of.state & among) != 0) return;
  of.state |= among;
  (is_given(of) ? given_ : open_).push(entry_of(place));
}

void SessionStore::look_near(const uint64_t* key, int64_t time) {
  near_.clear();
  rows_.add_of_key(key, near_);
  int64_t before = MUT_DELIBERATE_FAULT(session_half_gap) ? desc_.size / 2 : desc_.size;
  std::erase_if(near_, [&](const Place& place) {
    const MutSession& of = session(place);
    return time <= of.first - before || time >= of.last + desc_.size;
  });
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
  look_near(key, time);
  int64_t last = time;
  for (const Place& place : near_) last = std::max(last, session(place).last);
  counted_late_ = false;
  count_late(last + desc_.size);
  if (near_.empty() && is_over(time)) return -1;
  counted_late_ = true;
  return static_cast<int32_t>(near_.size());
}

int64_t SessionStore::end_now(const EndQueue::Entry& entry) const {
  Place place = rows_.find(entry.number, entry.hash);
  return place.row == nullptr ? EndQueue::none : end_of(session(place));  // none: joined with another
}

void SessionStore::reach(int64_t watermark) {
  closed_ = std::max(closed_, watermark);
  if (desc_.late_within == 0 || !has_closed()) return;
  while (given_.first_end() <= closed_ - desc_.late_within) {
    auto now = [&](const EndQueue::Entry& entry) { return end_now(entry); };
    given_.take(given_.first_end(), now, [&](const EndQueue::Entry& entry) {
      Place place = rows_.find(entry.number, entry.hash);
      if (place.row == nullptr) return;
      MutSession& of = session(place);
      of.state &= ~uint64_t{SessionRows::AmongGiven};
      if (!is_given(of)) return;  // open again
      if (end_of(of) <= closed_ - desc_.late_within) {
        rows_.erase(place);
      } else {
        enqueue(place);
      }
    });
  }
}

bool SessionStore::own_room(const uint64_t* key, int64_t time, uint64_t text_bytes) {
  look_near(key, time);
  uint64_t bytes = text_bytes + distinct_growth(desc_);
  for (const Place& place : near_) {
    // What is joined is moved to where there is room for all.
    bytes += growth_of(desc_, place.row) + (near_.size() > 1 ? 2 * kept_bytes(desc_, place.row) : 0);
  }
  if (budget_.fits(bytes)) return true;
  rows_.purge_distinct();
  return budget_.fits(bytes);
}

char* SessionStore::near_row(uint32_t index, MutTable** table) {
  *table = rows_.table(near_[index]).view();
  return near_[index].row;
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
  *table = rows_.newest().view();
  if (time < from_) {
    MutTable* found = table_of(key, time);
    if (found == nullptr) return nullptr;
    char* row = static_cast<KeyedTable*>(found->owner)->find_or_insert(key);
    *table = row != nullptr ? found : nullptr;
    return row;
  }
  look_near(key, time);
  Place chosen;
  if (near_.empty()) {
    count_late(time + desc_.size);
    if (is_over(time)) return nullptr;
    chosen = rows_.insert(key, time);
    if (chosen.row == nullptr) {
      *table = nullptr;
      return nullptr;
    }
    list(chosen);
  } else {
    chosen = near_[0];
    for (size_t i = 1; i < near_.size(); ++i) join(chosen, near_[i]);
    MutSession& of = session(chosen);
    of.first = std::min(of.first, time);
    of.last = std::max(of.last, time);
    list(chosen);
    count_late(end_of(of));
    chosen = rows_.settle(chosen, key);
  }
  last_ = entry_of(chosen);
  *table = rows_.table(chosen).view();
  return chosen.row;
}

void SessionStore::mark_row(char* row) {
  Place place = rows_.lie_inline() ? Place{row, 0} : rows_.find(last_.number, last_.hash);
  session(place).state |= SessionRows::Changed;
}

const ResultRows& SessionStore::own_update(const uint64_t*, int64_t, int64_t, ResultRows& out) {
  Place place = rows_.find(last_.number, last_.hash);
  if (is_given(session(place)) || desc_.gives == Gives::AtUpdate) add_one(place, out);
  return out;
}

void SessionStore::add_one(const Place& place, ResultRows& out) {
  const MutSession& of = session(place);
  int64_t end = end_of(of);
  rows_.table(place).load_key(place.row, key_.data());
  out.add(rows_.table(place), place.row, key_.data(), of.first, end, end - 1);
}

void SessionStore::add(std::vector<Place>& places, ResultRows& out) {
  if (places.size() == 1) return add_one(places[0], out);
  auto window = [&](const Place& place) {
    const MutSession& of = session(place);
    return Extent(end_of(of), of.first);
  };
  std::sort(places.begin(), places.end(),
            [&](const Place& a, const Place& b) { return window(a) < window(b); });
  for (size_t i = 0; i < places.size();) {
    size_t first_row = out.count();
    Extent of = window(places[i]);
    for (; i < places.size() && window(places[i]) == of; ++i) add_one(places[i], out);
    out.sort_by_key(first_row);
  }
}

std::vector<WindowStore::Extent> SessionStore::ticking() {
  changed_.clear();
  rows_.for_each([&](const Place& place) {
    const MutSession& of = session(place);
    if (!is_given(of) && has_changed(of)) changed_.push_back({{end_of(of), of.first}, place});
  });
  std::sort(changed_.begin(), changed_.end(),
            [](const ChangedSession& a, const ChangedSession& b) { return a.window < b.window; });
  std::vector<Extent> windows;
  for (const ChangedSession& each : changed_) {
    if (windows.empty() || windows.back() != each.window) windows.push_back(each.window);
  }
  return windows;
}

void SessionStore::add_changed(Extent window, ResultRows& out) {
  auto first = std::lower_bound(changed_.begin(), changed_.end(), window,
                                [](const ChangedSession& a, const Extent& b) { return a.window < b; });
  size_t first_row = out.count();
  for (; first != changed_.end() && first->window == window; ++first) add_one(first->place, out);
  out.sort_by_key(first_row);
}

void SessionStore::all_told() {
  for (const ChangedSession& each : changed_) session(each.place).state &= ~uint64_t{SessionRows::Changed};
  changed_.clear();
}

void SessionStore::fire_close(ResultRows& out) {
  int64_t end = next_close();
  closing_.clear();
  auto now = [&](const EndQueue::Entry& entry) { return end_now(entry); };
  open_.take(end, now, [&](const EndQueue::Entry& entry) {
    Place place = rows_.find(entry.number, entry.hash);
    if (place.row == nullptr) return;
    MutSession& of = session(place);
    of.state &= ~uint64_t{SessionRows::AmongOpen};
    if (is_given(of)) return;
    if (end_of(of) == end) {
      closing_.push_back(place);
    } else {
      enqueue(place);
    }
  });
  if (closing_.empty()) return;
  // All was given at each update, or at the last tick when nothing has come since.
  news_.clear();
  for (const Place& place : closing_) {
    bool told =
        desc_.gives == Gives::AtUpdate || (desc_.gives == Gives::AtTicks && !has_changed(session(place)));
    if (!told) news_.push_back(place);
  }
  add(news_, out);
  closed_ = std::max(closed_, end);
  if (desc_.late_within > 0) {
    for (const Place& place : closing_) {
      session(place).state |= SessionRows::Given;
      enqueue(place);
    }
    return;
  }
  if (closing_.size() == 1) return rows_.erase(closing_[0]);
  // Erasing moves other rows.
  std::vector<EndQueue::Entry> gone;
  for (const Place& place : closing_) gone.push_back(entry_of(place));
  for (const EndQueue::Entry& entry : gone) rows_.erase(rows_.find(entry.number, entry.hash));
}

OpenWindows SessionStore::open_windows() const {
  OpenWindows out;
  if (earlier_) out.boundary = earlier_->open_until();
  rows_.for_each([&](const Place& place) {
    const MutSession& of = session(place);
    if (is_given(of)) return;
    out.boundary = std::max(out.boundary.value_or(end_of(of)), end_of(of));
    out.of_newest = true;
  });
  out.end = out.boundary;
  return out;
}

std::optional<int64_t> SessionStore::next_end_of_all(const OpenWindows& open, int64_t watermark) const {
  constexpr int64_t nothing = std::numeric_limits<int64_t>::min();
  int64_t base = open.boundary.value_or(nothing);
  if (!open.of_newest) base = std::max({base, from_, watermark});
  return base == nothing ? std::nullopt : std::optional(base);
}

std::vector<SessionRows::Place> SessionStore::in_order() const {
  std::vector<Place> out;
  rows_.for_each([&](const Place& place) { out.push_back(place); });
  std::sort(out.begin(), out.end(),
            [&](const Place& a, const Place& b) { return rows_.number(a) < rows_.number(b); });
  return out;
}

void SessionStore::take_entries(const WindowStore& old_store, const std::vector<int>& cells,
                                int64_t watermark) {
  const auto& old = static_cast<const SessionStore&>(old_store);
  view_.from = from_;
  bool same_gap = desc_.size == old.desc_.size;
  seal(watermark, same_gap ? old.desc_.late_within : 0);
  std::vector<uint64_t> key(key_room(old.desc_));
  for (const Place& place : old.in_order()) {
    const MutSession& of = old.session(place);
    // What was given stays as it was, or goes.
    if (is_given(of) && (!same_gap || desc_.late_within == 0)) continue;
    old.rows_.table(place).load_key(place.row, key.data());
    if (!place_key(old.desc_, key.data())) continue;
    Place made = rows_.insert(key.data(), of.first);
    if (made.row == nullptr) {
      note(key.data(), no_memory);
      continue;
    }
    convert_row(old.rows_.table(place), place.row, rows_.table(made), made.row, cells);
    MutSession& mine = session(made);
    mine.last = of.last;
    if (is_given(of)) mine.state |= SessionRows::Given;
    // What gave its results when sessions closed has given nothing of the open ones yet.
    if (old.desc_.gives == Gives::AtTicks && !has_changed(of)) mine.state &= ~uint64_t{SessionRows::Changed};
    enqueue(made);
    unite(made, key.data(), old.desc_.size);
  }
}

// A larger gap joins open sessions (row 20); a smaller one applies to open ones as they are.
void SessionStore::unite(const Place& made, const uint64_t* key, int64_t gap_before) {
  bool of_other_keys = !key_places_.empty() || key_change_ != nullptr;
  std::vector<Place> open;
  for (size_t i = 0;; ++i) {
    if (i == 0) {
      open.clear();
      rows_.add_of_key(key, open);
    }
    if (i == open.size()) return;
    if (open[i].row == made.row) continue;
    const MutSession& mine = session(made);
    const MutSession& other = session(open[i]);
    bool near = mine.first < other.last + desc_.size && other.first < mine.last + desc_.size;
    bool unites = desc_.size > gap_before || (of_other_keys && !is_given(mine) && !is_given(other));
    if (!near || !unites) continue;
    join(made, open[i]);
    i = static_cast<size_t>(-1);  // from the first one on, of those that are left
  }
}

// A session that went on holds the parked one whole, and perhaps several that it has joined since.
void SessionStore::give_back(const WindowStore& parked, const std::vector<int>& cells) {
  const auto& old = static_cast<const SessionStore&>(parked);
  std::vector<uint64_t> key(key_room(old.desc_));
  std::vector<Place> open;
  for (const Place& place : old.in_order()) {
    const MutSession& of = old.session(place);
    old.rows_.table(place).load_key(place.row, key.data());
    if (!place_key(old.desc_, key.data())) continue;
    open.clear();
    rows_.add_of_key(key.data(), open);
    auto holds = [&](const Place& mine) {
      return session(mine).first <= of.first && of.last <= session(mine).last;
    };
    auto found = std::find_if(open.begin(), open.end(), holds);
    if (found != open.end())
      convert_row(old.rows_.table(place), place.row, rows_.table(*found), found->row, cells);
  }
}

}  // namespace mut::state

#include "runtime/state/held_windows.h"

#include <algorithm>

#include "runtime/abi/deliberate.h"

namespace mut::state {

int64_t HeldSessionStore::end_of(const Session& session) const {
  int64_t out = 0;
  return __builtin_add_overflow(session.last, desc_.size, &out) ? never - 1 : out;
}

void HeldSessionStore::put(Session& session, const RowPtr& row) {
  if (desc_.hold.kind == HoldKind::Top) {
    rank(session.rows, row);
  } else {
    session.rows.push_back(row);
  }
}

void HeldSessionStore::take(uint64_t number, int64_t time, const char* record, int64_t watermark,
                            ResultRows&) {
  Session joined{time, time, {}};
  bool is_closed_by_now = is_closed(end_of(joined), watermark);
  auto known = sessions_.find(number);
  bool falls_into_one = false;
  if (known != sessions_.end()) {
    auto is_near = [&](const Session& session) {
      __extension__ using Wide = __int128;
      return Wide{time} > Wide{session.first} - desc_.size && Wide{time} < Wide{session.last} + desc_.size;
    };
    for (Session& session : known->second) {
      if (!is_near(session)) continue;
      ends_.erase({end_of(session), number});
      joined.first = std::min(joined.first, session.first);
      joined.last = std::max(joined.last, session.last);
      if (!falls_into_one) {
        joined.rows = std::move(session.rows);  // as they stand
      } else {
        for (RowPtr& row : session.rows) put(joined, row);
      }
      falls_into_one = true;
    }
    std::erase_if(known->second, is_near);
  }
  if (!falls_into_one && is_closed_by_now) {
    ++late_;
    release_key(number);
    return;
  }
  put(joined, make_row(number, time, record));
  ends_.emplace(end_of(joined), number);
  // Several of one key have different ends: they are more than a gap apart.
  sessions_[number].push_back(std::move(joined));
}

int64_t HeldSessionStore::due() const { return ends_.empty() ? never : ends_.begin()->first; }

void HeldSessionStore::fire(ResultRows& rows) {
  int64_t now = due();
  if (now == never) return;
  std::vector<std::pair<uint64_t, Session>> over;
  while (!ends_.empty() && ends_.begin()->first == now) {
    uint64_t number = ends_.begin()->second;
    ends_.erase(ends_.begin());
    std::vector<Session>& of_key = sessions_[number];
    auto ends = std::find_if(of_key.begin(), of_key.end(),
                             [&](const Session& session) { return end_of(session) == now; });
    over.emplace_back(number, std::move(*ends));
    of_key.erase(ends);
    if (of_key.empty()) sessions_.erase(number);
  }
  std::sort(over.begin(), over.end(), [&](const auto& a, const auto& b) {
    if (a.second.first != b.second.first) return a.second.first < b.second.first;
    return key_before(a.first, b.first);
  });
  for (auto& [number, session] : over)
    give_rows(session.rows, {end_of(session), session.first}, now - 1, rows);
  closed_ = std::max(closed_, now);
}

void HeldSessionStore::convert_from(const Store& old_store, const std::vector<int>& cells,
                                    int64_t watermark) {
  HeldStore::convert_from(old_store, cells, watermark);
  const auto& old = static_cast<const HeldSessionStore&>(old_store);
  for (const auto& [old_number, of_key] : old.sessions_) {
    for (const Session& from : of_key) {
      Session made{from.first, from.last, {}};
      uint64_t number = 0;
      for (const RowPtr& row : from.rows) {
        made.rows.push_back(copy_row(old, *row));
        number = made.rows.back()->number;
      }
      if (desc_.hold.kind == HoldKind::Top) let_go_of_rest(made.rows);
      if (number == 0) continue;
      ends_.emplace(end_of(made), number);
      sessions_[number].push_back(std::move(made));
    }
  }
}

void HeldSessionStore::retune(const StoreDesc& next, const std::vector<int>& cells, int64_t watermark) {
  auto trim = [&] {
    if (desc_.hold.kind != HoldKind::Top) return;
    for (auto& [number, of_key] : sessions_) {
      for (Session& session : of_key) let_go_of_rest(session.rows);
    }
  };
  trim();
  HeldStore::retune(next, cells, watermark);
  trim();
}

void HeldCountStore::take(uint64_t number, int64_t time, const char* record, int64_t, ResultRows& given) {
  Newest& newest = newest_of_[number];
  newest.rows.push_back(make_row(number, time, record));
  ++newest.events;
  auto size = static_cast<size_t>(desc_.size);
  if (newest.rows.size() > size) newest.rows.pop_front();
  if (newest.events % desc_.every != 0) return;
  give(newest, 0, given);
  // The next window begins with the first event that it may still hold.
  auto kept = static_cast<size_t>(desc_.size - desc_.every);
  while (newest.rows.size() > kept) newest.rows.pop_front();
  if (newest.rows.empty()) newest_of_.erase(number);
}

void HeldCountStore::give(const Newest& newest, int64_t missing, ResultRows& given) {
  size_t count = std::min(newest.rows.size(), static_cast<size_t>(desc_.size - missing));
  std::vector<RowPtr> rows(newest.rows.end() - static_cast<ptrdiff_t>(count), newest.rows.end());
  Edges edges{rows.front()->time, rows.front()->time};
  for (const RowPtr& row : rows)
    edges = {std::max(edges.first, row->time), std::min(edges.second, row->time)};
  give_rows(rows, edges, edges.first, given);
}

void HeldCountStore::finish(ResultRows& rows) {
  std::vector<uint64_t> numbers;
  for (const auto& [number, newest] : newest_of_) numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end(), [&](uint64_t a, uint64_t b) { return key_before(a, b); });
  for (uint64_t number : numbers) {
    const Newest& newest = newest_of_[number];
    int64_t begun = newest.events % desc_.every;
    if (begun != 0) give(newest, desc_.every - begun, rows);
  }
  newest_of_.clear();
}

void HeldCountStore::convert_from(const Store& old_store, const std::vector<int>& cells, int64_t watermark) {
  HeldStore::convert_from(old_store, cells, watermark);
  const auto& old = static_cast<const HeldCountStore&>(old_store);
  for (const auto& [old_number, from] : old.newest_of_) {
    Newest made;
    made.events = from.events;
    for (const RowPtr& row : from.rows) made.rows.push_back(copy_row(old, *row));
    if (!made.rows.empty()) newest_of_[made.rows.front()->number] = std::move(made);
  }
}

}  // namespace mut::state

#include "runtime/state/panes.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <set>
#include <unordered_map>

#include "runtime/abi/check.h"
#include "runtime/abi/deliberate.h"
#include "runtime/state/best_rows.h"
#include "runtime/state/values.h"

namespace mut::state {
namespace {

int64_t floor_to(int64_t time, int64_t step, int64_t offset) {
  int64_t shifted = time - offset;
  int64_t rest = shifted % step;
  if (rest < 0) rest += step;
  return time - rest;
}
int64_t ceil_to(int64_t time, int64_t step, int64_t offset) {
  int64_t down = floor_to(time, step, offset);
  return down == time ? time : down + step;
}

}  // namespace

PaneStore::PaneStore(StoreDesc desc, uint64_t seed, Budget& budget)
    : WindowStore(std::move(desc), seed, budget) {
  line_ = line_of(desc_);
  rules_.push_back(rule_of(desc_));
  make_width();
  view_.owner = this;
}

WindowRule PaneStore::rule_of(const StoreDesc& desc) const {
  return {line_.length(desc.size), line_.length(desc.every), offset_on_line(desc)};
}

void PaneStore::close(int64_t time) {
  if (time <= closed_) return;
  closed_ = time;
  closed_at_ = line_.at(time);
}

// Panes are cut at every edge of every rule: the greatest common divisor of sizes, slides and offsets.
void PaneStore::make_width() {
  width_ = 0;
  for (const WindowRule& rule : rules_) {
    width_ = std::gcd(width_, std::gcd(rule.size, rule.every));
    int64_t offset = (rule.offset - rules_[0].offset) % rule.every;
    width_ = std::gcd(width_, offset);
  }
}

int64_t PaneStore::pane_start(int64_t time) const {
  if (MUT_DELIBERATE_FAULT(window_edge)) --time;
  return floor_to(line_.at(time), width_, MUT_DELIBERATE_FAULT(window_offset) ? 0 : rules_[0].offset);
}

int64_t PaneStore::next_end(int64_t start) const {
  int64_t best = never;
  for (const WindowRule& rule : rules_) {
    int64_t first = std::max(start + width_ - rule.size, rule.from);
    if (closed_at_ > std::numeric_limits<int64_t>::min() + rule.size)
      first = std::max(first, closed_at_ - rule.size + 1);
    int64_t window = ceil_to(first, rule.every, rule.offset);
    if (window <= start && window < rule.to) best = std::min(best, window + rule.size);
  }
  return best;
}

int64_t PaneStore::last_end(int64_t start) const {
  int64_t last = std::numeric_limits<int64_t>::min();
  for (const WindowRule& rule : rules_) {
    int64_t window =
        floor_to(rule.to == never ? start : std::min(start, rule.to - 1), rule.every, rule.offset);
    if (window >= rule.from && window > start - rule.size) last = std::max(last, window + rule.size);
  }
  return last;
}

MutTable* PaneStore::own_table(const uint64_t*, int64_t time) {
  int64_t start = pane_start(time);
  bool missed = start < rules_[0].from;  // the rule of its windows went with the last of them
  if (closed_ != std::numeric_limits<int64_t>::min()) {
    // Late once when any window of the event has closed (rule 8.7).
    for (const WindowRule& rule : rules_) {
      int64_t first = ceil_to(std::max(start + width_ - rule.size, rule.from), rule.every, rule.offset);
      missed = missed || (first <= start && first < rule.to && first + rule.size <= closed_at_);
    }
  }
  if (missed) ++late_;
  totals_.pane_changes(start);
  auto found = panes_.find(start);
  if (found == panes_.end()) {
    if (next_end(start) == never && is_over(last_end(start))) return nullptr;
    found = panes_.emplace(start, std::make_unique<KeyedTable>(desc_, seed_, budget_)).first;
    if (found != panes_.begin()) {
      KeyedTable& before = *std::prev(found)->second;
      rows_usual_ = before.row_count();
      before.stop_recent();  // few events come to it from now on
    }
    found->second->make_room(rows_usual_);
  } else if (missed && next_end(start) == never && is_over(last_end(start))) {
    return nullptr;
  }
  if (!missed) {
    view_.pane_table = found->second->view();
    view_.pane_start = line_.time(start);
    view_.pane_end = line_.time(start + width_);
  }
  return found->second->view();
}

int64_t PaneStore::next_end() const {
  int64_t best = never;
  for (const auto& [start, table] : panes_) {
    if (start + width_ > best) break;
    best = std::min(best, next_end(start));
    if (best != never && rules_.size() == 1) break;  // no later pane is in an earlier window
  }
  return best;
}

void PaneStore::fire_close(ResultRows& out) {
  int64_t end = next_end();
  int64_t end_time = line_.time(end);
  // Windows of several rules may end together, and where a day ends in the room behind it: by start.
  std::vector<std::pair<int64_t, int64_t>> ending;
  for (const WindowRule& rule : rules_) {
    int64_t start = ceil_to(end - rule.size, rule.every, rule.offset);
    for (; start < end && line_.time(start + rule.size) == end_time; start += rule.every) {
      if (start >= rule.from && start < rule.to) ending.emplace_back(start, start + rule.size);
    }
  }
  std::sort(ending.begin(), ending.end());
  ending.erase(std::unique(ending.begin(), ending.end()), ending.end());
  if (desc_.gives == Gives::AtUpdate) ending.clear();  // all was given when it changed
  for (auto [start, window_end] : ending) {
    if (desc_.gives == Gives::AtTicks) {
      add_changed({window_end, start}, out);
      continue;
    }
    if (panes_.lower_bound(start) == panes_.lower_bound(window_end)) continue;
    give_window(groups_of(start, window_end), start, end_time, out);
  }
  close(end_time);
  // Also at the end of time, where the line stands still.
  closed_at_ = std::max(closed_at_, end);
  view_.pane_table = nullptr;
}

// Windows of one rule come one after the other; with several every window is made anew.
const KeyedTable& PaneStore::groups_of(int64_t start, int64_t end) {
  auto first = panes_.lower_bound(start);
  auto last = panes_.lower_bound(end);
  for (auto pane = first; pane != last; ++pane) pane->second->take_rest();
  if (std::next(first) == last && rules_[0].size == width_) return *first->second;
  if (rules_.size() == 1 && SlidingTotals::can_take_out(desc_)) {
    if (const KeyedTable* totals = totals_.move_to(start, end, panes_)) return *totals;
  }
  if (std::next(first) == last) return *first->second;
  merged_.push_back(std::make_unique<KeyedTable>(desc_, seed_, budget_));
  KeyedTable& merged = *merged_.back();
  std::vector<uint64_t> key(desc_.key_words + 1);
  if (MUT_DELIBERATE_FAULT(window_last_pane)) --last;
  for (auto pane = first; pane != last; ++pane) {
    KeyedTable& table = *pane->second;
    table.for_each([&](char* row) {
      table.load_key(row, key.data());
      char* target = merged.find(key.data());
      // What a window gives is not cut short by the budget; it goes when it is given.
      if (target == nullptr) target = merged.make_row_regardless(key.data());
      merge_row(table, row, merged, target);
    });
    if (desc_.has_distinct && !MUT_DELIBERATE_FAULT(distinct_of_one_pane)) merge_distinct(table, merged);
  }
  return merged;
}

// Rows of `to` stay where they are meanwhile.
void PaneStore::merge_distinct(KeyedTable& from, KeyedTable& to) {
  std::vector<uint64_t> key(desc_.key_words + 1);
  std::unordered_map<uint64_t, char*> groups;
  from.for_each([&](char* row) {
    uint64_t group;
    memcpy(&group, row + desc_.group_offset, 8);
    from.load_key(row, key.data());
    groups[group] = to.find(key.data());
  });
  for (uint32_t i = 0; i < desc_.cells.size(); ++i) {
    if (desc_.cells[i].fn != CellFn::Distinct) continue;
    KeyedTable& values = from.distinct_values(i);
    values.for_each([&](char* row) {
      uint64_t value[3];
      values.load_key(row, value);
      if (char* target = groups[value[0]]; target != nullptr) to.add_distinct(target, i, value + 1);
    });
  }
}

void PaneStore::give_window(const KeyedTable& groups, int64_t start, int64_t end_time, ResultRows& out) {
  auto time_of = [&](const char*) { return end_time - 1; };
  if (!desc_.best) {
    out.add_table(groups, line_.time(start), end_time, time_of);
  } else {
    std::vector<const char*> best = find_best_rows(groups, *desc_.best);
    passed_over_ += groups.row_count() - best.size();
    passed_by_ = desc_.best->path;
    out.add_rows(groups, sort_by_key(groups, std::move(best)), line_.time(start), end_time, time_of);
  }
  if (rules_.size() == 1) totals_.leave_before(start + rules_[0].every, panes_);
}

void PaneStore::merge_row(KeyedTable& from, char* row, KeyedTable& to, char* target) {
  for (const CellDesc& cell : desc_.cells) {
    if (cell.fn != CellFn::Distinct)
      merge_cell(cell, target + cell.offset, to.heap(), row + cell.offset, from.heap());
  }
}

void PaneStore::add_group(const uint64_t* key, int64_t start, int64_t end, ResultRows& out) {
  std::vector<std::pair<KeyedTable*, char*>> rows;
  auto last = panes_.lower_bound(end);
  for (auto pane = panes_.lower_bound(start); pane != last; ++pane) {
    if (char* row = pane->second->find_or_take(key); row != nullptr)
      rows.emplace_back(pane->second.get(), row);
  }
  if (rows.empty()) return;
  int64_t from = line_.time(start);
  int64_t to = line_.time(end);
  if (rows.size() == 1) return out.add(*rows[0].first, rows[0].second, key, from, to, to - 1);
  KeyedTable merged(desc_, seed_, budget_);
  char* target = merged.find_or_insert(key);
  if (target == nullptr) return;
  for (auto [table, row] : rows) {
    merge_row(*table, row, merged, target);
    if (!desc_.has_distinct) continue;
    uint64_t group;
    memcpy(&group, row + desc_.group_offset, 8);
    for (uint32_t i = 0; i < desc_.cells.size(); ++i) {
      if (desc_.cells[i].fn != CellFn::Distinct) continue;
      KeyedTable& values = table->distinct_values(i);
      values.for_each([&](char* at) {
        uint64_t value[3];
        values.load_key(at, value);
        if (value[0] == group) merged.add_distinct(target, i, value + 1);
      });
    }
  }
  out.add(merged, target, key, from, to, to - 1);
}

int64_t PaneStore::next_boundary(int64_t watermark) const {
  int64_t best = never;
  for (const WindowRule& rule : rules_) {
    int64_t end = ceil_to(line_.at(watermark) + 1, rule.every, rule.offset + rule.size);
    best = std::min(best, line_.time(end));
  }
  return best;
}

std::vector<std::pair<int64_t, int64_t>> PaneStore::windows_of(int64_t pane) const {
  std::vector<std::pair<int64_t, int64_t>> out;
  for (const WindowRule& rule : rules_) {
    int64_t window = ceil_to(std::max(pane + width_ - rule.size, rule.from), rule.every, rule.offset);
    for (; window <= pane && window < rule.to; window += rule.every)
      out.emplace_back(window + rule.size, window);
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool PaneStore::changed(const char* row) const {
  uint64_t value;
  memcpy(&value, row + desc_.changed_offset, 8);
  return value != 0;
}

void PaneStore::set_changed(char* row, uint64_t value) const {
  memcpy(row + desc_.changed_offset, &value, 8);
}

void PaneStore::add_changed(Extent window, ResultRows& out) {
  auto [end, start] = window;
  std::vector<std::vector<uint64_t>> keys;
  auto last = panes_.lower_bound(end);
  for (auto pane = panes_.lower_bound(start); pane != last; ++pane) {
    pane->second->for_each([&](char* row) {
      if (!changed(row)) return;
      keys.emplace_back(desc_.key_words + 1);
      pane->second->load_key(row, keys.back().data());
    });
  }
  auto compare = [&](const auto& a, const auto& b) { return compare_keys(desc_, a.data(), b.data()); };
  std::sort(keys.begin(), keys.end(), [&](const auto& a, const auto& b) { return compare(a, b) < 0; });
  keys.erase(
      std::unique(keys.begin(), keys.end(), [&](const auto& a, const auto& b) { return compare(a, b) == 0; }),
      keys.end());
  for (const auto& key : keys) add_group(key.data(), start, end, out);
}

std::vector<WindowStore::Extent> PaneStore::ticking() {
  std::set<Extent> windows;
  for (const auto& [start, table] : panes_) {
    for (auto window : windows_of(start)) {
      if (window.first > closed_at_) windows.insert(window);
    }
  }
  return {windows.begin(), windows.end()};
}

void PaneStore::all_told() {
  uint64_t again = MUT_DELIBERATE_FAULT(tick_again) ? 1 : 0;
  for (const auto& [start, table] : panes_) table->for_each([&](char* row) { set_changed(row, again); });
}

const ResultRows& PaneStore::own_update(const uint64_t* key, int64_t time, int64_t now, ResultRows& out) {
  close(now);
  for (auto [end, start] : windows_of(pane_start(time))) {
    bool gives = end > closed_at_ ? desc_.gives == Gives::AtUpdate
                                  : !is_over(end) && !MUT_DELIBERATE_FAULT(late_update_lost);
    if (gives) add_group(key, start, end, out);
  }
  return out;
}

bool PaneStore::own_room(const uint64_t* key, int64_t time, uint64_t text_bytes) {
  uint64_t growth = distinct_growth(desc_) + text_bytes;
  auto pane = panes_.find(pane_start(time));
  if (pane == panes_.end()) return budget_.fits(growth);
  KeyedTable& table = *pane->second;
  if (const char* row = table.find_or_take(key); row != nullptr) growth += growth_of(desc_, row);
  if (!table.heap().fits(growth)) table.purge_distinct();
  return table.heap().fits(growth);
}

void PaneStore::release_rows() {
  merged_.clear();
  forget_closed();
}

void PaneStore::forget_closed() {
  while (!panes_.empty() && is_over(last_end(panes_.begin()->first))) {
    totals_.pane_changes(panes_.begin()->first);
    rows_usual_ = panes_.begin()->second->row_count();
    panes_.erase(panes_.begin());
  }
  view_.pane_table = nullptr;
  // A rule is over when its last window is.
  while (rules_.size() > 1 && rules_[0].to != never &&
         is_over(floor_to(rules_[0].to - 1, rules_[0].every, rules_[0].offset) + rules_[0].size)) {
    // The width divides the difference of the offsets, so the grid of the panes stays where it was.
    rules_.erase(rules_.begin());
    if (panes_.empty()) make_width();
  }
}

void PaneStore::reach(int64_t watermark) {
  if (watermark <= closed_) return;
  close(watermark);
  forget_closed();
}

uint64_t PaneStore::own_entries() const {
  uint64_t count = 0;
  for (const auto& [start, table] : panes_) count += table->row_count() + table->left();
  return count;
}

// The greatest start of an open window, of whichever rule, plus the slide of that rule.
OpenWindows PaneStore::open_windows() const {
  OpenWindows out;
  if (earlier_) {
    if (std::optional<int64_t> earlier = earlier_->open_until()) {
      out.boundary = line_.at(*earlier);
      out.end = out.boundary;
    }
  }
  for (const auto& [start, table] : panes_) {
    for (const WindowRule& rule : rules_) {
      int64_t window = floor_to(std::min(start, rule.to - 1), rule.every, rule.offset);
      bool open = window >= rule.from && window + rule.size > std::max(start, closed_at_);
      if (!open) continue;
      out.boundary = std::max(out.boundary.value_or(window), window + rule.every);
      out.end = std::max(out.end.value_or(window), window + rule.size);
      out.of_newest = out.of_newest || &rule == &rules_.back();
    }
  }
  return out;
}

std::optional<int64_t> PaneStore::edge_of_newest(const OpenWindows& open, int64_t watermark) const {
  constexpr int64_t nothing = std::numeric_limits<int64_t>::min();
  const WindowRule& newest = rules_.back();
  int64_t base = open.boundary.value_or(nothing);
  if (!open.of_newest) base = std::max({base, newest.from, line_.at(watermark)});
  if (base == nothing) return std::nullopt;
  return ceil_to(base, newest.every, newest.offset);
}

// Windows that overlap reach beyond the begin of the next: those that are open take all events up to the end
// of the last of them, and none begins that would end later.
std::optional<int64_t> PaneStore::next_end_of_all(const OpenWindows& open, int64_t watermark) const {
  constexpr int64_t nothing = std::numeric_limits<int64_t>::min();
  int64_t base = std::max(open.end.value_or(nothing), line_.at(watermark));
  for (const WindowRule& rule : rules_) {
    if (rule.to != never) base = std::max(base, floor_to(rule.to - 1, rule.every, rule.offset) + rule.size);
  }
  const WindowRule& newest = rules_.back();
  if (newest.from != nothing) base = std::max(base, newest.from + newest.size);
  if (base == nothing) return std::nullopt;
  return line_.time(ceil_to(base, newest.every, newest.offset + newest.size));
}

int64_t PaneStore::edge_from(int64_t time) const {
  return line_.time(ceil_to(line_.at(time), rules_.back().every, rules_.back().offset));
}

std::optional<int64_t> PaneStore::open_until() const {
  std::optional<int64_t> end = open_windows().end;
  return end ? std::optional(line_.time(*end)) : std::nullopt;
}

void PaneStore::begin_at(int64_t time) {
  rules_.front().from = line_.at(time);
  closed_at_ = line_.at(closed_);
}

void PaneStore::end_at(int64_t time) {
  for (WindowRule& rule : rules_) rule.to = std::min(rule.to, line_.at(time) - rule.size + 1);
}

bool PaneStore::is_spent(int64_t to) const {
  return panes_.empty() && merged_.empty() && is_over(line_.at(to));
}

void PaneStore::take_rule(const WindowRule& next, const OpenWindows& open, int64_t watermark) {
  if (MUT_DELIBERATE_FAULT(swap_window_kept)) return;
  const WindowRule newest = rules_.back();
  if (newest.size == next.size && newest.every == next.every && newest.offset == next.offset) return;
  std::optional<int64_t> edge = edge_of_newest(open, watermark);
  if (!edge) {
    rules_ = {next};
    make_width();
    return;
  }
  // The least boundary of both grids from there on.
  int64_t at = *edge;
  for (int64_t tries = 0; floor_to(at, next.every, next.offset) != at && tries < 1'000'000; ++tries)
    at += newest.every;
  rules_.back().to = at;
  WindowRule from_there = next;
  from_there.from = at;
  std::erase_if(rules_, [](const WindowRule& rule) { return rule.to != never && rule.from >= rule.to; });
  rules_.push_back(from_there);
  make_width();
}

// Old panes are at least as wide as new ones and start where a new one starts; what they hold lies in the
// same windows, for no new rule cuts inside of an open old window. So they stay.
void PaneStore::retune(const StoreDesc& next, const std::vector<int>& cells, int64_t watermark) {
  (void)cells;
  OpenWindows open = open_now(*this);
  totals_.forget();
  seal(watermark, desc_.late_within);
  take_terms(next);
  take_rule(rule_of(next), open, watermark);
  view_.pane_table = nullptr;
}

// What holds for all windows of the old store, before its panes.
void PaneStore::take_course(const PaneStore& old, int64_t watermark) {
  closed_at_ = std::max(closed_at_, old.closed_at_);
  seal(watermark, old.desc_.late_within);
  rules_ = old.rules_;
  width_ = old.width_;
  passed_over_ = old.passed_over_;
  passed_by_ = old.passed_by_;
}

bool PaneStore::can_take_over(const Store& old, const std::vector<int>& cells) const {
  if (old.desc().kind != desc_.kind || static_cast<const PaneStore&>(old).earlier_) return false;
  // Ticks look at all groups.
  return old.desc().gives != Gives::AtTicks && desc_.gives != Gives::AtTicks &&
         std::none_of(desc_.cells.begin(), desc_.cells.end(),
                      [](const CellDesc& cell) { return cell.fn == CellFn::Own; }) &&
         converts_apart(old.desc(), desc_, cells);
}

void PaneStore::take_over(std::shared_ptr<Store> old_store, const std::vector<int>& cells, int64_t watermark,
                          std::shared_ptr<KeyChange> change) {
  MUT_CHECK(!change, "entries of windows that are made anew are made at the cut");
  auto& old = static_cast<PaneStore&>(*old_store);
  take_times(old);
  take_course(old, watermark);
  for (const auto& [start, table] : old.panes_) {
    auto& pane = panes_[start];
    pane = std::make_unique<KeyedTable>(desc_, seed_, budget_);
    pane->take_over(*table, {[](const char*) { return true; },
                             [from = table.get(), to = pane.get(), cells](const char* row, char* made) {
                               convert_row(*from, row, *to, made, cells);
                             }});
  }
  take_rule(rule_of(desc_), open_now(old), watermark);
  before_ = std::move(old_store);
}

// The pane that closes first comes first.
void PaneStore::take_piece(uint64_t entries) {
  for (const auto& [start, table] : panes_) {
    if (entries == 0) return;
    entries -= std::min(entries, table->take_piece(entries));
  }
}

uint64_t PaneStore::left_to_take() const {
  uint64_t left = 0;
  for (const auto& [start, table] : panes_) left += table->left();
  return left;
}

void PaneStore::take_entries(const WindowStore& old_store, const std::vector<int>& cells, int64_t watermark) {
  const auto& old = static_cast<const PaneStore&>(old_store);
  take_course(old, watermark);
  std::vector<uint64_t> key(key_room(old.desc_));
  for (const auto& [start, table] : old.panes_) {
    auto& pane = panes_[start];
    if (!pane) pane = std::make_unique<KeyedTable>(desc_, seed_, budget_);
    table->for_each([&, from = table.get()](char* row) {
      from->load_key(row, key.data());
      if (!place_key(old.desc_, key.data())) return;
      char* made = pane->find_or_insert(key.data());
      if (made == nullptr) return note(key.data(), no_memory);
      convert_row(*from, row, *pane, made, cells);
      // What gave its results when windows closed has given nothing of the open ones yet.
      bool given = old.desc_.gives == Gives::AtTicks && !old.changed(row);
      if (desc_.gives == Gives::AtTicks && !given) set_changed(made, 1);
    });
  }
  take_rule(rule_of(desc_), open_now(old), watermark);
}

// Panes of another width hold other events: nothing of those comes back.
void PaneStore::give_back(const WindowStore& parked, const std::vector<int>& cells) {
  const auto& old = static_cast<const PaneStore&>(parked);
  if (width_ != old.width_) return;
  totals_.forget();
  std::vector<uint64_t> key(key_room(old.desc_));
  for (const auto& [start, table] : old.panes_) {
    auto mine = panes_.find(start);
    if (mine == panes_.end()) continue;  // its windows have closed since
    KeyedTable& pane = *mine->second;
    table->for_each([&, from = table.get()](char* row) {
      from->load_key(row, key.data());
      if (!place_key(old.desc_, key.data())) return;
      if (char* found = pane.find(key.data()); found != nullptr) convert_row(*from, row, pane, found, cells);
    });
  }
}

}  // namespace mut::state

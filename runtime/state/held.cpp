#include "runtime/state/held.h"

#include <algorithm>
#include <cstring>

#include "runtime/abi/deliberate.h"
#include "runtime/state/packed.h"

namespace mut::state {
namespace {

int64_t plus(int64_t time, int64_t duration) {
  int64_t out = 0;
  return __builtin_add_overflow(time, duration, &out) ? never - 1 : out;
}

}  // namespace

HeldStore::Row::Row(HeldStore& of, uint64_t key_number, uint64_t size)
    : store(of), number(key_number), bytes(size), memory(new char[size]) {
  store.budget_.add(bytes + sizeof(Row));
  ++store.row_count_;
  ++store.keys_[number - 1].rows;
}

HeldStore::Row::~Row() {
  store.budget_.remove(bytes + sizeof(Row));
  --store.row_count_;
  --store.keys_[number - 1].rows;
  store.release_key(number);
}

HeldStore::HeldStore(StoreDesc desc, uint64_t seed, Budget& budget)
    : Store(std::move(desc)),
      budget_(budget),
      line_(line_of(desc_)),
      table_(desc_, seed, budget),
      is_plain_(!abi::has_references(*desc_.hold.record)) {}

HeldStore::~HeldStore() {
  queue_.clear();
  windows_.clear();
}

uint64_t HeldStore::number_of(const uint64_t* key) {
  char* row = table_.find_or_insert(key);
  if (row == nullptr) return 0;
  uint64_t number = 0;
  memcpy(&number, row + desc_.row_size - 8, 8);
  if (number != 0) return number;
  if (free_numbers_.empty()) {
    keys_.emplace_back();
    number = keys_.size();
  } else {
    number = free_numbers_.back();
    free_numbers_.pop_back();
  }
  keys_[number - 1].words.resize(desc_.key_words + size_t{1});
  table_.load_key(row, keys_[number - 1].words.data());
  memcpy(row + desc_.row_size - 8, &number, 8);
  return number;
}

void HeldStore::release_key(uint64_t number) {
  if (keys_[number - 1].rows > 0) return;
  if (char* row = table_.find(keys_[number - 1].words.data()); row != nullptr) table_.erase(row);
  free_numbers_.push_back(number);
}

uint64_t HeldStore::bytes_of(const char* record) const {
  return is_plain_ ? desc_.hold.record->size : packed_bytes(*desc_.hold.record, record);
}

HeldStore::RowPtr HeldStore::make_row(uint64_t number, int64_t time, const char* record) {
  const abi::TypeDesc& type = *desc_.hold.record;
  auto out = std::make_shared<Row>(*this, number, packed_bytes(type, record));
  pack(type, record, out->memory.get());
  unpack(type, out->memory.get());
  out->time = time;
  out->arrival = ++arrivals_;
  return out;
}

// Order keys one after the other; none comes last, whichever way the others go.
int HeldStore::order_of(const char* a, const char* b) const {
  const abi::TypeDesc& type = *desc_.hold.record;
  for (size_t i = 0; i < desc_.hold.descending.size(); ++i) {
    const abi::FieldDesc& field = type.fields[i];
    uint64_t of_a[2] = {0, 0};
    uint64_t of_b[2] = {0, 0};
    bool has_a = read_words(*field.type, a + field.offset, of_a);
    bool has_b = read_words(*field.type, b + field.offset, of_b);
    if (has_a != has_b) return has_a ? -1 : 1;
    if (!has_a) continue;
    const abi::TypeDesc& scalar =
        field.type->kind == abi::TypeKind::Optional ? *field.type->element : *field.type;
    int order = compare_words(of_a, of_b, word_kind(scalar));
    bool down = desc_.hold.descending[i] != 0 && !MUT_DELIBERATE_FAULT(sort_upwards);
    if (order != 0) return down ? -order : order;
  }
  return 0;
}

bool HeldStore::before(const Row& a, const Row& b) const {
  int order = order_of(a.memory.get(), b.memory.get());
  if (order != 0) return order < 0;
  return a.time != b.time ? a.time < b.time : a.arrival < b.arrival;
}

size_t HeldStore::asked_of(const std::vector<RowPtr>& best) const {
  auto out = static_cast<size_t>(desc_.hold.count);
  if (out >= best.size()) return best.size();
  bool shared = desc_.hold.ties == Ties::Shared && out > 0 && !MUT_DELIBERATE_FAULT(top_cuts_ties);
  // They are in order: many equals are not gone through one by one.
  if (shared && order_of(best[out - 1]->memory.get(), best.back()->memory.get()) == 0) return best.size();
  while (shared && out < best.size() && order_of(best[out - 1]->memory.get(), best[out]->memory.get()) == 0)
    ++out;
  return out;
}

// Later than all that are there, it stands behind those that equal it.
bool HeldStore::is_asked(const std::vector<RowPtr>& best, const char* record, int64_t time) const {
  if (best.size() < static_cast<size_t>(desc_.hold.count)) return true;
  int order = order_of(record, best.back()->memory.get());
  if (order != 0) return order < 0;
  return desc_.hold.ties == Ties::Shared || time < best.back()->time;
}

void HeldStore::put(Window& window, const RowPtr& row) {
  if (desc_.hold.kind == HoldKind::Sort) {
    window.rows.push_back(row);
    return;
  }
  rank(window.best[row->number], row);
}

size_t HeldStore::rank(std::vector<RowPtr>& best, const RowPtr& row) {
  auto place = std::upper_bound(best.begin(), best.end(), row,
                                [&](const RowPtr& a, const RowPtr& b) { return before(*a, *b); });
  auto out = static_cast<size_t>(place - best.begin());
  best.insert(place, row);
  size_t asked = asked_of(best);
  gate_.let_go += best.size() - asked;
  best.resize(asked);
  return out;
}

void HeldStore::let_go_of_rest(std::vector<RowPtr>& best) {
  if (desc_.hold.count > 0) best.resize(asked_of(best));
}

const ResultRows* HeldStore::add(const uint64_t* key, int64_t time, const char* record, int64_t watermark,
                                 batch::Arena& texts) {
  if (!given_ || given_texts_ != &texts) given_.emplace(desc_, texts);
  given_texts_ = &texts;
  given_->clear();
  if (!budget_.fits(bytes_of(record) + sizeof(Row) * 2)) return nullptr;
  uint64_t number = number_of(key);
  if (number == 0) return nullptr;
  note_newest(time);
  take(number, time, record, watermark, *given_);
  return &*given_;
}

void HeldStore::take(uint64_t number, int64_t time, const char* record, int64_t watermark,
                     ResultRows& given) {
  const HoldRule& rule = desc_.hold;
  if (by_window()) return take_at_window(number, time, record, watermark);
  RowPtr row = make_row(number, time, record);
  if (rule.kind == HoldKind::Ranking) {
    std::vector<RowPtr>& best = windows_[{never, 0}].best[number];
    for (size_t i = rank(best, row); i < best.size(); ++i)
      give(*best[i], static_cast<int64_t>(i) + 1, {}, time, given);
    return;
  }
  int64_t due = plus(time, rule.span);
  if (rule.kind == HoldKind::Debounce) {
    if (auto known = waiting_.find(number); known != waiting_.end()) {
      auto held = queue_.find(known->second);
      ++gate_.let_go;
      if (held->second->time > time || MUT_DELIBERATE_FAULT(debounce_first))
        return;  // the last one of a burst, by event time
      queue_.erase(held);
      waiting_.erase(known);
    }
  }
  if (due <= watermark) {
    give(*row, 0, {}, due, given);
    return;
  }
  std::pair<int64_t, uint64_t> place{due, row->arrival};
  queue_.emplace(place, std::move(row));
  if (rule.kind == HoldKind::Debounce) waiting_[number] = place;
  return;
}

void HeldStore::take_at_window(uint64_t number, int64_t time, const char* record, int64_t watermark) {
  const HoldRule& rule = desc_.hold;
  RowPtr row;
  auto put_in = [&](Window& window) {
    if (rule.kind == HoldKind::Top && !is_asked(window.best[number], record, time)) {
      ++gate_.let_go;
      return;
    }
    if (!row) row = make_row(number, time, record);
    put(window, row);
  };
  auto put_in_only = [&](const Edges& edges, Window& window) {
    put_in(window);
    set_gate(edges, window.best[number]);
  };
  if (rule.whole) return put_in_only({never, std::numeric_limits<int64_t>::min()}, windows_[{never, 0}]);
  bool in_last = last_ != windows_.end() && time >= last_->first.second && time < last_->first.first;
  if (in_last && !is_closed(last_->first.first, watermark)) return put_in_only(last_->first, last_->second);
  // Windows that hold the event, from the first on.
  int64_t at = line_.at(time);
  int64_t every = line_.length(desc_.every);
  int64_t offset = offset_on_line(desc_);
  int64_t last = at - ((at - offset) % every + every) % every;
  bool missed = false;
  for (int64_t start = last; start > at - line_.length(desc_.size); start -= every) {
    Edges edges{line_.time(start + line_.length(desc_.size)), line_.time(start)};
    if (is_closed(edges.first, watermark) && !MUT_DELIBERATE_FAULT(sort_takes_late)) {
      missed = true;
      continue;
    }
    auto window = windows_.try_emplace(edges).first;
    if (desc_.every == desc_.size && desc_.zone.empty()) {
      last_ = window;
      put_in_only(edges, window->second);
    } else {
      put_in(window->second);
    }
  }
  if (missed) ++late_;
  if (!row) release_key(number);
}

void HeldStore::set_gate(const Edges& edges, const std::vector<RowPtr>& best) {
  if (!has_top_gate(desc_)) return;
  gate_.until = gate_.from = 0;
  if (best.size() < static_cast<size_t>(desc_.hold.count)) return;
  gate_.from = edges.second;
  gate_.until = edges.first;
  memcpy(&gate_.last, best.back()->memory.get() + desc_.hold.record->fields[0].offset, sizeof(gate_.last));
}

void HeldStore::leave_window() {
  last_ = windows_.end();
  gate_.until = gate_.from = 0;
}

void HeldStore::give(const Row& row, int64_t rank, const Edges& edges, int64_t time, ResultRows& rows) const {
  rows.add_held(*desc_.hold.record, row.memory.get(), rank, edges.second, edges.first, time);
}

void HeldStore::give_rows(std::vector<RowPtr>& window, const Edges& edges, int64_t time, ResultRows& rows) {
  std::sort(window.begin(), window.end(), [&](const RowPtr& a, const RowPtr& b) { return before(*a, *b); });
  // Fewer may be asked for than when they came.
  size_t asked = desc_.hold.kind == HoldKind::Top ? asked_of(window) : window.size();
  int64_t rank = 0;
  for (size_t i = 0; i < asked; ++i) {
    bool shared = i > 0 && desc_.hold.ties == Ties::Shared &&
                  order_of(window[i - 1]->memory.get(), window[i]->memory.get()) == 0;
    if (!shared) rank = static_cast<int64_t>(i) + 1;
    if (MUT_DELIBERATE_FAULT(top_one_less) && desc_.hold.kind == HoldKind::Top && i > 0 &&
        rank == desc_.hold.count)
      return;
    give(*window[i], rank, edges, time, rows);
  }
}

bool HeldStore::key_before(uint64_t a, uint64_t b) const {
  return compare_keys(desc_, keys_[a - 1].words.data(), keys_[b - 1].words.data()) < 0;
}

void HeldStore::give_window(Window& window, const Edges& edges, int64_t time, ResultRows& rows) {
  if (desc_.hold.kind == HoldKind::Sort) return give_rows(window.rows, edges, time, rows);
  std::vector<uint64_t> numbers;
  for (const auto& [number, best] : window.best) numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end(), [&](uint64_t a, uint64_t b) { return key_before(a, b); });
  for (uint64_t number : numbers) give_rows(window.best[number], edges, time, rows);
}

int64_t HeldStore::due() const {
  if (by_window()) return windows_.empty() || desc_.hold.whole ? never : windows_.begin()->first.first;
  return queue_.empty() ? never : queue_.begin()->first.first;
}

void HeldStore::fire(ResultRows& rows) {
  int64_t now = due();
  if (now == never) return;
  if (by_window()) {
    while (!windows_.empty() && windows_.begin()->first.first == now) {
      auto window = windows_.begin();
      give_window(window->second, window->first, now - 1, rows);
      if (last_ == window) leave_window();
      windows_.erase(window);
    }
    closed_ = std::max(closed_, now);
    return;
  }
  while (!queue_.empty() && queue_.begin()->first.first == now) {
    RowPtr row = std::move(queue_.begin()->second);
    queue_.erase(queue_.begin());
    waiting_.erase(row->number);
    give(*row, 0, {}, now, rows);
  }
}

void HeldStore::finish(ResultRows& rows) {
  if (!desc_.hold.whole) return;
  for (auto& [edges, window] : windows_) give_window(window, {}, newest(), rows);
  windows_.clear();
  leave_window();
}

void HeldStore::convert_from(const Store& old_store, const std::vector<int>&, int64_t) {
  const auto& old = static_cast<const HeldStore&>(old_store);
  late_ = old.late_;
  gate_.let_go = old.gate_.let_go;
  gate_.newest = old.newest();
  closed_ = old.closed_;
  std::map<const Row*, RowPtr> made;
  auto copy = [&](const RowPtr& from) {
    RowPtr& to = made[from.get()];
    if (to) return to;
    to = copy_row(old, *from);
    return to;
  };
  for (const auto& [place, row] : old.queue_) {
    RowPtr to = copy(row);
    if (desc_.hold.kind == HoldKind::Debounce) waiting_[to->number] = place;
    queue_.emplace(place, std::move(to));
  }
  for (const auto& [edges, window] : old.windows_) {
    Window& to = windows_[edges];
    for (const RowPtr& row : window.rows) to.rows.push_back(copy(row));
    for (const auto& [number, best] : window.best) {
      size_t asked = old.asked_of(best);
      for (size_t i = 0; i < asked; ++i) {
        RowPtr kept = copy(best[i]);
        to.best[kept->number].push_back(std::move(kept));
      }
      if (desc_.hold.kind == HoldKind::Ranking && !best.empty())
        let_go_of_rest(to.best[copy(best[0])->number]);
    }
  }
  arrivals_ = std::max(arrivals_, old.arrivals_);
}

HeldStore::RowPtr HeldStore::copy_row(const HeldStore& old, const Row& from) {
  std::vector<uint64_t> key = old.keys_[from.number - 1].words;
  (void)place_key(old.desc(), key.data());
  RowPtr to = make_row(number_of(key.data()), from.time, from.memory.get());
  to->arrival = from.arrival;
  return to;
}

void HeldStore::retune(const StoreDesc& next, const std::vector<int>&, int64_t) {
  bool ranking = desc_.hold.kind == HoldKind::Ranking;
  for (auto& [edges, window] : windows_) {
    for (auto& [number, best] : window.best) let_go_of_rest(best);
  }
  desc_ = next;
  leave_window();
  for (auto& [edges, window] : windows_) {
    if (!ranking) break;
    for (auto& [number, best] : window.best) let_go_of_rest(best);
  }
  given_.reset();  // it names the description before
}

}  // namespace mut::state

#include "runtime/state/patterns.h"

#include <algorithm>
#include <cstring>

#include "runtime/state/sketch.h"

namespace mut::state {
namespace {

// At the end of the input what has no `within` is decided, after everything that has a time.
constexpr int64_t last_instant = never - 1;
constexpr size_t names_word = 3;  // of a sample

int64_t plus(int64_t time, int64_t duration) {
  int64_t out = 0;
  return __builtin_add_overflow(time, duration, &out) ? last_instant : out;
}

}  // namespace

struct PatternStore::Group {
  std::vector<uint64_t> key;  // texts lie in the heap of the table, as long as the key's row is there
  uint64_t first = 0;         // number of the first event that is kept
  std::vector<Sample> events;
  std::vector<uint64_t> names;  // of each event
  OpenStarts starts;
  uint64_t waiting = 0;      // events that are not settled yet
  int64_t expected = never;  // earliest deadline in the queue
  size_t counted = 0;        // bytes that the budget knows, samples aside

  template <typename Io, typename Self>
  static void pass(Io& io, Self& self, const StoreDesc& desc) {
    pass_values(io, self.first, self.waiting, self.expected, self.counted);
    pass_each(io, self.events, desc.sample_words * size_t{8},
              [&](Io& of, auto& sample) { pass_sample(of, desc, sample); });
    pass_plain(io, self.names);
    OpenStarts::pass(io, self.starts);
  }

  const uint64_t* event(uint64_t number) const { return events[number - first].get(); }
  uint64_t end() const { return first + events.size(); }
  int64_t time(uint64_t number) const { return static_cast<int64_t>(event(number)[0]); }
};

class PatternStore::Events final : public PatternEvents {
 public:
  Events(const PatternStore& store, const Group& group) : store_(store), group_(group) {}
  uint64_t names(uint64_t event) const override { return group_.names[event - group_.first]; }
  uint64_t find(uint64_t from, uint64_t end, uint64_t wanted, uint64_t& skipped) const override {
    const uint64_t* at = group_.names.data() + (from - group_.first);
    const uint64_t* stop = group_.names.data() + (end - group_.first);
    uint64_t seen = skipped;
    for (; at < stop && (*at & wanted) == 0; ++at) seen |= *at;
    skipped = seen;
    return group_.first + static_cast<uint64_t>(at - group_.names.data());
  }
  bool asks(uint32_t name, uint64_t event, const std::vector<BoundEvent>& bound) const override;

 private:
  const PatternStore& store_;
  const Group& group_;
};

// ---- as bytes

template <typename Io, typename Self>
void PatternStore::pass(Io& io, Self& self) {
  pass_values(io, self.arrivals_, self.event_count_, self.let_go_, self.settled_);
  Deadlines::pass(io, self.deadlines_);
  pass_plain(io, self.free_groups_);
  pass_map(io, self.waiting_, [&](Io& of, auto& waiting) {
    of.value(waiting.group);
    pass_sample(of, self.desc_, waiting.sample);
  });
}

void PatternStore::save(Saver& to) const {
  table_.save(to);
  pass(to, *this);
  to.value(static_cast<uint64_t>(groups_.size()));
  for (size_t i = 0; i < groups_.size(); ++i) {
    if (!groups_[i]) continue;
    to.value(static_cast<uint64_t>(i + 1));
    Group::pass(to, *groups_[i], desc_);
  }
  to.value(uint64_t{0});
}

void PatternStore::load(Loader& from) {
  table_.load(from);
  pass(from, *this);
  budget_.add(waiting_.size() * sample_bytes());
  uint64_t count = 0;
  from.value(count);
  if (count > table_.row_count() + free_groups_.size()) from.fail();
  if (!from.fine()) return;
  groups_.resize(count);
  for (uint64_t number = 0;;) {
    from.value(number);
    if (number == 0 || number > count) break;
    groups_[number - 1] = std::make_unique<Group>();
    Group::pass(from, *groups_[number - 1], desc_);
    budget_.add(groups_[number - 1]->events.size() * sample_bytes() + groups_[number - 1]->counted);
  }
  table_.for_each([&](char* row) {
    uint64_t number = 0;
    memcpy(&number, row + number_offset(), 8);
    if (number == 0 || number > count || !groups_[number - 1]) return from.fail();
    group(number).key.resize(desc_.key_words + size_t{1});
    table_.load_key(row, group(number).key.data());
  });
}

PatternStore::PatternStore(StoreDesc desc, uint64_t seed, Budget& budget)
    : Store(std::move(desc)), budget_(budget), table_(desc_, seed, budget) {}

PatternStore::~PatternStore() {
  for (auto& group : groups_) {
    if (group) budget_.remove(group->events.size() * sample_bytes() + group->counted);
  }
  budget_.remove(waiting_.size() * sample_bytes());
}

// ---- groups and samples

uint64_t PatternStore::group_of(const uint64_t* key) {
  char* row = table_.find_or_insert(key);
  if (row == nullptr) return 0;
  uint64_t number = 0;
  memcpy(&number, row + number_offset(), 8);
  if (number != 0) return number;
  if (free_groups_.empty()) {
    groups_.emplace_back();
    number = groups_.size();
  } else {
    number = free_groups_.back();
    free_groups_.pop_back();
  }
  auto made = std::make_unique<Group>();
  made->key.resize(desc_.key_words + size_t{1});
  table_.load_key(row, made->key.data());
  groups_[number - 1] = std::move(made);
  memcpy(row + number_offset(), &number, 8);
  return number;
}

void PatternStore::release_group(uint64_t number) {
  Group& of = group(number);
  if (!of.starts.empty() || of.waiting > 0) return;
  budget_.remove(of.counted);
  if (char* row = table_.find(of.key.data()); row != nullptr) table_.erase(row);
  groups_[number - 1].reset();
  free_groups_.push_back(number);
}

Sample PatternStore::take_sample(const uint64_t* sample) {
  budget_.add(sample_bytes());
  ++event_count_;
  return keep_sample(desc_, sample, heap());
}

void PatternStore::let_sample_go(const uint64_t* sample) {
  free_sample(desc_, sample, heap());
  budget_.remove(sample_bytes());
  --event_count_;
}

size_t PatternStore::text_bytes(const uint64_t* sample) const {
  std::vector<uint64_t> pieces;
  for (const ColumnDesc& column : desc_.columns) {
    if (column.kind == WordKind::Text) pieces.push_back(abi::view(text_of(sample + column.word)).size());
  }
  return heap().block_growth(pieces);
}

// ---- events

const ResultRows* PatternStore::add(const uint64_t* key, const uint64_t* sample, int64_t watermark,
                                    batch::Arena& texts) {
  if (!given_ || given_texts_ != &texts) given_.emplace(desc_, texts);
  given_texts_ = &texts;
  given_->clear();
  auto time = static_cast<int64_t>(sample[0]);
  if (time < std::max(watermark, settled_)) {
    ++late_;
    return &*given_;
  }
  if (!budget_.fits(sample_bytes() * 2 + text_bytes(sample) + sizeof(Group) + sizeof(PatternStart) * 2))
    return nullptr;
  uint64_t number = group_of(key);
  if (number == 0) return nullptr;
  if (time > watermark) {
    ++group(number).waiting;
    waiting_.emplace(std::pair{time, ++arrivals_}, Waiting{number, take_sample(sample)});
    return &*given_;
  }
  settled_ = std::max(settled_, time);
  take(number, take_sample(sample), time, *given_);
  release_group(number);
  return &*given_;
}

void PatternStore::take(uint64_t number, Sample sample, int64_t now, ResultRows& rows) {
  Group& of = group(number);
  of.names.push_back(sample[names_word]);
  of.events.push_back(std::move(sample));
  // One that its own event refutes is none.
  uint64_t first = of.names.back() & desc_.pattern.first_names[0];
  bool begins = (first & ~desc_.pattern.looks_back) != 0;
  if (!begins && first != 0) {
    PatternStart alone;
    alone.event = of.end() - 1;
    Events events(*this, of);
    begins = PatternSearch(desc_.pattern, events).run(alone, of.end(), false) != Found::No;
  }
  if (begins) of.starts.add(of.end() - 1);
  decide(number, now, rows);
}

int64_t PatternStore::deadline_of(const Group& of, uint64_t event) const {
  return desc_.pattern.within == 0 ? last_instant : plus(of.time(event), desc_.pattern.within);
}

Found PatternStore::run(PatternSearch& search, const Group& of, PatternStart& start, int64_t now) {
  int64_t last = deadline_of(of, start.event);
  uint64_t end = of.end();
  if (desc_.pattern.within != 0) {
    auto after = std::partition_point(of.events.begin(), of.events.end(), [&](const Sample& sample) {
      return static_cast<int64_t>(sample[0]) < last;
    });
    end = of.first + static_cast<uint64_t>(after - of.events.begin());
  }
  Found found = search.run(start, end, end < of.end() || now >= last);
  if (search.gave_up()) ++let_go_;
  return found;
}

// Decides the starts of a key as far as they can be.
void PatternStore::decide(uint64_t number, int64_t now, ResultRows& rows) {
  Group& of = group(number);
  Events events(*this, of);
  PatternSearch search(desc_.pattern, events);
  while (true) {
    if (desc_.pattern.next_event) {
      decide_all(search, of, now, rows);
    } else {
      while (decide_front(search, of, now, rows)) {
      }
    }
    if (of.starts.size() <= static_cast<uint64_t>(desc_.pattern.limit)) break;
    of.starts.pop_front();
    ++let_go_;
  }
  forget_before_starts(of);
  count(of);
  expect(number, of);
}

// Tells the budget what the group has come to hold besides its samples.
void PatternStore::count(Group& of) {
  size_t bytes =
      sizeof(Group) + of.key.capacity() * 8 + of.events.capacity() * (sizeof(Sample) + 8) + of.starts.bytes();
  if (bytes > of.counted) budget_.add(bytes - of.counted);
  if (bytes < of.counted) budget_.remove(of.counted - bytes);
  of.counted = bytes;
}

// A start waits for those before it; what a match has taken begins none. False: the first is open.
bool PatternStore::decide_front(PatternSearch& search, Group& of, int64_t now, ResultRows& rows) {
  if (of.starts.empty()) return false;
  switch (run(search, of, of.starts.front(), now)) {
    case Found::Open:
      return false;
    case Found::No:
      of.starts.pop_front();
      return true;
    case Found::Yes:
      break;
  }
  const PatternStart match = of.starts.front();
  give(of, match, rows);
  of.starts.pop_through(match.bound.back().event);
  return true;
}

void PatternStore::decide_all(PatternSearch& search, Group& of, int64_t now, ResultRows& rows) {
  std::erase_if(of.starts.all(), [&](PatternStart& start) {
    Found found = run(search, of, start, now);
    if (found == Found::Yes) give(of, start, rows);
    return found != Found::Open;
  });
}

void PatternStore::forget_before_starts(Group& of) {
  uint64_t wanted = of.starts.empty() ? of.end() : of.starts.first_event();
  size_t gone = wanted - of.first;
  for (size_t i = 0; i < gone; ++i) let_sample_go(of.events[i].get());
  of.events.erase(of.events.begin(), of.events.begin() + static_cast<ptrdiff_t>(gone));
  of.names.erase(of.names.begin(), of.names.begin() + static_cast<ptrdiff_t>(gone));
  of.first = wanted;
}

// ---- measures and results

namespace {

bool picks_one(const CellDesc& desc) {
  bool extreme = desc.fn == CellFn::Min || desc.fn == CellFn::Max;
  return desc.fn == CellFn::First || desc.fn == CellFn::Last || desc.fn == CellFn::ArgMin ||
         desc.fn == CellFn::ArgMax || (extreme && desc.kind == WordKind::Text);
}

// Whether the value of an event, or what it goes by, comes before that of an earlier one.
bool wins(const CellDesc& desc, const uint64_t* value, const uint64_t* known) {
  bool pair = desc.fn == CellFn::ArgMin || desc.fn == CellFn::ArgMax;
  int order = compare_words(value, known, pair ? desc.order_kind : desc.kind);
  return desc.fn == CellFn::Min || desc.fn == CellFn::ArgMin ? order < 0 : order > 0;
}

}  // namespace

// A value of an event as words; a text is the one that is kept.
void PatternStore::read_column(const uint64_t* sample, uint32_t index, uint64_t* words) const {
  const ColumnDesc& column = desc_.columns[index];
  const uint64_t* value = sample + column.word;
  if (column.kind == WordKind::Text) {
    MutStr text = heap().load(stored_of(value));
    memcpy(words, &text, sizeof(text));
  } else {
    words[0] = value[0];
    words[1] = word_count(column.kind) == 2 ? value[1] : 0;
  }
}

CellResult PatternStore::measure(const Group& of, uint32_t index, const std::vector<BoundEvent>& bound,
                                 batch::Arena& texts) const {
  const CellDesc& desc = desc_.measures[index];
  auto admitted = [&](const BoundEvent& each) -> const uint64_t* {
    const uint64_t* sample = of.event(each.event);
    bool counts = each.name == desc_.pattern.measure_names[index] && (sample[2] >> desc.column & 1U) != 0;
    return counts ? sample : nullptr;
  };
  if (picks_one(desc)) return picked_measure(desc, bound, admitted);
  std::vector<KeptValue> values;
  alignas(8) char cell[64] = {};
  for (const BoundEvent& each : bound) {
    const uint64_t* sample = admitted(each);
    if (sample == nullptr) continue;
    KeptValue value;
    value.time = static_cast<int64_t>(sample[0]);
    read_column(sample, desc.column, value.words);
    if (keeps_values(desc.fn)) {
      values.push_back(value);
    } else {
      add_value(desc, cell, heap(), value.words, nullptr, value.time);
    }
  }
  return keeps_values(desc.fn) ? kept_measure(desc, values, texts) : cell_result(desc, cell, heap());
}

// The value of one of the events, which are in order of time: ties go to the first.
template <typename Admitted>
CellResult PatternStore::picked_measure(const CellDesc& desc, const std::vector<BoundEvent>& bound,
                                        const Admitted& admitted) const {
  const uint64_t* picked = nullptr;
  uint64_t known[2];
  bool last = desc.fn == CellFn::Last;
  bool ordered = !last && desc.fn != CellFn::First;
  bool pair = desc.fn == CellFn::ArgMin || desc.fn == CellFn::ArgMax;
  for (size_t i = 0; i < bound.size() && (picked == nullptr || ordered); ++i) {
    const uint64_t* sample = admitted(bound[last ? bound.size() - 1 - i : i]);
    if (sample == nullptr) continue;
    uint64_t words[2] = {0, 0};
    if (ordered) read_column(sample, desc.column + (pair ? 1 : 0), words);
    if (picked != nullptr && !wins(desc, words, known)) continue;
    picked = sample;
    memcpy(known, words, sizeof(known));
  }
  CellResult out;
  out.present = picked != nullptr;
  if (picked != nullptr) read_column(picked, desc.column, out.words);
  return out;
}

CellResult PatternStore::kept_measure(const CellDesc& desc, const std::vector<KeptValue>& values,
                                      batch::Arena& texts) const {
  CellResult out;
  if (gives_list(desc.fn)) return list_of(desc, values, texts);
  if (desc.fn == CellFn::Quantile) {
    std::vector<double> numbers;
    for (const KeptValue& value : values) numbers.push_back(inl::as_double(value.words[0]));
    return quantile_of(desc.share, numbers);
  }
  std::vector<uint64_t> hashes;
  for (const KeptValue& value : values) {
    uint64_t words[2] = {value.words[0], value.words[1]};
    if (desc.kind == WordKind::Float) words[0] = inl::key_word(inl::as_double(words[0]));
    hashes.push_back(sketch_hash(words, desc.kind));
  }
  out.words[0] = static_cast<uint64_t>(count_of_hashes(hashes));
  return out;
}

bool PatternStore::Events::asks(uint32_t name, uint64_t event, const std::vector<BoundEvent>& bound) const {
  const StoreDesc& desc = store_.desc();
  std::vector<uint64_t> measures(desc.measures.size() * 3 + 1);
  for (uint32_t index : desc.pattern.measures_of[name]) {
    CellResult result = store_.measure(group_, index, bound, store_.lists_);
    measures[index * 3] = result.words[0];
    measures[index * 3 + 1] = result.words[1];
    measures[index * 3 + 2] = (result.present ? 1U : 0U) | (result.overflow ? 2U : 0U);
  }
  std::vector<uint64_t> sample = load_sample(desc, group_.event(event), store_.heap());
  bool holds = store_.condition_(store_.context_, name, sample.data(), measures.data()) == 1;
  store_.lists_.reset();
  return holds;
}

void PatternStore::give(const Group& of, const PatternStart& start, ResultRows& rows) {
  std::vector<CellResult> results;
  for (uint32_t i = 0; i < desc_.measures.size(); ++i)
    results.push_back(measure(of, i, start.bound, rows.texts()));
  int64_t time = desc_.pattern.absent == 0
                     ? of.time(start.bound.back().event)
                     : plus(of.time(start.bound.front().event), desc_.pattern.within) - 1;
  rows.add_results(of.key.data(), results, time);
}

// ---- time

void PatternStore::expect(uint64_t number, const Group& of) {
  // Events are in order of time, so the first start is the first to end.
  int64_t least = of.starts.empty() ? never : deadline_of(of, of.starts.first_event());
  if (least == group(number).expected) return;
  group(number).expected = least;
  if (least != never) deadlines_.push({least, number});
}

int64_t PatternStore::due() const {
  while (!deadlines_.empty()) {
    const Deadline& next = deadlines_.top();
    const auto& of = groups_[next.group - 1];
    if (of && of->expected == next.time) break;
    deadlines_.pop();
  }
  int64_t out = deadlines_.empty() ? never : deadlines_.top().time;
  return waiting_.empty() ? out : std::min(out, waiting_.begin()->first.first);
}

// What ends at this instant, by key, then what came at it, by arrival.
void PatternStore::fire(ResultRows& rows) {
  int64_t now = due();
  if (now == never) return;
  settled_ = std::max(settled_, now);
  std::vector<uint64_t> ending;
  while (!deadlines_.empty() && deadlines_.top().time == now) {
    uint64_t number = deadlines_.top().group;
    deadlines_.pop();
    if (groups_[number - 1] && group(number).expected == now) ending.push_back(number);
  }
  std::sort(ending.begin(), ending.end(), [&](uint64_t a, uint64_t b) {
    return compare_keys(desc_, group(a).key.data(), group(b).key.data()) < 0;
  });
  ending.erase(std::unique(ending.begin(), ending.end()), ending.end());
  for (uint64_t number : ending) {
    group(number).expected = never;
    decide(number, now, rows);
    release_group(number);
  }
  while (!waiting_.empty() && waiting_.begin()->first.first == now) {
    Waiting event = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    --group(event.group).waiting;
    take(event.group, std::move(event.sample), now, rows);
    release_group(event.group);
  }
}

// ---- edits

void PatternStore::convert_from(const Store& old_store, const std::vector<int>&, int64_t) {
  const auto& old = static_cast<const PatternStore&>(old_store);
  late_ = old.late_;
  let_go_ = old.let_go_;
  arrivals_ = old.arrivals_;
  settled_ = old.settled_;
  auto copy = [&](const Sample& sample) {
    return take_sample(load_sample(desc_, sample.get(), old.heap()).data());
  };
  std::vector<uint64_t> numbers(old.groups_.size() + 1);
  for (size_t i = 0; i < old.groups_.size(); ++i) {
    if (!old.groups_[i]) continue;
    const Group& from = *old.groups_[i];
    std::vector<uint64_t> key = from.key;
    (void)place_key(old.desc(), key.data());
    uint64_t number = group_of(key.data());
    if (number == 0) continue;
    numbers[i + 1] = number;
    Group& to = group(number);
    to.first = from.first;
    to.starts = from.starts;
    if (old.desc_.pattern.within != desc_.pattern.within) to.starts.search_anew();
    for (const Sample& sample : from.events) to.events.push_back(copy(sample));
    to.names = from.names;
    count(to);
    expect(number, to);
  }
  for (const auto& [when, event] : old.waiting_) {
    if (numbers[event.group] == 0) continue;
    ++group(numbers[event.group]).waiting;
    waiting_.emplace(when, Waiting{numbers[event.group], copy(event.sample)});
  }
}

void PatternStore::retune(const StoreDesc& next, const std::vector<int>&, int64_t) {
  bool same_deadline = desc_.pattern.within == next.pattern.within;
  desc_ = next;
  given_.reset();  // it names the description before
  deadlines_ = {};
  for (size_t i = 0; i < groups_.size(); ++i) {
    if (!groups_[i]) continue;
    groups_[i]->expected = never;
    if (!same_deadline) groups_[i]->starts.search_anew();
    expect(i + 1, *groups_[i]);
  }
}

}  // namespace mut::state

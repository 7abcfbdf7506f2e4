#include "runtime/state/followed.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_set>

#include "runtime/abi/deliberate.h"
#include "runtime/state/followed_parts.h"
#include "runtime/state/sketch.h"
#include "runtime/state/values.h"

namespace mut::state {
namespace {

constexpr size_t places_first = 2;

// A table of the keys of another: each of its rows has a number.
StoreDesc numbered(const std::vector<KeyDesc>& keys) {
  StoreDesc out;
  out.kind = StoreKind::Held;
  out.keys = keys;
  lay_out(out);
  return out;
}

template <typename Made>
uint64_t next_number(std::vector<std::unique_ptr<Made>>& all, std::vector<uint64_t>& free) {
  if (free.empty()) {
    all.push_back(std::make_unique<Made>());
    return all.size();
  }
  uint64_t number = free.back();
  free.pop_back();
  all[number - 1] = std::make_unique<Made>();
  return number;
}

}  // namespace

FollowStore::FollowStore(StoreDesc desc, uint64_t seed, Budget& budget)
    : Store(std::move(desc)),
      budget_(budget),
      rows_desc_(numbered(desc_.follow.keys)),
      groups_table_(desc_, seed, budget),
      rows_table_(rows_desc_, seed, budget) {
  lay_out_tree();
}

FollowStore::~FollowStore() {
  budget_.remove((member_count_ + arrived_.size()) * sample_bytes());
  for (const auto& each : groups_) {
    if (each) budget_.remove(group_bytes() + each->places * place_bytes());
  }
  budget_.remove((rows_.size() - free_rows_.size()) * row_bytes() + deadlines_.size() * sizeof(Deadline));
}

size_t FollowStore::row_bytes() const {
  return sizeof(Row) + sizeof(Entry) + (rows_desc_.key_words + size_t{2}) * 8;
}
size_t FollowStore::group_bytes() const { return sizeof(Group) + (desc_.key_words + size_t{2}) * 8; }
size_t FollowStore::place_bytes() const { return sizeof(Group::Member) + size_t{2} * node_bytes_; }

void FollowStore::lay_out_tree() {
  tree_ = desc_.measures;
  node_bytes_ = 0;
  for (CellDesc& cell : tree_) {
    bool merges =
        cell.fn != CellFn::Own && !owns_memory(cell) && !keeps_values(cell.fn) && cell.fn != CellFn::Distinct;
    cell.size = merges ? cell_size(cell.fn, cell.kind) : 0;
    cell.offset = node_bytes_;
    node_bytes_ += cell.size;
  }
}

// ---- groups, rows and samples

uint64_t FollowStore::group_of(const uint64_t* key) {
  char* row = groups_table_.find_or_insert(key);
  if (row == nullptr) return 0;
  if (uint64_t known = number_in(row, desc_); known != 0) return known;
  uint64_t number = next_number(groups_, free_groups_);
  budget_.add(group_bytes());
  group(number).number = number;
  group(number).key.resize(desc_.key_words + size_t{1});
  groups_table_.load_key(row, group(number).key.data());
  memcpy(row + desc_.row_size - 8, &number, 8);
  return number;
}

uint64_t FollowStore::row_of(const uint64_t* row_key) {
  char* row = rows_table_.find_or_insert(row_key);
  if (row == nullptr) return 0;
  if (uint64_t known = number_in(row, rows_desc_); known != 0) return known;
  uint64_t number = next_number(rows_, free_rows_);
  budget_.add(row_bytes());
  rows_[number - 1]->key.resize(rows_desc_.key_words + size_t{1});
  rows_table_.load_key(row, rows_[number - 1]->key.data());
  memcpy(row + rows_desc_.row_size - 8, &number, 8);
  return number;
}

void FollowStore::forget_row(uint64_t row) {
  if (char* at = rows_table_.find(rows_[row - 1]->key.data()); at != nullptr) rows_table_.erase(at);
  rows_[row - 1].reset();
  budget_.remove(row_bytes());
  free_rows_.push_back(row);
}

void FollowStore::release_group(uint64_t number) {
  Group& of = group(number);
  if (of.live > 0 || of.arriving > 0) return;
  budget_.remove(group_bytes() + of.places * place_bytes());
  if (char* row = groups_table_.find(of.key.data()); row != nullptr) groups_table_.erase(row);
  groups_[number - 1].reset();
  free_groups_.push_back(number);
}

Sample FollowStore::take_sample(const uint64_t* sample) {
  budget_.add(sample_bytes());
  return keep_sample(desc_, sample, heap());
}

// ---- changes

bool FollowStore::arrive(const uint64_t* row_key, const uint64_t* key, const uint64_t* sample) {
  size_t room = sample_bytes() + row_bytes() + group_bytes();
  for (const ColumnDesc& column : desc_.columns) {
    if (column.kind != WordKind::Text) continue;
    MutStr text;
    memcpy(&text, sample + column.word, sizeof(text));
    room += abi::view(text).size();
  }
  if (uint64_t known = 0; budget_.fits(room) && (known = row_of(row_key)) != 0) {
    uint64_t number = group_of(key);
    bool fits = number != 0 && budget_.fits(room + (group(number).places + places_first) * place_bytes());
    if (fits) {
      ++group(number).arriving;
      arrived_.push_back({number, take_sample(sample)});
      return true;
    }
    if (number != 0) release_group(number);
  }
  return false;
}

const ResultRows& FollowStore::settle(const uint64_t* row_key, int64_t time, batch::Arena& texts) {
  if (!given_ || given_texts_ != &texts) given_.emplace(desc_, texts);
  given_texts_ = &texts;
  given_->clear();
  char* at = rows_table_.find(row_key);
  if (at == nullptr) return *given_;
  uint64_t row = number_in(at, rows_desc_);
  std::set<uint64_t> touched;
  if (!MUT_DELIBERATE_FAULT(follow_keeps_replaced)) remove_members(row, touched);
  for (Arrived& each : arrived_) {
    --group(each.group).arriving;
    touched.insert(each.group);
    add_member(each.group, row, std::move(each.sample));
  }
  arrived_.clear();
  rows_[row - 1]->time = time;
  if (rows_[row - 1]->entries.empty()) {
    forget_row(row);
  } else {
    expect(row);
  }
  give(touched, time, *given_);
  return *given_;
}

void FollowStore::remove_members(uint64_t row, std::set<uint64_t>& touched) {
  for (const Entry& entry : rows_[row - 1]->entries) {
    Group& of = group(entry.group);
    free_sample(desc_, of.members[entry.slot].sample.get(), heap());
    budget_.remove(sample_bytes());
    of.members[entry.slot].sample.reset();
    --of.live;
    --member_count_;
    fill_place(of, entry.slot);
    climb(of, entry.slot);
    touched.insert(entry.group);
  }
  rows_[row - 1]->entries.clear();
}

void FollowStore::add_member(uint64_t number, uint64_t row, Sample sample) {
  Group& of = group(number);
  if (of.members.size() == of.places)
    rebuild(number, of.live * 2 <= of.places ? std::max(of.places, places_first) : of.places * 2);
  auto slot = static_cast<uint32_t>(of.members.size());
  std::vector<Entry>& entries = rows_[row - 1]->entries;
  of.members.push_back({std::move(sample), row, static_cast<uint32_t>(entries.size())});
  entries.push_back({number, slot});
  ++of.live;
  ++member_count_;
  fill_place(of, slot);
  climb(of, slot);
}

void FollowStore::give(const std::set<uint64_t>& touched, int64_t time, ResultRows& rows) {
  std::vector<uint64_t> order(touched.begin(), touched.end());
  std::sort(order.begin(), order.end(), [&](uint64_t a, uint64_t b) {
    return compare_keys(desc_, group(a).key.data(), group(b).key.data()) < 0;
  });
  for (uint64_t number : order) {
    if (!desc_.follow.at_end) add_result(group(number), time, rows);
    // Far fewer rows than there were: their room goes back.
    constexpr size_t sparse = 8;
    if (group(number).live * sparse < group(number).places) rebuild(number, group(number).live * 2);
    release_group(number);
  }
}

void FollowStore::add_result(const Group& of, int64_t time, ResultRows& rows) const {
  std::vector<CellResult> results;
  for (size_t i = 0; i < desc_.measures.size(); ++i) results.push_back(result(of, i, rows.texts()));
  rows.add_results(of.key.data(), results, time);
}

void FollowStore::finish(ResultRows& rows) {
  if (!desc_.follow.at_end) return;
  std::vector<const Group*> order;
  for (const auto& each : groups_) {
    if (each && each->live > 0) order.push_back(each.get());
  }
  std::sort(order.begin(), order.end(), [&](const Group* a, const Group* b) {
    return compare_keys(desc_, a->key.data(), b->key.data()) < 0;
  });
  for (const Group* of : order) {
    int64_t newest = std::numeric_limits<int64_t>::min();
    for (const Group::Member& member : of->members) {
      if (member.sample) newest = std::max(newest, static_cast<int64_t>(member.sample[0]));
    }
    add_result(*of, newest, rows);
  }
}

// ---- the tree: node 1 is all, node i is 2i and 2i + 1, the places are its last row

char* FollowStore::node(Group& of, size_t index) const { return of.tree.data() + index * node_bytes_; }

void FollowStore::rebuild(uint64_t number, size_t places) {
  Group& of = group(number);
  size_t to = 0;
  for (Group::Member& member : of.members) {
    if (!member.sample) continue;
    rows_[member.row - 1]->entries[member.entry].slot = static_cast<uint32_t>(to);
    if (&member != &of.members[to]) of.members[to] = std::move(member);
    ++to;
  }
  of.members.resize(to);
  build_tree(of, places);
}

void FollowStore::build_tree(Group& of, size_t places) {
  budget_.remove(of.places * place_bytes());
  of.places = std::bit_ceil(std::max(places, places_first));
  of.tree.assign(of.places * 2 * node_bytes_, 0);
  budget_.add(of.places * place_bytes());
  for (uint32_t slot = 0; slot < of.members.size(); ++slot) fill_place(of, slot);
  for (size_t index = of.places; index-- > 1;) {
    for (const CellDesc& cell : tree_) {
      if (cell.size == 0) continue;
      for (size_t part : {index * 2, index * 2 + 1})
        merge_cell(cell, node(of, index) + cell.offset, heap(), node(of, part) + cell.offset, heap());
    }
  }
}

void FollowStore::fill_place(Group& of, uint32_t slot) {
  if (node_bytes_ == 0) return;  // every value is made of all rows: nothing is kept for each
  char* at = node(of, of.places + slot);
  memset(at, 0, node_bytes_);
  const uint64_t* sample = of.members[slot].sample.get();
  if (sample == nullptr) return;
  for (size_t i = 0; i < tree_.size(); ++i) {
    const CellDesc& cell = tree_[i];
    if (cell.size == 0 || (sample[2] >> i & 1U) == 0) continue;
    const uint64_t* value = sample + desc_.columns[cell.column].word;
    bool ordered = cell.fn == CellFn::ArgMin || cell.fn == CellFn::ArgMax;
    const uint64_t* order = ordered ? sample + desc_.columns[cell.column + 1].word : nullptr;
    add_value(cell, at + cell.offset, heap(), value, order, static_cast<int64_t>(sample[0]));
  }
}

void FollowStore::climb(Group& of, uint32_t slot) {
  if (node_bytes_ == 0) return;
  for (size_t index = (of.places + slot) / 2; index > 0; index /= 2) {
    memset(node(of, index), 0, node_bytes_);
    for (const CellDesc& cell : tree_) {
      if (cell.size == 0) continue;
      for (size_t part : {index * 2, index * 2 + 1})
        merge_cell(cell, node(of, index) + cell.offset, heap(), node(of, part) + cell.offset, heap());
    }
  }
}

// ---- results

CellResult FollowStore::result(const Group& of, size_t measure, batch::Arena& texts) const {
  const CellDesc& cell = tree_[measure];
  if (cell.fn == CellFn::Own) {  // made by a kernel, of the members
    CellResult out;
    out.words[0] = of.live > 0 ? of.number : 0;
    return out;
  }
  if (cell.size == 0) return made_of_all(of, measure, texts);
  return cell_result(cell, of.tree.data() + node_bytes_ + cell.offset, heap());
}

CellResult FollowStore::made_of_all(const Group& of, size_t measure, batch::Arena& texts) const {
  const CellDesc& desc = desc_.measures[measure];
  CellResult out;
  std::vector<KeptValue> values;
  std::vector<uint64_t> hashes;
  std::unordered_set<std::string_view> texts_seen;
  std::set<std::pair<uint64_t, uint64_t>> seen;
  alignas(8) char memory[64] = {};
  auto value_at = [&](const uint64_t* sample, const ColumnDesc& column, uint64_t* words) {
    words[0] = sample[column.word];
    words[1] = word_count(column.kind) == 2 ? sample[column.word + 1] : 0;
    if (column.kind != WordKind::Text) return;
    MutStoredStr stored;
    memcpy(&stored, words, sizeof(stored));
    MutStr text = heap().load(stored);
    memcpy(words, &text, sizeof(text));
  };
  for (const Group::Member& member : of.members) {
    const uint64_t* sample = member.sample.get();
    if (sample == nullptr || (sample[2] >> measure & 1U) == 0) continue;
    auto time = static_cast<int64_t>(sample[0]);
    KeptValue value{{}, time};
    value_at(sample, desc_.columns[desc.column], value.words);
    if (desc.fn == CellFn::Distinct || desc.fn == CellFn::ApproxDistinct) {
      if (desc.kind == WordKind::Float) value.words[0] = inl::key_word(inl::as_double(value.words[0]));
      MutStr text;
      memcpy(&text, value.words, sizeof(text));
      if (desc.fn == CellFn::ApproxDistinct) {
        hashes.push_back(sketch_hash(value.words, desc.kind));
      } else if (desc.kind == WordKind::Text) {
        texts_seen.insert(abi::view(text));
      } else {
        seen.emplace(value.words[0], value.words[1]);
      }
    } else if (keeps_values(desc.fn)) {
      values.push_back(value);
    } else {
      uint64_t order[2] = {0, 0};
      bool ordered = desc.fn == CellFn::ArgMin || desc.fn == CellFn::ArgMax;
      if (ordered) value_at(sample, desc_.columns[desc.column + 1], order);
      add_value(desc, memory, heap(), value.words, ordered ? order : nullptr, time);
    }
  }
  switch (desc.fn) {
    case CellFn::Distinct:
      out.words[0] = texts_seen.size() + seen.size();
      return out;
    case CellFn::ApproxDistinct:
      out.words[0] = static_cast<uint64_t>(count_of_hashes(hashes));
      return out;
    case CellFn::Quantile: {
      std::vector<double> numbers;
      for (const KeptValue& value : values) numbers.push_back(inl::as_double(value.words[0]));
      return quantile_of(desc.share, numbers);
    }
    default:
      break;
  }
  if (gives_list(desc.fn)) return list_of(desc, std::move(values), texts);
  out = cell_result(desc, memory, heap());
  if (out.present && word_kind(*desc.result) == WordKind::Text) {
    MutStr text;
    memcpy(&text, out.words, sizeof(text));
    text = texts.copy(abi::view(text));
    memcpy(out.words, &text, sizeof(text));
  }
  free_cell(desc, memory, heap());
  return out;
}

uint64_t FollowStore::places_of(uint64_t group_number) const {
  return group_number == 0 ? 0 : group(group_number).members.size();
}

const uint64_t* FollowStore::member(uint64_t group_number, uint32_t measure, uint64_t place) {
  const uint64_t* kept = group(group_number).members[place].sample.get();
  if (kept == nullptr || (kept[2] >> measure & 1U) == 0) return nullptr;
  loaded_ = load_sample(desc_, kept, heap());
  return loaded_.data();
}

// ---- time

// One place in the queue for each row, however often it changes: it moves on when it is reached.
void FollowStore::expect(uint64_t row) {
  Row& of = *rows_[row - 1];
  if (desc_.ttl == 0 || (of.queued && of.queued_at <= of.time)) return;
  of.queued = true;
  of.queued_at = of.time;
  deadlines_.push({of.time, row});
  budget_.add(sizeof(Deadline));
}

void FollowStore::drop_first() {
  deadlines_.pop();
  budget_.remove(sizeof(Deadline));
}

int64_t FollowStore::due() const {
  if (ended_ || desc_.ttl == 0) return never;
  auto& self = const_cast<FollowStore&>(*this);
  while (!deadlines_.empty()) {
    Deadline next = deadlines_.top();
    Row* row = rows_[next.row - 1].get();
    bool its_own = row != nullptr && row->queued && row->queued_at == next.time;
    int64_t due = 0;
    if (its_own && row->time == next.time)
      return __builtin_add_overflow(next.time, desc_.ttl + 1, &due) ? never : due;
    self.drop_first();
    if (!its_own) continue;
    row->queued = false;
    self.expect(next.row);
  }
  return never;
}

void FollowStore::fire(ResultRows& rows) {
  int64_t now = due();
  std::set<uint64_t> touched;
  while (now != never && due() == now) {
    uint64_t row = deadlines_.top().row;
    drop_first();
    remove_members(row, touched);
    forget_row(row);
  }
  give(touched, now, rows);
}

// ---- edits

void FollowStore::convert_from(const Store& old_store, const std::vector<int>&, int64_t) {
  const auto& old = static_cast<const FollowStore&>(old_store);
  late_ = old.late_;
  ended_ = old.ended_;
  std::vector<uint64_t> key(desc_.key_words + size_t{1});
  for (const auto& from : old.groups_) {
    if (!from) continue;
    std::copy(from->key.begin(), from->key.end(), key.begin());
    (void)place_key(old.desc(), key.data());
    uint64_t number = group_of(key.data());
    if (number == 0) continue;
    // Each in the place where it was: sums of floats depend on it to their last digit.
    Group& to = group(number);
    to.members.resize(from->members.size());
    for (uint32_t slot = 0; slot < from->members.size(); ++slot) {
      const Group::Member& member = from->members[slot];
      if (!member.sample) continue;
      const Row& owner = *old.rows_[member.row - 1];
      uint64_t row = row_of(owner.key.data());
      if (row == 0) continue;
      rows_[row - 1]->time = owner.time;
      std::vector<Entry>& entries = rows_[row - 1]->entries;
      Sample sample = take_sample(load_sample(old.desc_, member.sample.get(), old.heap()).data());
      to.members[slot] = {std::move(sample), row, static_cast<uint32_t>(entries.size())};
      entries.push_back({number, slot});
      ++to.live;
      ++member_count_;
    }
    build_tree(to, from->places);
  }
  for (uint64_t row = 1; row <= rows_.size(); ++row) {
    if (rows_[row - 1]) expect(row);
  }
}

// Nothing of the members depends on what may be other: only rows that were kept for ever are to be queued.
void FollowStore::retune(const StoreDesc& next, const std::vector<int>&, int64_t) {
  desc_ = next;
  given_.reset();  // it names the description before
  lay_out_tree();
  for (uint64_t row = 1; row <= rows_.size(); ++row) {
    if (rows_[row - 1]) expect(row);
  }
}

}  // namespace mut::state

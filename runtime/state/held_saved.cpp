// Whole rows that wait, as bytes: packed, so that they hold no addresses.
#include <unordered_map>

#include "runtime/state/held_windows.h"
#include "runtime/state/packed.h"
#include "runtime/state/saved.h"

namespace mut::state {

// Names rows by numbers: the first time with the row behind it.
class HeldStore::SavedRows {
 public:
  SavedRows(const HeldStore& of, Saver& to) : of_(of), to_(to) {}

  void row(const RowPtr& row) {
    auto [known, fresh] = numbers_.emplace(row.get(), numbers_.size());
    to_.value(static_cast<uint64_t>(known->second));
    if (!fresh) return;
    pass_values(to_, row->time, row->arrival, row->number, row->bytes);
    packed_.resize(row->bytes);
    pack(*of_.desc_.hold.record, row->memory.get(), packed_.data());
    to_.bytes(packed_.data(), packed_.size());
  }
  template <typename Rows>
  void rows(const Rows& rows) {
    to_.value(static_cast<uint64_t>(rows.size()));
    for (const RowPtr& each : rows) row(each);
  }

 private:
  const HeldStore& of_;
  Saver& to_;
  std::unordered_map<const Row*, size_t> numbers_;
  std::vector<char> packed_;
};

class HeldStore::LoadedRows {
 public:
  LoadedRows(HeldStore& of, Loader& from) : of_(of), from_(from) {}

  RowPtr row() {
    uint64_t number = 0;
    from_.value(number);
    if (number < rows_.size()) return rows_[number];
    int64_t time = 0;
    uint64_t arrival = 0;
    uint64_t key = 0;
    pass_values(from_, time, arrival, key);
    uint64_t bytes = from_.count(1);
    if (number != rows_.size() || key == 0 || key > of_.keys_.size() || bytes < of_.desc_.hold.record->size)
      from_.fail();
    if (!from_.fine()) return nullptr;
    auto made = std::make_shared<Row>(of_, key, bytes);
    made->time = time;
    made->arrival = arrival;
    from_.bytes(made->memory.get(), bytes);
    unpack(*of_.desc_.hold.record, made->memory.get());
    rows_.push_back(made);
    return made;
  }
  template <typename Rows>
  void rows(Rows& rows) {
    uint64_t count = from_.count(8);
    for (uint64_t i = 0; i < count && from_.fine(); ++i) {
      if (RowPtr made = row()) rows.push_back(std::move(made));
    }
  }

 private:
  HeldStore& of_;
  Loader& from_;
  std::vector<RowPtr> rows_;
};

void HeldStore::save(Saver& to) const {
  table_.save(to);
  pass_values(to, arrivals_, closed_, gate_.let_go, gate_.newest);
  to.value(static_cast<uint64_t>(keys_.size()));
  pass_plain(to, free_numbers_);
  SavedRows rows(*this, to);
  pass_map(to, queue_, [&](Saver&, const RowPtr& row) { rows.row(row); });
  pass_map(to, waiting_, [](Saver& of, const auto& place) { pass_key(of, place); });
  pass_map(to, windows_, [&](Saver& of, const Window& window) {
    rows.rows(window.rows);
    pass_map(of, window.best, [&](Saver&, const std::vector<RowPtr>& best) { rows.rows(best); });
  });
  save_rest(rows, to);
}

void HeldStore::load(Loader& from) {
  table_.load(from);
  pass_values(from, arrivals_, closed_, gate_.let_go, gate_.newest);
  uint64_t keys = 0;
  from.value(keys);
  // Each has a number in a row of the table, or is free.
  pass_plain(from, free_numbers_);
  if (keys > table_.row_count() + free_numbers_.size()) from.fail();
  if (!from.fine()) return free_numbers_.clear();
  keys_.resize(keys);
  for (Key& key : keys_) key.words.resize(desc_.key_words + size_t{1});
  table_.for_each([&](char* row) {
    uint64_t number = 0;
    memcpy(&number, row + desc_.row_size - 8, 8);
    if (number == 0 || number > keys_.size()) return from.fail();
    table_.load_key(row, keys_[number - 1].words.data());
  });
  LoadedRows rows(*this, from);
  pass_map(from, queue_, [&](Loader&, RowPtr& row) { row = rows.row(); });
  if (!from.fine()) std::erase_if(queue_, [](const auto& entry) { return entry.second == nullptr; });
  pass_map(from, waiting_, [](Loader& of, auto& place) { pass_key(of, place); });
  pass_map(from, windows_, [&](Loader& of, Window& window) {
    rows.rows(window.rows);
    pass_map(of, window.best, [&](Loader&, std::vector<RowPtr>& best) { rows.rows(best); });
  });
  last_ = windows_.end();
  load_rest(rows, from);
}

void HeldSessionStore::save_rest(SavedRows& rows, Saver& to) const {
  pass_map(to, sessions_, [&](Saver& of, const std::vector<Session>& sessions) {
    pass_each(of, sessions, 16, [&](Saver& io, const Session& session) {
      pass_values(io, session.first, session.last);
      rows.rows(session.rows);
    });
  });
  pass_set(to, ends_);
}

void HeldSessionStore::load_rest(LoadedRows& rows, Loader& from) {
  pass_map(from, sessions_, [&](Loader& of, std::vector<Session>& sessions) {
    pass_each(of, sessions, 16, [&](Loader& io, Session& session) {
      pass_values(io, session.first, session.last);
      rows.rows(session.rows);
    });
  });
  pass_set(from, ends_);
}

void HeldCountStore::save_rest(SavedRows& rows, Saver& to) const {
  pass_map(to, newest_of_, [&](Saver& of, const Newest& newest) {
    of.value(newest.events);
    rows.rows(newest.rows);
  });
}

void HeldCountStore::load_rest(LoadedRows& rows, Loader& from) {
  pass_map(from, newest_of_, [&](Loader& of, Newest& newest) {
    of.value(newest.events);
    rows.rows(newest.rows);
  });
}

}  // namespace mut::state

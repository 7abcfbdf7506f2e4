// Aggregates over the rows of a table, as bytes.
#include "runtime/state/followed_parts.h"
#include "runtime/state/saved.h"

namespace mut::state {

template <typename Io, typename Self>
void FollowStore::pass(Io& io, Self& self) {
  Deadlines::pass(io, self.deadlines_);
  pass_values(io, self.member_count_, self.ended_);
  pass_plain(io, self.free_groups_);
  pass_plain(io, self.free_rows_);
}

void FollowStore::save(Saver& to) const {
  groups_table_.save(to);
  rows_table_.save(to);
  pass(to, *this);
  pass_values(to, groups_.size(), rows_.size());
  for (const auto& each : groups_) {
    if (!each) continue;
    to.value(each->number);
    pass_values(to, each->live, each->places);
    pass_each(to, each->members, sizeof(uint64_t), [&](Saver& of, const Group::Member& member) {
      pass_values(of, member.row, member.entry, static_cast<uint8_t>(member.sample ? 1 : 0));
      if (member.sample) pass_sample(of, desc_, member.sample);
    });
    pass_plain(to, each->tree);
  }
  to.value(uint64_t{0});
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (!rows_[i]) continue;
    to.value(static_cast<uint64_t>(i + 1));
    pass_values(to, rows_[i]->time, rows_[i]->queued, rows_[i]->queued_at);
    pass_plain(to, rows_[i]->entries);
  }
  to.value(uint64_t{0});
}

void FollowStore::load(Loader& from) {
  groups_table_.load(from);
  rows_table_.load(from);
  pass(from, *this);
  size_t groups = 0;
  size_t rows = 0;
  pass_values(from, groups, rows);
  bool fits = groups <= groups_table_.row_count() + free_groups_.size() &&
              rows <= rows_table_.row_count() + free_rows_.size();
  if (!fits) from.fail();
  if (!from.fine()) return;
  groups_.resize(groups);
  rows_.resize(rows);
  for (uint64_t number = 0;;) {
    from.value(number);
    if (number == 0 || number > groups) break;
    auto& made = groups_[number - 1] = std::make_unique<Group>();
    made->number = number;
    pass_values(from, made->live, made->places);
    pass_each(from, made->members, sizeof(uint64_t), [&](Loader& of, Group::Member& member) {
      uint8_t is_there = 0;
      pass_values(of, member.row, member.entry, is_there);
      if (is_there != 0) pass_sample(of, desc_, member.sample);
    });
    pass_plain(from, made->tree);
    budget_.add(group_bytes() + made->places * place_bytes());
  }
  for (uint64_t number = 0;;) {
    from.value(number);
    if (number == 0 || number > rows) break;
    auto& made = rows_[number - 1] = std::make_unique<Row>();
    pass_values(from, made->time, made->queued, made->queued_at);
    pass_plain(from, made->entries);
    budget_.add(row_bytes());
  }
  budget_.add(member_count_ * sample_bytes() + deadlines_.size() * sizeof(Deadline));
  load_keys(groups_table_, groups_, from);
  load_keys(rows_table_, rows_, from);
}

template <typename Numbered>
void FollowStore::load_keys(const KeyedTable& table, std::vector<std::unique_ptr<Numbered>>& of,
                            Loader& from) {
  const StoreDesc& desc = table.desc();
  table.for_each([&](const char* row) {
    uint64_t number = number_in(row, desc);
    if (number == 0 || number > of.size() || !of[number - 1]) return from.fail();
    of[number - 1]->key.resize(desc.key_words + size_t{1});
    table.load_key(row, of[number - 1]->key.data());
  });
}

}  // namespace mut::state

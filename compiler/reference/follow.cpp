// Aggregates over the current rows of a table: for each row of the table what it has given to which group.
#include <algorithm>
#include <utility>

#include "compiler/reference/flow.h"

namespace mut::reference {

using typed::Stage;

namespace {

// What the rows that there are have given to a group, in the order in which it came.
std::vector<Entry> members_of(const StageState& state, const Key& group) {
  std::map<uint64_t, Entry> out;
  for (const auto& [row_key, row] : state.followed) {
    for (const Given& given : row.given) {
      if (!KeyLess()(given.group, group) && !KeyLess()(group, given.group)) out[given.arrival] = given.entry;
    }
  }
  std::vector<Entry> members;
  for (auto& [arrival, entry] : out) members.push_back(std::move(entry));
  return members;
}

}  // namespace

const Stage& Flow::table_of(StagePlace place) const {
  int table = program_->find_stream(stage_at(place).follows);
  return program_->streams[static_cast<size_t>(table)].stages.back();
}

Flow::Step Flow::follow(StagePlace place, const Event& event) {
  const Stage& stage = stage_at(place);
  StageState& state = states_.at(place);
  Given given;
  given.group = key_of(stage.keys, event);
  given.entry.time = event.time;
  for (const typed::AggregateCall& call : stage.aggregates) given.entry.cells.push_back(admit(call, event));
  given.arrival = ++state.arrivals;
  state.arriving.push_back(std::move(given));
  return {};
}

// A row of a table has changed, and all that reads the table has seen it.
void Flow::settle_followers(int table, const Event& event) {
  const std::string& name = program_->streams[static_cast<size_t>(table)].name;
  for (auto& [place, state] : states_) {
    if (stage_at(place).follows != name) continue;
    Key row_key = key_of(table_of(place).keys, event);
    std::set<Key, KeyLess> touched;
    FollowedRow& row = state.followed[row_key];
    for (const Given& given : row.given) touched.insert(given.group);
    for (const Given& given : state.arriving) touched.insert(given.group);
    row = {event.time, std::exchange(state.arriving, {})};
    if (row.given.empty()) state.followed.erase(row_key);
    if (stage_at(place).window.kind == typed::WindowKind::All) continue;  // at the end
    for (const Key& group : touched) give(place, {{}, group, members_of(state, group), false}, event.time);
  }
}

// What the table holds at the end of the input, by group.
void Flow::give_followed(StagePlace place) {
  std::set<Key, KeyLess> groups;
  for (const auto& [row_key, row] : states_.at(place).followed) {
    for (const Given& given : row.given) groups.insert(given.group);
  }
  for (const Key& group : groups) {
    std::vector<Entry> members = members_of(states_.at(place), group);
    int64_t newest = no_time;
    for (const Entry& member : members) newest = std::max(newest, member.time);
    give(place, {{}, group, std::move(members), false}, newest);
  }
}

// When the next row is forgotten. The end of the input forgets none.
int64_t Flow::next_forgotten(StagePlace place) const {
  const Stage& table = table_of(place);
  int64_t least = end_of_time;
  if (!table.ttl || watermark(place.first, place.second) == end_of_time) return least;
  for (const auto& [row_key, row] : states_.at(place).followed)
    least = std::min(least, plus(row.time, *table.ttl + 1));
  return least;
}

void Flow::fire_forgotten(StagePlace place, int64_t due) {
  const Stage& table = table_of(place);
  auto& followed = states_.at(place).followed;
  std::set<Key, KeyLess> touched;
  std::erase_if(followed, [&](const auto& each) {
    if (plus(each.second.time, *table.ttl + 1) != due) return false;
    for (const Given& given : each.second.given) touched.insert(given.group);
    return true;
  });
  if (stage_at(place).window.kind == typed::WindowKind::All) return;
  Limits outer = std::exchange(firing_limits_, limits_while_firing(place, due));
  for (const Key& group : touched) give(place, {{}, group, members_of(states_.at(place), group), false}, due);
  firing_limits_ = outer;
}

}  // namespace mut::reference

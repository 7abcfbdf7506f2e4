#include "runtime/state/session_rows.h"

#include <algorithm>
#include <cstring>

#include "runtime/inline/hash.h"
#include "runtime/state/cells.h"

namespace mut::state {
namespace {

// Rows of the same keys with other cells, words of eight bytes.
StoreDesc describe_words(const StoreDesc& desc, size_t words) {
  StoreDesc out;
  out.keys = desc.keys;
  out.cells.resize(words);
  for (CellDesc& cell : out.cells) cell.name = "word";
  lay_out(out);
  return out;
}

bool can_move(const StoreDesc& desc) {
  return desc.session_offset != 0 && !desc.has_distinct &&
         std::none_of(desc.cells.begin(), desc.cells.end(), owns_memory);
}

}  // namespace

SessionRows::SessionRows(const StoreDesc& desc, uint64_t seed, Budget& budget)
    : desc_(desc),
      seed_(seed),
      budget_(budget),
      moves_(can_move(desc)),
      key_desc_(describe_words(desc, 1)),
      session_desc_(describe_words(desc, sizeof(MutSession) / sizeof(uint64_t))),
      keys_(key_desc_, seed, budget) {
  add_layer();
}

void SessionRows::add_layer() {
  Layer& made = layers_.emplace_back();
  made.rows = std::make_unique<KeyedTable>(desc_, seed_, budget_);
  if (!lie_inline()) made.sessions = std::make_unique<KeyedTable>(session_desc_, seed_, budget_);
}

MutSession& SessionRows::session_apart(const Place& place) const {
  std::vector<uint64_t> key(desc_.key_words + 1);
  table(place).load_key(place.row, key.data());
  char* row = layers_[place.layer].sessions->find(key.data());
  return *reinterpret_cast<MutSession*>(row + session_desc_.cells[0].offset);
}

uint64_t SessionRows::count() const {
  uint64_t out = 0;
  for (const Layer& layer : layers_) out += layer.rows->row_count();
  return out;
}

SessionRows::Place SessionRows::place_in(size_t layer, const uint64_t* key) const {
  return {layers_[layer].rows->find(key), layer};
}

std::vector<SessionRows::Above>* SessionRows::above(const uint64_t* key) const {
  if (keys_.row_count() == 0) return nullptr;
  const char* row = keys_.find(key);
  if (row == nullptr) return nullptr;
  uint64_t number;
  memcpy(&number, row + key_desc_.cells[0].offset, sizeof(number));
  return &const_cast<SessionRows*>(this)->above_.at(number);
}

void SessionRows::add_of_key(const uint64_t* key, std::vector<Place>& out) const {
  auto first = static_cast<ptrdiff_t>(out.size());
  if (Place place = place_in(0, key); place.row != nullptr) out.push_back(place);
  const std::vector<Above>* more = above(key);
  if (more == nullptr) return;
  for (const Above& each : *more) out.push_back(place_in(each.layer, key));
  std::sort(out.begin() + first, out.end(),
            [&](const Place& a, const Place& b) { return number(a) < number(b); });
}

size_t SessionRows::layer_of(uint64_t number) const {
  auto found = layer_of_.find(number);
  return found != layer_of_.end() ? found->second : 0;
}

size_t SessionRows::free_layer(const uint64_t* key) const {
  const std::vector<Above>* more = above(key);
  auto is_taken = [&](size_t layer) {
    return more != nullptr &&
           std::any_of(more->begin(), more->end(), [&](const Above& each) { return each.layer == layer; });
  };
  size_t layer = 1;
  while (is_taken(layer)) ++layer;
  return layer;
}

SessionRows::Place SessionRows::insert_above(const uint64_t* key, uint64_t number) {
  size_t layer = free_layer(key);
  if (layer == layers_.size()) add_layer();
  Place place{layers_[layer].rows->find_or_insert(key), layer};
  if (place.row == nullptr) return {};
  char* key_row = keys_.find_or_insert(key);
  uint64_t key_number = 0;
  if (key_row != nullptr) memcpy(&key_number, key_row + key_desc_.cells[0].offset, sizeof(key_number));
  bool fits = key_row != nullptr && (lie_inline() || layers_[layer].sessions->find_or_insert(key) != nullptr);
  if (!fits) {
    if (key_row != nullptr && key_number == 0) keys_.erase(key_row);
    layers_[layer].rows->erase(place.row);
    return {};
  }
  if (key_number == 0) {
    key_number = ++next_key_;
    memcpy(key_row + key_desc_.cells[0].offset, &key_number, sizeof(key_number));
  }
  above_[key_number].push_back({number, layer});
  layer_of_[number] = layer;
  return place;
}

void SessionRows::forget_above(const uint64_t* key, uint64_t number) {
  std::vector<Above>& more = *above(key);
  std::erase_if(more, [&](const Above& each) { return each.number == number; });
  layer_of_.erase(number);
  if (!more.empty()) return;
  char* key_row = keys_.find(key);
  uint64_t key_number;
  memcpy(&key_number, key_row + key_desc_.cells[0].offset, sizeof(key_number));
  above_.erase(key_number);
  keys_.erase(key_row);
}

// All behind the key: cells, and what stands behind them.
void SessionRows::move_values(const Place& from, const Place& to) const {
  size_t offset = 8 + desc_.key_words * size_t{8};
  memcpy(to.row + offset, from.row + offset, desc_.row_size - offset);
}

bool SessionRows::raise(const Place& first, const uint64_t* key) {
  Place to = insert_above(key, number(first));
  if (to.row == nullptr) return false;
  move_values(first, to);
  session(to).state &= ~uint64_t{Followed};
  return true;
}

void SessionRows::begin(const Place& place, int64_t time, uint64_t number) const {
  session(place) = {time, time, number << number_shift | Changed};
}

SessionRows::Place SessionRows::insert(const uint64_t* key, int64_t time) {
  uint64_t number = ++next_number_;
  uint64_t hash = inl::hash_key(key, desc_.key_words, desc_.text_mask, newest().view()->seed);
  Place first{newest().find(key, hash), 0};
  Place made;
  if (first.row == nullptr) {
    made = {newest().insert(key, hash), 0};
    if (made.row == nullptr) return {};
    newest().consider_recent();
    if (!lie_inline() && layers_[0].sessions->find_or_insert(key) == nullptr) {
      newest().erase(made.row);
      return {};
    }
  } else if (moves_ && time > session(first).first) {
    if (!raise(first, key)) return {};
    made = first;
    size_t offset = 8 + desc_.key_words * size_t{8};
    memset(made.row + offset, 0, desc_.row_size - offset);
  } else {
    made = insert_above(key, number);
    if (made.row == nullptr) return {};
  }
  begin(made, time, number);
  if (keys_.row_count() > 0) mark_followed(key);
  return made;
}

void SessionRows::mark_followed(const uint64_t* key) const {
  Place first = place_in(0, key);
  if (first.row == nullptr) return;
  MutSession& of = session(first);
  of.state &= ~uint64_t{Followed};
  const std::vector<Above>* more = above(key);
  if (more == nullptr) return;
  for (const Above& each : *more) {
    if (session(place_in(each.layer, key)).first > of.first) of.state |= Followed;
  }
}

void SessionRows::erase(const Place& place) {
  KeyedTable& rows = table(place);
  for (const CellDesc& cell : desc_.cells) free_cell(cell, place.row + cell.offset, rows.heap());
  if (desc_.group_offset != 0) {
    uint64_t group;
    memcpy(&group, place.row + desc_.group_offset, sizeof(group));
    rows.erase_distinct(group);
  }
  if (lie_inline() && place.layer == 0) {
    rows.erase(place.row);
    return;
  }
  std::vector<uint64_t> key(desc_.key_words + 1);
  rows.load_key(place.row, key.data());
  if (place.layer > 0) forget_above(key.data(), number(place));
  if (!lie_inline()) {
    KeyedTable& sessions = *layers_[place.layer].sessions;
    sessions.erase(sessions.find(key.data()));
  }
  if (place.layer > 0) mark_followed(key.data());
  rows.erase(place.row);
}

SessionRows::Place SessionRows::settle(const Place& place, const uint64_t* key) {
  if (place.layer == 0) return place;
  if (!moves_ || place_in(0, key).row != nullptr) {
    mark_followed(key);
    return place;
  }
  Place to{newest().find_or_insert(key), 0};
  if (to.row == nullptr) return place;
  move_values(place, to);
  forget_above(key, number(place));
  table(place).erase(place.row);
  mark_followed(key);
  return to;
}

void SessionRows::purge_distinct() {
  for (const Layer& layer : layers_) layer.rows->purge_distinct();
}

}  // namespace mut::state

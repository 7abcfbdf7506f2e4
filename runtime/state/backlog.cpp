#include "runtime/state/backlog.h"

#include <utility>
#include <vector>

#include "runtime/state/keyed_table.h"

namespace mut::state {

Backlog::Backlog(KeyedTable& from, TakeOver take_over) : from_(from), take_over_(std::move(take_over)) {}

uint64_t Backlog::left() const { return from_.row_count(); }

bool Backlog::has(const uint64_t* key) const { return from_.find(key) != nullptr; }

void Backlog::give(const uint64_t* key, char* made) {
  char* row = from_.find(key);
  if (row == nullptr) return;
  if (take_over_.lives(row)) take_over_.convert(row, made);
  from_.strike_off(row);
}

uint64_t Backlog::give_segment(KeyedTable& to) {
  uint64_t given = 0;
  if (segment_ >= from_.segment_count()) return given;
  std::vector<uint64_t> key(from_.key_words() + 1);
  from_.for_segment(segment_++, [&](char* row) {
    if (take_over_.lives(row)) {
      from_.load_key(row, key.data());
      take_over_.convert(row, to.make_row_regardless(key.data()));
    }
    from_.strike_off(row);
    ++given;
  });
  return given;
}

}  // namespace mut::state

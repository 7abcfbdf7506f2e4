#include "runtime/state/backlog.h"

#include <utility>

#include "runtime/abi/check.h"
#include "runtime/state/keyed_table.h"

namespace mut::state {

Backlog::Backlog(const KeyedTable& from, TakeOver take_over)
    : from_(from), take_over_(std::move(take_over)), left_(from.row_count()), given_(from.segment_count()) {}

bool Backlog::is_given(RowPlace at) const {
  const std::vector<bool>& given = given_[at.segment];
  return at.slot < given.size() && given[at.slot];
}

void Backlog::mark(RowPlace at) {
  std::vector<bool>& given = given_[at.segment];
  if (given.size() <= at.slot) given.resize(from_.slot_count(at.segment));
  given[at.slot] = true;
  --left_;
}

bool Backlog::has(const uint64_t* key) const {
  const char* row = from_.find(key);
  return row != nullptr && !is_given(from_.place_of(row)) && take_over_.lives(row);
}

void Backlog::give(const uint64_t* key, char* made) {
  const char* row = from_.find(key);
  if (row == nullptr) return;
  RowPlace at = from_.place_of(row);
  if (is_given(at)) return;
  if (take_over_.lives(row)) take_over_.convert(row, made);
  mark(at);
}

uint64_t Backlog::give_rows(KeyedTable& to, uint64_t most) {
  MUT_CHECK(segment_ < given_.size(), "a row that is left lies in a segment that was not visited");
  uint64_t given = 0;
  std::vector<uint64_t> key(from_.key_words() + 1);
  bool more = false;
  from_.for_segment(segment_, [&](const char* row) {
    RowPlace at = from_.place_of(row);
    if (is_given(at)) return;
    more = more || given == most;
    if (more) return;
    if (take_over_.lives(row)) {
      from_.load_key(row, key.data());
      take_over_.convert(row, to.make_row_regardless(key.data()));
    }
    mark(at);
    ++given;
  });
  if (!more) ++segment_;
  return given;
}

}  // namespace mut::state

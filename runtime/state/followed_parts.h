// What a FollowStore keeps of a row of its table and of a group. Private to the folder.
#pragma once
#include <cstring>

#include "runtime/state/followed.h"

namespace mut::state {

// Behind a row of either table.
inline uint64_t number_in(const char* row, const StoreDesc& desc) {
  uint64_t out;
  memcpy(&out, row + desc.row_size - 8, 8);
  return out;
}

struct FollowStore::Row {
  std::vector<uint64_t> key;  // texts lie in the heap of rows_table_
  std::vector<Entry> entries;
  int64_t time = 0;
  bool queued = false;  // in deadlines_, by the time that it had then
  int64_t queued_at = 0;
};

struct FollowStore::Group {
  struct Member {
    Sample sample;  // null: taken out
    uint64_t row = 0;
    uint32_t entry = 0;  // of the row: the one that names this place
  };
  uint64_t number = 0;
  std::vector<uint64_t> key;  // texts lie in the heap of groups_table_
  std::vector<Member> members;
  size_t live = 0;
  size_t places = 0;  // a power of two; 0: no tree yet
  std::vector<char> tree;
  uint64_t arriving = 0;  // of the change that is under way
};

}  // namespace mut::state

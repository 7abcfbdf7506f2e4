// Rows that several shards have made, as if one had.
#pragma once
#include <span>
#include <vector>

#include "runtime/graph/instance.h"

namespace mut::runtime {

enum class Merge : uint8_t {
  ByPosition,  // in order of the events of one source that brought them about, then of shards
  ByShard,     // all of the first shard, then of the next: of an edit, or of the end of the input
};

class MergedRows {
 public:
  // The rows that wait in the sinks of these, by emit. What a shard has made stays in its order. Good until
  // the next call, and as long as the rows are not cleared, to which texts belong.
  std::span<const MutSink> merge(const std::vector<const Instance*>& instances, Merge by);

 private:
  struct Row {
    const char* row;
    uint64_t size;
    uint32_t emit;
    uint32_t order;
    uint64_t position;
  };
  static std::vector<Row> rows_of(const Instance& instance, Merge by);
  void add(const Row& row);

  std::vector<std::vector<char>> memory_;  // by emit
  std::vector<MutSink> sinks_;
  uint32_t next_ = 0;
};

}  // namespace mut::runtime

#include "runtime/graph/merged_rows.h"

#include <algorithm>
#include <cstring>

namespace mut::runtime {

std::vector<MergedRows::Row> MergedRows::rows_of(const Instance& instance, Merge by) {
  std::vector<Row> out;
  std::span<const MutSink> sinks = instance.sinks();
  for (size_t emit = 0; emit < sinks.size(); ++emit) {
    for (uint64_t i = 0; i < sinks[emit].count; ++i) {
      const char* row = sinks[emit].rows + i * sinks[emit].row_size;
      MutOutHead head;
      memcpy(&head, row, sizeof(head));
      out.push_back({row, sinks[emit].row_size, static_cast<uint32_t>(emit), head.order, head.position});
    }
  }
  std::sort(out.begin(), out.end(), [](const Row& a, const Row& b) { return a.order < b.order; });
  // Where rows were dealt out a shard may have run later ones first.
  auto sooner = [](const Row& a, const Row& b) { return a.position < b.position; };
  if (by == Merge::ByPosition && !std::is_sorted(out.begin(), out.end(), sooner))
    std::stable_sort(out.begin(), out.end(), sooner);
  return out;
}

void MergedRows::add(const Row& row) {
  std::vector<char>& memory = memory_[row.emit];
  size_t at = memory.size();
  memory.resize(at + row.size);
  memcpy(memory.data() + at, row.row, row.size);
  memcpy(memory.data() + at + offsetof(MutOutHead, order), &next_, sizeof(next_));
  ++next_;
  ++sinks_[row.emit].count;
}

std::span<const MutSink> MergedRows::merge(const std::vector<const Instance*>& instances, Merge by) {
  auto makes = [](const Instance* instance) { return instance->has_output(); };
  // Of the first they are in order as they are: it has run its rows one after the other.
  if (std::none_of(instances.begin() + 1, instances.end(), makes)) return instances[0]->sinks();
  std::span<const MutSink> first = instances[0]->sinks();
  memory_.resize(first.size());
  for (std::vector<char>& memory : memory_) memory.clear();
  sinks_.assign(first.begin(), first.end());
  for (MutSink& sink : sinks_) sink.count = 0;
  next_ = 0;
  std::vector<std::vector<Row>> rows;
  for (const Instance* instance : instances) rows.push_back(rows_of(*instance, by));
  std::vector<size_t> done(rows.size(), 0);
  while (true) {
    size_t best = rows.size();
    for (size_t i = 0; i < rows.size(); ++i) {
      if (done[i] == rows[i].size()) continue;
      bool sooner = best == rows.size() ||
                    (by == Merge::ByPosition && rows[i][done[i]].position < rows[best][done[best]].position);
      if (sooner) best = i;
    }
    if (best == rows.size()) break;
    add(rows[best][done[best]++]);
  }
  for (size_t emit = 0; emit < sinks_.size(); ++emit) {
    sinks_[emit].rows = memory_[emit].data();
    sinks_[emit].capacity = sinks_[emit].count;
  }
  return sinks_;
}

}  // namespace mut::runtime

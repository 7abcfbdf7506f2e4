// Rows of two versions that write to the same sinks.
#include <algorithm>
#include <cstring>

#include "runtime/graph/outlets.h"

namespace mut::runtime {
namespace {

MutOutHead head_of(const char* row) {
  MutOutHead out;
  memcpy(&out, row, sizeof(out));
  return out;
}

// What rows that are to keep their order among each other go to.
const void* goal_of(const OutletBinding& binding) {
  return binding.writer ? static_cast<const void*>(binding.writer.get()) : &binding;
}

}  // namespace

// In the order in which they were made.
std::vector<Outlets::PartRow> Outlets::rows_of(const OutletPart& part, std::vector<Connected>& connected) {
  std::vector<PartRow> out;
  for (size_t emit = 0; emit < connected.size(); ++emit) {
    Connected& to = connected[emit];
    if (to.binding == nullptr) continue;
    const MutSink& sink = part.sinks[emit];
    for (uint64_t i = 0; i < sink.count; ++i)
      out.push_back({&to, &part, static_cast<uint32_t>(emit), sink.rows + i * sink.row_size});
  }
  std::sort(out.begin(), out.end(),
            [](const PartRow& a, const PartRow& b) { return head_of(a.row).order < head_of(b.row).order; });
  return out;
}

Status Outlets::write_both(const OutletPart& main, const OutletPart& beside, Order order) {
  std::vector<PartRow> first = rows_of(main, connected_);
  std::vector<PartRow> second = rows_of(beside, beside_);
  std::vector<PartRow> all;
  all.reserve(first.size() + second.size());
  auto other = second.begin();
  for (const PartRow& row : first) {
    while (order == Order::ByEvent && other != second.end() &&
           head_of(other->row).position < head_of(row.row).position)
      all.push_back(*other++);
    all.push_back(row);
  }
  all.insert(all.end(), other, second.end());
  std::stable_sort(all.begin(), all.end(), [](const PartRow& a, const PartRow& b) {
    return goal_of(*a.to->binding) < goal_of(*b.to->binding);
  });
  for (auto begin = all.begin(); begin != all.end();) {
    const void* goal = goal_of(*begin->to->binding);
    auto end =
        std::find_if(begin, all.end(), [&](const PartRow& row) { return goal_of(*row.to->binding) != goal; });
    Status status = write_rows({begin, end});
    if (!status) return status;
    begin = end;
  }
  return Unit{};
}

Status Outlets::write_rows(std::span<const PartRow> rows) {
  text_.clear();
  for (size_t i = 0; i < rows.size();) {
    // Rows that lie one after the other are given at once.
    size_t end = i + 1;
    while (end < rows.size() && rows[end].part == rows[i].part && rows[end].emit == rows[i].emit) ++end;
    Connected& to = *rows[i].to;
    const OutletPart& part = *rows[i].part;
    const MutSink& sink = part.sinks[rows[i].emit];
    to.binding->rows += end - i;
    if (to.binding->use == OutletBinding::Use::Look) looked_rows_ += end - i;
    if (to.binding->host) {
      to.binding->host(*part.plan->emits[rows[i].emit].record, rows[i].row + sizeof(MutOutHead), end - i,
                       sink.row_size);
    }
    for (; i < end; ++i) {
      if (to.encoder) append_row(to, *part.plan, rows[i].emit, rows[i].row, part.version);
    }
  }
  if (text_.empty()) return Unit{};
  OutletBinding& binding = *rows[0].to->binding;
  Status status = binding.writer->write(text_.view());
  if (!status) return status.error().within("sink `" + binding.sink + "`");
  return Unit{};
}

}  // namespace mut::runtime

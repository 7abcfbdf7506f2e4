// Results over samples that are carried along from event to event.
#include <cstring>

#include "runtime/state/rings.h"

namespace mut::state {
namespace {

// So few are looked at faster than what is carried along for them.
constexpr uint32_t running_samples_min = 24;

}  // namespace

const uint64_t* RingStore::value_of(const Ref& ref, uint64_t index, const CellDesc& cell) const {
  const uint64_t* sample = at(ref, static_cast<uint32_t>(index));
  return counts(sample, cell) ? sample + desc_.columns[cell.column].word : nullptr;
}

bool RingStore::carry(const char* row, uint32_t index, Range range, const uint64_t* self,
                      CellResult& out) const {
  const CellDesc& cell = desc_.cells[index];
  Ref ref = load(row);
  // An event that came late does not see the last ones.
  if (range.last != ref.count || range.last - range.first < running_samples_min ||
      !RunningCell::can_carry(cell))
    return false;
  running_.make_way();
  RunningCells::OfKey* of = running_.find(ref.running);
  if (of == nullptr) {
    ref.running = running_.make(desc_.cells.size());
    memcpy(const_cast<char*>(row) + ref_offset(), &ref, sizeof(ref));
    of = running_.find(ref.running);
    if (of == nullptr) return false;
  }
  RunningCell& running = of->cells[index];
  uint64_t first = of->left + range.first;
  uint64_t last = of->left + range.last;
  size_t bytes = running.bytes();
  if (!running.is_valid() || first < running.first() || first > running.end() || last < running.end())
    running.begin_at(first);
  while (running.end() < last) running.add(cell, value_of(ref, running.end() - of->left, cell));
  while (running.first() < first) running.remove(cell, value_of(ref, running.first() - of->left, cell));
  if (running.bytes() > bytes) running_.note_growth(running.bytes() - bytes);
  return running.result(cell, self, const_cast<KeyedTable&>(table_).heap(), out);
}

// The oldest sample is about to leave.
void RingStore::leave_running(const Ref& ref) {
  RunningCells::OfKey* of = running_.find(ref.running);
  if (of == nullptr) return;
  for (size_t i = 0; i < of->cells.size(); ++i) {
    RunningCell& running = of->cells[i];
    if (!running.is_valid() || running.first() > of->left) continue;
    if (running.end() > of->left) {
      running.remove(desc_.cells[i], value_of(ref, 0, desc_.cells[i]));
    } else {
      running.begin_at(of->left + 1);
    }
  }
  ++of->left;
}

void RingStore::insert_running(const Ref& ref, uint32_t place) {
  RunningCells::OfKey* of = running_.find(ref.running);
  if (of == nullptr) return;
  for (size_t i = 0; i < of->cells.size(); ++i) {
    RunningCell& running = of->cells[i];
    if (!running.is_valid()) continue;
    size_t bytes = running.bytes();
    running.insert(desc_.cells[i], of->left + place, value_of(ref, place, desc_.cells[i]));
    if (running.bytes() > bytes) running_.note_growth(running.bytes() - bytes);
  }
}

}  // namespace mut::state

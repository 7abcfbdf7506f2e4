#include "runtime/graph/shadow.h"

#include <utility>

namespace mut::runtime {

Shadow::Shadow(Crew& crew, Fleet::Makeup makeup, std::shared_ptr<ShadowRows> rows)
    : rows_(std::move(rows)), fleet_(crew, std::move(makeup), [this](Shard& shard) {
        rows_->take(ShadowRows::Side::Candidate, shard.instance().plan(), shard.instance().sinks());
        shard.clear_output();
        return true;
      }) {}

void Shadow::take_output(Merge by) {
  fleet_.gather_errors();
  rows_->take(ShadowRows::Side::Candidate, fleet_.plan(), fleet_.output(by));
  fleet_.clear_output();
}

void Shadow::run(size_t source, const MutBatch& rows, uint32_t row, uint32_t row_end) {
  fleet_.set_arrival(rows.arrival);
  std::vector<MutCursor> cursors = fleet_.cursors(source, row, row_end);
  Fleet::Runs runs = Fleet::Runs::Partly;
  while (runs == Fleet::Runs::Partly) {
    runs = fleet_.run(source, rows, cursors);
    take_output(Merge::ByPosition);
  }
  fleet_.expire();
}

void Shadow::fire_due() {
  fleet_.fire_due();
  take_output(Merge::ByShard);
}

void Shadow::finish_input(const std::vector<char>& over, Fleet::End end) {
  fleet_.finish_input(over, end);
  take_output(Merge::ByShard);
}

}  // namespace mut::runtime

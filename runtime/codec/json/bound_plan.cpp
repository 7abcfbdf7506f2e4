#include "runtime/codec/json/bound_plan.h"

#include <cstring>

namespace mut::json {

void BoundPlan::bind(batch::Batch& batch) {
  if (!plan_ || needed_ != batch.needed()) {
    needed_ = batch.needed();
    plan_ = make_plan(*record_, needed_);
    scratch_.clear();
    scratch_valid_.assign(plan_->fields.size(), 0);
    for (const Field& field : plan_->fields) {
      scratch_.push_back(std::vector<uint64_t>(field.node.full_size / 8 + 1));
    }
  }
  for (size_t i = 0; i < plan_->fields.size(); ++i) {
    Field& field = plan_->fields[i];
    bool stored = batch.values(i) != nullptr;
    field.column = stored ? static_cast<char*>(batch.values(i)) : reinterpret_cast<char*>(scratch_[i].data());
    field.column_stride = stored ? field.node.size : 0;
    bool has_valid = stored && batch.valid(i);
    field.valid = has_valid ? batch.valid(i) : &scratch_valid_[i];
    field.valid_stride = has_valid ? 1 : 0;
  }
}

bool BoundPlan::set_time(batch::Batch& batch, int64_t arrival_ns) const {
  size_t row = batch.row_count();
  if (!time_field_) {
    batch.times()[row] = arrival_ns;
    return true;
  }
  const Field& field = plan_->fields[*time_field_];
  if (field.node.optional && field.valid[row * field.valid_stride] == 0) return false;
  memcpy(batch.times() + row, field.column + row * field.column_stride, sizeof(int64_t));
  return true;
}

}  // namespace mut::json

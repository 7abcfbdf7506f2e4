// A plan whose fields point into the columns of the batch that is being filled.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "runtime/batch/batch.h"
#include "runtime/codec/json/plan.h"

namespace mut::json {

class BoundPlan {
 public:
  // `time_field`: which declared field is the event time; none: the arrival.
  BoundPlan(abi::TypeDescRef record, std::optional<size_t> time_field)
      : record_(std::move(record)), time_field_(time_field) {}

  // Points the fields into `batch`; those it does not store go into memory of our own. What was learned
  // is kept as long as the batch wants the same columns, which changes with a swap only.
  void bind(batch::Batch& batch);

  RecordPlan& plan() { return *plan_; }
  const abi::TypeDesc& record() const { return *record_; }
  const abi::TypeDescRef& shared_record() const { return record_; }
  std::optional<size_t> time_field() const { return time_field_; }

  // Sets the time of the row that was just read; false when its event time is none.
  bool set_time(batch::Batch& batch, int64_t arrival_ns) const;
  const std::string& time_name() const { return record_->fields[*time_field_].name; }

 private:
  abi::TypeDescRef record_;
  std::optional<size_t> time_field_;
  std::unique_ptr<RecordPlan> plan_;
  batch::NeededColumns needed_;
  std::vector<std::vector<uint64_t>> scratch_;  // values of fields that are only checked
  std::vector<uint8_t> scratch_valid_;
};

}  // namespace mut::json

// What a version takes over from the one before besides the state of its stages.
#include <algorithm>

#include "compiler/reference/flow.h"

namespace mut::reference {

// Watermarks never fall; a param that the edit did not touch keeps the value it was set to.
void Flow::continue_from(const Flow& old) {
  clock_ = old.clock_;
  silent_since_.assign(silent_since_.size(), clock_);
  for (size_t i = 0; i < program_->sources.size(); ++i) {
    const typed::Source& source = program_->sources[i];
    for (size_t k = 0; k < old.program_->sources.size(); ++k) {
      const std::string& name = old.program_->sources[k].name;
      if (name != source.name && name != source.was) continue;
      newest_[i] = old.newest_[k];
      watermarks_[i] = old.watermarks_[k];
      reached_.sources[i] = old.reached_.sources[k];
      if (newest_[i] != no_time)
        watermarks_[i] = std::max(watermarks_[i], minus(newest_[i], source.lateness));
      finished_[i] = old.finished_[k];
      bool was_judged = old.program_->sources[k].idle.has_value();
      silent_since_[i] = was_judged ? old.silent_since_[k] : old.clock_;
      idle_[i] = old.idle_[k];
      if (!source.idle && idle_[i] != 0) {
        idle_[i] = 0;
        watermarks_[i] = std::max(watermarks_[i], old.woken(k));
      }
    }
  }
  for (size_t i = 0; i < params_.size(); ++i) {
    for (size_t k = 0; k < old.params_.size(); ++k) {
      const typed::Param& before = old.program_->params[k];
      bool untouched = before.name == program_->params[i].name && before.value == program_->params[i].value &&
                       typed::same(before.type, program_->params[i].type);
      if (untouched) params_[i] = old.params_[k];
    }
  }
  for (size_t i = 0; i < pending_.size(); ++i) {
    for (size_t k = 0; k < old.pending_.size(); ++k) {
      const std::string& name = program_->params[static_cast<size_t>(program_->sets[i].param)].name;
      if (old.program_->params[static_cast<size_t>(old.program_->sets[k].param)].name == name)
        pending_[i] = old.pending_[k];
    }
  }
  error_counts = old.error_counts;
  cause_ = old.cause_;
}

}  // namespace mut::reference

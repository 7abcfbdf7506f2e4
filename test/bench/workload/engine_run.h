// An engine on one workload: columns or a file in, rows to a function, driven from the thread that asks.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mutstream/engine.h"

namespace mut::bench {

// Errors end the program: a benchmark without its engine has no result.
class EngineRun {
 public:
  struct Setup {
    std::string script;
    std::string source;
    std::string sink;
    ColumnSource columns;                       // when it has any
    std::string_view text;                      // else
    std::function<void(const RowBatch&)> take;  // null: rows go nowhere
    TierChoice tier = TierChoice::Optimised;
    uint32_t shards = 1;
  };
  explicit EngineRun(Setup setup);

  // Runs until this many more records were read, or to the end of the input.
  void run_records(uint64_t records);
  void run_to_end();
  // One call of Engine::run(). False at the end of the input.
  bool run_turn();
  Engine& engine() { return *engine_; }
  double compile_ms() const { return static_cast<double>(engine_->stats().compile_ns) * 1e-6; }
  std::string tier() const { return engine_->stats().tier; }

 private:
  std::unique_ptr<Engine> engine_;
  uint64_t wanted_ = 0;
  uint32_t batch_rows_ = 4096;
};

// A field that is an int or a time; ends the program where it is not.
FieldColumn<int64_t> ints_of(const RowBatch& rows, size_t field);

}  // namespace mut::bench

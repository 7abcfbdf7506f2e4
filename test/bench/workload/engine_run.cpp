#include "test/bench/workload/engine_run.h"

#include <sched.h>

#include <cstdio>
#include <cstdlib>

namespace mut::bench {
namespace {

constexpr uint32_t batch_rows_of_shards = 8 * 4096;

template <typename T>
T need(Outcome<T> outcome) {
  if (outcome.ok()) return std::move(outcome).value();
  std::fprintf(stderr, "bench_engine: %s\n", outcome.failure().text.c_str());
  std::exit(1);
}

// The program is started on the core of the trial. The engine's own threads may run anywhere, this one stays.
class OnOwnCore {
 public:
  OnOwnCore() {
    sched_getaffinity(0, sizeof own_, &own_);
    cpu_set_t all;
    CPU_ZERO(&all);
    for (int core = 0; core < CPU_SETSIZE; ++core) CPU_SET(core, &all);
    sched_setaffinity(0, sizeof all, &all);
  }
  ~OnOwnCore() { sched_setaffinity(0, sizeof own_, &own_); }

 private:
  cpu_set_t own_;
};

}  // namespace

EngineRun::EngineRun(Setup setup) {
  const OnOwnCore core;
  EngineOptions options;
  options.tier = setup.tier;
  if (setup.shards > 1) batch_rows_ = batch_rows_of_shards;
  options.batch_rows = batch_rows_;
  options.shards = setup.shards;
  options.memory_bytes = size_t{8} << 30;
  engine_ = need(Engine::load(setup.script, "bench.mut", options));
  if (!setup.columns.columns.empty()) need(engine_->bind_columns(setup.source, std::move(setup.columns)));
  if (!setup.text.empty()) need(engine_->bind_text(setup.source, setup.text));
  if (!setup.take) setup.take = [](const RowBatch&) {};
  need(engine_->bind_batch_sink(setup.sink, std::move(setup.take)));
  need(engine_->start());
}

bool EngineRun::run_turn() {
  switch (engine_->run()) {
    case RunState::More:
      return true;
    case RunState::Idle:
      engine_->wait(1'000'000);
      return true;
    case RunState::Done:
      return false;
    case RunState::Failed:
      break;
  }
  std::fprintf(stderr, "bench_engine: %s\n", engine_->failure().text.c_str());
  std::exit(1);
}

void EngineRun::run_records(uint64_t records) {
  wanted_ += records;
  // A turn runs a batch at most: so many can be run without asking.
  uint64_t known = engine_->stats().records_in;
  while (known < wanted_) {
    for (uint64_t turns = (wanted_ - known) / batch_rows_; turns > 1; --turns) {
      if (!run_turn()) return;
    }
    if (!run_turn()) return;
    known = engine_->stats().records_in;
  }
}

void EngineRun::run_to_end() {
  while (run_turn()) {
  }
}

FieldColumn<int64_t> ints_of(const RowBatch& rows, size_t field) {
  const auto out = rows.ints(field);
  if (out) return *out;
  std::fprintf(stderr, "bench_engine: field %zu is no int\n", field);
  std::exit(1);
}

}  // namespace mut::bench

// One profile of an engine: samples of its threads, counted by what they were there for.
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "compiler/jit/code_lines.h"
#include "compiler/session/program.h"
#include "mutstream/profile.h"
#include "runtime/env/env.h"
#include "runtime/env/sampler.h"

namespace mut::session {

// What is counted anyway, of one moment. `key` tells what; places are those of the graph.
struct RowCount {
  std::string key;
  int place = -1;
  ProfileCount::Of of = ProfileCount::Of::RowsIn;
  uint64_t rows = 0;
};

// Threads: any, but for runs() and enrol().
class ProfileRun {
 public:
  // Counts nothing yet. `env` outlives it.
  ProfileRun(env::Env& env, std::shared_ptr<env::Sampler> sampler, uint32_t row_threads);
  ~ProfileRun();
  ProfileRun(const ProfileRun&) = delete;
  ProfileRun& operator=(const ProfileRun&) = delete;

  ProfileReport::Life life() const { return life_; }
  // By the thread of the rows, between two batches: from now on that version runs, and this is its code. The
  // first time it begins to count. `rows`: as of now. `loaded` outlives the profile's end.
  void runs(uint64_t version, const std::shared_ptr<const Program>& program, const void* code,
            const jit::LoadedCode& loaded, std::vector<RowCount> rows);
  // By the thread that runs rows, with each batch.
  void enrol();
  // `rows`: as of now, of the version that runs.
  ProfileReport report(const std::vector<RowCount>& rows) const;
  // No thread is looked at any more, and report() gives what there was.
  void end(const std::vector<RowCount>& rows);

 private:
  struct Version {
    uint64_t number = 0;
    std::shared_ptr<const Program> program;
  };
  struct Place {
    size_t version = 0;  // in versions_
    int place = -1;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  struct Samples {
    uint64_t lines = 0;
    uint64_t state = 0;
    uint64_t io = 0;
  };
  struct Thread {
    uint64_t samples = 0;
    std::array<uint64_t, work_count> works{};
    std::map<Place, Samples> places;
    int64_t cpu_before_ns = 0;  // since when the sampler looks, until the profile began to count
    int64_t waits_before_ns = 0;
  };
  void watch();
  // These with `mutex_` held.
  void take();
  void count(uint64_t thread, const env::ThreadSample& sample);
  Work work_of(const env::ThreadSample& sample, Place& place, bool& of_place) const;
  ProfileReport report_now(const std::vector<RowCount>& rows) const;
  void add_places(const std::map<Place, ProfilePlace>& places, ProfileReport& out) const;

  env::Env& env_;
  std::shared_ptr<env::Sampler> sampler_;
  uint32_t row_threads_;
  std::atomic<ProfileReport::Life> life_{ProfileReport::Life::Waits};
  mutable std::mutex mutex_;
  const jit::LoadedCode* loaded_ = nullptr;
  std::vector<Version> versions_;
  std::map<uint64_t, size_t> version_of_code_;  // by its number
  std::map<uint64_t, Thread> threads_;
  int64_t begin_ns_ = 0;
  std::vector<RowCount> rows_before_;
  ProfileReport last_;  // once it has ended
  std::unique_ptr<env::EventCount> over_;
  std::unique_ptr<env::Thread> watcher_;
};

}  // namespace mut::session

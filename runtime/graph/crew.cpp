#include "runtime/graph/crew.h"

#include <algorithm>
#include <string>

#include "runtime/env/does.h"

namespace mut::runtime {

namespace {

// A thread that sleeps is woken in some 50 µs. It waits awake for the next piece of work at most as long as
// the last one took, so that little work means little waiting.
constexpr int64_t awake_ns_max = 250'000;
constexpr uint32_t looks_at_once = 64;

void breathe() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

template <typename Holds>
bool Crew::comes_soon(int64_t within_ns, const Holds& holds) const {
  if (!has_processors_ || within_ns <= 0) return holds();
  int64_t end = env_.monotonic_ns() + std::min(within_ns, awake_ns_max);
  do {
    for (uint32_t i = 0; i < looks_at_once; ++i) {
      if (holds()) return true;
      breathe();
    }
  } while (env_.monotonic_ns() < end);
  return false;
}

Crew::Crew(env::Env& env, uint32_t shards)
    : env_(env),
      begun_(env.make_event_count()),
      done_(env.make_event_count()),
      has_processors_(shards <= env.processor_count()),
      worked_ns_(shards) {
  for (uint32_t i = 1; i < shards; ++i)
    threads_.push_back(env_.start_thread("mut-shard-" + std::to_string(i), [this, i] { serve(i); }));
}

Crew::~Crew() {
  over_.store(true);
  begun_->notify();
  for (const auto& thread : threads_) thread->join();
}

int64_t Crew::work(uint32_t shard) {
  int64_t begin = env_.monotonic_ns();
  (*work_)(shard);
  int64_t took = env_.monotonic_ns() - begin;
  worked_ns_[shard] += took;
  return took;
}

void Crew::run(const std::function<void(uint32_t shard)>& work) {
  work_ = &work;
  busy_.store(static_cast<uint32_t>(threads_.size()));
  round_.fetch_add(1);
  begun_->notify();
  (void)this->work(0);
  if (comes_soon(awake_ns_max, [&] { return busy_.load() == 0; })) return;
  while (true) {
    uint64_t seen = done_->current();
    if (busy_.load() == 0) return;
    done_->wait(seen, -1);
  }
}

void Crew::serve(uint32_t shard) {
  env::Does works(Work::Engine);
  uint64_t finished = 0;
  int64_t took_ns = 0;
  while (true) {
    uint64_t seen = begun_->current();
    if (over_.load()) return;
    if (!comes_soon(took_ns, [&] { return round_.load() != finished || over_.load(); })) {
      begun_->wait(seen, -1);
      took_ns = 0;
      continue;
    }
    if (over_.load()) return;
    ++finished;  // a round waits for all: none is ever two behind
    took_ns = work(shard);
    if (busy_.fetch_sub(1) == 1) done_->notify();
  }
}

}  // namespace mut::runtime

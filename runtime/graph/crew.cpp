#include "runtime/graph/crew.h"

#include <string>

#include "runtime/env/does.h"

namespace mut::runtime {

Crew::Crew(env::Env& env, uint32_t shards)
    : env_(env), begun_(env.make_event_count()), done_(env.make_event_count()) {
  for (uint32_t i = 1; i < shards; ++i)
    threads_.push_back(env_.start_thread("mut-shard-" + std::to_string(i), [this, i] { serve(i); }));
}

Crew::~Crew() {
  over_.store(true);
  begun_->notify();
  for (const auto& thread : threads_) thread->join();
}

void Crew::run(const std::function<void(uint32_t shard)>& work) {
  work_ = &work;
  busy_.store(static_cast<uint32_t>(threads_.size()));
  round_.fetch_add(1);
  begun_->notify();
  work(0);
  while (true) {
    uint64_t seen = done_->current();
    if (busy_.load() == 0) return;
    done_->wait(seen, -1);
  }
}

void Crew::serve(uint32_t shard) {
  env::Does works(Work::Engine);
  uint64_t finished = 0;
  while (true) {
    uint64_t seen = begun_->current();
    if (over_.load()) return;
    if (round_.load() == finished) {
      begun_->wait(seen, -1);
      continue;
    }
    ++finished;  // a round waits for all: none is ever two behind
    (*work_)(shard);
    if (busy_.fetch_sub(1) == 1) done_->notify();
  }
}

}  // namespace mut::runtime

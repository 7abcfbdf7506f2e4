#include "test/bench/workload/open_loop.h"

#include <sched.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>

#include "test/bench/input/splitmix.h"
#include "test/bench/workload/arrow_rows.h"

namespace mut::bench {
namespace {

constexpr double second_ns = 1e9;
constexpr int64_t warm_up_ns = 1'000'000'000;
constexpr int64_t idle_wait_ns = 20'000'000;  // as Engine::run_to_end() waits
constexpr int64_t awake_ns = 150'000;
constexpr size_t push_rows_max = 1024;
constexpr uint64_t queue_rows_max = 1 << 16;  // when events are pushed as fast as they are taken
constexpr size_t made_events = size_t{1} << 20;

int64_t clock_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

template <typename T>
T need(Outcome<T> outcome) {
  if (outcome.ok()) return std::move(outcome).value();
  std::fprintf(stderr, "bench_engine: %s\n", outcome.failure().text.c_str());
  std::exit(1);
}

// Those that the thread which makes it may use; it may again when this goes. A thread begins with the cores
// of the one that starts it.
class Cores {
 public:
  Cores() { sched_getaffinity(0, sizeof allowed_, &allowed_); }
  ~Cores() { sched_setaffinity(0, sizeof allowed_, &allowed_); }
  Cores(const Cores&) = delete;
  Cores& operator=(const Cores&) = delete;
  // Keeps the calling thread on the n-th of them, counted from the last; on the first when there are fewer.
  void stay_on(size_t from_last) const {
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int core = CPU_SETSIZE - 1; core >= 0; --core) {
      if (!CPU_ISSET(core, &allowed_)) continue;
      CPU_ZERO(&one);
      CPU_SET(core, &one);
      if (from_last-- == 0) break;
    }
    sched_setaffinity(0, sizeof one, &one);
  }

 private:
  cpu_set_t allowed_;
};

struct Events {
  std::vector<int64_t> key, kind;
};
// Keys uniform in [0, 1000), kinds in [0, 3).
Events make_latency_events() {
  Events events;
  for (uint64_t i = 0; i < made_events; ++i) {
    auto random = SplitMix64::of_item(42, i);
    events.key.push_back(static_cast<int64_t>(random.uniform(1000)));
    events.kind.push_back(static_cast<int64_t>(random.uniform(3)));
  }
  return events;
}

struct Schedule {
  double rate;
  int64_t begin_ns;                       // by the monotonic clock
  int64_t due_ns(uint64_t event) const {  // after the begin
    return static_cast<int64_t>(static_cast<double>(event) * second_ns / rate);
  }
  // The first event that is due at `due` or later.
  uint64_t first_at(int64_t due) const {
    auto event = static_cast<uint64_t>(std::max(0.0, static_cast<double>(due) * rate / second_ns - 2));
    while (due_ns(event) < due) ++event;
    return event;
  }
};

struct Mark {
  int64_t wall_ns, cpu_ns;  // cpu: of all threads
  uint64_t records;
};

// The host's thread.
class Pusher {
 public:
  Pusher(Engine& engine, const Events& events, const LatencyProgram& program)
      : engine_(engine), events_(events), program_(program) {}

  int64_t expected() const { return expected_; }
  uint64_t pushed() const { return pushed_; }
  // Processor time of the calling thread since the warm-up.
  int64_t warm_cpu_ns() const { return clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_at_warm_up_ns_; }

  void push_due(const Schedule& schedule, int64_t end_ns) {
    while (true) {
      const int64_t now = clock_ns(CLOCK_MONOTONIC) - schedule.begin_ns;
      note_warm_up(now);
      if (schedule.due_ns(pushed_) >= end_ns) return;
      const int64_t wait_ns = schedule.due_ns(pushed_) - now;
      if (wait_ns > 0) {
        // A sleep may last longer by what the system allows itself: the rest is waited for awake.
        if (wait_ns > awake_ns) std::this_thread::sleep_for(std::chrono::nanoseconds(wait_ns - awake_ns));
        continue;
      }
      size_t rows = 1;
      while (rows < push_rows_max && schedule.due_ns(pushed_ + rows) <= now) ++rows;
      push(rows, schedule);
    }
  }
  void push_taken(const std::atomic<uint64_t>& taken, int64_t seconds_ns) {
    // Times as at ten million a second.
    const Schedule schedule{1e7, 0};
    const int64_t begin_ns = clock_ns(CLOCK_MONOTONIC);
    for (int64_t now = 0; now < seconds_ns; now = clock_ns(CLOCK_MONOTONIC) - begin_ns) {
      note_warm_up(now);
      if (pushed_ - taken.load(std::memory_order_relaxed) < queue_rows_max) push(push_rows_max, schedule);
    }
  }

 private:
  void note_warm_up(int64_t now) {
    if (now >= warm_up_ns && cpu_at_warm_up_ns_ == 0) cpu_at_warm_up_ns_ = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  }

  void push(size_t rows, const Schedule& schedule) {
    const size_t place = pushed_ % made_events;
    rows = std::min(rows, made_events - place);
    for (size_t i = 0; i < rows; ++i) {
      at_[i] = latency_base_ns + schedule.due_ns(pushed_ + i);
      expected_ += program_.expected(events_.key[place + i], events_.kind[place + i]);
    }
    need(engine_.push_arrow(
        "events", arrow_.rows({events_.key.data() + place, events_.kind.data() + place, at_.data()}, rows),
        &arrow_.schema()));
    pushed_ += rows;
  }

  Engine& engine_;
  const Events& events_;
  const LatencyProgram& program_;
  ArrowRows<3> arrow_{{{{"key", "l"}, {"kind", "l"}, {"at", "tsn:UTC"}}}};
  std::array<int64_t, push_rows_max> at_{};
  uint64_t pushed_ = 0;
  int64_t expected_ = 0;
  int64_t cpu_at_warm_up_ns_ = 0;
};

}  // namespace

LatencyRun run_open_loop(const LatencyProgram& program, double rate, double seconds) {
  LatencyRun out;
  const Events events = make_latency_events();
  const int64_t end_ns = warm_up_ns + static_cast<int64_t>(seconds * second_ns);
  if (rate > 0) out.latency_ns.reserve(static_cast<size_t>(seconds * (rate + 20'000)));
  auto engine = need(Engine::load(program.script, "bench.mut", {}));
  Schedule schedule{rate, 0};
  int64_t sum = 0;
  need(engine->bind_host_source("events"));
  need(engine->bind_host_sink("out", [&](const RowView& row) {
    sum += program.counted(row);
    if (rate == 0) return;
    const int64_t due = program.due_ns(row);
    if (due < warm_up_ns || due >= end_ns) return;
    out.latency_ns.push_back(clock_ns(CLOCK_MONOTONIC) - schedule.begin_ns -
                             schedule.due_ns(schedule.first_at(due)));
  }));
  need(engine->start());
  const Cores cores;
  cores.stay_on(0);

  std::atomic<uint64_t> taken{0};
  Pusher pusher(*engine, events, program);
  uint64_t left_in_queue = 0;
  int64_t host_cpu_ns = 0;
  schedule.begin_ns = clock_ns(CLOCK_MONOTONIC);
  std::thread host([&] {
    cores.stay_on(1);
    if (rate > 0)
      pusher.push_due(schedule, end_ns);
    else
      pusher.push_taken(taken, end_ns);
    left_in_queue = pusher.pushed() - taken.load();
    host_cpu_ns = pusher.warm_cpu_ns();
    need(engine->finish("events"));
  });

  // Taken twice: asking costs as much as some rows.
  auto mark_at = [&](int64_t now, uint64_t records) {
    return Mark{now, clock_ns(CLOCK_PROCESS_CPUTIME_ID), records};
  };
  std::optional<Mark> from, to;
  for (bool ended = false; !ended;) {
    const RunState state = engine->run();
    const uint64_t records = engine->stats().records_in;
    taken.store(records, std::memory_order_relaxed);
    const int64_t now = clock_ns(CLOCK_MONOTONIC) - schedule.begin_ns;
    if (!from && now >= warm_up_ns) from = mark_at(now, records);
    if (!to && now >= end_ns) to = mark_at(now, records);
    if (state == RunState::Failed) {
      std::fprintf(stderr, "bench_engine: %s\n", engine->failure().text.c_str());
      std::exit(1);
    }
    if (state == RunState::Idle) {
      need(engine->flush());
      engine->wait(idle_wait_ns);
    }
    ended = state == RunState::Done;
    if (ended && !to) to = mark_at(now, records);
  }
  host.join();
  if (from && to && to->wall_ns > from->wall_ns) {
    const auto wall = static_cast<double>(to->wall_ns - from->wall_ns);
    out.events_per_s = static_cast<double>(to->records - from->records) * second_ns / wall;
    out.engine_cpu_share = static_cast<double>(to->cpu_ns - from->cpu_ns - host_cpu_ns) / wall;
    out.host_cpu_share = static_cast<double>(host_cpu_ns) / wall;
  }
  out.right = sum == pusher.expected();
  out.kept_up = static_cast<double>(left_in_queue) <= std::max(rate * 0.05, 4096.0);
  return out;
}

}  // namespace mut::bench

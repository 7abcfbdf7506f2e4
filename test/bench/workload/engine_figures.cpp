#include "test/bench/workload/engine_figures.h"

#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>

#include "mutstream/tooling.h"
#include "test/bench/input/splitmix.h"
#include "test/bench/workload/engine_run.h"

extern char** environ;

namespace mut::bench {
namespace {

double now_ms() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
}

class Figures {
 public:
  explicit Figures(const char* workload) {
    std::printf(R"({"workload":"%s","side":"engine","figures":{)", workload);
  }
  void add(const std::string& name, double value) {
    std::printf(R"(%s"%s":%.6f)", first_ ? "" : ",", name.c_str(), value);
    first_ = false;
  }
  int end(const std::string& check) {
    std::printf("},\"check\":\"%s\"}\n", check.c_str());
    return 0;
  }

 private:
  bool first_ = true;
};

// performance.md W8: operator i is a filter where i mod 4 = 3, else a map; then a 10 s count and sum per key.
std::string chain_script(int operators) {
  std::string out =
      "type Row = { key: int, x: float, at: time }\nsource rows: Row = stdin() time at\nstream out = rows\n";
  SplitMix64 draws(42);
  auto unit = [&] { return static_cast<double>(draws.next() >> 11) * 0x1.0p-53; };
  for (int i = 0; i < operators; ++i) {
    char line[96];
    if (i % 4 == 3) {
      std::snprintf(line, sizeof line, "  | where x > %.6f\n", unit() * 0.1);
    } else {
      std::snprintf(line, sizeof line, "  | with x = %.6f * x + %.6f\n", 0.9 + unit() * 0.2, unit() * 0.1);
    }
    out += line;
  }
  return out + "  | aggregate n = count(), total = sum(x) by key window tumbling 10s\nemit out to stdout()\n";
}

struct OneEvent {
  int64_t key = 1;
  double x = 0.5;
  int64_t at = 1'700'000'000'000'000'000;
};

EngineRun::Setup chain_setup(int operators, const OneEvent& event, TierChoice tier) {
  EngineRun::Setup setup;
  setup.script = chain_script(operators);
  setup.source = "rows";
  setup.sink = "out";
  setup.columns = {{&event.key, &event.x, &event.at}, {event.at}, 1, 1, 0};
  setup.take = [](const RowView&) {};
  setup.tier = tier;
  return setup;
}

double first_event_ms(int operators, TierChoice tier) {
  OneEvent event;
  const double begin = now_ms();
  EngineRun run(chain_setup(operators, event, tier));
  run.run_records(1);
  return now_ms() - begin;
}

double check_ms(int operators) {
  const std::string script = chain_script(operators);
  const double begin = now_ms();
  const CheckResult result = check_script(script, "chain.mut", {});
  return result.fine ? now_ms() - begin : -1;
}

double cold_ms(const char* program) {
  std::string path = program;
  std::string word = "w8cold";
  char* arguments[] = {path.data(), word.data(), nullptr};
  pid_t child = 0;
  const double begin = now_ms();
  if (posix_spawn(&child, program, nullptr, nullptr, arguments, environ) != 0) return -1;
  int status = 0;
  waitpid(child, &status, 0);
  return status == 0 ? now_ms() - begin : -1;
}

template <typename Measure>
double median_of(int rounds, Measure measure) {
  std::vector<double> values;
  for (int i = 0; i < rounds; ++i) values.push_back(measure());
  return quantile(values, 0.5);
}

}  // namespace

int run_one_event() {
  OneEvent event;
  EngineRun run(chain_setup(10, event, TierChoice::Quick));
  run.run_records(1);
  return 0;
}

int print_compile_latency(const char* program) {
  first_event_ms(10, TierChoice::Optimised);  // the parser's tables and LLVM's own are made at first use
  Figures figures("w8");
  for (const int operators : {1, 10, 50, 200}) {
    const std::string count = std::to_string(operators);
    const int rounds = operators == 200 ? 5 : 15;
    figures.add("check_ms_" + count, median_of(rounds, [&] { return check_ms(operators); }));
    figures.add("first_event_warm_ms_" + count,
                median_of(rounds, [&] { return first_event_ms(operators, TierChoice::Quick); }));
    figures.add("optimised_ms_" + count,
                median_of(rounds, [&] { return first_event_ms(operators, TierChoice::Optimised); }));
  }
  figures.add("first_event_cold_ms_10", median_of(9, [&] { return cold_ms(program); }));
  return figures.end("ok");
}

// ---- W9a

namespace {

constexpr auto interval = std::chrono::milliseconds(100);  // every second one has an edit

struct Edit {
  const char* name;
  std::function<std::string(int round)> script;
};

std::string swap_script(const std::string& limit, const std::string& score) {
  return "type View = { ad: int, event_type: int, at: time }\nsource rows: View = stdin() time at\n"
         "stream views = rows | where event_type == 0 and ad >= " +
         limit + " | select campaign = ad / 10, score = " + score +
         "\nstream counts = views | aggregate n = count() by campaign window tumbling 10s\n"
         "emit counts to stdout()\nstream high = views | where score > 1000000000\nemit high to stdout()\n";
}

struct SwapTimes {
  std::vector<double> effect_ms;  // from the request to the first event of the new version
  std::vector<double> pause_ms;
  std::vector<double> gap_ms;       // longest stretch between two turns, in intervals with an edit
  std::vector<double> calm_gap_ms;  // in those without
  uint64_t events = 0;
  double seconds = 0;
};

SwapTimes swap_under_load(const Options& options, const Edit& edit, int rounds) {
  const YsbColumns columns = make_ysb_columns(ysb_rows_small, YsbFields::Queried);
  (void)options;
  const int64_t span_ns = columns.time_ns.back() - columns.time_ns.front();
  SwapTimes out;
  EngineRun::Setup setup;
  setup.script = edit.script(0);
  setup.source = "rows";
  setup.sink = "counts";
  setup.columns = {{columns.ad.data(), columns.event_type.data(), columns.time_ns.data()},
                   columns.time_ns,
                   columns.row_count(),
                   uint64_t{1} << 40,
                   span_ns + 1'000'000};
  setup.take = [](const RowView&) {};
  setup.tier = TierChoice::Auto;
  EngineRun run(std::move(setup));
  Engine& engine = run.engine();
  std::mutex mutex;
  double requested_ms = 0;
  double longest_ms = 0;
  std::atomic<bool> stop{false};
  std::thread editor([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(600));  // the optimised tier is in place
    auto take_gap = [&] {
      std::lock_guard lock(mutex);
      return std::exchange(longest_ms, 0.0);
    };
    for (int round = 1; round <= rounds; ++round) {
      take_gap();
      std::this_thread::sleep_for(interval);
      const double calm = take_gap();
      {
        std::lock_guard lock(mutex);
        out.calm_gap_ms.push_back(calm);
        requested_ms = now_ms();
      }
      auto done = engine.swap({edit.script(round), "bench.mut", {}, {}});
      if (!done) std::fprintf(stderr, "bench_engine: %s\n", done.failure().text.c_str());
      std::this_thread::sleep_for(interval);
      const double gap = take_gap();
      std::lock_guard lock(mutex);
      out.gap_ms.push_back(gap);
    }
    stop.store(true);
  });
  const double begin = now_ms();
  double last = begin;
  while (!stop.load(std::memory_order_relaxed)) {
    run.run_turn();
    const double now = now_ms();
    std::lock_guard lock(mutex);
    longest_ms = std::max(longest_ms, now - last);
    last = now;
    if (auto report = engine.swap_done()) {
      out.effect_ms.push_back(now - requested_ms);
      out.pause_ms.push_back(static_cast<double>(report->pause_ns) * 1e-6);
    }
  }
  editor.join();
  out.seconds = (now_ms() - begin) * 1e-3;
  out.events = engine.stats().records_in;
  return out;
}

}  // namespace

int print_live_swap(const Options& options) {
  const Edit constant{"constant", [](int round) { return swap_script(std::to_string(round), "ad"); }};
  const Edit expression{"expression", [](int round) {
                          // A shape that was not there before, so that it has to be compiled.
                          std::string score = "ad";
                          for (int i = 0; i < round % 50; ++i)
                            score += (i + round / 50) % 3 == 0 ? " + ad % 7" : " + ad / 3";
                          return swap_script("0", score);
                        }};
  const int rounds = options.size == Size::Full ? 100 : 25;
  Figures figures("w9a");
  std::string check = "ok";
  std::vector<double> pauses, gaps, calm;
  for (const Edit& edit : {constant, expression}) {
    const SwapTimes times = swap_under_load(options, edit, rounds);
    figures.add(std::string(edit.name) + "_effect_ms", quantile(times.effect_ms, 0.5));
    figures.add(std::string(edit.name) + "_effect_ms_p99", quantile(times.effect_ms, 0.99));
    std::fprintf(stderr, "w9a: %zu of %d %ss taken at %.1f million events a second\n", times.effect_ms.size(),
                 rounds, edit.name, static_cast<double>(times.events) / times.seconds * 1e-6);
    if (times.effect_ms.size() != static_cast<size_t>(rounds)) check = "an edit was not taken";
    pauses.insert(pauses.end(), times.pause_ms.begin(), times.pause_ms.end());
    gaps.insert(gaps.end(), times.gap_ms.begin(), times.gap_ms.end());
    calm.insert(calm.end(), times.calm_gap_ms.begin(), times.calm_gap_ms.end());
  }
  for (const auto& [name, share] : {std::pair{"p50", 0.5}, {"p99", 0.99}, {"max", 1.0}}) {
    figures.add(std::string("charged_pause_ms_") + name, quantile(pauses, share));
    figures.add(std::string("extra_gap_ms_") + name, quantile(gaps, share) - quantile(calm, share));
  }
  return figures.end(check);
}

}  // namespace mut::bench

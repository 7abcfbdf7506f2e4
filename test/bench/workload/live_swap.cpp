// W9: what an edit costs those who wait for rows.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "test/bench/input/keyed_pairs.h"
#include "test/bench/input/ysb.h"
#include "test/bench/workload/edits.h"
#include "test/bench/workload/engine_figures.h"
#include "test/bench/workload/engine_run.h"
#include "test/bench/workload/figure_list.h"

namespace mut::bench {
namespace {

constexpr auto interval = std::chrono::milliseconds(100);  // every second one has an edit
constexpr double warm_up_ms = 600;                         // the optimised tier is in place

struct Input {
  ColumnSource columns;
  uint64_t records = 0;  // of one pass
};

struct SwapTimes {
  std::vector<double> effect_ms;  // from the request to the first turn of the new version
  std::vector<double> pause_ms;
  std::vector<double> check_ms;     // of that: parsing to the plan
  std::vector<double> compile_ms;   // and code
  std::vector<double> gap_ms;       // longest stretch between two turns, in intervals with an edit
  std::vector<double> calm_gap_ms;  // in those without
  uint64_t events = 0;
  double seconds = 0;

  void add(const SwapTimes& more) {
    effect_ms.insert(effect_ms.end(), more.effect_ms.begin(), more.effect_ms.end());
    pause_ms.insert(pause_ms.end(), more.pause_ms.begin(), more.pause_ms.end());
    check_ms.insert(check_ms.end(), more.check_ms.begin(), more.check_ms.end());
    compile_ms.insert(compile_ms.end(), more.compile_ms.begin(), more.compile_ms.end());
    gap_ms.insert(gap_ms.end(), more.gap_ms.begin(), more.gap_ms.end());
    calm_gap_ms.insert(calm_gap_ms.end(), more.calm_gap_ms.begin(), more.calm_gap_ms.end());
  }
};

// `load`: of the rate that the warm-up reached; events are due by the clock.
SwapTimes swap_under_load(const Input& input, const Edit& edit, int rounds, double load) {
  SwapTimes out;
  EngineRun::Setup setup;
  setup.script = edit.script(0);
  setup.source = "rows";
  setup.sink = "counts";
  setup.columns = input.columns;
  setup.tier = TierChoice::Auto;
  EngineRun run(std::move(setup));
  Engine& engine = run.engine();
  std::mutex mutex;
  double requested_ms = 0;
  double longest_ms = 0;
  std::atomic<bool> warm{false}, stop{false};
  std::atomic<int> taken{0};
  std::thread editor([&] {
    while (!warm.load()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
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
      auto done = engine.swap({edit.script(round), "bench.mut", {}, edit.accept});
      if (!done) std::fprintf(stderr, "bench_engine: %s\n", done.failure().text.c_str());
      std::this_thread::sleep_for(interval);
      // One that waits for what the edit before left to be converted is not to be superseded.
      while (done && taken.load() < round) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      const double gap = take_gap();
      std::lock_guard lock(mutex);
      out.gap_ms.push_back(gap);
    }
    stop.store(true);
  });
  const double begin = now_ms();
  double last = begin;
  double paced_from = 0;
  double per_ms = 0;
  uint64_t events_before = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    run.run_turn();
    double now = now_ms();
    if (!warm.load(std::memory_order_relaxed) && now - begin > warm_up_ms &&
        engine.stats().records_in >= input.records) {
      events_before = engine.stats().records_in;
      per_ms = static_cast<double>(events_before) / (now - begin);
      paced_from = now;
      last = now;
      warm.store(true);
    }
    if (load < 1 && paced_from > 0) {
      const auto events = static_cast<double>(engine.stats().records_in - events_before);
      while (events > (now - paced_from) * per_ms * load) now = now_ms();
    }
    std::lock_guard lock(mutex);
    longest_ms = std::max(longest_ms, now - last);
    last = now;
    if (auto report = engine.swap_done()) {
      ++taken;
      out.effect_ms.push_back(now - requested_ms);
      out.pause_ms.push_back(static_cast<double>(report->pause_ns) * 1e-6);
      out.check_ms.push_back(static_cast<double>(report->check_ns) * 1e-6);
      out.compile_ms.push_back(static_cast<double>(report->compile_ns) * 1e-6);
    }
  }
  editor.join();
  out.seconds = (now_ms() - begin) * 1e-3;
  out.events = engine.stats().records_in;
  return out;
}

// Longest stretches for which this machine lets a thread stand still that does nothing but look at the clock,
// one of each interval.
std::vector<double> idle_gaps_ms(int intervals) {
  std::vector<double> out;
  double last = now_ms();
  for (int i = 0; i < intervals; ++i) {
    const double end = last + std::chrono::duration<double, std::milli>(interval).count();
    double longest = 0;
    while (last < end) {
      const double now = now_ms();
      longest = std::max(longest, now - last);
      last = now;
    }
    out.push_back(longest);
  }
  return out;
}

void add_figures(const std::string& name, const SwapTimes& times, FigureList& figures) {
  figures.add(name + "_effect_ms", quantile(times.effect_ms, 0.5));
  figures.add(name + "_effect_ms_p99", quantile(times.effect_ms, 0.99));
  figures.add(name + "_check_ms", quantile(times.check_ms, 0.5));
  figures.add(name + "_compile_ms", quantile(times.compile_ms, 0.5));
  for (const auto& [of, share] : {std::pair{"p50", 0.5}, {"p99", 0.99}, {"max", 1.0}}) {
    figures.add(name + "_charged_ms_" + of, quantile(times.pause_ms, share));
    figures.add(name + "_seen_ms_" + of, quantile(times.gap_ms, share) - quantile(times.calm_gap_ms, share));
  }
}

}  // namespace

int print_live_swap(const Options& options, const char* program) {
  const YsbColumns ysb = make_ysb_columns(ysb_rows_small, YsbFields::Queried);
  const int64_t span_ns = ysb.time_ns.back() - ysb.time_ns.front();
  const Input views{{{ysb.ad.data(), ysb.event_type.data(), ysb.time_ns.data()},
                     ysb.time_ns,
                     ysb.row_count(),
                     uint64_t{1} << 40,
                     span_ns + 1'000'000},
                    ysb.row_count()};
  // Each key twice and more, so that the groups are there after the first pass.
  const KeyedPairs pairs = make_keyed_pairs(4 * options.keyed_keys(), options.keyed_keys());
  std::vector<int64_t> times(pairs.row_count());
  for (size_t i = 0; i < times.size(); ++i) times[i] = static_cast<int64_t>(i);
  const Input groups{{{pairs.key.data(), pairs.value.data()},
                      times,
                      pairs.row_count(),
                      uint64_t{1} << 40,
                      static_cast<int64_t>(pairs.row_count())},
                     pairs.row_count()};
  const int rounds = options.size == Size::Full ? 100 : 25;
  FigureList figures("w9");
  std::string check = "ok";
  std::vector<double> idle;
  auto measure = [&](const std::string& name, const Input& input, const Edit& edit, double load) {
    const std::vector<double> more = idle_gaps_ms(rounds / 4);
    idle.insert(idle.end(), more.begin(), more.end());
    SwapTimes found = swap_under_load(input, edit, rounds, load);
    std::fprintf(stderr, "w9: %zu of %d %s taken at %.1f million events a second\n", found.effect_ms.size(),
                 rounds, name.c_str(), static_cast<double>(found.events) / found.seconds * 1e-6);
    if (found.effect_ms.size() != static_cast<size_t>(rounds)) check = "an edit was not taken";
    add_figures(name, found, figures);
    return found;
  };
  SwapTimes light;
  for (const Edit& edit : light_edits()) light.add(measure(edit.name, views, edit, 1));
  add_figures("a_to_d", light, figures);
  measure("a_to_d_at_80", views, mixed_edits(), 0.8);
  measure("a_to_d_at_50", views, mixed_edits(), 0.5);
  measure("window", views, window_edits(), 1);
  measure("widen", groups, widening_edits(), 1);
  measure("remade", groups, remaking_edits(), 1);
  figures.add("machine_gap_ms_p50", quantile(idle, 0.5));
  figures.add("machine_gap_ms_p99", quantile(idle, 0.99));
  figures.add("restart_ms", cold_ms(program));
  return figures.end(check);
}

}  // namespace mut::bench

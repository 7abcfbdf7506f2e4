// swap_course stateless|tour|soak|stages|latency [--payments N] [--edits E] [--seed S] [--minutes M] [--tier
// quick|auto]
// [--shards N] [--fault point:action]
//
// Edits a running script and judges the run; prints figures, then `N passed, N failed`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "test/swap/live_edits.h"
#include "test/swap/process_memory.h"

namespace {

using namespace mut::swap_test;

// Payments of the stateless script a second of processor time, so that a neighbour does not decide. Says
// nothing in a build that is slow by itself.
#if defined(MUT_SANITIZE_ADDRESS) || defined(MUT_SANITIZE_THREAD)
constexpr double rate_least = 0;
#else
constexpr double rate_least = 1e6;
#endif

struct Options {
  std::string mode;
  uint64_t payments = 4'000'000;
  int edits = 100;
  uint64_t seed = 1;
  double minutes = 0;
  std::string tier = "auto";
  uint32_t shards = 1;
  std::string fault;  // MUT_FAULT of the run with edits
};

class Verdict {
 public:
  void check(bool fine, const std::string& claim) {
    ++(fine ? passed_ : failed_);
    fmt::print("{}: {}\n", fine ? "ok" : "FAILED", claim);
    fflush(stdout);
  }
  int close() const {
    fmt::print("{} passed, {} failed\n", passed_, failed_);
    return failed_ == 0 && passed_ > 0 ? 0 : 1;
  }

 private:
  int passed_ = 0;
  int failed_ = 0;
};

std::string spread(std::vector<int64_t> times_ns) {
  if (times_ns.empty()) return "none";
  std::sort(times_ns.begin(), times_ns.end());
  auto at = [&](double share) {
    auto index = static_cast<size_t>(share * static_cast<double>(times_ns.size()));
    return static_cast<double>(times_ns[std::min(index, times_ns.size() - 1)]) / 1e6;
  };
  return fmt::format("p50 {:.2f} ms, p99 {:.2f} ms, max {:.2f} ms (of {})", at(0.5), at(0.99), at(1),
                     times_ns.size());
}

void tell(const CourseResult& result) {
  std::string edits;
  for (size_t kind = 0; kind < edit_kind_count; ++kind) {
    edits += fmt::format("{}{} {}", kind == 0 ? "" : ", ", name_of(static_cast<EditKind>(kind)),
                         result.histogram[kind]);
  }
  fmt::print("edits: {}\n", edits);
  fmt::print("{} payments in {:.1f} s, {:.0f} a second\n", result.payments, result.seconds,
             static_cast<double>(result.payments) / result.seconds);
  fmt::print("check: {}\ncompile: {}\ncharged pause: {}\n", spread(result.times.check),
             spread(result.times.compile), spread(result.times.pause));
}

bool same(const CountryTotals& a, const CountryTotals& b) {
  // Sums over other windows add up in another order.
  constexpr double relative = 1e-9;
  return a.size() == b.size() && !a.empty() && std::all_of(a.begin(), a.end(), [&](const auto& entry) {
           auto other = b.find(entry.first);
           return other != b.end() && entry.second.count == other->second.count &&
                  std::fabs(entry.second.total - other->second.total) <=
                      relative * std::fabs(entry.second.total);
         });
}

Course course_of(const Options& options, Script script) {
  Course out;
  out.script = script;
  out.payments = options.payments;
  out.edits = options.edits;
  out.seed = options.seed;
  out.time_limit_ns = static_cast<int64_t>(options.minutes * 60e9);
  out.shards = options.shards;
  out.tier = options.tier == "quick" ? mut::TierChoice::Quick : mut::TierChoice::Auto;
  return out;
}

int balanced(const Options& options, Script script) {
  Verdict verdict;
  Account account(script);
  if (!options.fault.empty()) setenv("MUT_FAULT", options.fault.c_str(), 1);
  CourseResult edited = run_course(course_of(options, script), &account);
  tell(edited);
  verdict.check(edited.problem.empty(), "every edit is taken " + edited.problem);
  verdict.check(edited.edits == options.edits, fmt::format("{} edits of {}", edited.edits, options.edits));
  unsetenv("MUT_FAULT");
  std::vector<double> amounts = amounts_of(edited.payments);
  verdict.check(amounts.size() == edited.payments && edited.payments >= options.payments,
                fmt::format("{} payments are read and made", edited.payments));
  Balance balance = account.close(amounts);
  for (const std::string& example : balance.examples) fmt::print("  {}\n", example);
  verdict.check(balance.even(),
                fmt::format("{} rows: lost {}, repeated {}, mixed {}, reordered {}", balance.rows,
                            balance.lost, balance.repeated, balance.mixed, balance.reordered));
  double rate = static_cast<double>(edited.payments) / edited.row_seconds;
  if (script == Script::Stateless)
    verdict.check(rate >= rate_least,
                  fmt::format("{:.0f} payments a second of the thread, {:.0f} wanted", rate, rate_least));
  if (script == Script::Tour) {
    Course control = course_of(options, script);
    control.edits = 0;
    control.payments = edited.payments;
    Account unread(script);
    CourseResult never = run_course(control, &unread);
    verdict.check(never.problem.empty(), "a control run without edits " + never.problem);
    if (options.shards > 1) {  // the order is promised for each key only
      std::sort(edited.untouched_rows.begin(), edited.untouched_rows.end());
      std::sort(never.untouched_rows.begin(), never.untouched_rows.end());
    }
    verdict.check(edited.untouched_rows == never.untouched_rows && !never.untouched_rows.empty(),
                  fmt::format("{} windows that no edit touches are those of the control run",
                              edited.untouched_rows.size()));
    verdict.check(same(edited.volume, never.untouched),
                  "windows whose length and aggregates change sum up to those of the control run");
  }
  return verdict.close();
}

// The greatest of several readings: a single one depends on what is being built at that moment.
struct Peak {
  uint64_t resident_bytes = 0;
  uint64_t used_bytes = 0;
  uint64_t code_mappings = 0;
  uint64_t code_bytes = 0;
  uint64_t dylibs = 0;

  void read(const mut::EngineStats& stats) {
    ProcessMemory now = process_memory();
    resident_bytes = std::max(resident_bytes, now.resident_bytes);
    used_bytes = std::max(used_bytes, now.used_bytes);
    code_mappings = std::max(code_mappings, now.code_mappings);
    code_bytes = std::max(code_bytes, now.code_bytes);
    dylibs = std::max<uint64_t>(dylibs, stats.live_dylibs);
  }
  std::string text() const {
    return fmt::format(
        "{:.1f} MB resident, {:.1f} MB of the heap in use, {} mappings of code with {} KB, {} dylibs",
        static_cast<double>(resident_bytes) / 1e6, static_cast<double>(used_bytes) / 1e6, code_mappings,
        code_bytes / 1024, dylibs);
  }
};

// Memory and code between the early and the last edits of one process; of `stages` also what became of every
// payment, and how many versions there were at once.
int soak(const Options& options) {
  bool stages = options.mode == "stages";
  Verdict verdict;
  // The process is warm after this many: the cache of compiled shapes is full, the heap has its size.
  int warm = std::min(1000, options.edits / 4);
  int readings = std::max(1, std::min(200, warm / 2));  // edits of a peak
  Peak early;
  Peak late;
  // A grace period is over when the workers have begun another batch and the thread that lets go has had a
  // moment: the editor rests now and then, and it is read where that many batches have gone by.
  constexpr int grace_batches = 3;
  int batches = 0;  // since the last edit
  uint64_t versions_least = UINT64_MAX;
  uint64_t versions_most = 0;
  int graces = 0;
  Course course = course_of(options, stages ? Script::Stages : Script::Tour);
  course.pace = Pace::Unlimited;
  if (stages) {
    course.settled_behind = 400'000;  // several batches of all shards
    course.rest_every = 20;
    course.rest_payments = 30'000;
    course.after_batch = [&](const mut::EngineStats& stats) {
      if (++batches > grace_batches) versions_least = std::min<uint64_t>(versions_least, stats.live_versions);
    };
  }
  course.after_edit = [&](int taken, const mut::EngineStats& stats) {
    if (taken > warm - readings && taken <= warm) early.read(stats);
    if (taken > warm && taken % readings == 1) late = {};
    if (taken > warm) late.read(stats);
    if (batches > grace_batches + 1) {
      versions_most = std::max(versions_most, versions_least);
      ++graces;
    }
    batches = 0;
    versions_least = UINT64_MAX;
    if (taken % readings != 0 || taken < warm) return;
    fmt::print("by edit {}: {}\n", taken, (taken == warm ? early : late).text());
    fflush(stdout);
  };
  Account account(course.script);
  CourseResult result = run_course(course, stages ? &account : nullptr);
  tell(result);
  verdict.check(result.problem.empty(), "every edit is taken " + result.problem);
  if (stages) {
    const Balance& balance = account.balance();
    for (const std::string& example : balance.examples) fmt::print("  {}\n", example);
    verdict.check(balance.lost == 0 && balance.repeated == 0 && balance.mixed == 0 && balance.rows > 0,
                  fmt::format("{} rows of {} payments: lost {}, repeated {}, mixed {}", balance.rows,
                              result.payments, balance.lost, balance.repeated, balance.mixed));
    verdict.check(versions_most <= 2 && graces >= result.edits / 40,
                  fmt::format("{} versions at most after each of {} grace periods", versions_most, graces));
  }
  verdict.check(result.edits >= std::min(options.edits, 2 * warm),
                fmt::format("{} edits in one process", result.edits));
  fmt::print("by edit {}: {}\nat edit {}: {}\n", warm, early.text(), result.edits, late.text());
  // A kernel that the optimiser has just made and one that waits for its cut come and go.
  constexpr uint64_t versions_slack = 2;
  verdict.check(late.dylibs <= early.dylibs + versions_slack, "as many dylibs at the end as early");
  verdict.check(late.code_mappings <= early.code_mappings + versions_slack, "as many mappings of code");
  // 5 %, at least 8 MB: what the allocator holds back differs by the moment. A dylib that stays would be
  // 42 KB an edit, a syntax tree more than that.
  double slack = stages ? 5e6 : std::max(8e6, 0.05 * static_cast<double>(early.resident_bytes));
  verdict.check(static_cast<double>(late.resident_bytes) <= static_cast<double>(early.resident_bytes) + slack,
                "as much resident memory");
  return verdict.close();
}

// Payments at half of what the script can take, with an edit each tenth of a second and without, in turns.
// The figures are printed: what a neighbour does on the machine is no fault of the engine.
int latency(const Options& options) {
  constexpr int turns = 3;
  constexpr double seconds = 10;
  Verdict verdict;
  Course fast = course_of(options, Script::Stages);
  fast.edits = 0;
  fast.payments = 200'000;
  CourseResult most = run_course(fast, nullptr);
  double rate = 0.5 * static_cast<double>(most.payments) / most.seconds;
  fmt::print("half load: {:.0f} payments a second with {} shards\n", rate, options.shards);
  std::vector<int64_t> times[2];
  for (int turn = 0; turn < 2 * turns; ++turn) {
    Course course = course_of(options, Script::Stages);
    course.seed += static_cast<uint64_t>(turn);
    course.rate = rate;
    course.payments = static_cast<uint64_t>(rate * seconds);
    course.edits = turn % 2 == 0 ? 0 : static_cast<int>(seconds * 10);
    course.latency = [&](int64_t latency_ns) { times[turn % 2].push_back(latency_ns); };
    CourseResult result = run_course(course, nullptr);
    verdict.check(result.problem.empty() && result.edits == course.edits,
                  fmt::format("a run with {} edits {}", result.edits, result.problem));
    if (course.edits > 0) tell(result);
  }
  double tail[2] = {0, 0};
  for (int edited : {0, 1}) {
    std::vector<int64_t>& all = times[edited];
    std::sort(all.begin(), all.end());
    auto at = [&](double share) {
      auto index = static_cast<size_t>(share * static_cast<double>(all.size()));
      return all.empty() ? 0.0 : static_cast<double>(all[std::min(index, all.size() - 1)]) / 1e6;
    };
    tail[edited] = at(0.999);
    fmt::print("{} edits: p50 {:.2f} ms, p99 {:.2f} ms, p99.9 {:.2f} ms (of {} rows)\n",
               edited == 0 ? "without" : "with", at(0.5), at(0.99), at(0.999), all.size());
  }
  fmt::print("p99.9 with edits is {:.2f} times that without\n", tail[1] / tail[0]);
  return verdict.close();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Edits a running script and judges the run", "swap_course");
  app.add_option("mode", options.mode)
      ->required()
      ->check(CLI::IsMember({"stateless", "tour", "soak", "stages", "latency"}));
  app.add_option("--payments", options.payments);
  app.add_option("--edits", options.edits)->check(CLI::PositiveNumber);
  app.add_option("--seed", options.seed);
  app.add_option("--minutes", options.minutes);
  app.add_option("--shards", options.shards)->check(CLI::Range(1, 64));
  app.add_option("--fault", options.fault);
  app.add_option("--tier", options.tier)->check(CLI::IsMember({"auto", "quick"}));
  CLI11_PARSE(app, argc, argv);
  if (options.mode == "soak" || options.mode == "stages") return soak(options);
  if (options.mode == "latency") return latency(options);
  return balanced(options, options.mode == "stateless" ? Script::Stateless : Script::Tour);
}

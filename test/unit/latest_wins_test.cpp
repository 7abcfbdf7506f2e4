// Edits that come while others are being built, wait or are taken (live-change-cases.md T-H3).
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>

#include "mutstream/engine.h"

namespace {

using mut::Engine;
using mut::Failure;
using mut::SwapReport;

std::string script(int factor) {
  return "type Row = { x: int, at: time }\n"
         "param shift: int = 0\nparam lift: int = 0\n"
         "source rows: Row = host() time at\n"
         "stream out = rows | select x, y = x * " +
         std::to_string(factor) + " + shift + lift\n" + "emit out to host()\n";
}

// An engine with a host source; remembers which factor made each row.
class Running {
 public:
  explicit Running(const char* fault = "") {
    setenv("MUT_FAULT", fault, 1);
    auto loaded = Engine::load(script(1), "rows.mut", {});
    unsetenv("MUT_FAULT");
    EXPECT_TRUE(loaded.ok());
    engine_ = std::move(loaded).value();
    EXPECT_TRUE(engine_->bind_host_source("rows").ok());
    EXPECT_TRUE(engine_
                    ->bind_host_sink("out",
                                     [this](const mut::RowView& row) {
                                       int64_t x = std::get<int64_t>(row.field(0));
                                       ys.push_back(std::get<int64_t>(row.field(1)) - (x - 1));
                                     })
                    .ok());
    EXPECT_TRUE(engine_->start().ok());
  }
  Engine& engine() { return *engine_; }

  // One row with x = 1, so that y is the factor.
  void row() {
    EXPECT_TRUE(engine_->push_row("rows", {int64_t{1}, ++pushed_}).ok());
    turn();
  }
  void turn() {
    for (int i = 0; i < 4; ++i) engine_->run();
    while (auto report = engine_->swap_done()) done.push_back(std::move(*report));
  }

  std::vector<int64_t> ys;
  std::vector<SwapReport> done;

 private:
  std::unique_ptr<Engine> engine_;
  int64_t pushed_ = 0;
};

TEST(LatestWins, AnEditThatIsStillBuiltGivesWayToANewerOne) {
  Running running("build:delay@1");
  running.row();
  auto begin = std::chrono::steady_clock::now();
  std::atomic<bool> second_over{false};
  std::optional<Failure> second;
  std::thread slow([&] {
    auto report = running.engine().swap({script(2), "rows.mut", {}, {}});
    if (!report.ok()) second = report.failure();
    second_over = true;
  });
  while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(100)) running.row();
  std::thread quick([&] { EXPECT_TRUE(running.engine().swap({script(3), "rows.mut", {}, {}}).ok()); });
  quick.join();
  while (!second_over) running.row();
  slow.join();
  running.row();
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->kind, Failure::Kind::Superseded);
  EXPECT_EQ(second->text, "v2 is superseded by v3");
  // T-H3: the history says so too.
  std::vector<mut::VersionRecord> known = running.engine().history();
  ASSERT_EQ(known.size(), 3U);
  EXPECT_EQ(known[1].outcome, mut::VersionRecord::Outcome::Superseded);
  EXPECT_EQ(known[1].reason, "v2 is superseded by v3");
  EXPECT_EQ(known[2].outcome, mut::VersionRecord::Outcome::Running);
  ASSERT_EQ(running.done.size(), 1U);
  EXPECT_EQ(running.done[0].version, 3U);
  EXPECT_EQ(std::count(running.ys.begin(), running.ys.end(), 2), 0);
  EXPECT_EQ(running.ys.front(), 1);
  EXPECT_EQ(running.ys.back(), 3);
}

TEST(LatestWins, AnEditThatWaitsGivesWayAndItsReportSaysSo) {
  Running running;
  ASSERT_TRUE(running.engine().swap({script(2), "rows.mut", {}, {}}).ok());
  ASSERT_TRUE(running.engine().swap({script(3), "rows.mut", {}, {}}).ok());
  running.row();
  ASSERT_EQ(running.done.size(), 2U);
  EXPECT_EQ(running.done[0].version, 2U);
  EXPECT_EQ(running.done[0].superseded_by, 3U);
  EXPECT_EQ(running.done[1].version, 3U);
  EXPECT_EQ(running.done[1].superseded_by, 0U);
  EXPECT_EQ(running.ys, (std::vector<int64_t>{3}));
}

TEST(LatestWins, GoingBackToWhatRunsTakesTheWaitingEditAway) {
  Running running;
  ASSERT_TRUE(running.engine().swap({script(2), "rows.mut", {}, {}}).ok());
  auto back = running.engine().swap({script(1), "rows.mut", {}, {}});
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.failure().kind, Failure::Kind::NoChange);
  running.row();
  ASSERT_EQ(running.done.size(), 1U);
  EXPECT_EQ(running.done[0].superseded_by, 3U);
  EXPECT_EQ(running.ys, (std::vector<int64_t>{1}));
}

TEST(LatestWins, AnEditIsComparedWithTheOneThatIsScheduledBeforeIt) {
  Running running;
  ASSERT_TRUE(running.engine().swap({script(2), "rows.mut", {{"rows", 2}}, {}}).ok());
  running.row();  // v2 is scheduled, its cut lies ahead
  ASSERT_TRUE(running.engine().swap({script(3), "rows.mut", {{"rows", 4}}, {}}).ok());
  ASSERT_TRUE(running.engine().swap({script(4), "rows.mut", {{"rows", 5}}, {}}).ok());
  for (int i = 0; i < 5; ++i) running.row();
  EXPECT_EQ(running.done.size(), 3U);
  EXPECT_EQ(running.ys, (std::vector<int64_t>{1, 1, 2, 2, 3, 4}));
}

TEST(LatestWins, EveryParamThatIsSetTakesEffect) {
  Running running;
  ASSERT_TRUE(running.engine().set_param("shift", "10", {}).ok());
  ASSERT_TRUE(running.engine().set_param("lift", "100", {}).ok());
  ASSERT_TRUE(running.engine().swap({script(2), "rows.mut", {}, {}}).ok());
  running.row();
  EXPECT_EQ(running.done.size(), 3U);
  EXPECT_EQ(running.ys, (std::vector<int64_t>{112}));
}

TEST(LatestWins, NoEditIsLostWhenFourThreadsOffer) {
  Running running;
  constexpr int threads = 4;
  constexpr int edits = 40;
  std::atomic<int> offered{0};
  std::atomic<int> prepared{0};
  std::atomic<int> superseded{0};
  std::vector<std::thread> editors;
  for (int t = 0; t < threads; ++t) {
    editors.emplace_back([&, t] {
      for (int i = 0; i < edits; ++i) {
        // Every factor once, so that no offer is the version that runs.
        auto report = running.engine().swap({script(2 + t * edits + i), "rows.mut", {}, {}});
        if (report.ok()) {
          ++prepared;
        } else {
          EXPECT_EQ(report.failure().kind, Failure::Kind::Superseded) << report.failure().text;
          ++superseded;
        }
        ++offered;
      }
    });
  }
  while (offered < threads * edits) running.row();
  for (std::thread& editor : editors) editor.join();
  running.row();
  EXPECT_EQ(prepared + superseded, threads * edits);
  EXPECT_EQ(running.done.size(), static_cast<size_t>(prepared));
  // The one that was offered last runs at the end, and versions never go back.
  uint64_t last = 0;
  for (const SwapReport& report : running.done) {
    if (report.superseded_by != 0) continue;
    EXPECT_GT(report.version, last);
    last = report.version;
  }
  EXPECT_EQ(last, running.engine().stats().version);
  EXPECT_EQ(last, static_cast<uint64_t>(threads * edits + 1));
}

TEST(LatestWins, AnEditThatGaveWayTouchesNoFile) {
  std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "mut-latest-wins";
  std::filesystem::create_directories(folder);
  auto into = [&](const char* name) {
    return "type Row = { x: int, at: time }\nsource rows: Row = generate(count: 100, seed: 1) { x = n } time "
           "at\n"
           "emit rows to file(\"" +
           (folder / name).string() + "\") as out\n";
  };
  auto lines_of = [&](const char* name) {
    std::ifstream in(folder / name);
    return std::count(std::istreambuf_iterator<char>(in), {}, '\n');
  };
  for (const char* name : {"first.jsonl", "gone.jsonl", "last.jsonl"})
    std::ofstream(folder / name) << "old\n";
  auto loaded = Engine::load(into("first.jsonl"), "rows.mut", {});
  ASSERT_TRUE(loaded.ok());
  Engine& engine = *loaded.value();
  ASSERT_TRUE(engine.start().ok());
  EXPECT_TRUE(engine.swap({into("gone.jsonl"), "rows.mut", {}, {}}).ok());
  EXPECT_TRUE(engine.swap({into("last.jsonl"), "rows.mut", {}, {}}).ok());
  EXPECT_TRUE(engine.run_to_end().ok());
  EXPECT_TRUE(engine.close().ok());
  EXPECT_EQ(lines_of("gone.jsonl"), 1);
  EXPECT_EQ(lines_of("first.jsonl") + lines_of("last.jsonl"), 100);
  std::filesystem::remove_all(folder);
}

}  // namespace

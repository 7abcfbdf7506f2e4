// State that an edit drops comes back by undo (live-change-cases.md T-B5 and kin). Rows were worked out by
// hand.
#include <chrono>

#include "test/unit/embed_fixture.h"

namespace {

using namespace mut;              // NOLINT: the header is what is tested
using namespace mut::embed_test;  // NOLINT

using Lines = std::vector<std::string>;

std::string script(const std::string& stages) {
  return "type Row = { u: string, x: int, at: time }\nsource rows: Row = host() time at, lateness 0s\n"
         "stream out = rows | " +
         stages + "\nemit out to host()\n";
}

class Running {
 public:
  explicit Running(const std::string& stages, const EngineOptions& options = {})
      : engine_(load(script(stages), options)) {
    EXPECT_DONE(engine_->bind_host_source("rows"));
    out.bind(*engine_, "out");
    EXPECT_DONE(engine_->start());
  }
  Engine& engine() { return *engine_; }
  void row(const std::string& u, int64_t x, int64_t second) {
    EXPECT_DONE(engine_->push_row("rows", {u, x, second * 1'000'000'000}));
    turn();
  }
  void turn() {
    for (int i = 0; i < 4; ++i) engine_->run();
  }
  void swap(const std::string& stages, const std::vector<Consent>& accept = {}) {
    EXPECT_DONE(engine_->swap({script(stages), "script.mut", {}, accept}));
    turn();
  }
  SwapReport undo(const std::vector<Consent>& accept = {}) {
    auto report = engine_->undo({accept});
    turn();
    if (report) return report.value();
    ADD_FAILURE() << report.failure().text;
    return {};
  }
  Rows out;

 private:
  std::unique_ptr<Engine> engine_;
};

std::string verdict_of(const SwapReport& report, const std::string& cell) {
  for (const CellVerdict& known : report.cells) {
    if (known.cell == cell) return known.verdict;
  }
  return "no such cell";
}

const std::string both = "@g aggregate n = count(), t = sum(x) by u ttl none";
const std::string count_only = "@g aggregate n = count() by u ttl none";

TEST(Parked, ADroppedColumnComesBackWithItsGap) {  // T-B5
  Running running(both);
  running.row("a", 5, 0);
  running.swap(count_only, {{"drop", "out/g/t"}});
  running.row("a", 7, 1);
  EXPECT_GT(running.engine().stats().parked_bytes, 0U);
  SwapReport report = running.undo({{"restore-gap", "out/g/t"}});
  EXPECT_EQ(verdict_of(report, "out/g/t/sum"), "restore-gap");
  running.row("a", 1, 2);
  EXPECT_EQ(running.out.rows, (Lines{"u=a n=1 t=5", "u=a n=2", "u=a n=3 t=6"}));
  EXPECT_EQ(running.engine().stats().parked_bytes, 0U);
}

TEST(Parked, ADroppedColumnBeginsEmptyWithoutConsent) {  // T-B5
  Running running(both);
  running.row("a", 5, 0);
  running.swap(count_only, {{"drop", "out/g/t"}});
  running.row("a", 7, 1);
  SwapReport report = running.undo();
  EXPECT_EQ(verdict_of(report, "out/g/t/sum"), "new");
  EXPECT_NE(report.plan.find("--accept restore-gap:out/g/t/sum gives back what v2 dropped"),
            std::string::npos)
      << report.plan;
  running.row("a", 1, 2);
  EXPECT_EQ(running.out.rows, (Lines{"u=a n=1 t=5", "u=a n=2", "u=a n=3 t=1"}));
}

TEST(Parked, ThePlanSaysHowLongWhatItDropsIsKept) {
  Running running(both);
  running.row("a", 5, 0);
  Failure asks = failure_of(running.engine().swap({script(count_only), "script.mut", {}, {}}));
  EXPECT_EQ(asks.kind, Failure::Kind::NeedsDecision);
  auto report = running.engine().swap({script(count_only), "script.mut", {}, {{"drop", "out/g/t"}}});
  ASSERT_TRUE(report.ok());
  EXPECT_NE(report.value().plan.find("kept for undo until v19"), std::string::npos) << report.value().plan;
}

TEST(Parked, AnEditByHandGetsItBackToo) {
  Running running(both);
  running.row("a", 5, 0);
  running.swap(count_only, {{"drop", "out/g/t"}});
  running.row("b", 7, 1);
  running.swap(both, {{"restore-gap", "out/"}});
  running.row("a", 1, 2);
  running.row("b", 1, 3);  // had no sum then
  EXPECT_EQ(running.out.rows, (Lines{"u=a n=1 t=5", "u=b n=1", "u=a n=2 t=6", "u=b n=2 t=1"}));
}

TEST(Parked, AResetColumnComesBackByUndo) {  // T-B6 and back
  Running running("@g aggregate t = sum(x) by u ttl none");
  running.row("a", 5, 0);
  running.row("a", 7, 1);
  running.swap("@g aggregate t = max(x) by u ttl none", {{"reset", "out/g/t"}});
  running.row("a", 3, 2);
  Failure asks = failure_of(running.engine().undo());
  EXPECT_EQ(asks.kind, Failure::Kind::NeedsDecision);
  EXPECT_NE(asks.text.find("restore-gap:out/g/t"), std::string::npos) << asks.text;
  running.undo({{"restore-gap", "out/g/t"}});
  running.row("a", 1, 3);
  EXPECT_EQ(running.out.rows, (Lines{"u=a t=5", "u=a t=12", "u=a t=3", "u=a t=13"}));
}

TEST(Parked, DistinctValuesComeBack) {
  Running running("@g aggregate n = count(), d = distinct(x) by u ttl none");
  for (int64_t x : {1, 2, 2, 3}) running.row("a", x, x);
  running.row("b", 9, 5);
  running.swap(count_only, {{"drop", "out/g/d"}});
  running.row("a", 7, 6);
  running.undo({{"restore-gap", "out/g/d"}});
  running.row("a", 3, 7);
  running.row("b", 8, 8);
  EXPECT_EQ(running.out.rows[6], "u=a n=6 d=3");  // 1, 2, 3; the 7 came in the gap
  EXPECT_EQ(running.out.rows[7], "u=b n=2 d=2");
}

TEST(Parked, AColumnOfAnOpenWindowComesBack) {
  const std::string windows =
      "@w aggregate n = count(), t = sum(x) by u window tumbling 10s | select u, n, t";
  Running running(windows);
  running.row("a", 5, 1);
  running.row("b", 2, 2);
  running.swap("@w aggregate n = count() by u window tumbling 10s | select u, n", {{"drop", "out/w/t"}});
  running.row("a", 7, 3);
  running.undo({{"restore-gap", "out/w/t"}});
  running.row("a", 1, 4);
  running.row("a", 0, 10);  // closes [0, 10): the 7 is missing
  EXPECT_EQ(running.out.rows, (Lines{"u=a n=3 t=6", "u=b n=1 t=2"}));
}

TEST(Parked, AWholeWindowStageComesBackAndWhatEndedMeanwhileIsGivenAtTheCut) {
  Running running("@w aggregate n = count(), t = sum(x) by u window tumbling 10s | select u, n, t");
  running.row("a", 5, 1);
  running.swap("select u, n = 0, t = x", {{"drop", "out/w/"}});
  running.row("a", 7, 3);
  SwapReport report = running.undo({{"restore-gap", "out/w/"}});
  EXPECT_EQ(verdict_of(report, "out/w/n/count"), "restore-gap");
  running.row("a", 1, 4);
  running.row("a", 0, 10);
  EXPECT_EQ(running.out.rows, (Lines{"u=a n=0 t=7", "u=a n=2 t=6"}));
  // The window [10, 20) is parked with one event, and the next event lies behind its end.
  running.swap("select u, n = 0, t = x", {{"drop", "out/w/"}});
  running.row("a", 8, 25);
  running.undo({{"restore-gap", "out/w/"}});
  EXPECT_EQ(running.out.rows, (Lines{"u=a n=0 t=7", "u=a n=2 t=6", "u=a n=0 t=8", "u=a n=1 t=0"}));
  running.row("a", 1, 26);
  running.row("a", 1, 30);
  EXPECT_EQ(running.out.rows.back(), "u=a n=1 t=1");
}

TEST(Parked, ASessionComesBackAlsoWhereTwoHaveBecomeOne) {
  const std::string sessions =
      "@w aggregate n = count(), t = sum(x) by u window session 10s | select u, n, t";
  Running running("@w aggregate n = count(), t = sum(x) by u window session 10s | select u, n, t");
  running.row("a", 5, 0);
  running.row("a", 6, 4);
  running.row("b", 1, 5);
  running.swap("@w aggregate n = count() by u window session 10s | select u, n", {{"drop", "out/w/t"}});
  running.row("a", 7, 8);
  running.undo({{"restore-gap", "out/w/t"}});
  running.row("a", 1, 12);
  running.row("c", 0, 40);
  EXPECT_EQ(running.out.rows, (Lines{"u=b n=1 t=1", "u=a n=4 t=12"}));
}

TEST(Parked, AWholeSessionStageComesBack) {
  Running running("@w aggregate n = count(), t = sum(x) by u window session 10s | select u, n, t");
  running.row("a", 5, 0);
  running.swap("select u, n = 0, t = x", {{"drop", "out/w/"}});
  running.row("a", 7, 3);
  running.undo({{"restore-gap", "out/w/"}});
  running.row("a", 1, 6);
  running.row("c", 0, 40);
  EXPECT_EQ(running.out.rows, (Lines{"u=a n=0 t=7", "u=a n=2 t=6"}));
}

TEST(Parked, AHistoryComesBackWithoutTheSamplesOfTheGap) {
  const std::string stages =
      "@p with n = count() over last 100s by u, t = sum(x) over last 100s by u | select u, n, t";
  Running running(stages);
  running.row("a", 5, 0);
  running.row("a", 6, 1);
  running.swap("@p with n = count() over last 100s by u | select u, n", {{"drop", "out/p/t"}});
  running.row("a", 7, 2);
  running.undo({{"restore-gap", "out/p/t"}});
  running.row("a", 1, 3);
  running.row("a", 1, 101);  // 0 and 1 have left
  EXPECT_EQ(running.out.rows,
            (Lines{"u=a n=1 t=5", "u=a n=2 t=11", "u=a n=3", "u=a n=4 t=12", "u=a n=3 t=2"}));
}

TEST(Parked, AWholeHistoryStageComesBack) {
  Running running("@p with t = sum(x) over last 3 events by u | select u, t");
  running.row("a", 5, 0);
  running.row("a", 6, 1);
  running.swap("select u, t = x", {{"drop", "out/p/"}});
  running.row("a", 7, 2);
  running.undo({{"restore-gap", "out/p/"}});
  running.row("a", 1, 3);
  running.row("a", 1, 4);
  EXPECT_EQ(running.out.rows, (Lines{"u=a t=5", "u=a t=11", "u=a t=7", "u=a t=12", "u=a t=8"}));
}

TEST(Parked, TimesOfDedupeComeBackWhole) {
  Running running("@d dedupe by u within 1h | select u, x");
  running.row("a", 1, 0);
  running.swap("select u, x", {{"drop", "out/d/"}});
  running.row("b", 2, 1);
  running.undo({{"restore-gap", "out/d/"}});
  running.row("a", 3, 2);  // seen at 0
  running.row("b", 4, 3);  // came in the gap
  EXPECT_EQ(running.out.rows, (Lines{"u=a x=1", "u=b x=2", "u=b x=4"}));
}

TEST(Parked, VariablesOfAProcessComeBackWhole) {
  const std::string counts =
      "@c process by u ttl none {\n state c: int = 0\n on event {\n c = c + 1\n emit { u: u, c: c }\n }\n }";
  Running running(counts);
  running.row("a", 1, 0);
  running.row("a", 1, 1);
  running.swap("select u, c = 0", {{"drop", "out/c/"}});
  running.row("a", 1, 2);
  running.undo({{"restore-gap", "out/c/"}});
  running.row("a", 1, 3);
  EXPECT_EQ(running.out.rows, (Lines{"u=a c=1", "u=a c=2", "u=a c=0", "u=a c=3"}));
}

// Renames are taken back: what they say of one version the undo reads the other way round.
TEST(Undo, TakesRenamesBackWithTheirState) {
  const std::string first = "@a aggregate n = count(), t = sum(x) by u ttl none";
  Running running(first);
  running.row("a", 5, 0);
  running.swap("@b was a aggregate total was t = sum(x), many was n = count() by u ttl none");
  running.row("a", 6, 1);
  SwapReport report = running.undo();
  EXPECT_EQ(verdict_of(report, "out/a/t/sum"), "keep") << report.plan;
  running.row("a", 1, 2);
  EXPECT_DONE(running.engine().redo());
  running.turn();
  running.row("a", 1, 3);
  EXPECT_EQ(running.out.rows,
            (Lines{"u=a n=1 t=5", "u=a total=11 many=2", "u=a n=3 t=12", "u=a total=13 many=4"}));
}

TEST(Parked, UndoBehindADropThatStillWaitsFindsIt) {
  Running running(both);
  running.row("a", 5, 0);
  EXPECT_DONE(running.engine().swap({script(count_only), "script.mut", {}, {{"drop", "out/g/t"}}}));
  EXPECT_DONE(running.engine().undo({{{"restore-gap", "out/g/t"}}}));
  running.row("a", 1, 1);
  EXPECT_EQ(running.out.rows, (Lines{"u=a n=1 t=5", "u=a n=2 t=6"}));
}

TEST(Parked, UndoAndRedoToAndFroKeepTheState) {
  Running running(both);
  running.row("a", 1, 0);
  running.swap(count_only, {{"drop", "out/g/t"}});
  for (int i = 0; i < 20; ++i) {
    running.undo({{"restore-gap", "out/g/t"}});
    running.row("a", 1, 1 + i);
    EXPECT_DONE(running.engine().redo({{{"drop", "out/g/t"}}}));
    running.turn();
  }
  running.undo({{"restore-gap", "out/g/t"}});
  running.row("a", 1, 30);
  EXPECT_EQ(running.out.rows.back(), "u=a n=22 t=22");
}

TEST(Parked, IsLetGoSixteenVersionsLater) {
  Running running(both);
  running.row("a", 5, 0);
  running.swap(count_only, {{"drop", "out/g/t"}});  // v2
  for (int i = 3; i <= 17; ++i) running.swap(count_only + " | with y = " + std::to_string(i), {});
  EXPECT_GT(running.engine().stats().parked_bytes, 0U);
  running.swap(count_only, {});  // v18
  EXPECT_EQ(running.engine().stats().parked_bytes, 0U);
  auto back = running.engine().swap({script(both), "script.mut", {}, {{"restore-gap", "out/g/t"}}});
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(verdict_of(back.value(), "out/g/t/sum"), "new");
  EXPECT_NE(back.value().plan.find("fits no cell"), std::string::npos);
}

TEST(Parked, DoesNotGrowOverAThousandEdits) {
  Running running(both);
  // What a version leaves is let go of on another thread: it may be there for a while.
  size_t early = 0;
  size_t late = std::numeric_limits<size_t>::max();
  for (int i = 0; i < 500; ++i) {
    for (int k = 0; k < 20; ++k)
      running.engine().push_row("rows", {"k" + std::to_string(k), int64_t{1}, int64_t{i}}).ok();
    running.turn();
    running.swap(count_only, {{"drop", "out/"}});
    running.swap(both, {});
    size_t bytes = running.engine().stats().state_bytes;
    if (i <= 50) early = std::max(early, bytes);
    if (i >= 450) late = std::min(late, bytes);
  }
  EXPECT_EQ(running.engine().stats().version, 1001U);
  EXPECT_LE(late, early);
  EXPECT_LE(running.engine().stats().parked_bytes, running.engine().stats().state_bytes);
}

TEST(Parked, GivesWayWhenTheMemoryIsShortAndNoEventFails) {
  EngineOptions options;
  options.memory_bytes = 6 * 1024 * 1024;
  Running running(both, options);
  auto push = [&](int from, int count) {
    std::string lines;
    for (int i = from; i < from + count; ++i)
      EXPECT_DONE(running.engine().push_row("rows", {"key " + std::to_string(i), int64_t{1}, int64_t{0}}));
    run_until_idle(running.engine());
  };
  push(0, 20000);
  size_t alone = running.engine().stats().state_bytes;
  ASSERT_LT(alone, options.memory_bytes);
  ASSERT_GT(alone * 2, options.memory_bytes / 2);
  running.swap(count_only, {{"drop", "out/g/t"}});
  push(20000, 60000);
  EngineStats stats = running.engine().stats();
  EXPECT_EQ(stats.event_errors, 0U);
  EXPECT_EQ(stats.parked_bytes, 0U) << stats.state_bytes << " of " << options.memory_bytes;
}

VersionRecord record_of(Running& running, uint64_t version) {
  for (const VersionRecord& known : running.engine().history()) {
    if (known.version == version) return known;
  }
  return {};
}

TEST(Guard, TakesAnEditBackThatMakesEventsFail) {
  Running running(both);
  for (int i = 0; i < 50; ++i) running.row("a", 1, i);
  SwapRequest edit{script("@g aggregate n = count() by u ttl none | with y = 100 / (n % 10)"),
                   "script.mut",
                   {},
                   {{"drop", "out/g/t"}}};
  edit.guard = Guard{0.05, 1000};
  EXPECT_DONE(running.engine().swap(edit));
  size_t rows = 0;
  auto begin = std::chrono::steady_clock::now();
  while (running.engine().stats().version < 3 &&
         std::chrono::steady_clock::now() - begin < std::chrono::seconds(20))
    running.row("a", 1, static_cast<int64_t>(50 + rows++));
  ASSERT_EQ(running.engine().stats().version, 3U)
      << record_of(running, 2).reason << record_of(running, 3).reason;
  EXPECT_GE(rows, 100U);
  VersionRecord gone = record_of(running, 2);
  EXPECT_EQ(gone.outcome, VersionRecord::Outcome::RolledBack);
  EXPECT_NE(gone.reason.find("errors in 1"), std::string::npos) << gone.reason;
  VersionRecord back = record_of(running, 3);
  EXPECT_EQ(back.restores, 1U);
  EXPECT_EQ(back.outcome, VersionRecord::Outcome::Running);
  // The sum that it had dropped is there again, without the events of the gap.
  running.row("a", 1, 100 + static_cast<int64_t>(rows));
  ASSERT_EQ(back.cut.size(), 1U);
  uint64_t since = 50 + rows + 1 - back.cut[0].records;
  EXPECT_EQ(running.out.rows.back(),
            "u=a n=" + std::to_string(51 + rows) + " t=" + std::to_string(50 + since));
  EXPECT_EQ(failure_of(running.engine().redo()).kind, Failure::Kind::Usage);
}

TEST(Guard, LeavesAnEditThatKeepsWithinIt) {
  Running running(both);
  SwapRequest edit{script("@g aggregate n = count(), t = sum(x) by u ttl none | with y = 100 / (n % 50)"),
                   "script.mut",
                   {},
                   {}};
  edit.guard = Guard{0.05, 300};  // every fiftieth fails
  EXPECT_DONE(running.engine().swap(edit));
  for (int i = 0; i < 400; ++i) running.row("a", 1, i);
  EXPECT_EQ(running.engine().stats().version, 2U);
  EXPECT_GT(running.engine().stats().event_errors, 5U);
  EXPECT_EQ(record_of(running, 2).outcome, VersionRecord::Outcome::Running);
}

TEST(Guard, LooksNoFurtherThanItsProbation) {
  Running running(both);
  SwapRequest edit{
      script(
          "@g aggregate n = count(), t = sum(x) by u ttl none | with y = if n > 200 then 1 / (n - n) else 1"),
      "script.mut",
      {},
      {}};
  edit.guard = Guard{0.05, 150};
  EXPECT_DONE(running.engine().swap(edit));
  for (int i = 0; i < 400; ++i) running.row("a", 1, i);
  EXPECT_EQ(running.engine().stats().version, 2U);
}

TEST(Guard, SaysWhenAnotherEditCameFirst) {
  Running running(both);
  SwapRequest edit{script("@g aggregate n = count(), t = sum(x) by u ttl none | with y = 100 / (n - n)"),
                   "script.mut",
                   {},
                   {}};
  edit.guard = Guard{0.05, 1000};
  EXPECT_DONE(running.engine().swap(edit));
  running.turn();
  for (int i = 0; i < 50; ++i) running.row("a", 1, i);
  running.swap(both);  // v3: by hand, before there were 100 records
  for (int i = 0; i < 400; ++i) running.row("a", 1, 50 + i);
  EXPECT_EQ(running.engine().stats().version, 3U);
  EXPECT_EQ(record_of(running, 2).outcome, VersionRecord::Outcome::Retired);
}

}  // namespace

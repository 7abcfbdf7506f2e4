// An edit for some of the keys, by the public header. Of the keys that are used `ann` is inside of 25% and
// `eve` is not, as test/canary/run computes by itself.
#include <gtest/gtest.h>

#include <algorithm>

#include "mutstream/engine.h"
#include "mutstream/tooling.h"
#include "test/unit/embed_fixture.h"

namespace mut {
namespace {

using embed_test::failure_of;
using embed_test::load;
using embed_test::Rows;

constexpr const char* script =
    "type R = { user: string, n: int }\n"
    "source r: R = stdin()\n"
    "param least: int = 0\n"
    "stream sums = r | where n >= least | @s aggregate total = sum(n) by user ttl none\n"
    "emit sums to stdout()\n";

std::string edited() {
  std::string out = script;
  const std::string from = "total = sum(n)";
  return out.replace(out.find(from), from.size(), "total = sum(n * 10), c = count()");
}

std::vector<Consent> carry() { return {{"carry", "sums/s/total/sum"}}; }

EngineOptions staying() {
  EngineOptions options;
  options.world = EngineOptions::World::Closed;
  options.at_end = EngineOptions::AtEnd::Stay;
  return options;
}

class Canaries : public testing::Test {
 protected:
  void SetUp() override {
    engine_ = load(script, staying());
    rows_.bind(*engine_, "sums");
    EXPECT_DONE(engine_->start());
  }

  void push(const std::string& user, int n) {
    EXPECT_DONE(engine_->push_text("r", R"({"user":")" + user + R"(","n":)" + std::to_string(n) + "}\n"));
    run();
  }

  void run() {
    for (int idle = 0; idle < 4;) idle += engine_->run() == RunState::More ? 0 : 1;
  }

  void begin(std::vector<SourceCut> at = {}) {
    std::string problem;
    auto part = CanaryPart::parse("25% by user", problem);
    ASSERT_TRUE(part) << problem;
    CanaryRequest request{edited(), "v2.mut", *part, std::move(at), carry()};
    EXPECT_DONE(engine_->canary(request));
  }

  CanaryReport report() {
    auto out = engine_->canary_report();
    EXPECT_TRUE(out.ok());
    return out ? out.value() : CanaryReport{};
  }

  std::vector<std::string> taken() { return std::exchange(rows_.rows, {}); }

  std::unique_ptr<Engine> engine_;
  Rows rows_;
};

using Lines = std::vector<std::string>;

TEST_F(Canaries, CompletedWithStateOfBoth) {
  push("ann", 1);
  push("eve", 1);
  EXPECT_EQ(taken(), (Lines{"user=ann total=1", "user=eve total=1"}));
  begin();
  push("ann", 2);
  push("eve", 2);
  EXPECT_EQ(taken(), (Lines{"user=ann total=21 c=1", "user=eve total=3"}));
  EXPECT_EQ(report().life, CanaryReport::Life::Runs);
  EXPECT_EQ(report().records, 2);
  EXPECT_EQ(report().records_inside, 1);
  EXPECT_EQ(report().rows, 1);
  EXPECT_EQ(report().live_rows, 1);
  EXPECT_EQ(report().entries, 1);
  EXPECT_EQ(engine_->state("sums", "ann").value(), R"({"sums/s":{"total/sum":21,"c/count":1}})");
  EXPECT_EQ(engine_->state("sums", "eve").value(), R"({"sums/s":{"total/sum":3}})");
  std::string told;
  EXPECT_DONE(
      engine_->complete_canary({{}, [&](const SwapReport& of) { told = std::to_string(of.version); }}));
  run();
  EXPECT_EQ(told, "2");
  push("ann", 3);
  push("eve", 3);
  EXPECT_EQ(taken(), (Lines{"user=ann total=51 c=2", "user=eve total=33 c=1"}));
  EXPECT_EQ(report().life, CanaryReport::Life::Completed);
  EXPECT_EQ(engine_->stats().version, 2);
  EXPECT_EQ(engine_->history().back().outcome, VersionRecord::Outcome::Running);
  EXPECT_DONE(engine_->undo({{carry()[0], {"drop", "sums/s/c/count"}}, {}}));
  run();
  push("ann", 4);
  EXPECT_EQ(taken(), (Lines{"user=ann total=55"}));
}

TEST_F(Canaries, EndedWithStateOfBoth) {
  push("ann", 1);
  push("eve", 1);
  begin();
  push("ann", 2);
  push("eve", 2);
  taken();
  bool told = false;
  EXPECT_DONE(engine_->end_canary({{}, [&](const SwapReport& of) { told = of.refused.empty(); }}));
  run();
  EXPECT_TRUE(told);
  push("ann", 3);
  push("eve", 3);
  EXPECT_EQ(taken(), (Lines{"user=ann total=24", "user=eve total=6"}));
  EXPECT_EQ(report().life, CanaryReport::Life::Ended);
  EXPECT_EQ(engine_->stats().version, 1);
  EXPECT_EQ(engine_->history().back().outcome, VersionRecord::Outcome::RolledBack);
  // Another one, and an edit behind it.
  begin();
  push("ann", 1);
  EXPECT_EQ(taken(), (Lines{"user=ann total=34 c=1"}));
  EXPECT_DONE(engine_->end_canary());
  run();
  EXPECT_DONE(engine_->swap({edited(), "v2.mut", {}, carry()}));
  run();
  push("eve", 1);
  EXPECT_EQ(taken(), (Lines{"user=eve total=16 c=1"}));
}

TEST_F(Canaries, NothingElseMeanwhile) {
  begin({{"r", 1}});
  EXPECT_EQ(report().life, CanaryReport::Life::Waits);
  push("ann", 1);
  EXPECT_EQ(report().life, CanaryReport::Life::Runs);
  auto held = [](const Failure& failure) {
    return failure.kind == Failure::Kind::Usage &&
           failure.text.find("complete it or end it first") != std::string::npos;
  };
  EXPECT_TRUE(held(failure_of(engine_->swap({edited(), "v2.mut", {}, carry()}))));
  EXPECT_TRUE(held(failure_of(engine_->set_param("least", "5", {}))));
  EXPECT_TRUE(held(failure_of(engine_->undo())));
  EXPECT_TRUE(held(failure_of(engine_->redo())));
  EXPECT_TRUE(held(failure_of(engine_->tap({"sums", "", 10, 1000, {}}))));
  EXPECT_TRUE(held(failure_of(engine_->shadow({edited(), "v2.mut", {}, {}}))));
  // Behind a close with a cut, at a later one.
  EXPECT_DONE(engine_->complete_canary({{{"r", 3}}, {}}));
  EXPECT_DONE(engine_->set_param("least", "5", {{"r", 4}}));
  taken();
  push("ann", 1);
  push("eve", 1);
  push("eve", 1);
  push("eve", 1);
  push("eve", 6);
  EXPECT_EQ(taken(), (Lines{"user=ann total=11 c=1", "user=eve total=1", "user=eve total=11 c=1",
                            "user=eve total=71 c=2"}));
}

TEST_F(Canaries, NoOtherWhileOneIsOpen) {
  std::string problem;
  auto part = CanaryPart::parse("25% by user", problem);
  auto refused = [&](const std::string& why) {
    for (const std::vector<SourceCut>& at : {std::vector<SourceCut>{}, std::vector<SourceCut>{{"r", 9}}}) {
      Failure failure = failure_of(engine_->canary({script, "v3.mut", *part, at, {}}));
      EXPECT_EQ(failure.kind, Failure::Kind::Usage);
      EXPECT_NE(failure.text.find(why), std::string::npos) << failure.text;
    }
  };
  begin({{"r", 1}});
  refused("complete it or end it first");
  push("ann", 1);
  EXPECT_EQ(report().life, CanaryReport::Life::Runs);
  refused("complete it or end it first");
  EXPECT_DONE(engine_->complete_canary({{{"r", 3}}, {}}));
  refused("another canary can begin when canary v2, of 25% by user, has come to the record");
  push("ann", 1);
  EXPECT_EQ(report().life, CanaryReport::Life::Runs);
  push("eve", 1);
  run();
  EXPECT_EQ(report().life, CanaryReport::Life::Completed);
  EXPECT_EQ(report().version, 2);
  ASSERT_EQ(engine_->history().size(), 2);
  EXPECT_EQ(engine_->history()[1].outcome, VersionRecord::Outcome::Running);
  // Then one can begin.
  EXPECT_DONE(engine_->canary({edited(), "v3.mut", *part, {}, carry()}));
  run();
  EXPECT_EQ(report().life, CanaryReport::Life::Runs);
  EXPECT_EQ(report().version, 3);
}

TEST_F(Canaries, FiguresAreOfBoth) {
  push("ann", 1);
  push("eve", 1);
  push("bob", 1);
  begin();
  run();
  EngineFigures figures = engine_->inspect();
  ASSERT_EQ(figures.stores.size(), 1);
  EXPECT_EQ(figures.stores[0].entries, 3);  // of ann and bob, and of eve
  EXPECT_EQ(report().entries, 2);
  auto why = engine_->why("sums");
  ASSERT_TRUE(why.ok());
  EXPECT_NE(why.value().find("state sums/s: groups, 3 entries"), std::string::npos) << why.value();
}

// An event that makes much due, for keys of both: their rows come as they are made, and those of the version
// before come first.
TEST_F(Canaries, GivesRowsWhileTimersFire) {
  std::string timers =
      "type R = { user: string, at: time }\n"
      "source r: R = stdin() time at\n"
      "stream t = r | @p process by user ttl none {\n"
      "  state n: int = 0\n"
      "  on event {\n"
      "    if n == 0 { timer flush at event_time() }\n"
      "  }\n"
      "  on timer flush {\n"
      "    n = n + 1\n"
      "    timer flush at event_time() + 1ms\n"
      "    emit { user: user, n: n }\n"
      "  }\n"
      "}\n"
      "emit t to stdout()\n";
  engine_ = load(timers, staying());
  rows_.bind(*engine_, "t");
  EXPECT_DONE(engine_->start());
  std::string other = timers;
  other.replace(other.find("n: n }"), 6, "n: -n }");
  std::string problem;
  EXPECT_DONE(engine_->canary({other, "v2.mut", *CanaryPart::parse("25% by user", problem), {}, {}}));
  run();
  ASSERT_EQ(report().life, CanaryReport::Life::Runs);
  EXPECT_DONE(engine_->push_text(
      "r",
      "{\"user\":\"eve\",\"at\":1000}\n{\"user\":\"ann\",\"at\":1000}\n{\"user\":\"eve\",\"at\":21000}\n"));
  size_t most = 0;
  for (int idle = 0; idle < 4;) {
    size_t before = rows_.rows.size();
    idle += engine_->run() == RunState::More ? 0 : 1;
    most = std::max(most, rows_.rows.size() - before);
  }
  // Due each millisecond from the first event of the key to the last event of all.
  constexpr size_t each = 20'001;
  ASSERT_EQ(rows_.rows.size(), 2 * each);
  EXPECT_EQ(rows_.rows[0], "user=eve n=1");
  EXPECT_EQ(rows_.rows[each - 1], "user=eve n=20001");
  EXPECT_EQ(rows_.rows[each], "user=ann n=-1");
  EXPECT_EQ(rows_.rows[2 * each - 1], "user=ann n=-20001");
  EXPECT_LE(most, each / 2);
  EXPECT_EQ(report().rows, each);
  EXPECT_EQ(report().live_rows, each);
}

TEST_F(Canaries, HasRoomForItsClose) {
  EngineOptions options = staying();
  options.memory_bytes = 1 << 20;
  engine_ = load(script, options);
  rows_.bind(*engine_, "sums");
  EXPECT_DONE(engine_->start());
  int users = 0;
  while (engine_->stats().state_bytes <= options.memory_bytes / 2) push("user" + std::to_string(users++), 1);
  begin();
  run();
  EXPECT_EQ(report().life, CanaryReport::Life::Ended);
  EXPECT_NE(report().ended.find("it could not begin: state has "), std::string::npos) << report().ended;
  EXPECT_NE(report().ended.find("--memory"), std::string::npos) << report().ended;
  auto done = engine_->swap_done();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->refused.rfind("state has ", 0), 0) << done->refused;
  EXPECT_EQ(engine_->history().back().outcome, VersionRecord::Outcome::Refused);
  EXPECT_DONE(engine_->set_param("least", "5", {}));
}

// With one mebibyte for state; new users come until there is little room, or none. Figures are of both
// versions.
class SmallCanaries : public Canaries {
 protected:
  static constexpr size_t memory_bytes = 1 << 20;

  void SetUp() override {
    EngineOptions options = staying();
    options.memory_bytes = memory_bytes;
    engine_ = load(script, options);
    rows_.bind(*engine_, "sums");
    EXPECT_DONE(engine_->start());
  }

  void push_users(int count) {
    std::string rows;
    for (int i = 0; i < count; ++i) rows += R"({"user":"user)" + std::to_string(users_++) + "\",\"n\":1}\n";
    EXPECT_DONE(engine_->push_text("r", rows));
    run();
  }

  int users_ = 0;
};

TEST_F(SmallCanaries, CloseWhereStateHasGrown) {
  push_users(100);
  begin();
  run();
  while (engine_->stats().state_bytes - report().state_bytes <= memory_bytes / 2) push_users(100);
  ASSERT_LE(engine_->stats().state_bytes, memory_bytes);
  std::string refused = "not told";
  EXPECT_DONE(engine_->complete_canary({{}, [&](const SwapReport& of) { refused = of.refused; }}));
  run();
  EXPECT_EQ(refused, "");
  EXPECT_EQ(report().life, CanaryReport::Life::Completed);
  EXPECT_EQ(engine_->inspect().stores[0].entries, users_);
}

TEST_F(SmallCanaries, RunOnWhereOneVersionHasNoRoomForAll) {
  push_users(100);
  begin();
  run();
  constexpr size_t too_many = memory_bytes + memory_bytes / 8;
  for (int i = 0; i < 100 && engine_->stats().state_bytes <= too_many; ++i) push_users(500);
  ASSERT_GT(engine_->stats().state_bytes, too_many);
  std::string refused;
  auto told = [&](const SwapReport& of) { refused = of.refused; };
  for (bool completes : {true, false}) {
    EXPECT_DONE(completes ? engine_->complete_canary({{}, told}) : engine_->end_canary({{}, told}));
    run();
    EXPECT_EQ(refused.rfind("state of both versions has ", 0), 0) << refused;
    EXPECT_EQ(report().life, CanaryReport::Life::Runs);
    EXPECT_EQ(engine_->history().back().outcome, VersionRecord::Outcome::Waiting);
    refused.clear();
  }
  taken();
  push("user0", 1);
  EXPECT_EQ(taken().size(), 1);
}

TEST_F(Canaries, SaysWhatBeginsEmptyWhenItEnds) {
  std::string problem;
  auto part = CanaryPart::parse("25% by user", problem);
  CanaryRequest request{script, "v2.mut", *part, {}, {{"drop", "sums/s/total/sum"}}};
  request.text.replace(request.text.find("total = sum(n)"), 14, "c = count()");
  push("ann", 1);
  auto begun = engine_->canary(request);
  ASSERT_TRUE(begun.ok()) << begun.failure().text;
  EXPECT_NE(begun.value().plan.find("if it is ended, `sums/s/total/sum` of its keys begins empty"),
            std::string::npos)
      << begun.value().plan;
  push("ann", 2);
  EXPECT_DONE(engine_->end_canary());
  run();
  push("ann", 4);
  push("eve", 8);
  EXPECT_EQ(taken(), (Lines{"user=ann total=1", "user=ann c=1", "user=ann total=4", "user=eve total=8"}));
}

TEST_F(Canaries, OneThatWaitsIsLetGoOf) {
  begin({{"r", 100}});
  push("ann", 1);
  EXPECT_EQ(report().life, CanaryReport::Life::Waits);
  bool told = false;
  EXPECT_DONE(engine_->end_canary({{}, [&](const SwapReport&) { told = true; }}));
  EXPECT_TRUE(told);
  EXPECT_EQ(report().life, CanaryReport::Life::Ended);
  EXPECT_EQ(engine_->history().back().outcome, VersionRecord::Outcome::Aborted);
  EXPECT_EQ(failure_of(engine_->complete_canary()).kind, Failure::Kind::Usage);
  EXPECT_DONE(engine_->set_param("least", "5", {}));
  run();
  push("ann", 1);
  EXPECT_EQ(taken(), (Lines{"user=ann total=1"}));
}

TEST_F(Canaries, OneThatWaitsIsLetGoOfWithItsClose) {
  std::string told;
  auto refused = [&](const SwapReport& of) { told = of.refused; };
  begin({{"r", 100}});
  EXPECT_DONE(engine_->complete_canary({{{"r", 200}}, refused}));
  run();
  EXPECT_DONE(engine_->end_canary());
  EXPECT_EQ(told, "the canary was ended before it began");
  EXPECT_EQ(report().life, CanaryReport::Life::Ended);
  EXPECT_EQ(engine_->history().back().outcome, VersionRecord::Outcome::Aborted);
  EXPECT_DONE(engine_->set_param("least", "5", {}));
  run();
  // Not where an edit follows its close.
  begin({{"r", 100}});
  EXPECT_DONE(engine_->complete_canary({{{"r", 200}}, {}}));
  EXPECT_DONE(engine_->set_param("least", "6", {{"r", 300}}));
  EXPECT_EQ(failure_of(engine_->end_canary()).kind, Failure::Kind::Usage);
  EXPECT_EQ(report().life, CanaryReport::Life::Waits);
}

TEST_F(Canaries, PartsAreTexts) {
  std::string problem;
  EXPECT_EQ(CanaryPart::parse("5% by card", problem)->share, 500);
  EXPECT_EQ(CanaryPart::parse("0.25% by card", problem)->share, 25);
  EXPECT_EQ(CanaryPart::parse("99.9% by card", problem)->share, 9990);
  EXPECT_EQ(CanaryPart::parse("99.9% by card", problem)->text(), "99.9% by card");
  EXPECT_EQ(CanaryPart::parse("0.05% by card", problem)->text(), "0.05% by card");
  for (const char* wrong : {"", "5%", "5 by card", "0% by card", "100% by card", "1.234% by card",
                            ".5% by card", "-1% by card", "5% by ", "5% by a b"})
    EXPECT_FALSE(CanaryPart::parse(wrong, problem)) << wrong;
}

}  // namespace
}  // namespace mut

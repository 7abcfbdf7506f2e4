// Taps, plans and figures of an engine that runs. Rows are pushed by hand; what must come is worked out from
// them.
#include <gtest/gtest.h>

#include "mutstream/engine.h"

namespace mut {
namespace {

constexpr const char* script =
    "type R = { user: string, n: int, at: time }\n"
    "source r: R = stdin() time at\n"
    "stream big = r | where n > 10\n"
    "stream sums = big | @s aggregate total = sum(n), c = count() by user ttl none\n"
    "emit sums to stdout()\n";

std::string with(std::string_view from, std::string_view to) {
  std::string out = script;
  size_t at = out.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return out.replace(at, from.size(), to);
}

class Taps : public testing::Test {
 protected:
  void SetUp() override {
    EngineOptions options;
    options.world = EngineOptions::World::Closed;
    options.at_end = EngineOptions::AtEnd::Stay;
    auto loaded = Engine::load(script, "t.mut", options);
    ASSERT_TRUE(loaded.ok()) << loaded.failure().text;
    engine_ = std::move(loaded).value();
    auto started = engine_->start();
    ASSERT_TRUE(started.ok()) << started.failure().text;
  }

  void push(const std::string& user, int n) {
    auto pushed = engine_->push_text("r", R"({"user":")" + user + R"(","n":)" + std::to_string(n) +
                                              R"(,"at":"2026-01-01T00:00:00Z"})" + "\n");
    ASSERT_TRUE(pushed.ok()) << pushed.failure().text;
    run();
  }

  void run() {
    for (int idle = 0; idle < 4;) idle += engine_->run() == RunState::More ? 0 : 1;
  }

  std::shared_ptr<Tap> tap(TapRequest request) {
    auto made = engine_->tap(std::move(request));
    EXPECT_TRUE(made.ok()) << made.failure().text;
    run();
    return made ? made.value() : nullptr;
  }

  // "1:{…} 2:{…}": rows with the version that made each.
  static std::string rows(const TapRows& taken) {
    std::string out;
    for (const TapRow& row : taken.rows)
      out += (out.empty() ? "" : " ") + std::to_string(row.version) + ":" + row.json;
    return out;
  }

  std::unique_ptr<Engine> engine_;
};

TEST_F(Taps, GiveRowsThatFitFromTheNextBoundaryOn) {
  push("a", 20);
  auto seen = tap({.stream = "big", .where = "n > 30"});
  push("a", 25);
  push("b", 40);
  EXPECT_EQ(rows(seen->take()), R"(1:{"user":"b","n":40,"at":"2026-01-01T00:00:00Z"})");
  EXPECT_EQ(engine_->stats().swaps, 0U);  // no edit of the user
  EXPECT_EQ(engine_->stats().version, 1U);
  EXPECT_EQ(engine_->stats().rows_out, 3U);  // those of the sink alone
  EXPECT_TRUE(engine_->untap(seen).ok());
  push("c", 50);
  TapRows last = seen->take();
  EXPECT_EQ(rows(last), "");
  EXPECT_EQ(last.life, TapRows::Life::Ended);
  EXPECT_EQ(engine_->inspect().taps, 0U);
}

TEST_F(Taps, GoOnOverAnEditOfTheirStreamAndKeepItsState) {
  auto big = tap({.stream = "big"});
  auto sums = tap({.stream = "sums", .where = "total > 0"});
  push("a", 20);
  auto edit = engine_->swap({with("n > 10", "n > 30"), "t.mut", {}, {}});
  ASSERT_TRUE(edit.ok()) << edit.failure().text;
  EXPECT_EQ(edit.value().plan.find("tap"), std::string::npos) << edit.value().plan;
  run();
  push("a", 25);
  push("a", 40);
  EXPECT_EQ(
      rows(big->take()),
      R"(1:{"user":"a","n":20,"at":"2026-01-01T00:00:00Z"} 2:{"user":"a","n":40,"at":"2026-01-01T00:00:00Z"})");
  EXPECT_EQ(rows(sums->take()), R"(1:{"user":"a","total":20,"c":1} 2:{"user":"a","total":60,"c":2})");
}

TEST_F(Taps, EndWithAReasonWhereTheStreamOrTheFieldGoes) {
  auto of_stream = tap({.stream = "big"});
  auto of_field = tap({.stream = "sums", .where = "c > 0"});
  std::string text = with("stream big = r | where n > 10\n", "");
  text.replace(text.find("sums = big"), 10, "sums = r");
  text.replace(text.find(", c = count()"), 13, "");
  auto edit = engine_->swap({text, "t.mut", {}, {{"drop", "sums/"}}});
  ASSERT_TRUE(edit.ok()) << edit.failure().text;
  run();
  TapRows stream = of_stream->take();
  TapRows field = of_field->take();
  EXPECT_EQ(stream.life, TapRows::Life::Ended);
  EXPECT_EQ(edit.value().plan.find("tap"), std::string::npos) << edit.value().plan;
  EXPECT_NE(stream.reason.find("`big`"), std::string::npos) << stream.reason;
  EXPECT_EQ(field.life, TapRows::Life::Ended);
  EXPECT_NE(field.reason.find("`c`"), std::string::npos) << field.reason;
  push("a", 5);
  EXPECT_EQ(engine_->stats().rows_out, 1U);
}

TEST_F(Taps, LoseRowsOfTheirOwnWhenNobodyTakesThem) {
  auto slow = tap({.stream = "big", .queue_bytes = 200});
  for (int i = 0; i < 100; ++i) push("a", 100);
  TapRows taken = slow->take();
  EXPECT_LT(taken.rows.size(), 10U);
  EXPECT_EQ(taken.rows.size() + taken.lost, 100U);
  EXPECT_EQ(engine_->stats().rows_out, 100U);
}

TEST_F(Taps, EndByThemselvesAtTheirLimit) {
  auto two = tap({.stream = "big", .limit = 2});
  for (int i = 0; i < 5; ++i) push("a", 20 + i);
  TapRows taken = two->take();
  EXPECT_EQ(taken.rows.size(), 2U);
  EXPECT_EQ(taken.reason, "limit reached");
}

TEST_F(Taps, TakeOneStreamAndOneConditionOnly) {
  for (const char* stream : {"", "nothing", "big, r", "big | limit 1", "big\nemit big to stdout()", "1"})
    EXPECT_FALSE(engine_->tap({.stream = stream}).ok()) << stream;
  for (const char* where :
       {"m > 1", "n", "n > 1 | limit 1", "true\nstream x = big", "n >", "\"", "n / 0 > 1 and x"})
    EXPECT_FALSE(engine_->tap({.stream = "big", .where = where}).ok()) << where;
  EXPECT_EQ(engine_->inspect().taps, 0U);
  push("a", 20);
  EXPECT_EQ(engine_->stats().rows_out, 1U);
}

TEST_F(Taps, ShowNoSecret) {
  std::string text = with("n: int", "n: int, key: secret<string>");
  text.replace(text.find("sums = big"), 10,
               "plain = big | select user\nemit plain to file(\"no\") as other\nstream sums = big");
  EngineOptions options;
  options.world = EngineOptions::World::Closed;
  auto engine = Engine::load(text, "t.mut", options);
  ASSERT_TRUE(engine.ok()) << engine.failure().text;
  ASSERT_TRUE(engine.value()->start().ok());
  EXPECT_FALSE(engine.value()->tap({.stream = "big"}).ok());
  EXPECT_TRUE(engine.value()->tap({.stream = "plain"}).ok());
}

TEST_F(Taps, ErrorsOfTheirConditionAreNoneOfTheProgram) {
  auto failing = tap({.stream = "big", .where = "100 % (n - 20) >= 0"});
  push("a", 20);
  push("a", 21);
  EXPECT_EQ(failing->take().rows.size(), 1U);
  EXPECT_EQ(engine_->stats().event_errors, 0U);
}

TEST_F(Taps, SurviveAnUndo) {
  auto seen = tap({.stream = "big"});
  ASSERT_TRUE(engine_->swap({with("n > 10", "n > 30"), "t.mut", {}, {}}).ok());
  run();
  ASSERT_TRUE(engine_->undo().ok());
  run();
  push("a", 20);
  EXPECT_EQ(rows(seen->take()), R"(3:{"user":"a","n":20,"at":"2026-01-01T00:00:00Z"})");
}

TEST_F(Taps, APlanChangesNothingAndUsesNoNumber) {
  push("a", 20);
  auto plan = engine_->plan({with("sum(n)", "sum(n * 2)"), "t.mut", {}, {}});
  ASSERT_TRUE(plan.ok()) << plan.failure().text;
  EXPECT_EQ(plan.value().judged, PlanReport::Judged::NeedsDecision);
  EXPECT_EQ(engine_->plan({script, "t.mut", {}, {}}).value().judged, PlanReport::Judged::NoChange);
  EXPECT_FALSE(engine_->plan({"stream", "t.mut", {}, {}}).ok());
  auto edit = engine_->swap({with("n > 10", "n > 30"), "t.mut", {}, {}});
  ASSERT_TRUE(edit.ok());
  EXPECT_EQ(edit.value().version, 2U);
}

TEST_F(Taps, AnEquivalentEditIsTheTextOfTheNext) {
  std::string longer = std::string("// why\n") + script + "stream unread = r | limit 3\n";
  auto same = engine_->swap({longer, "t.mut", {}, {}});
  EXPECT_EQ(same.failure().kind, Failure::Kind::NoChange);
  run();
  EXPECT_EQ(engine_->script().text, longer);
  EXPECT_EQ(engine_->stats().swaps, 0U);
  auto seen = tap({.stream = "unread"});  // nothing reads it but the tap
  push("a", 1);
  EXPECT_EQ(seen->take().rows.size(), 1U);
}

TEST_F(Taps, WhatWasOnlyNotedGoesAndComesWithItsVersion) {
  std::string noted = std::string(script) + "stream more = r\n";
  EXPECT_EQ(engine_->swap({noted, "t.mut", {}, {}}).failure().kind, Failure::Kind::NoChange);
  run();
  std::string edited = noted;
  edited.replace(edited.find("n > 10"), 6, "n > 30");
  ASSERT_TRUE(engine_->swap({edited, "t.mut", {}, {}}).ok());
  run();
  ASSERT_TRUE(engine_->undo().ok());
  run();
  EXPECT_EQ(engine_->script().text, noted);
  ASSERT_TRUE(engine_->redo().ok());
  run();
  EXPECT_EQ(engine_->script().text, edited);
}

TEST_F(Taps, FiguresTellWhereRowsAre) {
  push("a", 20);
  push("a", 5);
  push("b", 30);
  EngineFigures figures = engine_->inspect();
  ASSERT_EQ(figures.sources.size(), 1U);
  EXPECT_EQ(figures.sources[0].records, 3U);
  EXPECT_EQ(figures.sources[0].newest_ns, 1'767'225'600'000'000'000);
  ASSERT_EQ(figures.stores.size(), 1U);
  EXPECT_EQ(figures.stores[0].entries, 2U);
  EXPECT_EQ(figures.sinks.at(0).rows, 2U);
  EXPECT_EQ(figures.dropped.at(0).second, 1U);
  EXPECT_EQ(engine_->state("sums", "a").value(), R"({"sums/s":{"total/sum":20,"c/count":1}})");
  EXPECT_EQ(engine_->state("sums", "z").value(), R"({"sums/s":null})");
  EXPECT_FALSE(engine_->state("sums", "a,b").ok());
  EXPECT_FALSE(engine_->state("big", "a").ok());
  EXPECT_NE(engine_->why("sums").value().find("sink sums: 2 rows"), std::string::npos);
  EXPECT_FALSE(engine_->why("none").ok());
}

}  // namespace
}  // namespace mut

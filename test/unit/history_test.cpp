// The record of versions, undo and redo, over the public header.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <thread>

#include "mutstream/tooling.h"
#include "test/unit/embed_fixture.h"

namespace {

using namespace mut;              // NOLINT: the header is what is tested
using namespace mut::embed_test;  // NOLINT
using Is = VersionRecord::Outcome;

std::string script(const std::string& y, const std::string& param = "0") {
  return "type Row = { x: int, at: time }\nparam shift: int = " + param +
         "\nsource rows: Row = host() time at\n"
         "stream out = rows | with n = count() over all | select n, y = " +
         y + " + shift\nemit out to host()\n";
}

class Running {
 public:
  explicit Running(const std::string& text) : engine_(load(text)) {
    EXPECT_DONE(engine_->bind_host_source("rows"));
    out.bind(*engine_, "out");
    EXPECT_DONE(engine_->start());
  }
  Engine& engine() { return *engine_; }
  void row(int64_t x) {
    EXPECT_DONE(engine_->push_row("rows", {x, ++pushed_}));
    turn();
  }
  void turn() {
    for (int i = 0; i < 4; ++i) engine_->run();
  }
  Outcome<SwapReport> swap(const std::string& text) {
    auto report = engine_->swap({text, "script.mut", {}, {}});
    turn();
    return report;
  }
  void undo() {
    EXPECT_DONE(engine_->undo());
    turn();
  }
  void redo() {
    EXPECT_DONE(engine_->redo());
    turn();
  }
  VersionRecord record(uint64_t version) {
    for (const VersionRecord& known : engine_->history()) {
      if (known.version == version) return known;
    }
    ADD_FAILURE() << "no record of v" << version;
    return {};
  }
  Rows out;

 private:
  std::unique_ptr<Engine> engine_;
  int64_t pushed_ = 0;
};

// live-change-cases.md T-H10.
TEST(Undo, BringsTheVersionBeforeBackAndKeepsTheCount) {
  Running running(script("x"));
  running.row(10);
  running.row(20);
  EXPECT_DONE(running.swap(script("0 - x")));
  running.row(30);
  running.row(40);
  running.undo();
  running.row(50);
  EXPECT_EQ(running.out.rows,
            (std::vector<std::string>{"n=1 y=10", "n=2 y=20", "n=3 y=-30", "n=4 y=-40", "n=5 y=50"}));
  EXPECT_EQ(running.record(3).restores, 1U);
  EXPECT_EQ(running.record(3).text, script("x"));
  EXPECT_EQ(running.record(3).outcome, Is::Running);
  EXPECT_EQ(running.record(2).outcome, Is::Retired);
  ASSERT_EQ(running.record(3).cut.size(), 1U);
  EXPECT_EQ(running.record(3).cut[0].records, 4U);
}

// An edit for a record that may never come is no trap: it is let go of, and so is what was offered behind it.
TEST(Undo, LetsGoOfWhatWaitsForARecord) {
  Running running(script("x"));
  running.row(1);
  auto far = running.engine().swap({script("x * 2"), "script.mut", {{"rows", 1'000'000}}, {}});
  EXPECT_DONE(far);
  running.turn();
  EXPECT_DONE(running.swap(script("x * 3")));  // v3, behind it
  running.row(2);
  Failure third = failure_of(running.engine().undo());
  EXPECT_EQ(third.kind, Failure::Kind::NoChange);
  EXPECT_EQ(third.text, "v3 had not reached its cut and is taken back; v2 waits on\n");
  running.row(3);
  Failure second = failure_of(running.engine().undo());
  EXPECT_EQ(second.text, "v2 had not reached its cut and is taken back; v1 runs on\n");
  running.row(4);
  EXPECT_EQ(failure_of(running.engine().undo()).kind, Failure::Kind::Usage);  // nothing is before v1
  EXPECT_DONE(running.swap(script("x * 5")));
  running.row(5);
  running.undo();
  running.row(6);
  EXPECT_EQ(running.out.rows,
            (std::vector<std::string>{"n=1 y=1", "n=2 y=2", "n=3 y=3", "n=4 y=4", "n=5 y=25", "n=6 y=6"}));
  EXPECT_EQ(running.record(2).outcome, Is::Superseded);
  EXPECT_EQ(running.record(3).outcome, Is::Superseded);
  EXPECT_EQ(running.record(5).outcome, Is::Equivalent);
  EXPECT_EQ(running.record(5).restores, 1U);
}

TEST(Undo, OfAnUndoGoesFurtherBackAndRedoComesBack) {
  Running running(script("x"));
  EXPECT_DONE(running.swap(script("x * 2")));
  EXPECT_DONE(running.swap(script("x * 3")));
  running.row(1);  // 3
  running.undo();  // v4 is v2
  running.row(1);
  running.undo();  // v5 is v1
  running.row(1);
  Failure none = failure_of(running.engine().undo());
  EXPECT_EQ(none.kind, Failure::Kind::Usage);
  running.redo();  // v6 is v2: no number was used by what could not be undone
  running.row(1);
  running.redo();  // v7 is v3
  running.row(1);
  EXPECT_EQ(failure_of(running.engine().redo()).kind, Failure::Kind::Usage);
  running.undo();  // v8 is v2
  running.row(1);
  EXPECT_DONE(running.swap(script("x * 4")));
  EXPECT_EQ(failure_of(running.engine().redo()).kind, Failure::Kind::Usage);
  running.undo();  // what ran before the edit: v2's script
  running.row(1);
  EXPECT_EQ(running.out.rows, (std::vector<std::string>{"n=1 y=3", "n=2 y=2", "n=3 y=1", "n=4 y=2", "n=5 y=3",
                                                        "n=6 y=2", "n=7 y=2"}));
  EXPECT_EQ(running.record(10).version, 10U);
}

TEST(Undo, OfAParamGivesItsOldValueBack) {
  Running running(script("x"));
  EXPECT_DONE(running.engine().set_param("shift", "10", {}));
  EXPECT_DONE(running.swap(script("x * 2")));
  running.row(1);
  EXPECT_DONE(running.swap(script("x * 2", "100")));  // another declared value takes effect
  running.row(1);
  running.undo();  // with the value that it had, not with the declared one
  running.row(1);
  running.undo();
  running.undo();
  running.row(1);
  EXPECT_EQ(running.out.rows, (std::vector<std::string>{"n=1 y=12", "n=2 y=102", "n=3 y=12", "n=4 y=1"}));
  using Params = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(running.record(1).params, (Params{{"shift", "0"}}));
  EXPECT_EQ(running.record(2).params, (Params{{"shift", "10"}}));
  EXPECT_EQ(running.record(3).params, (Params{{"shift", "10"}}));
  EXPECT_EQ(running.record(4).params, (Params{{"shift", "100"}}));
  EXPECT_EQ(running.record(5).params, (Params{{"shift", "10"}}));
  EXPECT_NE(running.record(2).plan.find("param `shift`: 0 → 10"), std::string::npos);
}

TEST(Undo, TextsOfParamsAreKeptOverEdits) {
  auto engine = load(
      "type Row = { x: int, at: time }\nparam word: string = \"declared, and too long to lie beside\"\n"
      "source rows: Row = host() time at\nstream out = rows | select y = x, word\nemit out to host()\n");
  EXPECT_DONE(engine->bind_host_source("rows"));
  Rows out;
  out.bind(*engine, "out");
  EXPECT_DONE(engine->start());
  auto turn = [&] {
    for (int i = 0; i < 4; ++i) engine->run();
  };
  EXPECT_DONE(engine->set_param("word", "\"given by the host, and long as well\"", {}));
  turn();
  for (int i = 2; i < 30; ++i) {
    EXPECT_DONE(engine->swap(
        {"type Row = { x: int, at: time }\nparam word: string = \"declared, and too long to lie beside\"\n"
         "source rows: Row = host() time at\nstream out = rows | select y = x * " +
             std::to_string(i) + ", word\nemit out to host()\n",
         "script.mut",
         {},
         {}}));
    turn();
  }
  for (int i = 0; i < 5; ++i) {
    EXPECT_DONE(engine->undo());
    turn();
  }
  EXPECT_DONE(engine->push_row("rows", {int64_t{1}, int64_t{1}}));
  turn();
  EXPECT_EQ(out.rows, (std::vector<std::string>{"y=24 word=given by the host, and long as well"}));
  EXPECT_EQ(engine->history().back().params[0].second, "\"given by the host, and long as well\"");
}

TEST(Undo, RightAfterAnEditThatStillWaitsTakesThatBack) {
  Running running(script("x"));
  EXPECT_DONE(running.engine().swap({script("x * 2"), "script.mut", {}, {}}));
  EXPECT_DONE(running.engine().undo());
  running.turn();
  running.row(1);
  EXPECT_EQ(running.out.rows, (std::vector<std::string>{"n=1 y=1"}));
  EXPECT_EQ(running.record(3).restores, 1U);
}

TEST(Undo, OfARenamedSourceAndSinkKeepsThem) {
  auto named = [](const std::string& source, const std::string& field) {
    return "type Row = { " + field + ": int, at: time }\nsource " + source + ": Row = host() time at\n" +
           "stream out = " + source.substr(0, source.find(' ')) + " | with n = count() over all, t = sum(" +
           field.substr(0, field.find(' ')) + ") over all | select n, t\nemit out to host()\n";
  };
  auto engine = load(named("rows", "x"));
  EXPECT_DONE(engine->bind_host_source("rows"));
  Rows out;
  out.bind(*engine, "out");
  EXPECT_DONE(engine->start());
  auto row = [&](const std::string& source, int64_t x) {
    EXPECT_DONE(engine->push_row(source, {x, x}));
    for (int i = 0; i < 4; ++i) engine->run();
  };
  row("rows", 1);
  EXPECT_DONE(engine->swap({named("lines was rows", "x"), "script.mut", {}, {}}));
  for (int i = 0; i < 4; ++i) engine->run();
  row("lines", 2);
  auto back = engine->undo();
  ASSERT_TRUE(back.ok()) << back.failure().text;
  for (int i = 0; i < 4; ++i) engine->run();
  row("rows", 3);
  EXPECT_EQ(out.rows, (std::vector<std::string>{"n=1 t=1", "n=2 t=3", "n=3 t=6"}));
}

// Numbers are given when an edit comes, and an edit that was faster to build may run first.
TEST(Undo, FindsAVersionThatRanBehindOneOfAHigherNumber) {
  setenv("MUT_FAULT", "build:delay@1", 1);
  Running running(script("x"));
  unsetenv("MUT_FAULT");
  std::thread slow(
      [&] { EXPECT_DONE(running.engine().swap({script("x * 2"), "script.mut", {{"rows", 3}}, {}})); });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // v2 is built for a second
  EXPECT_DONE(running.engine().swap({script("x * 3"), "script.mut", {{"rows", 2}}, {}}));
  slow.join();
  for (int i = 0; i < 4; ++i) running.row(1);
  EXPECT_EQ(running.engine().stats().version, 2U);
  running.undo();
  running.row(1);
  running.undo();
  running.row(1);
  EXPECT_EQ(running.out.rows,
            (std::vector<std::string>{"n=1 y=1", "n=2 y=1", "n=3 y=3", "n=4 y=2", "n=5 y=3", "n=6 y=1"}));
}

TEST(Undo, GoesBackSixteenStepsAndSaysWhenNoMoreIsKept) {
  Running running(script("x"));
  for (int i = 2; i <= 30; ++i) EXPECT_DONE(running.swap(script("x * " + std::to_string(i))));
  for (int i = 0; i < 16; ++i) running.undo();
  running.row(1);
  EXPECT_EQ(running.out.rows, (std::vector<std::string>{"n=1 y=14"}));
  EXPECT_EQ(failure_of(running.engine().undo()).kind, Failure::Kind::Usage);
  for (int i = 0; i < 16; ++i) running.redo();
  running.row(1);
  EXPECT_EQ(running.out.rows.back(), "n=2 y=30");
}

TEST(VersionRecord, HoldsEveryEditWithWhatBecameOfIt) {
  Running running(script("x"));
  EXPECT_DONE(running.swap(script("x * 2")));
  failure_of(running.swap("stream = \n"));
  failure_of(running.swap("// the same\n" + script("x * 2")));
  failure_of(running.engine().set_param("nothing", "1", {}));
  EXPECT_DONE(running.engine().swap({script("x * 3"), "script.mut", {{"rows", 1000}}, {}}));
  EXPECT_EQ(running.record(6).outcome, Is::Waiting);
  EXPECT_DONE(running.engine().close());
  std::vector<Is> outcomes;
  uint64_t number = 0;
  for (const VersionRecord& known : running.engine().history()) {
    EXPECT_EQ(known.version, ++number);
    outcomes.push_back(known.outcome);
    EXPECT_GT(known.time_ns, 0);
    EXPECT_EQ(known.hash.size(), 64U);
  }
  EXPECT_EQ(outcomes,
            (std::vector<Is>{Is::Retired, Is::Running, Is::Failed, Is::Equivalent, Is::Failed, Is::Aborted}));
  EXPECT_NE(running.record(3).reason.find("MUT1"), std::string::npos);
  EXPECT_EQ(running.record(4).reason, "no semantic change");
  EXPECT_EQ(running.record(5).reason, "no param is called `nothing`");
  EXPECT_EQ(running.record(2).cells.size(), 1U);
  EXPECT_EQ(running.record(2).cells[0].verdict, "same");
}

TEST(VersionRecord, NamesItsParentByHash) {
  Running running(script("x"));
  EXPECT_DONE(running.swap(script("x * 2")));
  failure_of(running.swap("nonsense"));
  EXPECT_DONE(running.swap(script("x * 3")));
  EXPECT_EQ(running.record(1).parent, 0U);
  EXPECT_EQ(running.record(1).parent_hash, "");
  EXPECT_EQ(running.record(2).parent_hash, running.record(1).hash);
  EXPECT_EQ(running.record(3).parent_hash, running.record(2).hash);
  EXPECT_EQ(running.record(4).parent, 2U);
  EXPECT_EQ(running.record(4).parent_hash, running.record(2).hash);
  std::set<std::string> hashes;
  for (const VersionRecord& known : running.engine().history()) hashes.insert(known.hash);
  EXPECT_EQ(hashes.size(), 4U);
}

TEST(VersionRecord, IsKeptOfTheNewestThousand) {
  Running running(script("x"));
  for (int i = 0; i < 1100; ++i) failure_of(running.engine().set_param("nothing", "1", {}));
  std::vector<VersionRecord> known = running.engine().history();
  ASSERT_EQ(known.size(), 1000U);
  EXPECT_EQ(known.front().version, 1U);  // it runs
  EXPECT_EQ(known[1].version, 103U);
  EXPECT_EQ(known.back().version, 1101U);
}

// Old ones are packed; nobody is to see it.
TEST(VersionRecord, SaysTheSameBehindManyOthers) {
  Running running(script("x"));
  failure_of(running.swap("stream \xff = \n"));
  EXPECT_DONE(running.swap(script("x * 2", "7")));
  std::vector<VersionRecord> young = running.engine().history();
  for (int i = 0; i < 40; ++i) failure_of(running.swap("nonsense " + std::to_string(i)));
  std::vector<VersionRecord> old = running.engine().history();
  ASSERT_EQ(old.size(), 43U);
  for (size_t i = 0; i < young.size(); ++i) {
    EXPECT_EQ(version_json(old[i]), version_json(young[i]));
    EXPECT_EQ(old[i].text, young[i].text);
    EXPECT_EQ(old[i].reason, young[i].reason);
    EXPECT_EQ(old[i].params, young[i].params);
    EXPECT_EQ(old[i].cells.size(), young[i].cells.size());
    EXPECT_EQ(old[i].outcome, young[i].outcome);
  }
  EXPECT_EQ(old[2].cells.size(), 1U);
}

TEST(VersionRecord, IsTakenBehindManyOthersThatAreNot) {
  Running running(script("x"));
  EXPECT_DONE(running.engine().swap({script("x * 2"), "script.mut", {{"rows", 3}}, {}}));
  for (int i = 0; i < 40; ++i) failure_of(running.swap("nonsense"));
  EXPECT_EQ(running.record(2).outcome, Is::Waiting);
  for (int i = 0; i < 4; ++i) running.row(10);
  EXPECT_EQ(running.out.rows.back(), "n=4 y=20");
  EXPECT_EQ(running.record(1).outcome, Is::Retired);
  EXPECT_EQ(running.record(2).outcome, Is::Running);
  ASSERT_EQ(running.record(2).cut.size(), 1U);
  EXPECT_EQ(running.record(2).cut[0].records, 3U);
  running.undo();
  EXPECT_EQ(running.record(2).outcome, Is::Retired);
}

// Edits, params, undos and redos from four threads at once: every number has one record, which says what
// became of it, and the file says the same.
TEST(VersionRecord, NoneIsLostWhenFourThreadsOffer) {
  std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "mut-history.jsonl";
  std::filesystem::remove(path);
  EngineOptions options;
  options.history_path = path.string();
  auto engine = load(script("x"), options);
  EXPECT_DONE(engine->bind_host_source("rows"));
  Rows out;
  out.bind(*engine, "out");
  EXPECT_DONE(engine->start());
  constexpr int threads = 4;
  constexpr int offers = 25;
  std::atomic<int> over{0};
  std::vector<std::thread> editors;
  for (int t = 0; t < threads; ++t) {
    editors.emplace_back([&, t] {
      for (int i = 0; i < offers; ++i) {
        int number = t * offers + i;
        switch (number % 5) {
          case 0:
            (void)engine->undo();
            break;
          case 1:
            (void)engine->redo();
            break;
          case 2:
            (void)engine->set_param("shift", std::to_string(number), {});
            break;
          default:
            (void)engine->swap({script("x * " + std::to_string(number % 7 + 1)), "script.mut", {}, {}});
        }
      }
      ++over;
    });
  }
  int64_t pushed = 0;
  while (over < threads) {
    EXPECT_DONE(engine->push_row("rows", {int64_t{1}, ++pushed}));
    engine->run();
  }
  for (std::thread& editor : editors) editor.join();
  for (int i = 0; i < 50; ++i) engine->run();
  EXPECT_DONE(engine->close());
  EXPECT_EQ(out.rows.size(), static_cast<size_t>(pushed));
  EXPECT_EQ(out.rows.back().substr(0, out.rows.back().find(' ')), "n=" + std::to_string(pushed));

  std::vector<VersionRecord> known = engine->history();
  auto read = read_history(path.string());
  ASSERT_TRUE(read.ok()) << read.failure().text;
  ASSERT_EQ(read.value().versions.size(), known.size());
  size_t running = 0;
  std::map<uint64_t, std::string> hashes;
  for (const VersionRecord& record : known) hashes[record.version] = record.hash;
  for (size_t i = 0; i < known.size(); ++i) {
    const VersionRecord& record = known[i];
    EXPECT_EQ(record.version, i + 1);
    EXPECT_NE(record.outcome, Is::Waiting) << "v" << record.version;
    running += record.outcome == Is::Running;
    bool ran = record.outcome == Is::Running || record.outcome == Is::Retired;
    EXPECT_EQ(record.cut.empty(), !ran || record.version == 1) << "v" << record.version;
    if (record.parent != 0) EXPECT_EQ(record.parent_hash, hashes[record.parent]) << "v" << record.version;
    const VersionRecord& written = read.value().versions[i];
    EXPECT_EQ(written.version, record.version);
    EXPECT_EQ(written.hash, record.hash);
    EXPECT_EQ(written.reason, record.reason);
    Is ended = record.outcome == Is::Running ? Is::Retired : record.outcome;
    EXPECT_EQ(outcome_name(written.outcome), outcome_name(ended)) << "v" << record.version;
  }
  EXPECT_EQ(running, 1U);
  EXPECT_GE(known.size(), size_t{threads * offers / 2});
  std::filesystem::remove(path);
}

}  // namespace

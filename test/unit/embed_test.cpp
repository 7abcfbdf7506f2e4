// The embedding API: what mutstream/engine.h promises to a host.
#include <algorithm>
#include <atomic>
#include <thread>

#include "test/unit/embed_fixture.h"

namespace mut::embed_test {
namespace {

constexpr const char* orders_script = R"(
enum Level = { low, high }
type Order = { id: int, level: Level, price: float, note: string?, small: i16, took: duration, at: time }
source orders: Order = host() time at
stream dear = orders | where price > 10.0 | select id, level, price, note, small, took, at
emit dear to host()
)";

constexpr const char* counts_script = R"(
type Hit = { id: int, at: time }
source hits: Hit = host() time at
stream counts = hits | with even = id % 2 | @c with n = count() over all by even ttl 1d | select id, n, version = 1
emit counts to host()
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(Embedding, RowsArePushedAndReceived) {
  auto engine = load(orders_script);
  ASSERT_TRUE(engine);
  EXPECT_DONE(engine->bind_host_source("orders"));
  Rows dear;
  dear.bind(*engine, "dear");
  EXPECT_DONE(engine->start());
  EXPECT_DONE(engine->push_row("orders", {int64_t{1}, std::string("high"), 12.5, std::monostate{},
                                          int64_t{-7}, int64_t{1000}, int64_t{5}}));
  EXPECT_DONE(engine->push_row("orders", {int64_t{2}, std::string("low"), int64_t{11}, std::string("so\n"),
                                          int64_t{32767}, int64_t{0}, int64_t{6}}));
  EXPECT_DONE(engine->push_row(
      "orders", {int64_t{3}, std::string("low"), 9.0, std::monostate{}, int64_t{0}, int64_t{0}, int64_t{7}}));
  EXPECT_DONE(engine->finish("orders"));
  EXPECT_DONE(engine->run_to_end());
  EXPECT_EQ(dear.rows,
            (std::vector<std::string>{"id=1 level=high price=12.5 note=none small=-7 took=1000 at=5",
                                      "id=2 level=low price=11 note=so\n small=32767 took=0 at=6"}));
  EngineStats stats = engine->stats();
  EXPECT_EQ(stats.records_in, 3u);
  EXPECT_EQ(stats.rows_out, 2u);
}

TEST(Embedding, ARowThatDoesNotFitIsAValueAndIsNotPushed) {
  auto engine = load(orders_script);
  ASSERT_TRUE(engine);
  EXPECT_DONE(engine->bind_host_source("orders"));
  Rows dear;
  dear.bind(*engine, "dear");
  std::vector<FieldValue> good{int64_t{1}, std::string("high"), 12.5,      std::monostate{},
                               int64_t{1}, int64_t{1},          int64_t{5}};
  EXPECT_EQ(failure_of(engine->push_row("orders", good)).kind, Failure::Kind::Usage) << "before start()";
  EXPECT_DONE(engine->start());
  auto wrong = [&](size_t at, FieldValue value) {
    std::vector<FieldValue> row = good;
    row[at] = std::move(value);
    return failure_of(engine->push_row("orders", row)).text;
  };
  EXPECT_NE(wrong(0, std::string("1")).find("`id`"), std::string::npos);
  EXPECT_NE(wrong(0, std::monostate{}).find("`id`"), std::string::npos);
  EXPECT_NE(wrong(1, std::string("middle")).find("`level`"), std::string::npos);
  EXPECT_NE(wrong(3, std::string("\xff")).find("`note`"), std::string::npos) << "not UTF-8";
  EXPECT_NE(wrong(4, int64_t{32768}).find("`small`"), std::string::npos);
  good.pop_back();
  EXPECT_NE(failure_of(engine->push_row("orders", good)).text.find("7 fields, 6 given"), std::string::npos);
  EXPECT_EQ(failure_of(engine->push_row("order", good)).kind, Failure::Kind::Usage);
  EXPECT_DONE(engine->finish("orders"));
  EXPECT_DONE(engine->run_to_end());
  EXPECT_TRUE(dear.rows.empty());
  EXPECT_EQ(engine->stats().records_in, 0u);
}

TEST(Embedding, TextIsPushedInFormatsAndDecodedByTheDeclaration) {
  auto engine = load(replaced(orders_script, "emit dear", "emit orders.errors to host()\nemit dear"));
  ASSERT_TRUE(engine);
  EXPECT_DONE(engine->bind_host_source("orders"));
  Rows dear;
  dear.bind(*engine, "dear");
  std::string errors;
  EXPECT_DONE(engine->bind_text_sink("orders.errors", [&](std::string_view lines) { errors += lines; }));
  EXPECT_DONE(engine->push_text(
      "orders", R"({"id":1,"level":"high","price":20,"small":1,"took":"1us","at":"1970-01-01T00:00:00Z"})"));
  EXPECT_DONE(engine->push_text("orders", "{\"id\":2}\n"));
  TextRows csv;
  csv.format = "csv";
  csv.name = "more.csv";
  csv.text = "at,id,level,price,note,small,took\n1970-01-01T00:00:01Z,3,low,30.0,hello,2,2us\n";
  EXPECT_DONE(engine->push_text("orders", csv));
  EXPECT_DONE(engine->start());
  EXPECT_DONE(engine->finish("orders"));
  EXPECT_DONE(engine->run_to_end());
  EXPECT_EQ(dear.rows,
            (std::vector<std::string>{"id=1 level=high price=20 note=none small=1 took=1000 at=0",
                                      "id=3 level=low price=30 note=hello small=2 took=2000 at=1000000000"}));
  EXPECT_NE(errors.find("\"input\":\"orders:2\""), std::string::npos) << errors;
  csv.format = "xml";
  EXPECT_EQ(failure_of(engine->push_text("orders", csv)).text, "no format `xml`");
}

TEST(Embedding, ColumnsAreRunWhereTheyLieAndRepeated) {
  auto engine = load(R"(
    type Bid = { price: float, id: int, at: time }
    source bids: Bid = host() time at
    stream sums = bids | aggregate total = sum(price), n = count() window tumbling 1s
    emit sums to host()
  )");
  ASSERT_TRUE(engine);
  std::vector<double> price{1.0, 2.0};
  std::vector<int64_t> id{1, 2};
  std::vector<int64_t> at{0, 500'000'000};
  ColumnSource columns;
  columns.columns = {price.data(), id.data(), at.data()};
  columns.times = at;
  columns.row_count = 2;
  columns.repeat = 3;
  columns.time_step_ns = 1'000'000'000;
  ColumnSource short_of_one = columns;
  short_of_one.columns.pop_back();
  EXPECT_EQ(failure_of(engine->bind_columns("bids", short_of_one)).kind, Failure::Kind::Usage);
  EXPECT_DONE(engine->bind_columns("bids", columns));
  Rows sums;
  sums.bind(*engine, "sums");
  EXPECT_DONE(engine->start());
  EXPECT_DONE(engine->run_to_end());
  EXPECT_EQ(sums.rows,
            (std::vector<std::string>{"total=3 n=2 window_start=0 window_end=1000000000",
                                      "total=3 n=2 window_start=1000000000 window_end=2000000000",
                                      "total=3 n=2 window_start=2000000000 window_end=3000000000"}));
}

TEST(Embedding, ASwapTellsItsVerdictsAndKeepsState) {
  auto engine = load(counts_script);
  ASSERT_TRUE(engine);
  EXPECT_DONE(engine->bind_host_source("hits"));
  Rows counts;
  counts.bind(*engine, "counts");
  EXPECT_DONE(engine->start());
  for (int64_t i = 0; i < 6; ++i) EXPECT_DONE(engine->push_row("hits", {i, i}));
  SwapRequest request;
  request.text = replaced(counts_script, "version = 1", "version = 2");
  request.at = {{"hits", 3}};
  auto planned = engine->swap(request);
  ASSERT_TRUE(planned.ok()) << planned.failure().text;
  EXPECT_EQ(planned.value().version, 2u);
  ASSERT_EQ(planned.value().cells.size(), 1u);
  EXPECT_EQ(planned.value().cells[0].cell, "counts/c/n/count");
  EXPECT_EQ(planned.value().cells[0].before, "counts/c/n/count");
  EXPECT_EQ(planned.value().cells[0].verdict, "same");
  EXPECT_FALSE(planned.value().cells[0].undecided);
  EXPECT_FALSE(engine->swap_done()) << "nothing was taken yet";
  EXPECT_DONE(engine->finish("hits"));
  EXPECT_DONE(engine->run_to_end());
  EXPECT_EQ(counts.rows,
            (std::vector<std::string>{"id=0 n=1 version=1", "id=1 n=1 version=1", "id=2 n=2 version=1",
                                      "id=3 n=2 version=2", "id=4 n=3 version=2", "id=5 n=3 version=2"}));
  auto done = engine->swap_done();
  ASSERT_TRUE(done);
  EXPECT_EQ(done->version, 2u);
  ASSERT_EQ(done->cut.size(), 1u);
  EXPECT_EQ(done->cut[0].source, "hits");
  EXPECT_EQ(done->cut[0].records, 3u);
  EXPECT_EQ(done->cells.size(), 1u);
  EXPECT_FALSE(engine->swap_done());
  EXPECT_EQ(engine->stats().swaps, 1u);
  EXPECT_EQ(engine->stats().version, 2u);
}

TEST(Embedding, AFailedSwapLeavesEverythingAsItWas) {
  auto engine = load(counts_script);
  ASSERT_TRUE(engine);
  EXPECT_DONE(engine->bind_host_source("hits"));
  Rows counts;
  counts.bind(*engine, "counts");
  SwapRequest request;
  request.text = counts_script;
  EXPECT_EQ(failure_of(engine->swap(request)).kind, Failure::Kind::Usage) << "before start()";
  EXPECT_DONE(engine->start());
  EXPECT_DONE(engine->push_row("hits", {int64_t{0}, int64_t{0}}));
  run_until_idle(*engine);

  EXPECT_EQ(failure_of(engine->swap(request)).kind, Failure::Kind::NoChange);
  request.text = replaced(counts_script, "count()", "cout()");
  Failure broken = failure_of(engine->swap(request));
  EXPECT_EQ(broken.kind, Failure::Kind::Script);
  EXPECT_EQ(broken.codes, (std::vector<std::string>{"MUT2004"}));
  request.text = replaced(counts_script, "n = count() over all by even ttl 1d", "n = 0");
  Failure undecided = failure_of(engine->swap(request));
  EXPECT_EQ(undecided.kind, Failure::Kind::NeedsDecision);
  ASSERT_EQ(undecided.cells.size(), 1u);
  EXPECT_EQ(undecided.cells[0].verdict, "drop");
  EXPECT_TRUE(undecided.cells[0].undecided);
  EXPECT_EQ(undecided.cells[0].choices, (std::vector<std::string>{"drop"}));
  request.text = replaced(counts_script, "@c with n = count() over all by even ttl 1d | select id, n,",
                          "@c dedupe by id within 1h | select id, n = 0,");
  Failure refused = failure_of(engine->swap(request));
  EXPECT_EQ(refused.kind, Failure::Kind::Refused);
  EXPECT_EQ(refused.codes, (std::vector<std::string>{"MUT5007"}));
  request.text = replaced(counts_script, "{ id: int, at: time }", "{ id: int, at: time, more: int? }");
  Failure redeclared = failure_of(engine->swap(request));
  EXPECT_EQ(redeclared.kind, Failure::Kind::Refused) << "pushed rows have the record they were made for";
  request.text = replaced(counts_script, "version = 1", "version = 2");
  request.at = {{"nowhere", 3}};
  EXPECT_EQ(failure_of(engine->swap(request)).kind, Failure::Kind::Usage);
  request.text += "emit hits to file(\"/nowhere/at/all.jsonl\")";
  request.at.clear();
  EXPECT_EQ(failure_of(engine->swap(request)).kind, Failure::Kind::Io);

  EXPECT_DONE(engine->push_row("hits", {int64_t{2}, int64_t{1}}));
  EXPECT_DONE(engine->finish("hits"));
  EXPECT_DONE(engine->run_to_end());
  EXPECT_EQ(counts.rows, (std::vector<std::string>{"id=0 n=1 version=1", "id=2 n=2 version=1"}));
  EXPECT_FALSE(engine->swap_done());
  EXPECT_EQ(engine->stats().version, 1u);
  EXPECT_EQ(engine->stats().swaps, 0u);
}

TEST(Embedding, EditsOfferedOneAfterAnotherAreAllTakenInOrder) {
  auto engine = load(replaced(counts_script, "version = 1", "version = v\n") + "param v: int = 1\n");
  ASSERT_TRUE(engine);
  EXPECT_DONE(engine->bind_host_source("hits"));
  Rows counts;
  counts.bind(*engine, "counts");
  EXPECT_DONE(engine->start());
  for (int64_t i = 0; i < 4; ++i) EXPECT_DONE(engine->push_row("hits", {2 * i, i}));
  EXPECT_DONE(engine->set_param("v", "2", {{"hits", 1}}));
  SwapRequest request;
  request.text = replaced(counts_script, "version = 1", "version = 10 + v\n") + "param v: int = 1\n";
  request.at = {{"hits", 2}};
  EXPECT_DONE(engine->swap(request));
  EXPECT_DONE(engine->set_param("v", "3", {{"hits", 3}}));
  EXPECT_EQ(failure_of(engine->set_param("v", "three", {})).kind, Failure::Kind::Usage);
  EXPECT_EQ(failure_of(engine->set_param("w", "3", {})).kind, Failure::Kind::Usage);
  EXPECT_DONE(engine->finish("hits"));
  EXPECT_DONE(engine->run_to_end());
  EXPECT_EQ(counts.rows, (std::vector<std::string>{"id=0 n=1 version=1", "id=2 n=2 version=2",
                                                   "id=4 n=3 version=12", "id=6 n=4 version=13"}));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(engine->swap_done());
  EXPECT_FALSE(engine->swap_done());
}

TEST(Embedding, TwoEnginesDoNotMeet) {
  auto first = load(counts_script);
  auto second = load(replaced(counts_script, "version = 1", "version = 7"));
  ASSERT_TRUE(first && second);
  Rows of_first;
  Rows of_second;
  for (auto [engine, rows] : {std::pair{first.get(), &of_first}, std::pair{second.get(), &of_second}}) {
    EXPECT_DONE(engine->bind_host_source("hits"));
    rows->bind(*engine, "counts");
    EXPECT_DONE(engine->start());
  }
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_DONE(first->push_row("hits", {2 * i, i}));
    if (i < 2) EXPECT_DONE(second->push_row("hits", {2 * i + 1, i}));
    run_until_idle(*first);
    run_until_idle(*second);
  }
  second.reset();
  EXPECT_DONE(first->push_row("hits", {int64_t{8}, int64_t{9}}));
  run_until_idle(*first);
  EXPECT_EQ(of_first.rows, (std::vector<std::string>{"id=0 n=1 version=1", "id=2 n=2 version=1",
                                                     "id=4 n=3 version=1", "id=8 n=4 version=1"}));
  EXPECT_EQ(of_second.rows, (std::vector<std::string>{"id=1 n=1 version=7", "id=3 n=2 version=7"}));
}

TEST(Embedding, RowsAndEditsComeFromOtherThreads) {
  constexpr int64_t row_count = 20'000;
  constexpr int edit_count = 8;
  auto engine = load(counts_script);
  ASSERT_TRUE(engine);
  EXPECT_DONE(engine->bind_host_source("hits"));
  std::vector<int64_t> ids;
  std::vector<int64_t> versions;
  EXPECT_DONE(engine->bind_host_sink("counts", [&](const RowView& row) {
    ids.push_back(std::get<int64_t>(row.field(0)));
    versions.push_back(std::get<int64_t>(row.field(2)));
  }));
  EXPECT_DONE(engine->start());
  std::thread pushes([&] {
    for (int64_t i = 0; i < row_count; ++i) EXPECT_DONE(engine->push_row("hits", {i, i}));
  });
  // An edit may be superseded by the next one, before it is ready or while it waits; the last one is taken.
  std::atomic<uint64_t> last_version{0};
  std::thread edits([&] {
    for (int edit = 0; edit < edit_count; ++edit) {
      SwapRequest request;
      request.text = replaced(counts_script, "version = 1", "version = " + std::to_string(edit + 2));
      auto offered = engine->swap(request);
      if (!offered) {
        EXPECT_EQ(offered.failure().kind, Failure::Kind::Superseded) << offered.failure().text;
      } else if (edit + 1 == edit_count) {
        last_version = offered.value().version;
      }
    }
  });
  uint64_t taken = 0;
  bool last_taken = false;
  while (ids.size() < row_count || !last_taken) {
    RunState state = engine->run();
    ASSERT_NE(state, RunState::Failed) << engine->failure().text;
    while (auto report = engine->swap_done()) {
      taken += report->superseded_by == 0 ? 1 : 0;
      if (report->superseded_by == 0) last_taken = report->version == last_version;
    }
    last_taken = last_taken || (last_version != 0 && engine->stats().version == last_version);
    if (state == RunState::Idle) engine->wait(1'000'000);
  }
  pushes.join();
  edits.join();
  std::thread stops([&] { engine->stop(); });
  stops.join();
  EXPECT_DONE(engine->run_to_end());
  ASSERT_EQ(ids.size(), static_cast<size_t>(row_count));
  for (int64_t i = 0; i < row_count; ++i) ASSERT_EQ(ids[static_cast<size_t>(i)], i);
  EXPECT_TRUE(std::is_sorted(versions.begin(), versions.end()))
      << "no event of an older version behind one of a newer";
  EXPECT_EQ(engine->stats().swaps, taken);
  EXPECT_EQ(engine->stats().version, last_version);
}

// The host pushes between the turn that found nothing and the sleep.
TEST(Embedding, WhatIsPushedBeforeTheSleepIsNotSleptThrough) {
  std::vector<int64_t> ids;
  auto engine = load(counts_script);
  ASSERT_TRUE(engine);
  EXPECT_DONE(engine->bind_host_source("hits"));
  EXPECT_DONE(engine->bind_host_sink(
      "counts", [&](const RowView& row) { ids.push_back(std::get<int64_t>(row.field(0))); }));
  EXPECT_DONE(engine->start());
  while (engine->run() != RunState::Idle) {
  }
  EXPECT_DONE(engine->push_row("hits", {int64_t{1}, int64_t{1}}));
  constexpr int64_t long_ns = 20'000'000'000;
  auto begin = std::chrono::steady_clock::now();
  engine->wait(long_ns);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::nanoseconds(long_ns / 2));
  EXPECT_DONE(engine->finish("hits"));
  EXPECT_DONE(engine->run_to_end());
  EXPECT_EQ(ids.size(), 1U);
}

TEST(Embedding, MistakesAreValues) {
  auto wrong = Engine::load("stream a = b", "script.mut", {});
  Failure failure = failure_of(wrong);
  EXPECT_EQ(failure.kind, Failure::Kind::Script);
  EXPECT_EQ(failure.codes, (std::vector<std::string>{"MUT2005"}));
  EXPECT_NE(failure.text.find("script.mut:1:12"), std::string::npos) << failure.text;
  auto engine = load(counts_script);
  ASSERT_TRUE(engine);
  EXPECT_EQ(engine->run(), RunState::Failed);
  EXPECT_EQ(engine->failure().kind, Failure::Kind::Usage);
  EXPECT_EQ(failure_of(engine->bind("nothing", "x.jsonl")).kind, Failure::Kind::Usage);
  EXPECT_EQ(failure_of(engine->bind_host_source("nothing")).kind, Failure::Kind::Usage);
  EXPECT_EQ(failure_of(engine->bind_host_sink("nothing", nullptr)).kind, Failure::Kind::Usage);
  EXPECT_EQ(failure_of(engine->advance(1)).kind, Failure::Kind::Usage) << "the clock is the machine's";
  EXPECT_EQ(failure_of(engine->start()).kind, Failure::Kind::Io) << "a host source that nobody bound";
  EXPECT_DONE(engine->bind_host_source("hits"));
  EXPECT_DONE(engine->bind_host_sink("counts", [](const RowView&) {}));
  EXPECT_DONE(engine->start());
  EXPECT_EQ(failure_of(engine->start()).kind, Failure::Kind::Usage) << "twice";
}

TEST(Embedding, AClosedWorldOpensNothingAndHasAClockOfItsOwn) {
  EngineOptions options;
  options.world = EngineOptions::World::Closed;
  options.clock = EngineOptions::Clock::Virtual;
  options.taps = {"counts", "not_there"};
  auto engine = load(R"(
    type Hit = { host: string, at: time }
    source hits: Hit = file("/nowhere/hits.jsonl") time at, lateness 1h
    stream counts = hits | aggregate n = count() by host window tumbling 1m
    emit hits to file("/nowhere/out.jsonl")
  )",
                     options);
  ASSERT_TRUE(engine);
  std::string counts;
  EXPECT_DONE(engine->bind_text_sink("tap:counts", [&](std::string_view lines) { counts += lines; }));
  EXPECT_DONE(engine->start());
  EXPECT_DONE(engine->push_text("hits", R"({"host":"a","at":"2026-01-01T00:00:30Z"})"));
  run_until_idle(*engine);
  EXPECT_EQ(counts, "");
  constexpr int64_t minute = 60'000'000'000;
  EXPECT_DONE(engine->advance(1'767'225'600'000'000'000 + minute));
  EXPECT_EQ(counts,
            R"({"host":"a","n":1,"window_start":"2026-01-01T00:00:00Z","window_end":"2026-01-01T00:01:00Z"})"
            "\n");
}

}  // namespace
}  // namespace mut::embed_test

// The reference interpreter against results worked out by hand.
#include "test/unit/reference_fixture.h"

namespace mut::test {
namespace {

// Rows of `out` for a script whose only source is `s`.
Rows rows_of(const std::string& script, const std::string& input) {
  return ReferenceRun(script).feed("s", input).end().rows();
}

TEST(Reference, ScoresPaymentsAsTheLanguagePageSays) {
  ReferenceRun run(R"mut(
type Payment = { id: string, card: string, amount: float, country: string, at: time }
param limit: float in 0.0..1.0 = 0.9
source payments: Payment = file("payments.jsonl")
  time at, lateness 5s
stream profiled = payments
  | where amount > 0
  | with  usual  = avg(amount)       over last 30m by card,
          spread = stddev(amount)    over last 30m by card,
          places = distinct(country) over last 1h  by card
  | with  z      = if spread > 0 then (amount - usual) / spread else 0.0
  | with  score  = logistic(-4.0 + 0.9 * z + 1.5 * float(places - 1))
route profiled {
  score > limit -> blocked,
  score > 0.6   -> review,
  else          -> cleared,
}
stream spend = cleared
  | aggregate total = sum(amount), n = count() by country window tumbling 1m
stream seen = profiled | select id, usual, spread, places
emit seen    to stdout()
emit blocked to file("blocked.jsonl")
emit review  to stdout()
emit spend   to stdout()
)mut");
  run.feed("payments", R"({"id":"a","card":"c","amount":10,"country":"DE","at":"2026-01-01T00:00:10Z"}
{"id":"b","card":"c","amount":30,"country":"FR","at":"2026-01-01T00:00:20Z"}
{"id":"x","card":"c","amount":-1,"country":"FR","at":"2026-01-01T00:00:21Z"}
{"id":"c","card":"d","amount":5.5,"country":"DE","at":"2026-01-01T00:00:15Z"}
{"id":"d","card":"c","amount":20,"country":"IT","at":"2026-01-01T00:01:30Z"}
{"id":"e","card":"c","amount":20,"country":"ES","at":"2026-01-01T00:01:31Z"}
)");
  run.end();
  EXPECT_EQ(run.rows("seen"), (Rows{R"({"id":"a","usual":10.0,"spread":0.0,"places":1})",
                                    R"({"id":"b","usual":20.0,"spread":10.0,"places":2})",
                                    R"({"id":"c","usual":5.5,"spread":0.0,"places":1})",
                                    R"({"id":"d","usual":20.0,"spread":8.16496580927726,"places":3})",
                                    R"({"id":"e","usual":20.0,"spread":7.0710678118654755,"places":4})"}));
  // e: z = 0, three other countries: logistic(-4 + 4.5) = 0.62.
  ASSERT_EQ(run.rows("review").size(), 1U);
  EXPECT_TRUE(run.rows("review")[0].starts_with(R"({"id":"e",)"));
  EXPECT_TRUE(run.rows("blocked").empty());
  EXPECT_EQ(
      run.rows("spend"),
      (Rows{
          R"({"country":"DE","total":15.5,"n":2,"window_start":"2026-01-01T00:00:00Z","window_end":"2026-01-01T00:01:00Z"})",
          R"({"country":"FR","total":30.0,"n":1,"window_start":"2026-01-01T00:00:00Z","window_end":"2026-01-01T00:01:00Z"})",
          R"({"country":"IT","total":20.0,"n":1,"window_start":"2026-01-01T00:01:00Z","window_end":"2026-01-01T00:02:00Z"})"}));
}

const std::string head = R"mut(
type R = { k: string, x: int, at: time }
source s: R = file("s.jsonl") time at
)mut";

// Records { k, x, at }, at in milliseconds.
std::string record(const std::string& key, int64_t x, int64_t at) {
  return "{\"k\":\"" + key + "\",\"x\":" + std::to_string(x) + ",\"at\":" + std::to_string(at) + "}\n";
}

TEST(Reference, WindowsOfOneEndComeInOrderOfKey) {
  EXPECT_EQ(rows_of(head + "stream out = s | aggregate n = count(), t = sum(x) by k window tumbling 10ms\n"
                           "  | select k, n, t\nemit out to stdout()",
                    record("b", 1, 1) + record("a", 2, 2) + record("b", 4, 9) + record("a", 8, 10)),
            (Rows{R"({"k":"a","n":1,"t":2})", R"({"k":"b","n":2,"t":5})", R"({"k":"a","n":1,"t":8})"}));
}

// ---- expressions

// The value of an expression over { k: "a", x: 7, at: 1s }.
std::string value_of(const std::string& expr) {
  Rows rows =
      rows_of(head + "stream out = s | select v = " + expr + "\nemit out to stdout()", record("a", 7, 1000));
  return rows.empty() ? "error" : rows[0].substr(5, rows[0].size() - 6);
}

TEST(Reference, ComputesAsTheRulesOfNumbersSay) {
  EXPECT_EQ(value_of("-7 / 2"), "-3");
  EXPECT_EQ(value_of("-7 % 2"), "-1");
  EXPECT_EQ(value_of("mod(-7, 2)"), "1");
  EXPECT_EQ(value_of("7 / 2.0"), "3.5");
  EXPECT_EQ(value_of("x / (x - 7)"), "error");
  EXPECT_EQ(value_of("x + 9_223_372_036_854_775_807"), "error");
  EXPECT_EQ(value_of("try x / 0 else -1"), "-1");
  EXPECT_EQ(value_of("9_007_199_254_740_993 == 9007199254740992.0"), "false");
  EXPECT_EQ(value_of("round(2.5) + round(3.5)"), "6.0");
  EXPECT_EQ(value_of("0.0 / 0.0"), "\"NaN\"");
  EXPECT_EQ(value_of("max(0.0 / 0.0, 1.0)"), "\"NaN\"");
  EXPECT_EQ(value_of("x > 5 or 1 / 0 == 1"), "true");
  EXPECT_EQ(value_of("if x == 7 then 1 else 1 / 0"), "1");
  EXPECT_EQ(value_of("[1, 2][2]"), "error");
  EXPECT_EQ(value_of("get([1, 2], 2) ?? 9"), "9");
}

TEST(Reference, CastsOnlyWithoutLoss) {
  EXPECT_EQ(value_of("3.0 as int"), "3");
  EXPECT_EQ(value_of("3.7 as int"), "error");
  EXPECT_EQ(value_of("3.7 as int?"), "null");
  EXPECT_EQ(value_of("\" 3\" as int?"), "null");
  EXPECT_EQ(value_of("\"+007\" as int?"), "7");
  EXPECT_EQ(value_of("300 as u8?"), "null");
  EXPECT_EQ(value_of("\"true\" as bool"), "true");
}

TEST(Reference, PrintsValuesAsTheLanguageDoes) {
  EXPECT_EQ(value_of("string(1.0)"), "\"1.0\"");
  EXPECT_EQ(value_of("\"{x:>4}|{1234567:,}|{0.125:.2}|{0.5:%}\""), "\"   7|1,234,567|0.12|50%\"");
  EXPECT_EQ(value_of("1h30m - 1ms"), "\"1h29m59s999ms\"");
  EXPECT_EQ(value_of("at + 1ms"), "\"1970-01-01T00:00:01.001Z\"");
  EXPECT_EQ(value_of("upper(\"straße é\")"), "\"STRAßE É\"");
  EXPECT_EQ(value_of("slice(\"äöü\", 1, 9)"), "\"öü\"");
  EXPECT_EQ(value_of("len(\"äöü\")"), "3");
}

// ---- input

TEST(Reference, RefusesRecordsThatDoNotFitAndKeepsTheirBytes) {
  std::string script = head + "emit s to stdout() as out\nemit s.errors to stdout() as bad";
  ReferenceRun run(script);
  run.feed("s",
           "{\"k\":\"a\",\"x\":3.0,\"at\":1,\"more\":[]}\n\n{\"k\":\"a\",\"x\":1.5,\"at\":2}\n{\"k\":1}\n")
      .end();
  EXPECT_EQ(run.rows(), Rows{R"({"k":"a","x":3,"at":"1970-01-01T00:00:00.001Z"})"});
  ASSERT_EQ(run.rows("bad").size(), 2U);
  EXPECT_EQ(
      run.rows("bad")[1],
      R"({"event":null,"raw":"eyJrIjoxfQ==","stage":"decode","line":3,"input":"in.jsonl:4","code":"decode",)"
      R"("message":"the record cannot be decoded"})");
}

TEST(Reference, ReadsCsvByItsHeader) {
  ReferenceRun run(R"mut(
type R = { b: int?, a from "A b": string, c: bool = true }
source s: R = file("s.csv")
emit s to stdout() as out
)mut");
  run.feed("s", "A b,z,b\n\"x \"\"y\"\"\nz\",1,\nq,2,7\nonly,two\n\"\",3,x\n", reference::Format::Csv).end();
  EXPECT_EQ(run.rows(), (Rows{R"({"b":null,"a":"x \"y\"\nz","c":true})", R"({"b":7,"a":"q","c":true})"}));
  EXPECT_EQ(run.interpreter.flow().error_counts.at("s"), 2U);
}

TEST(Reference, TakesSourcesBySmallestNextEventTime) {
  ReferenceRun run(R"mut(
type R = { x: int, at: time }
source a: R = file("a.jsonl") time at
source b: R = file("b.jsonl") time at
stream out = merge(a, b) | select x
emit out to stdout()
)mut");
  run.feed("a", "{\"x\":1,\"at\":10}\n{\"x\":2,\"at\":5}\n{\"x\":3,\"at\":30}\n");
  run.feed("b", "{\"x\":4,\"at\":10}\n{\"x\":5,\"at\":20}\n").end();
  EXPECT_EQ(run.rows(), (Rows{R"({"x":1})", R"({"x":2})", R"({"x":4})", R"({"x":5})", R"({"x":3})"}));
}

// ---- stages

TEST(Reference, FlattensAndDedupes) {
  EXPECT_EQ(
      rows_of(
          head + "stream out = s | with xs = [x, x + 1] | flatten e = xs | select e\nemit out to stdout()",
          record("a", 1, 1) + record("a", 5, 2)),
      (Rows{R"({"e":1})", R"({"e":2})", R"({"e":5})", R"({"e":6})"}));
  // 4 and 14 are less than 5 from one that passed (1, 10); the 6 is not held against the repeat 4.
  EXPECT_EQ(rows_of(head + "stream out = s | dedupe by k within 5ms | select x\nemit out to stdout()",
                    record("a", 1, 1) + record("a", 4, 4) + record("a", 6, 6) + record("a", 7, 12) +
                        record("b", 8, 12) + record("a", 9, 16)),
            (Rows{R"({"x":1})", R"({"x":6})", R"({"x":7})", R"({"x":8})"}));
}

TEST(Reference, HistorySeesWhatHasArrivedAndIsHeld) {
  std::string script = head +
                       ", lateness 100ms\nstream out = s | with n = sum(x) over last 10ms by k,\n"
                       "  before = count() over last 10ms excluding current, p = prev(x) by k,\n"
                       "  two = sum(x) over last 2 events, d = delta(x), c = changed(k)\n"
                       "  | select n, before, p, two, d, c\nemit out to stdout()";
  // 2 (at 5) comes after 4 (at 12): it sees 1 (at 0), not the newer one. At 22 only (12, 22].
  EXPECT_EQ(rows_of(script, record("a", 1, 0) + record("a", 4, 12) + record("a", 2, 5) + record("b", 8, 22)),
            (Rows{R"({"n":1,"before":0,"p":null,"two":1,"d":null,"c":true})",
                  R"({"n":4,"before":0,"p":1,"two":5,"d":3,"c":false})",
                  R"({"n":3,"before":1,"p":4,"two":6,"d":-2,"c":false})",
                  R"({"n":8,"before":0,"p":null,"two":10,"d":6,"c":true})"}));
}

TEST(Reference, HistoryForgetsWhenTheWatermarkSaysSo) {
  // At 20 the event of 1 is forgotten (1 + 10 <= 20): the late one at 8 sees itself only.
  EXPECT_EQ(
      rows_of(head + "stream out = s | with n = count() over last 10ms | select n\nemit out to stdout()",
              record("a", 1, 1) + record("a", 1, 20) + record("a", 1, 8) + record("a", 1, 20)),
      (Rows{R"({"n":1})", R"({"n":1})", R"({"n":1})", R"({"n":2})"}));
}

TEST(Reference, AFailedEventChangesNothingInItsStage) {
  ReferenceRun run(head +
                   "stream p = s | with n = count() over all, q = 10 / x | where n > 0 | select n, q\n"
                   "emit p to stdout() as out\nemit p.errors to stdout() as bad");
  run.feed("s", record("a", 1, 1) + record("a", 0, 2) + record("a", 2, 3)).end();
  EXPECT_EQ(run.rows(), (Rows{R"({"n":1,"q":10})", R"({"n":2,"q":5})"}));
  EXPECT_EQ(
      run.rows("bad"),
      Rows{R"({"event":{"k":"a","x":0,"at":"1970-01-01T00:00:00.002Z"},"raw":null,"stage":"with","line":4,)"
           R"("input":"in.jsonl:2","code":"division_by_zero","message":"division by zero"})"});
}

TEST(Reference, WhereKeepsTheHistoryOfWhatItLetsGo) {
  EXPECT_EQ(
      rows_of(head + "stream out = s | where count() over all % 2 == 0 | select x\nemit out to stdout()",
              record("a", 1, 1) + record("a", 2, 2) + record("a", 3, 3) + record("a", 4, 4)),
      (Rows{R"({"x":2})", R"({"x":4})"}));
}

TEST(Reference, RoutesToTheFirstBranchOrToAll) {
  std::string input = record("a", 1, 1) + record("a", 5, 2) + record("a", 9, 3);
  std::string sinks = "emit p to stdout()\nemit q to stdout()\nemit r to stdout()";
  ReferenceRun first(head + "route s { x > 6 -> p, x > 3 -> q, else -> r }\n" + sinks);
  first.feed("s", input).end();
  EXPECT_EQ(first.rows("p").size() * 100 + first.rows("q").size() * 10 + first.rows("r").size(), 111U);
  ReferenceRun all(head + "route all s { x > 6 -> p, x > 3 -> q, else -> r }\n" + sinks);
  all.feed("s", input).end();
  EXPECT_EQ(all.rows("p").size() * 100 + all.rows("q").size() * 10 + all.rows("r").size(), 121U);
}

// ---- aggregates and windows

TEST(Reference, ARunningSumThatOverflowsFailsItsEventAlone) {
  EXPECT_EQ(rows_of(head + "stream out = s | aggregate n = count(), t = sum(x)\nemit out to stdout()",
                    record("a", INT64_MAX, 1) + record("a", 1, 2) + record("a", -1, 3)),
            (Rows{R"({"n":1,"t":9223372036854775807})", R"({"n":2,"t":9223372036854775806})"}));
}

TEST(Reference, AWindowsSumMayComeBackButElseItsRowIsAnError) {
  ReferenceRun run(head +
                   "stream p = s | aggregate t = sum(x) by k window tumbling 10ms\n"
                   "emit p to stdout() as out\nemit p.errors to stdout() as bad");
  run.feed("s", record("a", INT64_MAX, 1) + record("b", INT64_MAX, 1) + record("b", 5, 2) +
                    record("a", 1, 2) + record("a", -1, 3))
      .end();
  EXPECT_EQ(run.rows(), Rows{R"({"k":"a","t":9223372036854775807,"window_start":"1970-01-01T00:00:00Z",)"
                             R"("window_end":"1970-01-01T00:00:00.010Z"})"});
  ASSERT_EQ(run.rows("bad").size(), 1U);
  EXPECT_TRUE(run.rows("bad")[0].starts_with(
      R"({"event":{"k":"b","window_start":"1970-01-01T00:00:00Z","window_end":"1970-01-01T00:00:00.010Z"},)"
      R"("raw":null,"stage":"aggregate","line":4,"input":null,"code":"overflow")"))
      << run.rows("bad")[0];
}

TEST(Reference, SlidingWindowsBeginBeforeTheFirstEventAndTakeLateOnesWhileOpen) {
  ReferenceRun run(
      head +
      "stream out = s | @w aggregate n = count(), last_x = last(x) window sliding 10ms every 5ms\n"
      "  late to missed\nemit out to stdout()\nemit missed to stdout()");
  // 7: windows [0,10) [5,15). 12 fires [0,10)... at 12; 6 then misses [0,10) but enters [5,15); 1 misses all.
  run.feed("s", record("a", 1, 7) + record("a", 2, 12) + record("a", 3, 6) + record("a", 4, 1)).end();
  auto row = [](int n, int x, const char* start, const char* end) {
    return "{\"n\":" + std::to_string(n) + ",\"last_x\":" + std::to_string(x) +
           ",\"window_start\":\"1970-01-01T00:00:00" + start + "Z\",\"window_end\":\"1970-01-01T00:00:00" +
           end + "Z\"}";
  };
  EXPECT_EQ(run.rows(), (Rows{row(1, 1, "", ".010"), row(3, 2, ".005", ".015"), row(1, 2, ".010", ".020")}));
  EXPECT_EQ(run.rows("missed").size(), 1U);
  EXPECT_EQ(run.interpreter.flow().late_count("out/w"), 2U);
}

TEST(Reference, SessionsJoinAcrossALateEvent) {
  // 0 and 12 are apart; 6 (lateness 20) joins them: [0, 22).
  EXPECT_EQ(rows_of(head + ", lateness 20ms\nstream out = s | aggregate n = count(), f = first(x) by k "
                           "window session 10ms\n"
                           "  | select k, n, f\nemit out to stdout()",
                    record("a", 1, 0) + record("b", 2, 3) + record("a", 3, 12) + record("a", 4, 6) +
                        record("a", 5, 100)),
            (Rows{R"({"k":"b","n":1,"f":2})", R"({"k":"a","n":3,"f":1})", R"({"k":"a","n":1,"f":5})"}));
}

TEST(Reference, WindowsOfWindowsCloseInOrderOfTheirEnds) {
  // A result belongs to the stretch that it describes (8.4), also when one event fires many windows.
  EXPECT_EQ(
      rows_of(head + "stream a = s | aggregate n = count() window tumbling 5ms\n"
                     "stream out = a | aggregate m = sum(n), w = count() window tumbling 10ms | select m, w\n"
                     "emit out to stdout()",
              record("a", 1, 1) + record("a", 1, 2) + record("a", 1, 7) + record("a", 1, 13) +
                  record("a", 1, 400)),
      (Rows{R"({"m":3,"w":2})", R"({"m":1,"w":1})", R"({"m":1,"w":1})"}));
}

TEST(Reference, WindowAllSpeaksAtTheEndAndWindowsBelowItWait) {
  EXPECT_EQ(rows_of(head + "stream a = s | aggregate n = count() by k window all\n"
                           "stream out = a | aggregate m = sum(n) window tumbling 10ms | select m\n"
                           "emit out to stdout()",
                    record("a", 1, 1) + record("b", 1, 25) + record("a", 1, 7)),
            (Rows{R"({"m":2})", R"({"m":1})"}));
}

TEST(Reference, AggregatesSkipNoneAndFollowTheTotalOrder) {
  ReferenceRun run(R"mut(
type R = { x: int?, f: float, at: time }
source s: R = file("s.jsonl") time at
stream out = s | aggregate n = count(), v = count(x), least = min(x), a = avg(x), d = distinct(f), top = max(f),
  dev = stddev(f where f < 100), one = stddev_sample(x), at_least = arg_min(f, f), some = any(f > 2) window all
emit out to stdout()
)mut");
  run.feed("s", R"({"x":4,"f":0.0,"at":1}
{"f":-0.0,"at":2}
{"x":null,"f":3,"at":3}
{"f":"NaN","at":4}
{"f":"NaN","at":5}
)")
      .end();
  EXPECT_EQ(run.rows(), Rows{R"({"n":5,"v":1,"least":4,"a":4.0,"d":3,"top":"NaN","dev":1.4142135623730951,)"
                             R"("one":null,"at_least":0.0,"some":true})"});
}

TEST(Reference, AParamSetByAStreamChangesAtTheNextTick) {
  EXPECT_EQ(rows_of("param bar: int = 0\n" + head +
                        "stream level = s | where k == \"set\" | select x\nset bar from level every 10ms\n"
                        "stream out = s | where k != \"set\" | select x, now = bar + 0\nemit out to stdout()",
                    record("a", 1, 1) + record("set", 5, 2) + record("a", 2, 9) + record("a", 3, 10) +
                        record("set", 7, 13) + record("set", 6, 12) + record("a", 4, 20)),
            (Rows{R"({"x":1,"now":0})", R"({"x":2,"now":0})", R"({"x":3,"now":5})", R"({"x":4,"now":7})"}));
}

TEST(Reference, DrawsAreAFunctionOfSeedRowAndPlace) {
  std::string script = R"mut(
type R = { id: string, a: int, b: float, c: string, at: time }
source s: R = generate(count: 3, seed: 7, step: 50ms) { id = "p{n}", a = pick(0..9), b = uniform(0.0, 1.0), c = pick(["x", "y"]) }
  time at
emit s to stdout() as out
)mut";
  Rows once = ReferenceRun(script).end().rows();
  ASSERT_EQ(once.size(), 3U);
  EXPECT_EQ(once, ReferenceRun(script).end().rows());
  EXPECT_TRUE(once[2].starts_with(R"({"id":"p2",)")) << once[2];
  EXPECT_TRUE(once[2].ends_with(R"("at":"2026-01-01T00:00:00.100Z"})")) << once[2];
}

}  // namespace
}  // namespace mut::test

// The worked cases of live change, as far as they are swaps by name, on the reference interpreter.
#include "compiler/reference/json.h"
#include "test/unit/reference_fixture.h"

namespace mut::test {
namespace {

const std::string head = R"mut(
type R = { k: string, x: int, at: time }
source s: R = file("s.jsonl") time at
)mut";
const std::string sink = "\nemit out to stdout()";

std::string record(const std::string& key, int64_t x, int64_t at) {
  return "{\"k\":\"" + key + "\",\"x\":" + std::to_string(x) + ",\"at\":" + std::to_string(at) + "}\n";
}
// Events of keys and values, a millisecond apart.
std::string events(const std::vector<std::pair<std::string, int64_t>>& all) {
  std::string out;
  int64_t at = 0;
  for (const auto& [key, x] : all) out += record(key, x, ++at);
  return out;
}
std::string timed(const std::vector<std::pair<int64_t, int64_t>>& all) {
  std::string out;
  for (auto [at, x] : all) out += record("a", x, at);
  return out;
}

struct Swap {
  std::string before;
  std::string after;
  uint64_t at = 0;
  reference::Consents consents{};
};

// Rows without the braces and names: "a,1,5".
Rows values(const Rows& rows) {
  Rows out;
  for (const std::string& row : rows) {
    auto json = reference::parse_json(row);
    std::string line;
    for (const reference::Json& item : json->items)
      line += (line.empty() ? "" : ",") + (item.text.empty() ? item.raw : item.text);
    out.push_back(line);
  }
  return out;
}

Rows run(const Swap& swap, const std::string& input, bool applied = true) {
  ReferenceRun run(head + swap.before + sink);
  run.feed("s", input).until("s", swap.at);
  EXPECT_EQ(run.swap(head + swap.after + sink, swap.consents).empty(), applied);
  return values(run.end().rows());
}

TEST(ReferenceSwap, A1AndA9AnEditedExpressionHoldsFromTheCutOn) {
  EXPECT_EQ(run({"stream out = s | select y = x * 2", "stream out = s | select y = x * 3", 3},
                events({{"", 1}, {"", 2}, {"", 3}, {"", 4}, {"", 5}})),
            (Rows{"2", "4", "6", "12", "15"}));
  std::string use = "stream out = s | select y = f(x)";
  EXPECT_EQ(run({"fn f(x: int) -> int = x + 1\n" + use, "fn f(x: int) -> int = x + 2\n" + use, 2},
                events({{"", 1}, {"", 1}, {"", 1}, {"", 1}})),
            (Rows{"2", "2", "3", "3"}));
}

TEST(ReferenceSwap, A3AChangedParamKeepsTheCount) {
  std::string body = "stream out = s | aggregate n = count(), t = last(x) | select n, y = t * k0";
  EXPECT_EQ(run({"param k0: int = 2\n" + body, "param k0: int = 5\n" + body, 2},
                events({{"", 1}, {"", 2}, {"", 3}, {"", 4}})),
            (Rows{"1,2", "2,4", "3,15", "4,20"}));
}

TEST(ReferenceSwap, A4AFilterBeforeStateKeepsWhatWasCounted) {
  std::string group = "aggregate n = count(), t = sum(x) by k";
  EXPECT_EQ(run({"stream out = s | @g " + group, "stream out = s | where x > 0 | @g " + group, 3},
                events({{"a", 5}, {"a", -1}, {"b", 7}, {"a", -2}, {"a", 3}, {"b", -4}, {"b", 1}})),
            (Rows{"a,1,5", "a,2,4", "b,1,7", "a,3,7", "b,2,8"}));
}

TEST(ReferenceSwap, A5StagesThatChangePlacesKeepTheirState) {
  EXPECT_EQ(run({"stream out = s | with y = x + 1 | where x > 2 | aggregate n = count(), z = last(y)",
                 "stream out = s | where x > 2 | with y = x + 1 | aggregate n = count(), z = last(y)", 3},
                events({{"", 1}, {"", 3}, {"", 4}, {"", 2}, {"", 5}})),
            (Rows{"1,4", "2,5", "3,6"}));
}

TEST(ReferenceSwap, B1B2AnUnrelatedEditKeepsStateWithOrWithoutALabel) {
  for (std::string label : {"@g ", ""}) {
    std::string group = "stream out = s | " + label + "aggregate n = count() by k | with tag = ";
    EXPECT_EQ(run({group + "\"v1\"", group + "\"v2\"", 3},
                  events({{"a", 1}, {"a", 1}, {"b", 1}, {"a", 1}, {"b", 1}})),
              (Rows{"a,1,v1", "a,2,v1", "b,1,v1", "a,3,v2", "b,2,v2"}));
  }
}

TEST(ReferenceSwap, B3ANewAggregateCountsFromTheCut) {
  EXPECT_EQ(run({"stream out = s | @g aggregate n = count() by k",
                 "stream out = s | @g aggregate n = count(), m = max(x) by k", 3},
                events({{"a", 9}, {"a", 4}, {"b", 5}, {"a", 3}, {"b", 8}, {"c", 1}})),
            (Rows{"a,1", "a,2", "b,1", "a,3,3", "b,2,8", "c,1,1"}));
}

TEST(ReferenceSwap, B5ARemovedAggregateNeedsConsentAndIsNewWhenItComesBack) {
  std::string both = "stream out = s | @g aggregate n = count(), t = sum(x) by k";
  std::string one = "stream out = s | @g aggregate n = count() by k";
  ReferenceRun run(head + both + sink);
  run.feed("s", events({{"a", 5}, {"a", 7}, {"a", 1}})).until("s", 1);
  EXPECT_EQ(run.swap(head + one + sink), Rows{"drop:out/g/t/sum"});
  EXPECT_EQ(run.swap(head + one + sink, {{"drop:out/g/t/sum"}}), Rows{});
  run.until("s", 2);
  EXPECT_EQ(run.swap(head + both + sink), Rows{});
  EXPECT_EQ(values(run.end().rows()), (Rows{"a,1,5", "a,2", "a,3,1"}));
}

TEST(ReferenceSwap, B6AReplacedFunctionIsResetOrRefused) {
  Swap swap{"stream out = s | @g aggregate t = sum(x) by k | select t",
            "stream out = s | @g aggregate t = max(x) by k | select t", 2};
  std::string input = events({{"a", 5}, {"a", 7}, {"a", 3}, {"a", 9}});
  EXPECT_EQ(run(swap, input, false), (Rows{"5", "12", "15", "24"}));
  swap.consents = {{"reset:out/g/t"}};
  EXPECT_EQ(run(swap, input), (Rows{"5", "12", "3", "9"}));
}

TEST(ReferenceSwap, B9ARenamedColumnIsKeptWhereItIsPlain) {
  EXPECT_EQ(run({"stream out = s | @g aggregate n = count(), t = sum(x) by k",
                 "stream out = s | @g aggregate cnt = count(), t = sum(x) by k", 2},
                events({{"a", 1}, {"a", 1}, {"a", 1}})),
            (Rows{"a,1,1", "a,2,2", "a,3,3"}));
  EXPECT_EQ(run({"stream out = s | @g aggregate p = sum(x), q = sum(x) by k",
                 "stream out = s | @g aggregate r = sum(x), w = sum(x) by k", 1},
                events({{"a", 1}, {"a", 1}}), false),
            (Rows{"a,1,1", "a,2,2"}));
}

TEST(ReferenceSwap, B12ALabelThatChangesNeedsWas) {
  Swap swap{"stream out = s | @g aggregate n = count() by k",
            "stream out = s | @h aggregate n = count() by k", 2};
  std::string input = events({{"a", 1}, {"a", 1}, {"a", 1}});
  EXPECT_EQ(run(swap, input, false), (Rows{"a,1", "a,2", "a,3"}));
  swap.after = "stream out = s | @h was g aggregate n = count() by k";
  EXPECT_EQ(run(swap, input), (Rows{"a,1", "a,2", "a,3"}));
}

TEST(ReferenceSwap, AChangedArgumentIsAChoice) {
  Swap swap{"stream out = s | @g aggregate t = sum(x) by k",
            "stream out = s | @g aggregate t = sum(x * 2) by k", 1};
  std::string input = events({{"a", 5}, {"a", 7}});
  EXPECT_EQ(run(swap, input, false), (Rows{"a,5", "a,12"}));
  swap.consents = {{"carry:out/g/t/sum"}};
  EXPECT_EQ(run(swap, input), (Rows{"a,5", "a,19"}));
  swap.consents = {{"reset:out/g/t/sum"}};
  EXPECT_EQ(run(swap, input), (Rows{"a,5", "a,14"}));
}

// ---- windows

std::string tumble(const std::string& size, const std::string& items = "n = count(), t = sum(x)") {
  return "stream out = s | @w aggregate " + items + " window " + size +
         " | select from_ms = float((window_start - @1970-01-01) / 1ms), n, t";
}
std::string row(int start, int n, int t) {
  return std::to_string(start) + ".0," + std::to_string(n) + "," + std::to_string(t);
}

TEST(ReferenceSwap, D1D2AWindowIsHandedOverAtACommonBoundary) {
  EXPECT_EQ(run({tumble("tumbling 10ms"), tumble("tumbling 5ms"), 3},
                timed({{1, 1}, {12, 2}, {14, 3}, {17, 4}, {21, 5}, {26, 6}, {31, 7}})),
            (Rows{row(0, 1, 1), row(10, 3, 9), row(20, 1, 5), row(25, 1, 6), row(30, 1, 7)}));
  EXPECT_EQ(run({tumble("tumbling 5ms"), tumble("tumbling 10ms"), 2},
                timed({{1, 1}, {6, 2}, {8, 3}, {12, 4}, {21, 5}})),
            (Rows{row(0, 1, 1), row(5, 2, 5), row(10, 1, 4), row(20, 1, 5)}));
}

TEST(ReferenceSwap, D6ALargerGapJoinsOpenSessions) {
  std::string sessions = "stream out = s | @w aggregate n = count(), t = sum(x) by k window session ";
  std::string late = ", lateness 10ms\n";
  EXPECT_EQ(run({late + sessions + "4ms | select k, n, t", late + sessions + "10ms | select k, n, t", 3},
                record("a", 1, 1) + record("a", 2, 3) + record("a", 4, 9) + record("b", 8, 30) +
                    record("a", 16, 33)),
            (Rows{"a,3,7", "b,1,8", "a,1,16"}));
}

TEST(ReferenceSwap, D8ASmallerLatenessFiresAtTheCut) {
  EXPECT_EQ(run({", lateness 5ms\n" + tumble("tumbling 10ms"), tumble("tumbling 10ms"), 3},
                timed({{3, 1}, {11, 2}, {13, 4}, {16, 8}, {21, 16}})),
            (Rows{row(0, 1, 1), row(10, 3, 14), row(20, 1, 16)}));
}

TEST(ReferenceSwap, D10TumblingGoesOverToSessions) {
  EXPECT_EQ(run({tumble("tumbling 10ms"), tumble("session 4ms"), 2},
                timed({{1, 1}, {12, 2}, {16, 4}, {21, 8}, {24, 16}, {30, 32}})),
            (Rows{row(0, 1, 1), row(10, 2, 6), row(21, 2, 24), row(30, 1, 32)}));
}

TEST(ReferenceSwap, D11AnAggregateAddedInsideAnOpenWindowCountsFromTheCut) {
  std::string one = "stream out = s | @w aggregate n = count() window tumbling 10ms | select n, t = 0";
  std::string two =
      "stream out = s | @w aggregate n = count(), t = sum(x) window tumbling 10ms | select n, t";
  EXPECT_EQ(run({one, two, 2}, timed({{11, 5}, {13, 7}, {15, 1}, {21, 9}, {31, 2}})),
            (Rows{"3,1", "1,9", "1,2"}));
}

TEST(ReferenceSwap, D13AShorterHorizonForgetsAtTheCut) {
  std::string stage = "stream out = s | @d dedupe by k within ";
  EXPECT_EQ(run({stage + "10ms | select x", stage + "3ms | select x", 3},
                record("a", 1, 1) + record("b", 2, 2) + record("a", 3, 5) + record("a", 4, 6) +
                    record("b", 5, 7) + record("b", 6, 8)),
            (Rows{"1", "2", "4", "5"}));
}

TEST(ReferenceSwap, ALongerHistoryLacksWhatWasForgotten) {
  std::string stage = "stream out = s | @h with n = count() over last ";
  EXPECT_EQ(run({stage + "5ms | select n", stage + "100ms | select n", 3},
                timed({{1, 0}, {10, 0}, {12, 0}, {13, 0}})),
            (Rows{"1", "1", "2", "3"}));
}

TEST(ReferenceSwap, ASwapThatChangesNothingIsNotSeen) {
  std::string body =
      "stream out = s | @h with n = sum(x) over last 7ms by k | @w aggregate t = sum(n) by k window sliding "
      "10ms every 3ms";
  std::string input;
  for (int i = 0; i < 60; ++i) input += record(i % 3 == 0 ? "a" : "b", i % 7, (i * 2) - (i % 5) * 3 + 20);
  ReferenceRun plain(head + body + sink);
  plain.feed("s", input).end();
  ReferenceRun swapped(head + body + sink);
  swapped.feed("s", input);
  for (uint64_t at = 1; at < 60; ++at) {
    swapped.until("s", at);
    EXPECT_EQ(swapped.swap(head + body + sink), Rows{});
  }
  swapped.end();
  EXPECT_EQ(plain.rows(), swapped.rows());
  EXPECT_GT(plain.rows().size(), 20U);
}

}  // namespace
}  // namespace mut::test

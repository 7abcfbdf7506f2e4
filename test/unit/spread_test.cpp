// Where state is with several shards, told by `mutc explain --emit=shards`.
#include <gtest/gtest.h>

#include "mutstream/tooling.h"

namespace {

constexpr const char* head =
    "type P = { user: string, shop: string, paid: bool, n: int, at: time }\n"
    "source p: P = file(\"p.jsonl\") time at\n"
    "source q: P = file(\"q.jsonl\") time at\n";

// Of a script behind `head`; an `emit` is added for each stream named.
std::string places(const std::string& script, const std::vector<std::string>& emitted) {
  std::string text = head + script;
  for (const std::string& stream : emitted) text += "emit " + stream + " to file(\"" + stream + ".jsonl\")\n";
  auto out = mut::explain_script(text, "test.mut", mut::Emit::Shards, mut::TierChoice::Quick, {});
  return out ? out.value() : out.failure().text;
}

TEST(Spread, BranchesOfASourceGoEachByTheirOwnKey) {
  EXPECT_EQ(places("stream a = p | @x aggregate c = last(n) by user window tumbling 1m\n"
                   "stream b = p | @y aggregate c = last(n) by shop window tumbling 1m\n",
                   {"a", "b"}),
            "@a/x [panes] by user\n@b/y [panes] by shop\n");
}

TEST(Spread, StagesThatHandRowsOnShareAKeyThatCameThrough) {
  EXPECT_EQ(
      places("stream a = p | @x aggregate c = last(n) by shop, user window tumbling 1m\n"
             "stream b = a | select who = user, c | @y aggregate c = sum(c) by who window tumbling 1h\n",
             {"b"}),
      "@a/x [panes] by user\n@b/y [panes] by who\n");
}

TEST(Spread, AColumnThatWasComputedAnewIsNoKeyOfTheStageAbove) {
  EXPECT_EQ(
      places("stream a = p | @x aggregate c = last(n) by user window tumbling 1m\n"
             "stream b = a | with user = upper(user) | @y aggregate c = sum(c) by user window tumbling 1h\n",
             {"b"}),
      "@a/x [panes] in the first shard\n@b/y [panes] in the first shard\n");
}

TEST(Spread, WithoutAKeyAllIsTogether) {
  EXPECT_EQ(places("stream a = p | @x aggregate c = last(n) by user window tumbling 1m\n"
                   "stream b = a | @y aggregate c = sum(c) window tumbling 1h\n",
                   {"b"}),
            "@a/x [panes] in the first shard\n@b/y [panes] in the first shard\n");
}

TEST(Spread, AKeyThatCanFailIsNotAsked) {
  EXPECT_EQ(places("fn half(x: int) -> int = x / 2\n"
                   "stream a = p | @x aggregate c = last(n) by h = half(n) window tumbling 1m\n",
                   {"a"}),
            "@a/x [panes] in the first shard\n");
}

TEST(Spread, AKeyOfTwoValuesIsTakenLast) {
  EXPECT_EQ(places("stream a = p | @x aggregate c = last(n) by paid, shop window tumbling 1m\n", {"a"}),
            "@a/x [panes] by shop\n");
}

TEST(Spread, JoinsGoByAKeyOfBothSides) {
  EXPECT_EQ(places("stream a = p | @x join q on user == q.user within 1m\n", {"a"}), "@a/x [join] by user\n");
}

TEST(Spread, TablesOfSourcesAreEverywhereAndBindNothing) {
  EXPECT_EQ(
      places(
          "table t key shop ttl none = q\n"
          "stream a = p | lookup t on shop == t.shop | @x aggregate c = last(n) by user window tumbling 1m\n",
          {"a"}),
      "@t/table [table] in every shard, whole\n@a/x [panes] by user\n");
}

TEST(Spread, TablesBelowStateAreWithIt) {
  EXPECT_EQ(places("stream a = p | @x aggregate c = last(n) by user window tumbling 1m\n"
                   "table t key user ttl none = a\n"
                   "stream b = p | lookup t on user == t.user\n",
                   {"b"}),
            "@a/x [panes] by user\n@t/table [table] by user\n");
}

TEST(Spread, WhatSetsAParamIsDoneByEveryShard) {
  EXPECT_EQ(places("param limit: int = 3\n"
                   "stream a = p | @x aggregate c = max(n) by shop window tumbling 1m | select c\n"
                   "set limit from a every 1m\n"
                   "stream b = p | where n > limit | @y aggregate c = last(n) by user window tumbling 1m\n",
                   {"b"}),
            "@a/x [panes] in every shard, whole\n@b/y [panes] by user\n");
}

TEST(Spread, StateBehindRowsOfBothKindsIsInTheFirst) {
  EXPECT_EQ(places("stream a = p | @x aggregate c = last(n) by user window tumbling 1m | select user\n"
                   "stream c = q | select user\nstream b = merge(a, c)\n"
                   "stream d = b | @y aggregate c = last(user) by user window tumbling 1m\n",
                   {"d"}),
            "@a/x [panes] in the first shard\n@d/y [panes] in the first shard\n");
}

TEST(Spread, HistoriesOfOneStageNeedAKeyThatAllHave) {
  EXPECT_EQ(
      places("stream a = p | @x with s = sum(n) over last 1m by user, t = sum(n) over last 2m by user\n",
             {"a"}),
      "@a/x [ring] by user\n@a/x [ring] by user\n");
  EXPECT_EQ(
      places("stream a = p | @x with s = sum(n) over last 1m by user, t = sum(n) over last 1m by shop\n",
             {"a"}),
      "@a/x [ring] in the first shard\n@a/x [ring] in the first shard\n");
}

// ---- rows that are dealt out

const char* const dealt =
    " in parts, of any rows; in the first shard when a window ends\nrows are dealt out to all shards\n";

TEST(Parts, WindowsWhoseAggregatesKnowNoOrderTakeAnyRows) {
  EXPECT_EQ(places("stream a = p | where n > 3 | @x aggregate c = count(), s = sum(n), m = max(n) by user "
                   "window tumbling 1m\n",
                   {"a"}),
            std::string("@a/x [panes]") + dealt);
  EXPECT_EQ(places("stream a = p | @x aggregate c = count() window sliding 1m every 10s\n", {"a"}),
            std::string("@a/x [panes]") + dealt);
}

TEST(Parts, WithoutStateRowsAreDealtOut) {
  EXPECT_EQ(places("stream a = p | where n > 3 | select n\n", {"a"}), "rows are dealt out to all shards\n");
}

TEST(Parts, WhatAnOrderCanBeSeenInIsNotParted) {
  for (const char* call : {"first(n)", "last(n)", "avg(n)", "sum(float(n))", "max(n * 0.5)", "collect(n)",
                           "distinct(n)", "max(user)"}) {
    std::string places_of = places(
        std::string("stream a = p | @x aggregate c = ") + call + " by shop window tumbling 1m\n", {"a"});
    EXPECT_EQ(places_of, "@a/x [panes] by shop\n") << call;
  }
}

TEST(Parts, LateEventsThatShowSomewhereAreNotParted) {
  for (const char* late : {" late update 1m", " trigger on update", " trigger every 10s"}) {
    EXPECT_EQ(places(std::string("stream a = p | @x aggregate c = count() by shop window tumbling 1m") +
                         late + "\n",
                     {"a"}),
              "@a/x [panes] by shop\n")
        << late;
  }
}

TEST(Parts, AllStateHasToAllowIt) {
  EXPECT_EQ(places("stream a = p | @x aggregate c = count() by user window tumbling 1m\n"
                   "stream b = p | @y aggregate c = count() by user\n",
                   {"a", "b"}),
            "@a/x [panes] by user\n@b/y [groups] by user\n");
}

TEST(Parts, WhatFollowsIsOnTheFirstShard) {
  EXPECT_EQ(places("stream a = p | @x aggregate c = count() by user window tumbling 1m\n"
                   "stream b = a | @y aggregate m = avg(c) by user window tumbling 1h\n",
                   {"b"}),
            "@a/x [panes] in parts, of any rows; in the first shard when a window ends\n"
            "@b/y [panes] in the first shard\nrows are dealt out to all shards\n");
}

// An edit that took the windows back to their keys could not take such state along.
TEST(Parts, StateThatDoesNotMoveKeepsItsKey) {
  EXPECT_EQ(places("stream a = p | @x aggregate c = count() by user window tumbling 1m\n"
                   "stream b = a | @y with s = sum(c) over last 3 events by user\n",
                   {"b"}),
            "@a/x [panes] by user\n@b/y [ring] by user\n");
}

TEST(Parts, SourcesOfTablesAreSeenByAll) {
  EXPECT_EQ(
      places(
          "table t key shop ttl none = q\n"
          "stream a = p | lookup t on shop == t.shop | @x aggregate c = count() by user window tumbling 1m\n",
          {"a"}),
      std::string("@t/table [table] in every shard, whole\n@a/x [panes]") + dealt);
  EXPECT_EQ(
      places(
          "table t key shop ttl none = p\n"
          "stream a = p | lookup t on shop == t.shop | @x aggregate c = count() by user window tumbling 1m\n",
          {"a"}),
      "@t/table [table] in every shard, whole\n@a/x [panes] by user\n");
}

}  // namespace

// The plan of edits of windows, times and histories.
#include "test/unit/change_fixture.h"

namespace mut::test {
namespace {

TEST(Change, WindowLengthIsHandedOver) {  // T-D1, T-D2, row 18
  auto text = [](const std::string& window) {
    return script("| @g aggregate n = count(), t = sum(x) by u window " + window);
  };
  for (auto [from, to] : {std::pair{"tumbling 10s", "tumbling 5s"},
                          {"tumbling 5s", "tumbling 10s"},
                          {"tumbling 10s", "sliding 10s every 5s"},
                          {"sliding 10s every 5s", "sliding 10s every 2s"}}) {
    Edit edit(text(from), text(to));
    EXPECT_EQ(edit.changes(), (Lines{"hand-over c/g/n/count", "hand-over c/g/t/sum"})) << from;
    EXPECT_EQ(edit.plan.outcome, Outcome::Applicable);
    EXPECT_EQ(edit.plan.migration.stores[0].transfer, StoreTransfer::Retune);
  }
  EXPECT_EQ(Edit(text("session 4s"), text("session 10s")).changes(),
            (Lines{"convert c/g/n/count", "convert c/g/t/sum"}));
  // Beginnings at 3, 13, … and 4, 14, … never meet; 3, 13, … and 8, 13, … do.
  EXPECT_EQ(Edit(text("tumbling 10s offset 3s"), text("tumbling 10s offset 4s")).plan.outcome,
            Outcome::Refused);
  EXPECT_EQ(Edit(text("tumbling 10s offset 3s"), text("tumbling 5s offset 3s")).plan.outcome,
            Outcome::Applicable);
}

TEST(Change, WindowKindIsHandedOver) {  // T-D10, row 19
  auto text = [](const std::string& window, const std::string& more = "") {
    return script("| @g aggregate n = count(), t = sum(x)" + more + " by u window " + window);
  };
  for (auto [from, to] : {std::pair{"tumbling 10s", "session 4s"},
                          {"sliding 10s every 3s", "session 4s"},
                          {"session 4s", "tumbling 10s"},
                          {"session 4s", "sliding 10s every 5s"},
                          {"session 4s", "tumbling 1d zone \"Europe/Berlin\""}}) {
    Edit edit(text(from), text(to));
    EXPECT_EQ(edit.changes(), (Lines{"hand-over c/g/n/count", "hand-over c/g/t/sum"})) << from;
    EXPECT_EQ(edit.plan.outcome, Outcome::Applicable);
    EXPECT_EQ(edit.plan.migration.stores[0].transfer, StoreTransfer::Convert);
    EXPECT_EQ(edit.cell("c/g/n/count").reason,
              std::string("kind of the window changed: ") + from + " → " +
                  (std::string(to).starts_with("tumbling 1d") ? "tumbling 1d" : to));
  }
  // What else changes is seen beside it.
  EXPECT_EQ(Edit(text("tumbling 10s"), text("session 4s", ", m = max(x)")).changes(),
            (Lines{"hand-over c/g/n/count", "hand-over c/g/t/sum", "new c/g/m/max"}));
  Edit argument(text("tumbling 10s"),
                script("| @g aggregate n = count(), t = sum(x + 1) by u window session 4s"));
  EXPECT_EQ(argument.changes(), (Lines{"hand-over c/g/n/count", "choice c/g/t/sum"}));
  for (auto [from, to] : {std::pair{"tumbling 10s", "count 4"},
                          {"count 4", "session 4s"},
                          {"session 4s", "all"},
                          {"all", "tumbling 10s"}}) {
    Edit edit(text(from), text(to));
    EXPECT_EQ(edit.plan.outcome, Outcome::Refused) << from;
    EXPECT_EQ(edit.plan.refusal_codes[0], diag::Code::UnclassifiedEdit);
  }
}

TEST(Change, LatePolicyAndLatenessKeep) {  // rows 21, 22, 55
  auto text = [](const std::string& late, const std::string& lateness) {
    return "type E = { u: string, ts: time }\nsource s: E = file(\"s.jsonl\") time ts, lateness " + lateness +
           "\nstream c = s | @g aggregate n = count() by u window tumbling 1m " + late +
           "\nemit c to file(\"o.jsonl\")\n";
  };
  EXPECT_EQ(Edit(text("", "5s"), text("", "0s")).changes(), Lines{"keep c/g/n/count"});
}

TEST(Change, TimeFieldIsAChoice) {  // row 54
  auto text = [](const std::string& field) {
    return "type E = { u: string, a: time, b: time }\nsource s: E = file(\"s.jsonl\") time " + field +
           "\nstream c = s | @g aggregate n = count() by u window tumbling 1m\nemit c to file(\"o.jsonl\")\n";
  };
  EXPECT_EQ(Edit(text("a"), text("b")).changes(), Lines{"choice c/g/n/count"});
}

TEST(Change, DedupeHorizonKeeps) {  // T-D13, row 31
  Edit edit(script("| @d dedupe by u within 10s"), script("| @d dedupe by u within 3s"));
  EXPECT_EQ(edit.changes(), Lines{"keep c/d/seen"});
  EXPECT_EQ(edit.plan.migration.stores[0].transfer, StoreTransfer::Convert);
}

TEST(Change, HistoryLongerKeepsAndShorterConverts) {  // rows 48, 49
  auto text = [](const std::string& over) { return script("| with a = avg(y) over last " + over + " by u"); };
  Edit longer(text("30m"), text("1h"));
  EXPECT_EQ(longer.changes(), Lines{"keep c/with/a/avg"});
  EXPECT_NE(longer.cell("c/with/a/avg").reason.find("30m after the watermark"), std::string::npos);
  EXPECT_EQ(Edit(text("1h"), text("30m")).changes(), Lines{"convert c/with/a/avg"});
  EXPECT_EQ(Edit(text("10 events"), text("5 events")).changes(), Lines{"convert c/with/a/avg"});
  EXPECT_EQ(Edit(text("10m"), text("5 events")).plan.outcome, Outcome::Refused);
}

TEST(Change, HistoriesThatPartAreBranchedAndThoseThatMeetAreJoined) {
  auto text = [](const std::string& spread) {
    return script("| with a = avg(y) over last 30m by u, b = stddev(y) over last " + spread +
                  " by u, d = distinct(r) over last 1h by u");
  };
  Edit parted(text("30m"), text("1h"));
  EXPECT_EQ(parted.changes(), Lines{"keep c/with/b/stddev"}) << parted.text();
  EXPECT_EQ(parted.plan.outcome, Outcome::Applicable);
  // New: a ring of 30m with a, one of 1h with b, one of 1h with d. The first two come from one.
  {
    const auto& stores = parted.plan.migration.stores;
    ASSERT_EQ(stores.size(), 3U);
    EXPECT_EQ(stores[0].transfer, StoreTransfer::Branch);
    EXPECT_EQ(stores[0].old_store, 0);
    EXPECT_EQ(stores[0].cells, std::vector<int>{0});
    EXPECT_EQ(stores[1].transfer, StoreTransfer::Retune);
    EXPECT_EQ(stores[1].old_store, 0);
    EXPECT_EQ(stores[1].cells, std::vector<int>{1});
    EXPECT_EQ(stores[2].transfer, StoreTransfer::Move);
    EXPECT_EQ(stores[2].old_store, 1);
  }
  Edit met(text("1h"), text("30m"));
  EXPECT_EQ(met.changes(), Lines{"convert c/with/b/stddev"}) << met.text();
  {
    const auto& stores = met.plan.migration.stores;
    ASSERT_EQ(stores.size(), 2U);
    EXPECT_EQ(stores[0].transfer, StoreTransfer::Retune);
    EXPECT_EQ(stores[0].old_store, 1);  // the longer first
    EXPECT_EQ(stores[0].cells, (std::vector<int>{-1, 0}));
    ASSERT_EQ(stores[0].joined.size(), 1U);
    EXPECT_EQ(stores[0].joined[0].old_store, 0);
    EXPECT_EQ(stores[0].joined[0].cells, (std::vector<int>{0, -1}));
  }
}

TEST(Change, OrderOfKeysConverts) {  // row 57
  Edit edit(script("| @g aggregate n = count() by u, k ttl none"),
            script("| @g aggregate n = count() by k, u ttl none"));
  EXPECT_EQ(edit.changes(), Lines{"convert c/g/n/count"});
  EXPECT_EQ(edit.plan.migration.stores[0].transfer, StoreTransfer::Convert);
  EXPECT_EQ(edit.plan.migration.stores[0].keys, (std::vector<int>{1, 0}));
}

TEST(Change, CarryCannotMixSamplesOfTwoHistories) {
  auto text = [](const std::string& of) {
    return script("| with a = avg(y) over last 30m by u, b = stddev(" + of + ") over last 30m by u");
  };
  std::string before = text("float(x)");
  EXPECT_EQ(Edit(before, text("y"), accept({"carry:c/with/b"})).plan.outcome, Outcome::Refused);
  EXPECT_EQ(Edit(before, text("y"), accept({"reset:c/with/b"})).plan.outcome, Outcome::Applicable);
}

TEST(Change, HistoryArgumentAndKey) {  // rows 50, 51
  Edit argument(script("| with a = prev(x) by u"), script("| with a = prev(k) by u"));
  EXPECT_EQ(argument.changes(), Lines{"choice c/with/a/prev"});
  EXPECT_EQ(argument.cell("c/with/a/prev").choices, (Lines{"carry", "reset"}));
  Edit key(script("| with a = prev(x) by u"), script("| with a = prev(x) by r"));
  EXPECT_EQ(key.cell("c/with/a/prev").choices, Lines{"reset"});
}

}  // namespace
}  // namespace mut::test

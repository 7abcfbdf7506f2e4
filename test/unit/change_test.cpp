// The plan of every kind of edit (live-change.md 2.5).
#include <regex>

#include "test/unit/change_fixture.h"

namespace mut::test {
namespace {

// ---- stateless edits

TEST(Change, ExpressionThatFeedsNoStateChangesNoCell) {  // T-A1, row 2
  Edit edit(script("| select y = x * 2"), script("| select y = x * 3"));
  EXPECT_EQ(edit.plan.outcome, Outcome::Applicable);
  EXPECT_EQ(edit.changes(), Lines{});
  EXPECT_FALSE(edit.plan.recompiles);
  EXPECT_EQ(edit.plan.streams_changed, 1);
}

TEST(Change, ParamOutsideOfStateIsANewValueAndNoRecompile) {  // T-A3
  auto text = [](const std::string& k) {
    return "param k: int = " + k + "\n" + script("| @g aggregate n = count() ttl none | select n, y = n * k");
  };
  Edit edit(text("2"), text("5"));
  EXPECT_EQ(edit.plan.outcome, Outcome::Applicable);
  EXPECT_EQ(edit.changes(), Lines{});
  EXPECT_FALSE(edit.plan.recompiles);
  EXPECT_EQ(edit.plan.migration.params, std::vector<int>{-1});
  EXPECT_EQ(Edit(text("2"), text("2")).plan.migration.params, std::vector<int>{0});
}

TEST(Change, ParamInsideOfStateMixesOldAndNew) {  // row 5
  auto text = [](const std::string& k) {
    return "param k0: int = " + k + "\n" + script("| where x > k0 | @g aggregate n = count() by u ttl none");
  };
  Edit edit(text("2"), text("5"));
  EXPECT_EQ(edit.changes(), Lines{"keep-mixed c/g/n/count"});
  EXPECT_EQ(edit.plan.outcome, Outcome::Applicable);
}

TEST(Change, FilterBeforeStateMixesAdmissions) {  // T-A4, row 4
  Edit edit(grouped("n = count(), t = sum(x)"),
            script("| where x > 0 | @g aggregate n = count(), t = sum(x) by u ttl none"));
  EXPECT_EQ(edit.changes(), (Lines{"keep-mixed c/g/n/count", "keep-mixed c/g/t/sum"}));
  EXPECT_EQ(edit.plan.outcome, Outcome::Applicable);
  EXPECT_EQ(edit.plan.migration.stores[0].transfer, StoreTransfer::Move);
}

TEST(Change, ReorderOfCommutingStagesChangesNothing) {  // T-A5, row 6
  Edit edit(script("| with z = x + 1 | where x > 2 | @g aggregate n = count(), t = sum(z) ttl none"),
            script("| where x > 2 | with z = x + 1 | @g aggregate n = count(), t = sum(z) ttl none"));
  EXPECT_EQ(edit.changes(), Lines{});
  EXPECT_EQ(edit.plan.outcome, Outcome::Applicable);
}

TEST(Change, EqualMeaningIsNoChange) {  // T-A6, row 1
  Edit edit(script("| with z = x * 2 | select u, w = z + 1 | @g aggregate n = sum(w) by u ttl none"),
            script("// a comment\n\n| with other = 2 * x\n\n| select u, w = 1 + other\n| @g aggregate n = "
                   "sum(w) by u ttl none"));
  EXPECT_EQ(edit.plan.outcome, Outcome::NoChange);
  EXPECT_EQ(change::exit_code(edit.plan.outcome), 11);
  EXPECT_EQ(edit.plan.streams_changed, 0);
}

TEST(Change, LiteralArithmeticAndParameterNamesAreNoChange) {
  Edit edit("fn f(a: int) -> int = a * 60\n" + script("| select y = f(x), z = x > 3"),
            "fn f(b: int) -> int = b * (6 * 10)\n" + script("| select y = f(x), z = 3 < x"));
  EXPECT_EQ(edit.plan.outcome, Outcome::NoChange) << edit.text();
}

TEST(Change, OtherLiteralOrOutputNameIsAChange) {
  EXPECT_EQ(Edit(script("| select y = x"), script("| select z = x")).plan.outcome, Outcome::Applicable);
  EXPECT_EQ(Edit(script("| select y = \"a\""), script("| select y = \"b\"")).plan.outcome,
            Outcome::Applicable);
  EXPECT_EQ(Edit(script("| select y = x - k"), script("| select y = k - x")).plan.outcome,
            Outcome::Applicable);
}

TEST(Change, FunctionBodyIsSeen) {  // T-A9
  Edit edit("fn f(a: int) -> int = a + 1\n" + script("| select y = f(x)"),
            "fn f(a: int) -> int = a + 2\n" + script("| select y = f(x)"));
  EXPECT_EQ(edit.plan.outcome, Outcome::Applicable);
}

TEST(Change, ValueOfAnAggregateIsAChoiceForItsColumn) {  // row 3
  Edit edit(grouped("n = count(), t = sum(x)"),
            script("| with x = x * 100 | @g aggregate n = count(), t = sum(x) by u ttl none"));
  EXPECT_EQ(edit.changes(), Lines{"choice c/g/t/sum"});
  EXPECT_EQ(edit.plan.outcome, Outcome::NeedsDecision);
  EXPECT_EQ(edit.cell("c/g/t/sum").choices, (Lines{"carry", "reset"}));
}

TEST(Change, CarryAndResetDecideAChoice) {
  std::string before = grouped("n = count(), t = sum(x)");
  std::string after = grouped("n = count(), t = sum(k)");
  Edit carry(before, after, accept({"carry:c/g/t/sum"}));
  EXPECT_EQ(carry.plan.outcome, Outcome::Applicable);
  EXPECT_EQ(carry.plan.migration.stores[0].cells, (std::vector<int>{0, 1}));
  Edit reset(before, after, accept({"reset:c/g/t"}));
  EXPECT_EQ(reset.plan.outcome, Outcome::Applicable);
  EXPECT_EQ(reset.plan.migration.stores[0].transfer, StoreTransfer::Convert);
  EXPECT_EQ(reset.plan.migration.stores[0].cells, (std::vector<int>{0, -1}));
  CompareOptions live;
  live.policy = Policy::Live;
  EXPECT_EQ(Edit(before, after, live).cell("c/g/t/sum").decision, "reset");
  CompareOptions strict;
  strict.policy = Policy::Strict;
  EXPECT_EQ(Edit(before, after, strict).plan.outcome, Outcome::Refused);
}

// ---- aggregates and identity

TEST(Change, UnrelatedEditKeepsState) {  // T-B1
  Edit edit(script("| @g aggregate n = count() by u ttl none | with tag = \"v1\""),
            script("| @g aggregate n = count() by u ttl none | with tag = \"v2\""));
  EXPECT_EQ(edit.changes(), Lines{});
  EXPECT_EQ(edit.plan.migration.stores[0].transfer, StoreTransfer::Move);
}

TEST(Change, UnlabelledStageIsFoundByWhatItIs) {  // T-B2
  Edit edit(script("| aggregate n = count() by u ttl none | with tag = \"v1\""),
            script("| aggregate n = count() by u ttl none | with tag = \"v2\""));
  EXPECT_EQ(edit.changes(), Lines{});
  EXPECT_EQ(edit.plan.migration.stores[0].old_store, 0);
  EXPECT_NE(edit.text().find("inferred"), std::string::npos) << edit.text();
}

TEST(Change, AddedAggregateIsNewAndTheOthersStay) {  // T-B3, row 14
  Edit edit(grouped("n = count()"), grouped("m = max(x), n = count()"));
  EXPECT_EQ(edit.changes(), Lines{"new c/g/m/max"});
  EXPECT_EQ(edit.plan.outcome, Outcome::Applicable);
  EXPECT_EQ(edit.plan.migration.stores[0].transfer, StoreTransfer::Convert);
  EXPECT_EQ(edit.plan.migration.stores[0].cells, (std::vector<int>{-1, 0}));
}

TEST(Change, RemovedAggregateIsDroppedWithConsent) {  // T-B5, row 15
  std::string before = grouped("n = count(), t = sum(x)");
  Edit edit(before, grouped("n = count()"));
  EXPECT_EQ(edit.changes(), Lines{"drop c/g/t/sum"});
  EXPECT_EQ(edit.plan.outcome, Outcome::NeedsDecision);
  EXPECT_EQ(Edit(before, grouped("n = count()"), accept({"drop:c/g/"})).plan.outcome, Outcome::Applicable);
  EXPECT_EQ(Edit(before, grouped("n = count()"), accept({"drop:c/other/"})).plan.outcome,
            Outcome::NeedsDecision);
  CompareOptions empty;
  empty.old_entries = {0};
  EXPECT_EQ(Edit(before, grouped("n = count()"), empty).plan.outcome, Outcome::Applicable);
}

TEST(Change, ReplacedFunctionCannotBeCarried) {  // T-B6, row 16
  Edit edit(grouped("t = sum(x)"), grouped("t = max(x)"));
  EXPECT_EQ(edit.changes(), Lines{"choice c/g/t/max"});
  EXPECT_EQ(edit.cell("c/g/t/max").old_path, "c/g/t/sum");
  EXPECT_EQ(edit.cell("c/g/t/max").choices, Lines{"reset"});
  EXPECT_EQ(Edit(grouped("t = sum(x)"), grouped("t = max(x)"), accept({"carry:c/g/t"})).plan.outcome,
            Outcome::NeedsDecision);
  EXPECT_EQ(Edit(grouped("t = sum(x)"), grouped("t = max(x)"), accept({"reset:c/g/t"})).plan.outcome,
            Outcome::Applicable);
}

TEST(Change, OneColumnThatWentAndOneThatCameAreARename) {  // T-B9, row 17
  Edit edit(grouped("n = count(), t = sum(x)"), grouped("cnt = count(), t = sum(x)"));
  EXPECT_EQ(edit.changes(), Lines{"keep c/g/cnt/count"});
  EXPECT_EQ(edit.plan.migration.stores[0].cells, (std::vector<int>{0, 1}));
  EXPECT_NE(edit.cell("c/g/cnt/count").reason.find("inferred rename"), std::string::npos);
}

TEST(Change, TwoColumnsThatWentAndCameAreAmbiguous) {  // T-B9 variant
  Edit edit(grouped("p = sum(x), q = sum(x)"), grouped("r = sum(x), w = sum(x)"));
  EXPECT_EQ(edit.plan.outcome, Outcome::Refused);
  ASSERT_EQ(edit.plan.refusals.size(), 1U);
  EXPECT_EQ(edit.plan.refusal_codes[0], diag::Code::AmbiguousRename);
  for (const char* name : {"`p`", "`q`", "`r`", "`w`"})
    EXPECT_NE(edit.plan.refusals[0].find(name), std::string::npos) << edit.plan.refusals[0];
}

TEST(Change, RenameByWasKeeps) {  // row 17
  Edit edit(grouped("p = sum(x), q = sum(x)"), grouped("r was q = sum(x), w was p = sum(x)"));
  EXPECT_EQ(edit.changes(), (Lines{"keep c/g/r/sum", "keep c/g/w/sum"}));
  EXPECT_EQ(edit.plan.migration.stores[0].cells, (std::vector<int>{1, 0}));
}

TEST(Change, ThreeOfOneKindForTwoAreAmbiguous) {  // T-B11
  Edit edit(script("| dedupe by u within 1m | dedupe by u within 1m"),
            script("| dedupe by u within 1m | dedupe by u within 1m | dedupe by u within 1m"));
  EXPECT_EQ(edit.plan.outcome, Outcome::Refused);
  EXPECT_EQ(edit.plan.refusal_codes, std::vector{diag::Code::AmbiguousStage});
  EXPECT_NE(edit.plan.refusals[0].find("test.mut:4"), std::string::npos) << edit.plan.refusals[0];
}

TEST(Change, LabelWithoutWasIsAnotherStage) {  // T-B12
  std::string before = grouped("n = count()");
  Edit edit(before, script("| @h aggregate n = count() by u ttl none"));
  EXPECT_EQ(edit.changes(), (Lines{"new c/h/n/count", "drop c/g/n/count"}));
  EXPECT_EQ(edit.plan.outcome, Outcome::NeedsDecision);
  EXPECT_EQ(edit.cell("c/h/n/count").hint, "rename? write `@h was g`");
  Edit was(before, script("| @h was g aggregate n = count() by u ttl none"));
  EXPECT_EQ(was.changes(), Lines{"keep c/h/n/count"});
  EXPECT_EQ(was.plan.outcome, Outcome::Applicable);
}

TEST(Change, StreamRenamedByWasKeeps) {
  auto text = [](const std::string& name) {
    return head + "stream " + name + " = s | @g aggregate n = count() by u ttl none\nemit " +
           name.substr(0, 1) + " to file(\"o.jsonl\") as out\n";
  };
  EXPECT_EQ(Edit(text("c"), text("d was c")).changes(), Lines{"keep d/g/n/count"});
  EXPECT_EQ(Edit(text("c"), text("d")).changes(), (Lines{"new d/g/n/count", "drop c/g/n/count"}));
}

TEST(Change, FreshEmptiesOnceWhenItsNumberGrows) {  // 2.3.5
  auto text = [](const std::string& fresh) {
    return script("| @g " + fresh + " aggregate n = count() by u ttl none");
  };
  Edit edit(text(""), text("fresh 1"));
  EXPECT_EQ(edit.changes(), Lines{"reset c/g/n/count"});
  EXPECT_EQ(edit.plan.outcome, Outcome::Applicable);
  EXPECT_EQ(edit.plan.migration.stores[0].transfer, StoreTransfer::Fresh);
  EXPECT_EQ(Edit(text("fresh 1"), text("fresh 1")).changes(), Lines{});
}

// ---- keys

TEST(Change, RefinedKeyCanOnlyBeReset) {  // T-C1, row 10
  std::string before = grouped("n = count(), t = sum(x)");
  std::string after = script("| @g aggregate n = count(), t = sum(x) by u, r ttl none");
  Edit edit(before, after);
  EXPECT_EQ(edit.changes(), (Lines{"choice c/g/n/count", "choice c/g/t/sum"}));
  EXPECT_EQ(edit.cell("c/g/n/count").choices, Lines{"reset"});
  Edit reset(before, after, accept({"reset:c/g/"}));
  EXPECT_EQ(reset.plan.outcome, Outcome::Applicable);
  EXPECT_EQ(reset.plan.migration.stores[0].transfer, StoreTransfer::Fresh);
}

TEST(Change, GroupsOfCoarsenedKeysAreMerged) {  // row 11
  auto keys = [](const std::string& aggregate, const std::string& by) {
    return script("| @g aggregate " + aggregate + " by " + by + " ttl none");
  };
  Edit merged(keys("n = count()", "u, r"), keys("n = count()", "u"));
  EXPECT_EQ(merged.changes(), Lines{"convert c/g/n/count"});
  EXPECT_EQ(merged.plan.migration.stores[0].keys, std::vector<int>{0});
  Edit second(keys("n = count()", "u, r"), keys("n = count()", "r"));
  EXPECT_EQ(second.changes(), Lines{"convert c/g/n/count"});
  EXPECT_EQ(second.plan.migration.stores[0].keys, std::vector<int>{1});
  EXPECT_EQ(Edit(keys("f = first(u)", "u, r"), keys("f = first(u)", "u")).changes(),
            Lines{"choice c/g/f/first"});
  auto session = [](const std::string& by) {
    return script("| @s aggregate n = count() by " + by + " window session 10s");
  };
  EXPECT_EQ(Edit(session("u, r"), session("u")).changes(), Lines{"choice c/s/n/count"});
}

TEST(Change, ReplacedKeysCanOnlyBeReset) {  // row 12
  EXPECT_EQ(Edit(grouped("n = count()"), script("| @g aggregate n = count() by r ttl none")).changes(),
            Lines{"choice c/g/n/count"});
}

TEST(Change, WidenedKeyConverts) {  // T-C3, row 13
  auto text = [](const std::string& type) {
    return "type T = { id: " + type + " }\nsource s: T = file(\"s.jsonl\")\n" +
           "stream c = s | @g aggregate n = count() by id ttl none\nemit c to file(\"o.jsonl\")\n";
  };
  Edit edit(text("i32"), text("int"));
  EXPECT_EQ(edit.changes(), Lines{"convert c/g/n/count"});
  EXPECT_EQ(edit.plan.outcome, Outcome::Applicable);
  EXPECT_EQ(edit.plan.migration.stores[0].transfer, StoreTransfer::Convert);
  EXPECT_EQ(edit.plan.sources_redeclared, Lines{"s"});
  EXPECT_EQ(Edit(text("int"), text("i32")).changes(), Lines{"convert-checked c/g/n/count"});
  EXPECT_EQ(Edit(text("int?"), text("int")).changes(), Lines{"convert-checked c/g/n/count"});
  EXPECT_EQ(Edit(text("int"), text("int?")).changes(), Lines{"convert c/g/n/count"});
  EXPECT_EQ(Edit(text("int"), text("string")).changes(), Lines{"choice c/g/n/count"});
  EXPECT_EQ(Edit(text("int"), text("float")).changes(), Lines{"choice c/g/n/count"});
}

TEST(Change, ComputedKeyConverts) {  // T-C5
  auto text = [](const std::string& key, const std::string& aggregate) {
    return "type T = { u: string, r: string, x: int }\nsource s: T = file(\"s.jsonl\")\n"
           "stream c = s | @g aggregate " +
           aggregate + " by " + key + " ttl none\nemit c to file(\"o.jsonl\")\n";
  };
  auto verdict = [&](const std::string& aggregate, const std::string& before, const std::string& after) {
    return Edit(text(before, aggregate), text(after, aggregate)).changes();
  };
  EXPECT_EQ(verdict("n = count()", "u", "u = lower(u)"), Lines{"convert c/g/n/count"});
  EXPECT_EQ(verdict("n = count()", "u, r", "k = u + r"), Lines{"convert c/g/n/count"});
  EXPECT_EQ(verdict("n = count()", "u", "u, l = len(u)"), Lines{"convert c/g/n/count"});
  EXPECT_EQ(verdict("n = count()", "u", "u = u as int"), Lines{"convert-checked c/g/n/count"});
  EXPECT_EQ(verdict("f = first(x)", "u", "u, l = len(u)"), Lines{"convert c/g/f/first"});
  // What depends on the order of events, or on more than the old key.
  EXPECT_EQ(verdict("f = first(x)", "u", "u = lower(u)"), Lines{"choice c/g/f/first"});
  EXPECT_EQ(verdict("n = count()", "u", "u = u + r"), Lines{"choice c/g/n/count"});
  EXPECT_EQ(verdict("n = count()", "l = lower(u)", "u"), Lines{"choice c/g/n/count"});
}

TEST(Change, NarrowedValueIsChecked) {  // row 26
  auto text = [](const std::string& type, const std::string& aggregate) {
    return "type T = { v: " + type + ", at: time }\nsource s: T = file(\"s.jsonl\") time at\n" +
           "stream c = s | @g aggregate a = " + aggregate + "\nemit c to file(\"o.jsonl\")\n";
  };
  auto verdict = [&](const std::string& aggregate) {
    return Edit(text("int", aggregate), text("i32", aggregate)).changes();
  };
  EXPECT_EQ(verdict("max(v) ttl none"), Lines{"convert-checked c/g/a/max"});
  EXPECT_EQ(verdict("sum(v) ttl none"), Lines{});
  EXPECT_EQ(verdict("max(v) window tumbling 1m"), Lines{"choice c/g/a/max"});
  EXPECT_EQ(verdict("distinct(v) ttl none"), Lines{"choice c/g/a/distinct"});
}

TEST(Change, WidenedValueConverts) {  // T-F4, row 26
  auto text = [](const std::string& type) {
    return "type T = { v: " + type + " }\nsource s: T = file(\"s.jsonl\")\n" +
           "stream c = s | @g aggregate m = max(v), t = sum(v) ttl none\nemit c to file(\"o.jsonl\")\n";
  };
  Edit edit(text("i32"), text("int"));
  EXPECT_EQ(edit.changes(), Lines{"convert c/g/m/max"});
  EXPECT_EQ(edit.plan.migration.stores[0].transfer, StoreTransfer::Convert);
}

// ---- windows

TEST(Change, FilterInsideOfAnAggregateMixes) {  // row 53
  EXPECT_EQ(Edit(grouped("t = sum(x where ok)"), grouped("t = sum(x where not ok)")).changes(),
            Lines{"keep-mixed c/g/t/sum"});
  EXPECT_EQ(
      Edit(grouped("t = sum(x where ok and x > 1)"), grouped("t = sum(x where 1 < x and ok)")).changes(),
      Lines{});
}

// ---- sources, sinks, topology

TEST(Change, OtherSinkIsNoStateChange) {  // T-G1, row 40
  std::string before =
      head + "stream c = s | @g aggregate n = count() ttl none\nemit c to file(\"a.jsonl\") as o\n";
  std::string after =
      head + "stream c = s | @g aggregate n = count() ttl none\nemit c to file(\"b.jsonl\") as o\n";
  Edit edit(before, after);
  EXPECT_EQ(edit.plan.outcome, Outcome::Applicable);
  EXPECT_EQ(edit.changes(), Lines{});
  ASSERT_EQ(edit.plan.notes.size(), 1U);
  EXPECT_NE(edit.plan.notes[0].find("another target"), std::string::npos);
}

TEST(Change, AddedInputMixes) {  // T-G3, row 38
  auto text = [](bool both) {
    return head + (both ? "source s2: E = file(\"s2.jsonl\") time ts\n" : "") +
           "stream c = " + (both ? "merge(s, s2)" : "s") +
           " | @g aggregate n = count(), t = sum(x) by u window tumbling 10s\nemit c to file(\"o.jsonl\")\n";
  };
  Edit edit(text(false), text(true));
  EXPECT_EQ(edit.changes(), (Lines{"keep-mixed c/g/n/count", "keep-mixed c/g/t/sum"})) << edit.text();
  EXPECT_EQ(edit.plan.outcome, Outcome::Applicable);
  EXPECT_EQ(edit.plan.migration.stores[0].transfer, StoreTransfer::Move);
}

TEST(Change, RouteConditionMixesWhatIsBelow) {  // T-G7
  auto text = [](const std::string& limit) {
    return head + "route s { x > " + limit + " -> good, else -> bad }\n" +
           "stream c = bad | @g aggregate n = count() ttl none\nemit good to file(\"g.jsonl\")\n" +
           "emit c to file(\"b.jsonl\")\n";
  };
  Edit edit(text("0"), text("5"));
  EXPECT_EQ(edit.changes(), Lines{"keep-mixed c/g/n/count"});
  EXPECT_FALSE(edit.plan.recompiles);
}

TEST(Change, ReplacedSourceIsRefused) {  // row 37
  auto text = [](const std::string& path) {
    return "type E = { x: int }\nsource s: E = file(\"" + path + "\")\nemit s to file(\"o.jsonl\")\n";
  };
  Edit edit(text("a.jsonl"), text("b.jsonl"));
  EXPECT_EQ(edit.plan.outcome, Outcome::Refused);
  EXPECT_EQ(edit.plan.refusal_codes, std::vector{diag::Code::SourceReplaced});
  Edit begins(text("a.jsonl"), text("b.jsonl\", start: \"earliest"));
  EXPECT_EQ(begins.plan.outcome, Outcome::Applicable);
  EXPECT_EQ(begins.plan.sources_replaced, Lines{"s"});
  Edit says_so(text("a.jsonl"), text("a.jsonl\", start: \"earliest"));
  EXPECT_EQ(says_so.plan.sources_replaced, Lines{});
}

TEST(Change, RenamedFieldOfASource) {  // T-F2, T-F3, row 25
  auto text = [](const std::string& field, const std::string& name) {
    return "type E = { u: string, " + field + " }\nsource s: E = file(\"s.jsonl\")\n" +
           "stream c = s | @g aggregate t = sum(" + name + ") by u ttl none\nemit c to file(\"o.jsonl\")\n";
  };
  Edit was(text("amount: float", "amount"), text("total was amount: float", "total"));
  EXPECT_EQ(was.plan.outcome, Outcome::Applicable) << was.text();
  EXPECT_EQ(was.changes(), Lines{});
  Edit without(text("amount: float", "amount"), text("total: float", "total"));
  EXPECT_EQ(without.plan.outcome, Outcome::Refused);
  EXPECT_NE(without.text().find("write `total was amount: float`"), std::string::npos) << without.text();
}

TEST(Change, RenamedSourceKeepsEverything) {
  auto text = [](const std::string& source, const std::string& name) {
    return "type E = { x: int }\nsource " + source + ": E = file(\"s.jsonl\")\nstream c = " + name +
           " | @g aggregate t = sum(x) ttl none\nemit c to file(\"o.jsonl\")\n";
  };
  Edit edit(text("a", "a"), text("b was a", "b"));
  EXPECT_EQ(edit.changes(), Lines{});
  EXPECT_EQ(edit.plan.outcome, Outcome::Applicable);
  ASSERT_EQ(edit.plan.migration.renamed_sources.size(), 1U);
  EXPECT_EQ(edit.plan.migration.renamed_sources[0], (std::pair<std::string, std::string>{"a", "b"}));
}

TEST(Change, CopyByFromFillsANewStage) {  // T-G5, row 42, 58
  std::string before =
      head + "stream c = s | @g aggregate n = count() by u ttl none\nemit c to file(\"o.jsonl\")\n";
  std::string after = before + "stream d = s | where ok | @h from c/g aggregate n = count() by u ttl none\n" +
                      "emit d to file(\"d.jsonl\")\n";
  std::string dotted = std::regex_replace(after, std::regex("from c/g"), "from c.g");
  Edit edit(before, dotted);
  EXPECT_EQ(edit.changes(), Lines{"keep-mixed d/h/n/count"}) << edit.text();
  EXPECT_EQ(edit.plan.migration.stores[0].transfer, StoreTransfer::Convert);
  EXPECT_EQ(edit.plan.migration.stores[1].old_store, 0);
}

// ---- properties and printing

const std::vector<std::string> programs = {
    script("| select y = x"),
    grouped("n = count(), t = sum(x), m = max(y)"),
    script("| dedupe by u within 1m | dedupe by u within 1m | dedupe by u within 1m"),
    script("| with a = avg(y) over last 30m by u, b = stddev(y) over last 30m by u, d = distinct(r) over "
           "last 1h "
           "by u, p = prev(x), c = changed(x) by u | where count() over last 5 events by u > 2"),
    script("| @g aggregate n = count(), t = sum(x) by u, r window sliding 1m every 10s"),
};

TEST(Change, NothingChangesFromAProgramToItself) {
  for (const std::string& program : programs) {
    Edit edit(program, program);
    EXPECT_EQ(edit.plan.outcome, Outcome::NoChange) << program << edit.text();
    EXPECT_EQ(edit.changes(), Lines{});
    for (size_t i = 0; i < edit.plan.migration.stores.size(); ++i) {
      EXPECT_EQ(edit.plan.migration.stores[i].transfer, StoreTransfer::Move);
      EXPECT_EQ(edit.plan.migration.stores[i].old_store, static_cast<int>(i));
    }
  }
}

TEST(Change, EveryOldCellHasExactlyOneVerdict) {  // I4
  for (const std::string& from : programs) {
    for (const std::string& to : programs) {
      Edit edit(from, to);
      std::map<std::string, int> verdicts;
      for (const change::CellPlan& cell : edit.plan.cells) {
        if (!cell.old_path.empty()) ++verdicts[cell.old_path];
      }
      size_t cells = 0;
      for (const graph::StoreNode& store : edit.before.graph.stores)
        cells += std::max<size_t>(store.desc.cells.size(), 1);
      EXPECT_EQ(verdicts.size(), cells) << from << to << edit.text();
      for (const auto& [path, count] : verdicts) EXPECT_EQ(count, 1) << path;
    }
  }
}

TEST(Change, ForcedConversionMovesNothing) {
  CompareOptions force;
  force.force_convert = true;
  for (const std::string& program : programs) {
    Edit edit(program, program, force);
    for (const runtime::StoreMigration& store : edit.plan.migration.stores)
      EXPECT_EQ(store.transfer, StoreTransfer::Convert);
  }
}

TEST(Change, AGuardThatGoesOrIsLooserIsTold) {
  auto text = [](const std::string& guards) {
    return script("| @g aggregate t = sum(x) by u ttl none") + guards;
  };
  auto notes = [&](const std::string& before, const std::string& after) {
    return Edit(text(before), text(after)).plan.notes;
  };
  EXPECT_EQ(notes("guard errors < 1%\n", ""),
            Lines{"guard `errors < 1% in 10000 records` is gone: this edit is not judged by it"});
  EXPECT_EQ(notes("guard errors < 1%\n", "guard errors < 2.5%\n"),
            Lines{"guard `errors` is looser: < 1% in 10000 records → < 2.5% in 10000 records"});
  EXPECT_EQ(notes("guard errors of c < 1%\n", "guard errors of c < 1% in 500 records\n"),
            Lines{"guard `errors of c` is looser: < 1% in 10000 records → < 1% in 500 records"});
  // Another one's guard does not stand in for it.
  EXPECT_EQ(notes("guard errors < 1%\n", "guard errors of c < 1%\n").size(), 1U);
  EXPECT_EQ(notes("guard errors < 2%\n", "guard errors < 1% in 20_000 records\nguard errors of s < 3%\n"),
            Lines{});
}

TEST(Change, PrintsThePlan) {
  CompareOptions options;
  options.old_entries = {812340};
  Edit edit(grouped("n = count(), t = sum(x)"),
            script("| where x > 0 | @g aggregate n = count(), t = sum(k), m = max(x) by u ttl none"),
            options);
  EXPECT_EQ(
      edit.text(),
      "v1 → v2   1 stream changed, kernels recompiled\n"
      "  KEEP-MIXED  c/g/n/count  812,340 entries  filter changed; events before the cut were admitted "
      "under the old rule\n"
      "  CHOICE      c/g/t/sum    812,340 entries  sum(x) → sum(k): value changed; filter changed; events "
      "before the cut were admitted under the old rule\n"
      "                                            --accept carry:c/g/t/sum | reset:c/g/t/sum\n"
      "  NEW         c/g/m/max                     starts at the cut\n"
      "note: sink `c` gets rows of other fields from the cut on\n"
      "needs a decision: c/g/t/sum                       exit 10\n");
  EXPECT_EQ(change::print_json(edit.plan, "v1", "v2").substr(0, 91),
            "{\"schema\":1,\"from\":\"v1\",\"to\":\"v2\",\"outcome\":\"needs_decision\",\"exit\":10,"
            "\"streams_changed\":1,");
}

}  // namespace
}  // namespace mut::test

// Keys of joins and tables that an edit replaces: their rows are whole, so that most can be computed.
#include "test/unit/change_fixture.h"

namespace mut::test {
namespace {

// `stages` of the left side stand between source and join.
std::string joined(const std::string& on, const std::string& stages = "", const std::string& left = "") {
  return "type A = { id: int, user: string, card: string, at: time" + left +
         " }\n"
         "type B = { user: string, card: string, n: int, at: time }\n"
         "source a: A = file(\"a.jsonl\") time at\n"
         "source b: B = file(\"b.jsonl\") time at\n"
         "stream c = a " +
         stages + " | @j left join b within 1m on " + on + " | select id\nemit c to stdout()\n";
}
std::string table(const std::string& key, const std::string& fields = "user: string, card: string") {
  return "type A = { " + fields +
         ", at: time }\nsource a: A = file(\"a.jsonl\") time at\n"
         "table c key " +
         key + " ttl none = a\nemit c to stdout()\n";
}

const Lines converts{"convert c/j/left", "convert c/j/right"};
const Lines checks{"convert-checked c/j/left", "convert-checked c/j/right"};

TEST(ChangeOfRows, KeyOfAJoinIsComputed) {  // row 12
  EXPECT_EQ(Edit(joined("user == b.user"), joined("card == b.card")).changes(), converts);
  EXPECT_EQ(Edit(joined("user == b.user"), joined("lower(user) == lower(b.user)")).changes(), converts);
  EXPECT_EQ(Edit(joined("user == b.user"), joined("user == b.user and card == b.card")).changes(), converts);
  EXPECT_EQ(Edit(joined("user == b.user and card == b.card"), joined("user == b.user")).changes(), converts);
  EXPECT_EQ(Edit(joined("user == b.user"), joined("true")).changes(), converts);
  EXPECT_EQ(Edit(joined("true"), joined("user == b.user")).changes(), converts);
}

TEST(ChangeOfRows, KeyThatCanFailIsChecked) {
  Edit edit(joined("user == b.user"), joined("10 / id == b.n"));
  EXPECT_EQ(edit.changes(), (Lines{"convert-checked c/j/left", "convert c/j/right"})) << edit.text();
  EXPECT_EQ(Edit(joined("user == b.user"), joined("10 / id == 10 / b.n")).changes(), checks);
  ASSERT_EQ(edit.plan.conversions.size(), 1U);
  EXPECT_EQ(edit.plan.migration.stores[0].transfer, runtime::StoreTransfer::Convert);
  EXPECT_EQ(edit.plan.migration.stores[0].conversion, 0);
}

TEST(ChangeOfRows, AFieldThatIsComputedOtherwiseIsNoKeyOfOldRows) {
  std::string upper = "| with low = upper(user)";
  EXPECT_EQ(
      Edit(joined("low == b.user", "| with low = lower(user)"), joined("low == b.user", upper)).changes(),
      (Lines{"choice c/j/left", "convert c/j/right"}));
  // Another key does not read it.
  EXPECT_EQ(
      Edit(joined("low == b.user", "| with low = lower(user)"), joined("card == b.card", upper)).changes(),
      (Lines{"convert c/j/left", "convert c/j/right"}));
}

TEST(ChangeOfRows, WhatARowDoesNotSayIsNoKey) {
  EXPECT_EQ(
      Edit(joined("user == b.user"), joined("event_time() + (at - at) == b.at")).cell("c/j/left").verdict,
      change::Verdict::Choice);
  EXPECT_EQ(
      Edit(joined("user == b.user"), joined("arrival_time() + (at - at) == b.at")).cell("c/j/left").verdict,
      change::Verdict::Choice);
}

TEST(ChangeOfRows, NewFieldsHaveTheirDefault) {
  Edit edit(joined("user == b.user"), joined("tier == b.user", "", ", tier: string = \"free\""));
  EXPECT_EQ(edit.changes(), converts) << edit.text();
  // Without one there is no row.
  EXPECT_EQ(
      Edit(joined("user == b.user"), joined("tier == b.user", "", ", tier: string")).cell("c/j/left").verdict,
      change::Verdict::Choice);
}

TEST(ChangeOfRows, KeyOfATableIsComputed) {
  EXPECT_EQ(Edit(table("user"), table("card")).changes(), Lines{"convert c/table/rows"});
  EXPECT_EQ(Edit(table("user"), table("user, card")).changes(), Lines{"convert c/table/rows"});
  EXPECT_EQ(Edit(table("user, card"), table("card")).changes(), Lines{"convert c/table/rows"});
  // As it was: keys in another order need no rows.
  EXPECT_TRUE(Edit(table("user, card"), table("card, user")).plan.conversions.empty());
}

TEST(ChangeOfRows, ARowWithoutTheKeyStopsTheEdit) {
  std::string fields = "user: string, card: string?";
  EXPECT_EQ(Edit(table("user", fields), table("card", fields)).changes(),
            Lines{"convert-checked c/table/rows"});
}

TEST(ChangeOfRows, AnotherTypeOfAKeyFollowsTheField) {
  Edit edit(table("id", "id: int, card: string"), table("id", "id: i32, card: string"));
  EXPECT_EQ(edit.changes(), Lines{"convert-checked c/table/rows"}) << edit.text();
  EXPECT_EQ(Edit(table("id", "id: i32, card: string"), table("id", "id: int, card: string")).changes(),
            Lines{"convert c/table/rows"});
  EXPECT_EQ(Edit(table("id", "id: string, card: string"), table("id", "id: int, card: string")).changes(),
            Lines{"choice c/table/rows"});
}

}  // namespace
}  // namespace mut::test

#include <gtest/gtest.h>

#include "test/unit/parse_fixture.h"
#include "test/unit/scripts.h"

namespace mut::test {
namespace {

class EveryScript : public testing::TestWithParam<NamedScript> {};

TEST_P(EveryScript, ParsesWithoutAnError) {
  Parsed parsed{std::string(GetParam().text)};
  EXPECT_EQ(parsed.diags.error_count(), 0U) << parsed.messages();
}

TEST_P(EveryScript, KeepsItsTreeWhenFormatted) {
  Parsed parsed{std::string(GetParam().text)};
  Parsed again{parsed.format()};
  EXPECT_EQ(again.diags.error_count(), 0U) << again.messages();
  EXPECT_EQ(parsed.dump(), again.dump());
}

TEST_P(EveryScript, FormatsTheSameTwice) {
  Parsed parsed{std::string(GetParam().text)};
  Parsed again{parsed.format()};
  EXPECT_EQ(parsed.format(), again.format());
}

TEST_P(EveryScript, KeepsEveryComment) {
  Parsed parsed{std::string(GetParam().text)};
  Parsed again{parsed.format()};
  ASSERT_EQ(parsed.program.comments.size(), again.program.comments.size());
  for (size_t i = 0; i < parsed.program.comments.size(); ++i) {
    EXPECT_EQ(parsed.program.comments[i].text, again.program.comments[i].text);
  }
}

INSTANTIATE_TEST_SUITE_P(Scripts, EveryScript, testing::ValuesIn(scripts),
                         [](const auto& param) { return std::string(param.param.name); });

std::string formatted(const std::string& text) { return Parsed(text).format(); }

TEST(Format, KeepsShortPipelinesOnOneLine) {
  EXPECT_EQ(formatted("stream a=b|where x>1\n|select y"), "stream a = b | where x > 1 | select y\n");
}

TEST(Format, WritesAGuardOnOneLine) {
  EXPECT_EQ(formatted("guard   errors of\n  a.b<0.5 %\n in 1_000 records\nguard errors<1%"),
            "guard errors of a.b < 0.5% in 1_000 records\nguard errors < 1%\n");
  // A contextual word: still a name.
  EXPECT_EQ(formatted("stream guard = s | where guard > 1"), "stream guard = s | where guard > 1\n");
}

TEST(Format, GivesEachOfThreeStagesALine) {
  EXPECT_EQ(formatted("stream a = b | where x | where y | where z"),
            "stream a = b\n  | where x\n  | where y\n  | where z\n");
}

TEST(Format, PutsItemsUnderTheFirstWhenTheyDoNotFit) {
  EXPECT_EQ(formatted("stream a = b | with average = avg(amount) over last 30m by card, "
                      "deviation = stddev(amount) over last 30m by card"),
            "stream a = b\n"
            "  | with average = avg(amount) over last 30m by card,\n"
            "         deviation = stddev(amount) over last 30m by card\n");
}

TEST(Format, KeepsOneBlankLineBetweenDeclarations) {
  EXPECT_EQ(formatted("const A = 1\nconst B = 2\n\n\n\nconst C = 3"),
            "const A = 1\nconst B = 2\n\nconst C = 3\n");
}

TEST(Format, KeepsCommentsAtTheirLine) {
  EXPECT_EQ(formatted("// a\nconst A = 1 // b\n\n// c\nconst B = 2\n// d\n"),
            "// a\nconst A = 1  // b\n\n// c\nconst B = 2\n// d\n");
}

TEST(Format, NeverBeginsALineOfAStatementWithMinus) {
  std::string name(60, 'n');
  Parsed parsed("stream a = b | process { on event { x = " + name + " - " + name + " - " + name + " } }");
  EXPECT_TRUE(Parsed(parsed.format()).diags.sorted().empty()) << parsed.format();
}

TEST(Format, QuotesNamesOnlyWhereTheyNeedIt) {
  EXPECT_EQ(formatted("const `plain` = `by` + a.`by` + `a b`"), "const plain = `by` + a.by + `a b`\n");
}

TEST(Format, KeepsAFileWithoutAName) { EXPECT_EQ(formatted("import\"\""), "import \"\"\n"); }

TEST(Format, WritesNothingForNothing) { EXPECT_EQ(formatted(""), ""); }

}  // namespace
}  // namespace mut::test

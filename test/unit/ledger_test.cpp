// The ledger must turn red for each thing that can go wrong, and stay green where nothing does.
#include "tools/ledger/ledger.h"

#include <gtest/gtest.h>

namespace ledger {
namespace {

const std::string input = R"({"id":"a","card":"x","amount":10}
{"id":"b","card":"y","amount":20}
not a record
{"id":"c","card":"x","amount":30}
{"id":"d","card":"x","amount":40.5}
)";

std::string row(const std::string& fields, int position, int version) {
  return "{" + fields + ",\"$source\":\"payments\",\"$position\":" + std::to_string(position) +
         ",\"$version\":" + std::to_string(version) + "}\n";
}
const std::string a = "\"id\":\"a\",\"amount\":10.0";
const std::string b = "\"id\":\"b\",\"amount\":20.0";
const std::string c = "\"id\":\"c\",\"amount\":30.0";
const std::string d = "\"id\":\"d\",\"amount\":40.5";

// "lost repeated mixed reordered"
std::string verdict(const Question& question) {
  Result result = audit(question);
  if (!result.answer) return result.problem;
  const Answer& answer = *result.answer;
  return std::to_string(answer.lost) + " " + std::to_string(answer.repeated) + " " +
         std::to_string(answer.mixed) + " " + std::to_string(answer.reordered);
}
std::string passthrough(const std::string& output) {
  return verdict({Meaning::Passthrough, input, output, {}});
}

TEST(Ledger, FindsEachFaultOfAPassthrough) {
  EXPECT_EQ(passthrough(row(a, 0, 1) + row(b, 1, 1) + row(c, 3, 2) + row(d, 4, 2)), "0 0 0 0");
  EXPECT_EQ(passthrough(row(a, 0, 1) + row(c, 3, 2) + row(d, 4, 2)), "1 0 0 0");
  EXPECT_EQ(passthrough(row(a, 0, 1) + row(b, 1, 1) + row(b, 1, 1) + row(c, 3, 2) + row(d, 4, 2)), "0 1 0 0");
  EXPECT_EQ(passthrough(row(a, 0, 1) + row(b, 1, 2) + row(c, 3, 1) + row(d, 4, 2)), "0 0 1 0");
  EXPECT_EQ(passthrough(row(b, 1, 1) + row(a, 0, 1) + row(c, 3, 2) + row(d, 4, 2)), "0 0 0 1");
  EXPECT_EQ(passthrough(row(a, 0, 1) + row(a, 1, 1) + row(c, 3, 2) + row(d, 4, 2)), "0 0 1 0");
  EXPECT_EQ(passthrough(row(a, 0, 1) + row(b, 1, 1) + row(c, 3, 2) + row(d, 4, 2) + row(a, 2, 2)), "0 0 2 1");
}

TEST(Ledger, HoldsAThresholdAgainstTheVersionOfThePosition) {
  std::vector<Version> versions = {{1, 0, 15}, {2, 3, 35}};
  auto judge = [&](const std::string& output) {
    return verdict({Meaning::Threshold, input, output, versions});
  };
  EXPECT_EQ(judge(row(b, 1, 1) + row(d, 4, 2)), "0 0 0 0");
  EXPECT_EQ(judge(row(b, 1, 1)), "1 0 0 0");
  EXPECT_EQ(judge(row(b, 1, 1) + row(d, 4, 2) + row(d, 4, 2)), "0 1 0 0");
  // The old limit used after the cut; then the right row, but said to be of the old version.
  EXPECT_EQ(judge(row(b, 1, 1) + row(c, 3, 2) + row(d, 4, 2)), "0 0 1 0");
  EXPECT_EQ(judge(row(b, 1, 1) + row(d, 4, 1)), "0 0 1 0");
  EXPECT_EQ(judge(row(d, 4, 2) + row(b, 1, 1)), "0 0 0 1");
}

TEST(Ledger, FollowsRunningTotalsOfEachKey) {
  auto total = [](const char* card, int n, const char* t) {
    return "\"card\":\"" + std::string(card) + "\",\"n\":" + std::to_string(n) + ",\"t\":" + t;
  };
  auto judge = [&](const std::string& output) { return verdict({Meaning::Running, input, output, {}}); };
  std::string good = row(total("x", 1, "10.0"), 0, 1) + row(total("y", 1, "20.0"), 1, 1);
  EXPECT_EQ(judge(good + row(total("x", 2, "40.0"), 3, 1) + row(total("x", 3, "80.5"), 4, 2)), "0 0 0 0");
  // Other keys may overtake; the same key may not.
  EXPECT_EQ(judge(row(total("y", 1, "20.0"), 1, 1) + row(total("x", 1, "10.0"), 0, 1) +
                  row(total("x", 2, "40.0"), 3, 1) + row(total("x", 3, "80.5"), 4, 2)),
            "0 0 0 0");
  EXPECT_EQ(judge(good + row(total("x", 3, "80.5"), 4, 2) + row(total("x", 2, "40.0"), 3, 2)), "0 0 0 1");
  // State lost at a cut is one loss, though every later row is off.
  EXPECT_EQ(judge(good + row(total("x", 1, "30.0"), 3, 2) + row(total("x", 2, "70.5"), 4, 2)), "1 0 0 0");
  EXPECT_EQ(judge(good + row(total("x", 3, "70.0"), 3, 2) + row(total("x", 4, "110.5"), 4, 2)), "0 1 0 0");
  EXPECT_EQ(judge(good + row(total("x", 2, "50.0"), 3, 2) + row(total("x", 3, "80.5"), 4, 2)), "0 0 1 0");
}

TEST(Ledger, RefusesWhatItCannotJudge) {
  EXPECT_NE(passthrough("{\"id\":\"a\"}\n").find("without $position"), std::string::npos);
  EXPECT_FALSE(parse_versions("{\"versions\":[{\"from\":1}]}"));
  auto versions =
      parse_versions(R"({"versions":[{"version":2,"from":3,"limit":35},{"version":1,"from":0,"limit":15}]})");
  ASSERT_TRUE(versions);
  EXPECT_EQ((*versions)[1].number, 2U);
}

}  // namespace
}  // namespace ledger

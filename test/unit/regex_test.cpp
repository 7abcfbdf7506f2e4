#include "runtime/regex/regex.h"

#include <gtest/gtest.h>

namespace mut::regex {
namespace {

std::string groups(std::string_view pattern) {
  std::string out;
  for (const Group& group : groups_of(pattern)) out += group.name + (group.may_be_absent ? "? " : " ");
  return out;
}

TEST(Regex, KnowsWhichGroupsMayBeAbsent) {
  EXPECT_EQ(groups(R"((?<a>x)(?P<b>y)?(?<c>z)*(?<d>w)+(?<e>v){0,3}(?<f>u){2})"), "a b? c? d e? f ");
  EXPECT_EQ(groups(R"((?<a>x)|(?<b>y))"), "a? b? ");
  EXPECT_EQ(groups(R"((?<a>x)(?:(?<b>y)|z(?<c>w))(?<d>v|u))"), "a b? c? d ");
  EXPECT_EQ(groups(R"(((?<a>x)(?<b>y))?(?<c>z))"), "a? b? c ");
}

TEST(Regex, TakesNoGroupFromEscapesAndClasses) {
  EXPECT_EQ(groups(R"(\((?<a>x)[(?<b>]\Q(?<c>\E[]|(](?<d>y)[[:alpha:]|])"), "a d ");
}

TEST(Regex, AcceptsBothWaysOfNaming) {
  std::string problem;
  auto regex = Regex::compile(R"((?<word>\w+) (?P<rest>.*))", problem);
  ASSERT_NE(regex, nullptr) << problem;
  std::vector<std::optional<std::string_view>> found;
  ASSERT_TRUE(regex->capture("to be or not", found));
  EXPECT_EQ(found[0], "to");
  EXPECT_EQ(found[1], "be or not");
}

TEST(Regex, SaysWhatIsWrong) {
  std::string problem;
  EXPECT_EQ(Regex::compile("(a", problem), nullptr);
  EXPECT_NE(problem.find("missing"), std::string::npos);
  EXPECT_EQ(Regex::compile(R"((?<=a)b)", problem), nullptr);
  EXPECT_EQ(Regex::compile(R"((a)\1)", problem), nullptr);
}

TEST(Regex, PutsNewTextInAsItIs) {
  std::string problem;
  auto regex = Regex::compile("b*", problem);
  EXPECT_EQ(regex->replace_all("abbc", R"(\0-)"), R"(\0-a\0-c\0-)");
}

}  // namespace
}  // namespace mut::regex

#include <gtest/gtest.h>

#include <random>

#include "runtime/codec/json/validate.h"
#include "runtime/codec/json/walk.h"

namespace mut::json {
namespace {

TEST(JsonWalk, FindsTheLastMemberOfAName) {
  EXPECT_EQ(member_of(R"({"a": 1, "b": {"a": 2}, "a" : [3, "}"] })", "a"), R"([3, "}"])");
  EXPECT_EQ(member_of(R"({"a":1})", "b"), std::nullopt);
  EXPECT_EQ(member_of(R"({"a":null})", "a"), std::nullopt);
  EXPECT_EQ(member_of("[1]", "a"), std::nullopt);
  EXPECT_EQ(member_of(" {\n}", "a"), std::nullopt);
}

TEST(JsonWalk, ReadsEscapesInNames) {
  EXPECT_EQ(member_of(R"({"\u00e9\n\ud83d\ude00\"": true})", "é\n😀\""), "true");
}

TEST(JsonWalk, CountsElementsFromNought) {
  EXPECT_EQ(element_of(R"([ "a,b" , [1,2],null, {"x":[]} ])", 0), R"("a,b")");
  EXPECT_EQ(element_of(R"([ "a,b" , [1,2],null, {"x":[]} ])", 1), "[1,2]");
  EXPECT_EQ(element_of(R"([ "a,b" , [1,2],null, {"x":[]} ])", 2), std::nullopt);
  EXPECT_EQ(element_of(R"([ "a,b" , [1,2],null, {"x":[]} ])", 3), R"({"x":[]})");
  EXPECT_EQ(element_of("[1]", 1), std::nullopt);
  EXPECT_EQ(element_of("[1]", -1), std::nullopt);
  EXPECT_EQ(element_of("[]", 0), std::nullopt);
}

// A value is valid where it comes from; should one ever not be, the walk ends inside of it.
TEST(JsonWalk, EndsInAnyText) {
  std::mt19937 dice(7);
  constexpr std::string_view signs = "{}[],:\"\\ a1nu\n";
  for (int round = 0; round < 200'000; ++round) {
    std::string text;
    for (size_t size = dice() % 24; size > 0; --size) text += signs[dice() % signs.size()];
    for (auto found : {member_of(text, "a"), member_of(text, ""), element_of(text, 0), element_of(text, 3)}) {
      if (!found) continue;
      EXPECT_GE(found->data(), text.data());
      EXPECT_LE(found->data() + found->size(), text.data() + text.size());
      if (is_json(text)) EXPECT_TRUE(is_json(*found)) << text;
    }
  }
}

}  // namespace
}  // namespace mut::json

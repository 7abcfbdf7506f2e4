// What the control protocol reads: JSON within bounds, declarations put into a script, lines that are typed.
#include <gtest/gtest.h>

#include "mutstream/json.h"
#include "mutstream/tooling.h"

namespace mut {
namespace {

std::string reread(std::string_view text) {
  std::string problem;
  auto value = parse_json(text, problem);
  return value ? to_json(*value) : "error: " + problem;
}

TEST(Json, ReadsWhatRfc8259Allows) {
  EXPECT_EQ(reread(R"( {"a":[1,-2.5e+3,true,false,null,{}],"b":"x"} )"),
            R"({"a":[1,-2.5e+3,true,false,null,{}],"b":"x"})");
  EXPECT_EQ(reread(R"("\u00e9\ud83d\ude00\n\/")"), "\"é😀\\n/\"");
  EXPECT_EQ(reread("[]"), "[]");
}

TEST(Json, RefusesEverythingElse) {
  for (const char* bad : {"",
                          " ",
                          "{",
                          "[1,]",
                          "{\"a\":1,}",
                          "{a:1}",
                          "01",
                          "1.",
                          ".5",
                          "+1",
                          "1e",
                          "nul",
                          "tru",
                          "\"",
                          "\"\\x\"",
                          "\"\\ud800\"",
                          "\"\\udc00\"",
                          "\"\\ud800\\u0041\"",
                          "\"\\u12\"",
                          "\"\x01\"",
                          "1 2",
                          "[1 2]",
                          "{\"a\" 1}",
                          "{\"a\":1,\"a\":2}",
                          "\"\xff\"",
                          "NaN",
                          "'a'",
                          "-"})
    EXPECT_EQ(reread(bad).substr(0, 7), "error: ") << bad;
}

TEST(Json, IsBoundedInDepth) {
  auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(reread(nested(64)), nested(64));
  EXPECT_EQ(reread(nested(65)).substr(0, 15), "error: deeper t");
  EXPECT_EQ(reread(std::string(1'000'000, '[')).substr(0, 15), "error: deeper t");
}

TEST(EditScript, PutsADeclarationInThePlaceOfTheOneOfItsName) {
  constexpr const char* script =
      "/// Limits.\nparam limit: float = 1.0  // of all\nstream a = b | where x > limit\nemit a to "
      "stdout()\n";
  auto edited = edit_script(script, "param limit: float = 2.0", {}, {});
  ASSERT_TRUE(edited.ok());
  EXPECT_EQ(edited.value().text,
            "/// Limits.\nparam limit: float = 2.0  // of all\nstream a = b | where x > limit\nemit a to "
            "stdout()\n");
  EXPECT_EQ(edited.value().replaced, std::vector<std::string>{"limit"});
  edited = edit_script(script, "emit a to file(\"x\")\nstream c = a", {"limit"}, {});
  ASSERT_TRUE(edited.ok());
  EXPECT_EQ(
      edited.value().text,
      "/// Limits.\n  // of all\nstream a = b | where x > limit\nemit a to file(\"x\")\nstream c = a\n");
  EXPECT_EQ(edited.value().replaced, std::vector<std::string>{"emit a"});
  EXPECT_EQ(edited.value().added, std::vector<std::string>{"c"});
  EXPECT_FALSE(edit_script(script, "", {"nothing"}, {}).ok());
  auto broken = edit_script(script, "stream a = = b", {}, {});
  ASSERT_FALSE(broken.ok());
  EXPECT_NE(broken.failure().text.find("^"), std::string::npos) << broken.failure().text;
}

TEST(Typed, KnowsWhenADeclarationGoesOn) {
  EXPECT_EQ(judge_typed("  // nothing\n"), Typed::Nothing);
  for (const char* open :
       {"stream a =", "stream a = b |", "type R = {", "source r = stdin(", "stream a = b /*",
        "stream a = b | where x >", "const c = \"a", "emit", "stream a = b | where x and"})
    EXPECT_EQ(judge_typed(open), Typed::Open) << open;
  for (const char* closed : {"param a: int = 3", "emit a to stdout()", "type R = { a: int }", "x"})
    EXPECT_EQ(judge_typed(closed), Typed::Closed) << closed;
  for (const char* more : {"stream a = b", "source r: R = stdin() // (", "table t key k = s"})
    EXPECT_EQ(judge_typed(more), Typed::MayGoOn) << more;
}

}  // namespace
}  // namespace mut

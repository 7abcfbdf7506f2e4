// Every report of the parser: its code and the piece of text it marks.
#include <gtest/gtest.h>

#include <chrono>

#include "test/unit/parse_fixture.h"

namespace mut::test {
namespace {

using Reports = std::vector<std::string>;

Reports reports(const std::string& text) { return Parsed(text).reports(); }
std::string fixed(const std::string& text) {
  Parsed parsed(text);
  for (const diag::Diagnostic& one : parsed.diags.sorted()) {
    if (one.fixes.empty()) continue;
    std::string out = text;
    return out.replace(one.fixes[0].span.begin, one.fixes[0].span.end - one.fixes[0].span.begin,
                       one.fixes[0].replacement);
  }
  return "no fix";
}

TEST(SyntaxErrors, MarkTheNarrowestPiece) {
  EXPECT_EQ(reports("stream x = = 3"), Reports{"UnexpectedToken@="});
  EXPECT_EQ(reports("const by = 3"), Reports{"UnexpectedToken@by"});
  EXPECT_EQ(reports("fn f(x: int) = 3"), Reports{"UnexpectedToken@="});
  EXPECT_EQ(reports("const A = f(1"), Reports{"UnclosedBracket@("});
  EXPECT_EQ(reports("const A = (1]"), Reports{"UnexpectedToken@]"});
  EXPECT_EQ(reports("stream a = b where x"), Reports{"UnexpectedToken@where"});
  EXPECT_EQ(reports("stream a = b | where x = 1"), Reports{"UnexpectedToken@="});
  EXPECT_EQ(reports("const A ="), Reports{"UnexpectedToken@"});
  EXPECT_EQ(reports("emit x stdout()"), Reports{"UnexpectedToken@stdout"});
}

TEST(SyntaxErrors, OfSingleTokens) {
  EXPECT_EQ(reports("const A = 1 $ 2"), Reports{"UnknownCharacter@$"});
  EXPECT_EQ(reports("const A = \"abc\nconst B = 1"), Reports{"UnterminatedText@\""});
  EXPECT_EQ(reports("const A = \"abc"), Reports{"UnterminatedText@\""});
  EXPECT_EQ(reports("const A = r#\"abc"), Reports{"UnterminatedText@r#\"abc"});
  EXPECT_EQ(reports("const A = \"{x\nconst B = 1"), Reports{"UnterminatedText@\""});
  EXPECT_EQ(reports("const A = 5min"), Reports{"BadNumber@5min"});
  EXPECT_EQ(reports("const A = 1_"), Reports{"BadNumber@1_"});
  EXPECT_EQ(reports("const A = 1m1h"), Reports{"BadNumber@1m1h"});
  EXPECT_EQ(reports("const A = 1m1m"), Reports{"BadNumber@1m1m"});
  EXPECT_EQ(reports("const A = 0x"), Reports{"BadNumber@0x"});
  EXPECT_EQ(reports("const A = 0xfg"), Reports{"BadNumber@0xfg"});
  EXPECT_EQ(reports("const A = 18446744073709551616"), Reports{"NumberOutOfRange@18446744073709551616"});
  EXPECT_EQ(reports("const A = 1e999"), Reports{"NumberOutOfRange@1e999"});
  EXPECT_EQ(reports("const A = 999999999w"), Reports{"NumberOutOfRange@999999999w"});
  EXPECT_EQ(reports("const A = @2026-13-01"), Reports{"BadTimeLiteral@@2026-13-01"});
  EXPECT_EQ(reports("const A = @2026-02-30"), Reports{"BadTimeLiteral@@2026-02-30"});
  EXPECT_EQ(reports("const A = @2026-01-01T25:00"), Reports{"BadTimeLiteral@@2026-01-01T25:00"});
  EXPECT_EQ(reports("const A = \"a\\qb\""), Reports{"BadEscape@\\q"});
  EXPECT_EQ(reports("const A = \"\\u{D800}\""), Reports{"BadEscape@\\u{D800}"});
  EXPECT_EQ(reports("const A = b\"\\u{41}\""), Reports{"BadEscape@\\u"});
  EXPECT_EQ(reports("const A = \"a } b\""), Reports{"LoneBrace@}"});
  EXPECT_EQ(reports("const A = 1 /* open /* */"), Reports{"UnclosedComment@/*"});
}

TEST(SyntaxErrors, OfRulesBeyondTheGrammar) {
  EXPECT_EQ(reports("const A = a < b < c"), Reports{"ComparisonChain@<"});
  EXPECT_EQ(reports("const A = a == b is none"), Reports{"ComparisonChain@=="});
  EXPECT_EQ(reports("const A = { a }"), Reports{"AmbiguousBraces@{ a }"});
  EXPECT_EQ(reports("const A = 1..2"), Reports{"UnexpectedToken@.."});
  EXPECT_EQ(reports("edition 2"), Reports{"UnknownEdition@2"});
  EXPECT_EQ(reports("const A = sum(x) over last 5"), Reports{"UnexpectedToken@5"});
  EXPECT_EQ(reports("stream a = b | aggregate n = count() window all window all"),
            Reports{"ClauseTwice@window all"});
  EXPECT_EQ(reports("stream a = b | match pattern a then"), Reports{"PatternEnd@then"});
  EXPECT_EQ(reports("stream a = b | match pattern a then then b"), Reports{"UnexpectedToken@then"});
  EXPECT_EQ(reports("stream a = b | match pattern a{3,2}"), Reports{"UnexpectedToken@{3,2}"});
  EXPECT_EQ(reports("param x: int in 3 = 4"), Reports{"UnexpectedToken@3"});
  EXPECT_EQ(reports("import \"a{b}\""), Reports{"UnexpectedToken@\"a{b}\""});
}

TEST(SyntaxErrors, Warnings) {
  EXPECT_EQ(reports("const A = a ?? b + c"), Reports{"MixedCoalesce@+"});
  EXPECT_EQ(reports("const A = a ?? (b + c)"), Reports{});
  EXPECT_EQ(reports("const A = a * b as int"), Reports{"MixedCast@*"});
  EXPECT_EQ(reports("const A = a as int * b"), Reports{});
  EXPECT_EQ(reports("stream a = b | process { on event { n = n + 1\n -x } }"), Reports{"LeadingMinus@-"});
}

TEST(SyntaxErrors, ACommaBeforeADeclaration) {
  EXPECT_EQ(reports("stream a = b | select x, y,\nemit a to stdout()"), Reports{"CommaBeforeDeclaration@,"});
  EXPECT_EQ(reports("stream a = b | with x = 1,\nemit a to stdout()"), Reports{"CommaBeforeDeclaration@,"});
  EXPECT_EQ(fixed("stream a = b | select x,\nemit a to stdout()"),
            "stream a = b | select x\nemit a to stdout()");
}

TEST(SyntaxErrors, MisspelledWordsAreReadAsWhatWasMeant) {
  Parsed stage("stream a = b | wehre x > 1 | selct y");
  EXPECT_EQ(stage.reports(), (Reports{"UnknownStage@wehre", "UnknownStage@selct"}));
  ASSERT_EQ(stage.program.declarations.size(), 1U);
  Parsed declaration("const A = 1\nsteam a = b\nemitt a to stdout()");
  EXPECT_EQ(declaration.reports(), (Reports{"UnknownDeclaration@steam", "UnknownDeclaration@emitt"}));
  EXPECT_EQ(declaration.program.declarations.size(), 3U);
  EXPECT_EQ(fixed("stream a = b | wehre x"), "stream a = b | where x");
}

TEST(SyntaxErrors, OffersFixes) {
  EXPECT_EQ(fixed("const A = \"{\\\"a\\\": 1}\""), "const A = r#\"{\"a\": 1}\"#");
  EXPECT_EQ(fixed("const A = 5min"), "const A = 5m");
  EXPECT_EQ(fixed("const A = a && b"), "const A = a and b");
  EXPECT_EQ(fixed("const A = \"a } b\""), "const A = \"a }} b\"");
  EXPECT_EQ(fixed("stream a = b where x"), "stream a = b | where x");
  EXPECT_EQ(fixed("stream a = b | where x = 1"), "stream a = b | where x == 1");
  EXPECT_EQ(fixed("const A = a < b < c"), "const A = a < b and b < c");
}

TEST(SyntaxErrors, OneStageDoesNotHideTheNext) {
  EXPECT_EQ(reports("stream a = b\n  | where x +\n  | with y = * 2\n  | select z\n"),
            (Reports{"UnexpectedToken@|", "UnexpectedToken@*"}));
}

TEST(SyntaxErrors, OneDeclarationDoesNotHideTheNext) {
  Parsed parsed("const A = \nconst B = 1 +\nconst C = 3\nroute r { x > 1 -> a, else b }\nconst D = (\n");
  EXPECT_EQ(parsed.reports(),
            (Reports{"UnexpectedToken@", "UnexpectedToken@", "UnexpectedToken@b", "UnclosedBracket@("}));
  EXPECT_EQ(parsed.program.declarations.size(), 1U);
  EXPECT_EQ(parsed.program.broken, (std::vector<std::string>{"A", "B", "r", "a", "D"}));
}

TEST(OddInput, IsRefusedOnce) {
  EXPECT_EQ(reports("const A = \xff"), Reports{"BadUtf8@\xff"});
  EXPECT_EQ(reports("const A = \xed\xa0\x80").size(), 1U);
  EXPECT_EQ(reports(std::string("const A = 1\0", 12)), Reports{std::string("UnknownCharacter@\0", 18)});
  EXPECT_EQ(reports("}").size(), 1U);
  EXPECT_EQ(reports("|").size(), 1U);
  EXPECT_EQ(reports("const").size(), 1U);
  EXPECT_EQ(reports("\"").size(), 1U);
  EXPECT_EQ(reports("`").size(), 1U);
  EXPECT_EQ(reports("const A = \"{\"").size(), 1U);
  EXPECT_EQ(reports("const A = \"{{{\"").size(), 1U);
}

std::string repeated(std::string_view piece, size_t count) {
  std::string out;
  out.reserve(piece.size() * count);
  for (size_t i = 0; i < count; ++i) out += piece;
  return out;
}

struct Nest {
  std::string_view open, middle, close;
};

TEST(Nesting, EndsAt256Levels) {
  for (Nest nest : {Nest{"(", "1", ")"}, Nest{"[", "1", "]"}, Nest{"f(", "1", ")"}, Nest{"{a:", "1", "}"},
                    Nest{"if a then ", "b", " else c"}, Nest{"try ", "a", " else b"}, Nest{"not ", "a", ""},
                    Nest{"-", "a", ""}, Nest{"x => ", "a", ""}, Nest{"\"{", "a", "}\""}}) {
    auto script = [&](size_t levels) {
      return "const A = " + repeated(nest.open, levels) + std::string(nest.middle) +
             repeated(nest.close, levels);
    };
    EXPECT_EQ(Parsed(script(256)).messages(), "") << nest.open;
    Reports refused = reports(script(257));
    ASSERT_EQ(refused.size(), 1U) << nest.open;
    EXPECT_TRUE(refused[0].starts_with("NestedTooDeep@")) << refused[0];
  }
}

TEST(Nesting, HostileDepthIsRefusedInNoTime) {
  for (std::string_view piece : {"(", "[", "{", "f(", "-", "not ", "a + ", "a ?? ", "if a then ", "\"{", "/*",
                                 "a.", "x => ", "not a == "}) {
    bool chain = piece == "a + " || piece == "a ?? " || piece == "a." || piece == "not a == ";
    std::string text = "const A = " + repeated(piece, chain ? 20'000 : 2'000'000 / piece.size()) + "a";
    auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(reports(text).size(), 1U) << piece;
    auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    EXPECT_LT(seconds, 10.0) << piece;  // generous: sanitizers run this too
  }
}

TEST(Nesting, LongListsAreNotDeep) {
  EXPECT_EQ(Parsed("const A = [" + repeated("-1, not a, if a then b else c, (x), ", 2000) + "1]").messages(),
            "");
  EXPECT_EQ(Parsed(repeated("emit a to stdout()\n", 2000)).messages(), "");
  EXPECT_EQ(
      Parsed("stream a = b | process { on event { " + repeated("if a { b = 1 } ", 1000) + "} }").messages(),
      "");
}

}  // namespace
}  // namespace mut::test

#include <gtest/gtest.h>

#include "test/unit/parse_fixture.h"

namespace mut::test {
namespace {

template <typename T>
const T& declared(const Parsed& parsed, size_t index = 0) {
  return std::get<T>(parsed.program.declarations.at(index).node);
}

TEST(Precedence, FollowsTheTable) {
  EXPECT_EQ(dump_expr("a or b and c"), "(binary or (name a) (binary and (name b) (name c)))");
  EXPECT_EQ(dump_expr("not a == b and c"), "(binary and (unary not (binary == (name a) (name b))) (name c))");
  EXPECT_EQ(dump_expr("a + b * c"), "(binary + (name a) (binary * (name b) (name c)))");
  EXPECT_EQ(dump_expr("a - b - c"), "(binary - (binary - (name a) (name b)) (name c))");
  EXPECT_EQ(dump_expr("-a.b"), "(unary - (member b (name a)))");
  EXPECT_EQ(dump_expr("-x as int"), "(cast (unary - (name x)) (to (type int)))");
  EXPECT_EQ(dump_expr("a ?? b ?? c"), "(binary ?? (name a) (binary ?? (name b) (name c)))");
  EXPECT_EQ(dump_expr("a ?? b < c"), "(binary < (binary ?? (name a) (name b)) (name c))");
  EXPECT_EQ(dump_expr("x in 1..2 and y"),
            "(binary and (binary in (name x) (range (int 1) (int 2))) (name y))");
  EXPECT_EQ(dump_expr("x not in y"), "(binary not in (name x) (name y))");
  EXPECT_EQ(dump_expr("x is none or y is not none"), "(binary or (is none (name x)) (is not none (name y)))");
}

TEST(Precedence, PrefixesReachAsFarRightAsTheyCan) {
  EXPECT_EQ(dump_expr("try a else b ?? c"), "(try (name a) (else (binary ?? (name b) (name c))))");
  EXPECT_EQ(dump_expr("try a / b else 0 + 1"),
            "(try (binary / (name a) (name b)) (else (binary + (int 0) (int 1))))");
  EXPECT_EQ(dump_expr("if a then b else c or d"),
            "(if (name a) (then (name b)) (else (binary or (name c) (name d))))");
  EXPECT_EQ(dump_expr("x => x + 1"), "(lambda x (binary + (name x) (int 1)))");
  EXPECT_EQ(dump_expr("f((a, b) => a)"), "(call f (argument (lambda a b (name a))))");
}

TEST(Precedence, CoalesceIsNeverPartOfAType) {
  EXPECT_EQ(dump_expr("x as int? ?? 0"), "(binary ?? (cast (name x) (to (optional (type int)))) (int 0))");
  EXPECT_EQ(dump_expr("x as int?? 0"), "(binary ?? (cast (name x) (to (type int))) (int 0))");
}

TEST(History, BelongsToItsCall) {
  EXPECT_EQ(dump_expr("-avg(x) over last 5m"),
            "(unary - (call avg (argument (name x)) (over last (duration 300000000000ns))))");
  EXPECT_EQ(dump_expr("prev(x) by k + 1"),
            "(binary + (call prev (argument (name x)) (by (key (name k)))) (int 1))");
  EXPECT_EQ(
      dump_expr("sum(x) over last 100 events by (a, b.c) excluding current ttl 1d"),
      "(call sum (argument (name x)) (over last events (int 100) (key (name a)) (key (member c (name b))) "
      "(excluding current) "
      "(ttl (duration 86400000000000ns))))");
  EXPECT_EQ(dump_expr("count() over last (n + 1) events by lower(k)"),
            "(call count (over last events (paren (binary + (name n) (int 1))) "
            "(key (call lower (argument (name k))))))");
  EXPECT_EQ(dump_expr("count(where ok) over all"), "(call count (where (name ok)) (over all))");
}

TEST(History, AStageKeepsItsOwnBy) {
  Parsed parsed("stream s = a | aggregate n = sum(x) by k");
  EXPECT_EQ(parsed.messages(), "");
  const auto& stage =
      std::get<ast::AggregateStage>(declared<ast::StreamDecl>(parsed).pipeline.stages[0].node);
  ASSERT_EQ(stage.by.size(), 1U);
  EXPECT_FALSE(std::get<ast::Call>(stage.items[0].value->node).history.has_value());
}

TEST(Literals, Numbers) {
  EXPECT_EQ(dump_expr("[42, 1_000, 0xff, 18446744073709551615]"),
            "(list (int 42) (int 1000) (int 255) (int 18446744073709551615))");
  EXPECT_EQ(dump_expr("[2.5e-3, 1e5, 1_0.5]"), "(list (float 0.0025) (float 100000) (float 10.5))");
  EXPECT_EQ(dump_expr("2.abs()"), "(call abs (receiver (int 2)))");
  EXPECT_EQ(dump_expr("pick(0..5000)"), "(call pick (argument (range (int 0) (int 5000))))");
}

TEST(Literals, Durations) {
  EXPECT_EQ(dump_expr("[250ms, 1h30m, 1.5h, 7d, 2w, 3us, 4ns, 0s]"),
            "(list (duration 250000000ns) (duration 5400000000000ns) (duration 5400000000000ns) "
            "(duration 604800000000000ns) (duration 1209600000000000ns) (duration 3000ns) (duration 4ns) "
            "(duration 0ns))");
}

TEST(Literals, Times) {
  EXPECT_EQ(dump_expr("[@1970-01-02, @1970-01-01T00:01, @1970-01-01T00:00:01.5Z, @1970-01-01T01:00:00+01:00, "
                      "@1969-12-31]"),
            "(list (time 86400000000000ns) (time 60000000000ns) (time 1500000000ns) (time 0ns) (time "
            "-86400000000000ns))");
}

TEST(Literals, Texts) {
  EXPECT_EQ(dump_expr(R"("a\n\t\\\"\u{1F600}{{}}")"), "(string \"a\\n\\t\\\\\\\"😀{{}}\")");
  EXPECT_EQ(dump_expr(R"x(r#"a"{b}"#)x"), "(raw \"a\\\"{{b}}\")");
  EXPECT_EQ(dump_expr(R"(b"\xff\0a")"), "(bytes b\"\\xff\\x00a\")");
  EXPECT_EQ(dump_expr(R"(re"^a\"b+$")"), "(regex \"^a\\\\\\\"b+$\")");
}

TEST(Literals, InterpolationNests) {
  EXPECT_EQ(
      dump_expr(R"("{if a then "x" else "{y}"}")"),
      "(interpolation (hole (if (name a) (then (string \"x\")) (else (interpolation (hole (name y)))))))");
  EXPECT_EQ(dump_expr(R"("{m["k"]:>8.2}!")"),
            "(interpolation (hole as \">8.2\" (index (name m) (string \"k\"))) (text \"!\"))");
  EXPECT_EQ(dump_expr(R"("{t:%H:%M in "Europe/Berlin"}")"),
            "(interpolation (hole as \"%H:%M in \\\"Europe/Berlin\\\"\" (name t)))");
  EXPECT_EQ(
      dump_expr(R"("{ {a: 1}.a }{f(x: 2)}")"),
      "(interpolation (hole (member a (record (field a (int 1))))) (hole (call f (argument x (int 2)))))");
}

TEST(Braces, AreRecordsUnlessTheyBeginWithLet) {
  EXPECT_EQ(dump_expr("{}"), "(record)");
  EXPECT_EQ(dump_expr("{ a: 1, match: 2, }"), "(record (field a (int 1)) (field match (int 2)))");
  EXPECT_EQ(dump_expr("{ let a = 1; let b = a; b }"),
            "(block (let a (int 1)) (let b (name a)) (result (name b)))");
}

TEST(Declarations, TableKeysArePlainPaths) {
  Parsed parsed("table t: R key id = people | latest by id\ntable u = x");
  EXPECT_EQ(parsed.messages(), "");
  const auto& table = declared<ast::TableDecl>(parsed);
  EXPECT_EQ(table.key.size(), 1U);
  EXPECT_TRUE(table.pipeline.has_value());
}

TEST(Declarations, DocsBelongToWhatFollows) {
  Parsed parsed("/// one\n/// two\ntype T = {\n  /// field\n  a: int }\n");
  ASSERT_EQ(parsed.program.declarations.size(), 1U);
  EXPECT_EQ(parsed.program.declarations[0].doc, (std::vector<std::string>{"one", "two"}));
  const auto& record = std::get<ast::RecordType>(declared<ast::TypeDecl>(parsed).type->node);
  EXPECT_EQ(record.fields[0].doc, std::vector<std::string>{"field"});
}

TEST(Declarations, AnEmptyScriptHasNone) {
  for (const char* text : {"", "\n", "// only a comment", "\xEF\xBB\xBF", "/// stray"}) {
    Parsed parsed{std::string(text)};
    EXPECT_EQ(parsed.messages(), "") << text;
    EXPECT_TRUE(parsed.program.declarations.empty());
  }
}

TEST(Declarations, EditionHeadsTheFile) { EXPECT_EQ(Parsed("edition 1\nconst A = 1").program.edition, 1U); }

TEST(Patterns, SequencesAndGaps) {
  Parsed parsed("stream s = a | match pattern a b{2,4} then c? (d or e) not f then g define a = x");
  EXPECT_EQ(parsed.messages(), "");
  const auto& stage = std::get<ast::MatchStage>(declared<ast::StreamDecl>(parsed).pipeline.stages[0].node);
  const auto& sequence = std::get<ast::PatternSequence>(stage.pattern->node);
  ASSERT_EQ(sequence.parts.size(), 6U);
  using ast::Connector;
  EXPECT_EQ(sequence.connectors,
            (std::vector<Connector>{Connector::Strict, Connector::Then, Connector::Strict, Connector::Strict,
                                    Connector::Then}));
  EXPECT_EQ(sequence.negated, (std::vector<char>{0, 0, 0, 0, 1, 0}));
  EXPECT_EQ(sequence.then_after_not, (std::vector<char>{0, 0, 0, 0, 1, 0}));
}

TEST(Patterns, EndBeforeTheNextDeclaration) {
  Parsed parsed("stream s = a | match pattern a then b\nemit s to file(path)\n");
  EXPECT_EQ(parsed.messages(), "");
  EXPECT_EQ(parsed.program.declarations.size(), 2U);
}

TEST(Spans, CoverWhatWasWritten) {
  Parsed parsed("const É = 1\n");
  Parsed other("const `é` = aé\n");
  EXPECT_FALSE(parsed.diags.sorted().empty());
  Parsed plain("const `é` = \"日本\" + x");
  const auto& sum = std::get<ast::Binary>(declared<ast::ConstDecl>(plain).value->node);
  EXPECT_EQ(plain.sources.text(sum.left->span), "\"日本\"");
  EXPECT_EQ(plain.sources.text(sum.right->span), "x");
}

}  // namespace
}  // namespace mut::test

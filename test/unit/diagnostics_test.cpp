#include "compiler/diagnostics/diagnostics.h"

#include <gtest/gtest.h>

#include <set>

namespace mut::diag {
namespace {

using source::FileId;
using source::SourceSet;
using source::Span;

Span span_of(const SourceSet& sources, FileId file, std::string_view piece) {
  auto begin = static_cast<uint32_t>(sources.file(file).text().find(piece));
  return {file, begin, begin + static_cast<uint32_t>(piece.size())};
}

TEST(Diagnostics, PrintsPlaceCodeMarkedLineNotesAndCount) {
  SourceSet sources;
  FileId file = sources.add("plant.mut",
                            "type R = { temp_c: float }\nstream hot = readings | where temp_c > \"hot\"\n");
  Engine engine;
  engine.report(Code::CompareTypeMismatch, span_of(sources, file, ">"), "`float`", "`string`")
      .mark(span_of(sources, file, "\"hot\""))
      .note(span_of(sources, file, "temp_c"), "`temp_c` declared here");
  EXPECT_EQ(render_text(engine, sources, Color::Never),
            "plant.mut:2:38: error[MUT2103]: cannot compare `float` with `string`\n"
            "  2 | stream hot = readings | where temp_c > \"hot\"\n"
            "    |                                      ^ ~~~~~\n"
            "plant.mut:1:12: note: `temp_c` declared here\n"
            "1 error\n");
}

TEST(Diagnostics, PrintsFixItsAfterTheLine) {
  SourceSet sources;
  FileId file = sources.add("a.mut", "stream s = t | wehre x\n");
  Engine engine;
  Span word = span_of(sources, file, "wehre");
  engine.report(Code::UnknownStage, word, "wehre").fix(word, "where").note("did you mean `where`?");
  engine.report(Code::NothingReads, span_of(sources, file, "s ="), "s");
  EXPECT_EQ(render_text(engine, sources, Color::Never),
            "a.mut:1:8: warning[MUT3002]: stream `s` reaches no sink\n"
            "  1 | stream s = t | wehre x\n"
            "    |        ^~~\n"
            "a.mut:1:16: error[MUT2007]: no stage or operator `wehre`\n"
            "  1 | stream s = t | wehre x\n"
            "    |                ^~~~~\n"
            "  fix-it: 1:16-1:21 \"where\"\n"
            "  note: did you mean `where`?\n"
            "1 error, 1 warning\n");
}

TEST(Diagnostics, AlignsMarksUnderTabsAndWideCharacters) {
  SourceSet sources;
  FileId file = sources.add("a.mut", "\tx = \"日本é\" !\n");
  Engine engine;
  engine.report(Code::UnknownCharacter, span_of(sources, file, "!"), "`!`");
  EXPECT_EQ(render_text(engine, sources, Color::Never),
            "a.mut:1:12: error[MUT1002]: character `!` has no meaning here\n"
            "  1 |     x = \"日本é\" !\n"
            "    |                 ^\n"
            "1 error\n");
}

TEST(Diagnostics, NeverPrintsControlCharacters) {
  SourceSet sources;
  FileId file = sources.add("a.mut", std::string("x\x1b[2J\0y\xff", 8));
  Engine engine;
  engine.report(Code::UnknownCharacter, {file, 1, 2}, "`\x1b`");
  std::string text = render_text(engine, sources, Color::Never) + render_json(engine, sources);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\0'), std::string::npos);
  EXPECT_EQ(text.find('\xff'), std::string::npos);
}

TEST(Diagnostics, CutsLongLinesAroundThePlace) {
  SourceSet sources;
  FileId file = sources.add("a.mut", std::string(5000, 'a') + "!" + std::string(5000, 'b'));
  Engine engine;
  engine.report(Code::UnknownCharacter, {file, 5000, 5001}, "`!`");
  std::string text = render_text(engine, sources, Color::Never);
  EXPECT_LT(text.size(), 600U);
  EXPECT_NE(text.find("a!b"), std::string::npos);
}

TEST(Diagnostics, MarksThePlaceAfterTheLastCharacter) {
  SourceSet sources;
  FileId file = sources.add("a.mut", "stream");
  Engine engine;
  engine.report(Code::UnexpectedToken, {file, 6, 6}, "end of script", "a name");
  EXPECT_NE(render_text(engine, sources, Color::Never).find("    |       ^\n"), std::string::npos);
}

TEST(Diagnostics, WritesOneJsonObjectALine) {
  SourceSet sources;
  FileId file = sources.add("a.mut", "wehre\n");
  Engine engine;
  engine.report(Code::UnknownStage, {file, 0, 5}, "wehre").fix({file, 0, 5}, "where");
  EXPECT_EQ(
      render_json(engine, sources),
      R"({"schema":1,"code":"MUT2007","name":"UnknownStage","severity":"error",)"
      R"("message":"no stage or operator `wehre`",)"
      R"("file":"a.mut","line":1,"column":1,"end_line":1,"end_column":6,"begin":0,"end":5,)"
      R"("arguments":["wehre"],"marks":[],"notes":[],)"
      R"("fixes":[{"replacement":"where","file":"a.mut","line":1,"column":1,"end_line":1,"end_column":6,)"
      R"("begin":0,"end":5}]})"
      "\n");
}

TEST(Diagnostics, KeepsTheFirstErrorsAndCountsTheRest) {
  SourceSet sources;
  FileId file = sources.add("a.mut", "x\n");
  Engine engine;
  for (int i = 0; i < 25; ++i) engine.report(Code::UnknownName, {file, 0, 1}, "x").note("kept or not");
  EXPECT_EQ(engine.error_count(), 25U);
  EXPECT_EQ(engine.sorted().size(), Engine::error_count_max);
  EXPECT_NE(render_text(engine, sources, Color::Never).find("25 errors (the first 20 errors shown)"),
            std::string::npos);
}

TEST(Diagnostics, CodesAreUniqueAndAscend) {
  unsigned last = 0;
  for (const CodeInfo& entry : all_codes()) {
    EXPECT_GT(static_cast<unsigned>(entry.code), last);
    last = static_cast<unsigned>(entry.code);
    EXPECT_EQ(info(entry.code).name, entry.name);
  }
}

TEST(DidYouMean, FindsTyposAndSwappedLetters) {
  std::vector<std::string> words = {"where", "with", "without", "select"};
  EXPECT_EQ(did_you_mean("wehre", words), "where");
  EXPECT_EQ(did_you_mean("selct", words), "select");
  EXPECT_EQ(did_you_mean("wiht", words), "with");
  EXPECT_EQ(did_you_mean("amount", words), std::nullopt);
  EXPECT_EQ(did_you_mean("x", {"y"}), std::nullopt);
  EXPECT_EQ(did_you_mean("", words), std::nullopt);
}

}  // namespace
}  // namespace mut::diag

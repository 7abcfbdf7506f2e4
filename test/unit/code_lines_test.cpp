// What code says of itself, and that saying it changes no instruction.
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "compiler/graph/places.h"
#include "compiler/jit/jit.h"
#include "compiler/session/program.h"

namespace mut {
namespace {

constexpr std::string_view head =
    "type E = { n: int, x: float, user: string, at: time }\n"
    "source e: E = generate(seed: 1, step: 1ms, count: 10) { n = n, x = float(n), user = \"u{n % 3}\" } time "
    "at\n";

const std::string_view bodies[] = {
    "stream s = e | where x > 2.0 | with y = sin(x) / x | where y < 0.5\nemit s to stdout()\n",
    "stream s = e\n | where x > 2.0\n | aggregate c = count(), t = sum(x), d = distinct(n) by user window "
    "tumbling 1m\n"
    " | where c > 1\nemit s to stdout()\nemit s.errors to stdout() as failed\n",
    "stream s = e | with usual = avg(x) over last 5m by user, before = prev(x) by user | where x > "
    "usual\n"
    "route s { x > 5.0 -> high, else -> low }\nemit high to stdout()\nemit low to stdout() as l\n",
    "stream a = e | where n % 2 == 0\nstream s = e | join a within 10s on user == a.user | select n, other = "
    "a.n + n\n"
    "emit s to stdout()\n"};

std::shared_ptr<session::Program> program_of(std::string_view body) {
  auto sources = std::make_shared<source::SourceSet>();
  diag::Engine diags;
  auto out = session::make_program(std::string(head) + std::string(body), "s.mut", sources, diags);
  EXPECT_TRUE(out) << diag::render_text(diags, *sources, diag::Color::Never);
  return out;
}

// Instructions alone, without what they are called: no directives, no labels.
std::string instructions(const std::string& assembly) {
  std::istringstream lines(assembly);
  std::string out;
  static const std::regex label(R"(\.L\w+)");
  for (std::string line; std::getline(lines, line);) {
    if (line.size() < 2 || line[0] != '\t' || line[1] == '.' || line[1] == '#') continue;
    out += std::regex_replace(line.substr(0, line.find(" #")), label, "L") + "\n";
  }
  return out;
}

class CodeLines : public testing::TestWithParam<std::tuple<jit::Tier, std::string_view>> {};

TEST_P(CodeLines, AddNoInstruction) {
  auto [tier, body] = GetParam();
  auto program = program_of(body);
  ASSERT_TRUE(program);
  auto without = jit::print_assembly(*program->graph, tier);
  auto with = jit::print_assembly(*program->graph, tier, jit::Notes::Places);
  auto calls = jit::print_assembly(*program->graph, tier, jit::Notes::PlacesAndCalls);
  ASSERT_TRUE(without && with && calls);
  EXPECT_GT(instructions(without.value()).size(), 1000U);
  EXPECT_EQ(instructions(without.value()), instructions(with.value()));
  EXPECT_NE(with.value().find("\t.loc\t"), std::string::npos);
  EXPECT_EQ(without.value().find("\t.loc\t"), std::string::npos);
#if defined(__x86_64__)
  EXPECT_NE(calls.value().find("%fs:"), std::string::npos);
  EXPECT_EQ(with.value().find("%fs:"), std::string::npos);
#endif
}

TEST_P(CodeLines, AreKnownOfTheCodeThatIsLinked) {
  auto [tier, body] = GetParam();
  auto program = program_of(body);
  ASSERT_TRUE(program);
  jit::Jit jit;
  auto made = jit.compile(*program->graph, tier, codegen::Literals::Table, jit::Reuse::InProcess, nullptr,
                          nullptr, jit::Notes::Places);
  ASSERT_TRUE(made) << made.error().message;
  const void* owner = made.value().owner.get();
  EXPECT_EQ(jit.loaded().notes_of(owner), jit::Notes::Places);
  auto kernel = reinterpret_cast<uintptr_t>(made.value().sources[0]);
  auto pieces = jit.loaded().pieces(owner);
  ASSERT_FALSE(pieces.empty());
  std::set<int> places;
  uintptr_t end = 0;
  for (const jit::CodePiece& piece : pieces) {
    EXPECT_LE(end, piece.begin);
    EXPECT_LT(piece.begin, piece.end);
    EXPECT_LT(piece.place, graph::place_count(*program->graph));
    end = piece.end;
    places.insert(piece.place);
    auto found = jit.loaded().find(piece.end - 1);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->place, piece.place);
    EXPECT_EQ(found->number, jit.loaded().number_of(owner));
  }
  EXPECT_TRUE(jit.loaded().find(kernel));
  const auto& streams = program->typed->streams;
  for (size_t i = 0; i < streams.size(); ++i) {
    for (size_t k = 0; k < streams[i].stages.size() && program->graph->live[i] != 0; ++k) {
      EXPECT_TRUE(
          places.contains(graph::stage_place(*program->graph, static_cast<int>(i), static_cast<int>(k))))
          << streams[i].name << "/" << streams[i].stages[k].name;
    }
  }
  uint64_t number = jit.loaded().number_of(owner);
  made = Error{"gone"};
  EXPECT_EQ(jit.loaded().number_of(owner), 0U);
  ASSERT_TRUE(jit.loaded().find(kernel)) << "a sample of it may still come";
  EXPECT_EQ(jit.loaded().find(kernel)->number, number);
  jit.loaded().forget_unlinked();
  EXPECT_FALSE(jit.loaded().find(kernel));
}

INSTANTIATE_TEST_SUITE_P(Tiers, CodeLines,
                         testing::Combine(testing::Values(jit::Tier::Quick, jit::Tier::Optimised),
                                          testing::ValuesIn(bodies)));

// A program that is edited for a week, with names for `perf`.
TEST(LoadedCode, KnowsTheLastOfWhatIsGoneOnly) {
  jit::LoadedCode code;
  constexpr size_t edits = 3 * jit::LoadedCode::unlinked_most;
  constexpr uintptr_t size = 100;
  std::vector<char> owners(edits);
  for (size_t i = 0; i < edits; ++i) {
    code.add(&owners[i], (i + 1) * size, {{}, size}, jit::Notes::Places);
    if (i > 0) code.unlinked(&owners[i - 1]);
  }
  EXPECT_TRUE(code.find(edits * size)) << "it is linked";
  EXPECT_TRUE(code.find((edits - 1) * size)) << "a sample of it may still come";
  EXPECT_TRUE(code.find((edits - jit::LoadedCode::unlinked_most) * size));
  EXPECT_FALSE(code.find((edits - jit::LoadedCode::unlinked_most - 1) * size));
  EXPECT_FALSE(code.find(size));
}

TEST(Places, AreToldByNameAndLine) {
  auto program = program_of(bodies[2]);
  ASSERT_TRUE(program);
  std::set<std::string> names;
  for (int place = 0; place < graph::place_count(*program->graph); ++place) {
    graph::Place told = graph::describe_place(*program->graph, place);
    names.insert(told.name + "@" + std::to_string(program->sources->locate(told.span).line));
  }
  for (const char* name : {"e@2", "s/where@3", "route s@4", "emit high@5", "emit l@6"})
    EXPECT_TRUE(names.contains(name)) << name << " of " << testing::PrintToString(names);
}

}  // namespace
}  // namespace mut

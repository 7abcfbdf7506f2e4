// What the generator writes is checked, runs by the reference to its end, and says something.
#include <gtest/gtest.h>

#include "test/random/random_program.h"
#include "test/unit/reference_fixture.h"

namespace mut::random_test {
namespace {

TEST(RandomPrograms, AreCheckedAndRunByTheReference) {
  size_t silent = 0;
  constexpr uint64_t count = 150;
  for (uint64_t seed = 1; seed <= count; ++seed) {
    GeneratedProgram program = random_program({seed, 40});
    test::CheckedScript script(program.script);
    ASSERT_TRUE(script.program) << "seed " << seed << "\n" << program.script;
    reference::Interpreter interpreter(script.program, {script.line()});
    for (const auto& [name, text] : program.inputs)
      interpreter.bind(name.substr(0, name.find('.')), {text, name, reference::Format::Json});
    interpreter.run_to_end();
    silent += interpreter.outputs().empty() ? 1 : 0;
  }
  EXPECT_LT(silent, count / 4);
}

TEST(RandomPrograms, AreTheSameForTheSameSeed) {
  EXPECT_EQ(random_program({7, 20}).script, random_program({7, 20}).script);
  EXPECT_EQ(random_program({7, 20}).inputs, random_program({7, 20}).inputs);
  EXPECT_NE(random_program({7, 20}).script, random_program({8, 20}).script);
}

}  // namespace
}  // namespace mut::random_test

// Code that nobody wants any more while it is made: half-made code is never used.
#include <gtest/gtest.h>

#include <future>

#include "compiler/jit/jit.h"
#include "compiler/session/optimiser.h"
#include "runtime/env/real_env.h"
#include "test/unit/kernel_run.h"

namespace mut {
namespace {

struct Made {
  bool finished = false;
  size_t bytes = 0;
  bool compiled = false;
};

Made optimise(jit::Jit& jit, const session::Program& program, const jit::GoesOn& goes_on = nullptr) {
  jit::CompileTimes times;
  auto kernels = jit.compile(*program.graph, jit::Tier::Optimised, codegen::Literals::Table,
                             jit::Reuse::InProcess, &times, goes_on);
  return {static_cast<bool>(kernels), times.object_bytes, times.compiled};
}

TEST(CodeThatIsLetGo, IsNeitherUsedNorKeptWhoeverAsksLater) {
  auto program = test::program_of("x * x + 7");
  ASSERT_TRUE(program);
  jit::Jit control;
  const Made whole = optimise(control, *program);
  ASSERT_TRUE(whole.finished);
  jit::Jit jit;
  for (int refused : {0, 1, 5, 40, 200}) {
    int asked = 0;
    // Once only: a later yes does not bring back what was left out.
    Made made = optimise(jit, *program, [&] { return asked++ != refused; });
    EXPECT_GT(asked, refused);
    EXPECT_FALSE(made.finished) << "refused at question " << refused;
  }
  const Made after = optimise(jit, *program);
  EXPECT_TRUE(after.finished);
  EXPECT_TRUE(after.compiled);  // nothing of the others was kept
  EXPECT_EQ(after.bytes, whole.bytes);
}

TEST(CodeThatIsLetGo, OnlyWhereSomebodySaysSo) {
  auto program = test::program_of("x * x + 8");
  ASSERT_TRUE(program);
  jit::Jit jit;
  jit::Jit control;
  EXPECT_EQ(optimise(jit, *program, [] { return true; }).bytes, optimise(control, *program).bytes);
}

class OptimiserTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = env::make_real_env();
    ASSERT_TRUE(made);
    env_ = std::move(made).value();
    ASSERT_TRUE(program_);
  }

  std::shared_ptr<const session::Program> program_ = test::program_of("x * x + 9");
  std::unique_ptr<env::Env> env_;
  jit::Jit jit_;
};

TEST_F(OptimiserTest, StandsStillWhileAnEditIsPrepared) {
  session::Optimiser optimiser(*env_, jit_);
  {
    session::Optimiser::Hold first(&optimiser);
    session::Optimiser::Hold second(&optimiser);
    optimiser.want(program_, 1, session::Optimiser::Start::Quick);
    std::this_thread::sleep_for(std::chrono::milliseconds(150));  // it takes a tenth of that
    EXPECT_FALSE(optimiser.take());
  }
  auto done = std::async(std::launch::async, [&] {
    while (true) {
      if (auto made = optimiser.take()) return made->version;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  ASSERT_EQ(done.wait_for(std::chrono::seconds(60)), std::future_status::ready);
  EXPECT_EQ(done.get(), 1U);
}

TEST_F(OptimiserTest, EndsInTheMidstOfACompilation) {
  session::Optimiser optimiser(*env_, jit_);
  optimiser.want(program_, 1, session::Optimiser::Start::Quick);
}

}  // namespace
}  // namespace mut

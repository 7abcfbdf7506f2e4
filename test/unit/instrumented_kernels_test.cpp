// The sanitizer presets compile kernels with LLVM's own passes: here they are seen to notice.
#include <gtest/gtest.h>

#include <thread>

#include "compiler/jit/jit.h"
#include "test/unit/kernel_run.h"

namespace mut::test {
namespace {

class InstrumentedKernels : public testing::TestWithParam<jit::Tier> {
 protected:
  void SetUp() override {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    program_ = program_of("x + x");
    auto made =
        jit_.compile(*program_->graph, GetParam(), codegen::Literals::Table, jit::Reuse::InProcess, nullptr);
    ASSERT_TRUE(made) << made.error().message;
    kernels_ = std::move(made).value();
  }
  std::shared_ptr<session::Program> program_;
  jit::Jit jit_;
  runtime::Kernels kernels_;
};

TEST_P(InstrumentedKernels, GiveTheSameValue) { EXPECT_EQ(KernelRun(program_).run(kernels_), 40); }

#if defined(MUT_SANITIZE_ADDRESS)
TEST_P(InstrumentedKernels, NoticeARowBeyondTheColumn) {
  KernelRun one(program_);
  EXPECT_DEATH(one.run(kernels_, 2), "AddressSanitizer: heap-buffer-overflow");
}
#endif

#if defined(MUT_SANITIZE_THREAD)
TEST_P(InstrumentedKernels, NoticeTwoThreadsInOneContext) {
  constexpr int exit_code_of_tsan = 66;
  auto race = [&] {
    KernelRun shared(program_);
    auto run = [&] {
      for (int i = 0; i < 1000; ++i) shared.run(kernels_);
    };
    std::thread other(run);
    run();
    other.join();
    std::exit(0);
  };
  // The access itself is in code without a file: the kernel.
  EXPECT_EXIT(race(), testing::ExitedWithCode(exit_code_of_tsan),
              "data race(.|\n)* of size (.|\n)*#0 <null> <null> [(]0x");
}
#endif

INSTANTIATE_TEST_SUITE_P(Tiers, InstrumentedKernels, testing::Values(jit::Tier::Quick, jit::Tier::Optimised));

}  // namespace
}  // namespace mut::test

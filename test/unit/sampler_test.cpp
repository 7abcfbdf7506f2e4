#include "runtime/env/sampler.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <map>
#include <set>

#include "runtime/env/does.h"
#include "runtime/env/real_env.h"

namespace mut::env {
namespace {

std::unique_ptr<Env> real_env() {
  auto env = make_real_env();
  EXPECT_TRUE(env.ok());
  return std::move(env).value();
}

void burn(Env& env, int64_t cpu_ns) {
  int64_t until = env.thread_cpu_ns() + cpu_ns;
  while (env.thread_cpu_ns() < until) {
  }
}

constexpr int64_t a_while_ns = 120'000'000;  // 30 ticks of a slow machine

std::map<Where, uint64_t> taken(Sampler& sampler) {
  std::map<Where, uint64_t> out;
  sampler.take([&](uint64_t, const ThreadSample& sample) {
    EXPECT_NE(sample.pc, 0U);
    ++out[sample.where];
  });
  return out;
}

TEST(Sampler, SeesWhatAThreadDoesWithItsTime) {
  auto env = real_env();
  auto made = env->start_sampler();
  ASSERT_TRUE(made) << made.error().message;
  Sampler& sampler = *made.value();
  auto thread = env->start_thread("worker", [&] {
    {
      Does decodes(Work::Decode, 7);
      burn(*env, 3 * a_while_ns);
    }
    Does writes(Work::Sink);
    burn(*env, a_while_ns);
  });
  thread->join();
  auto seen = taken(sampler);
  uint64_t decodes = seen[where_of(where_kind(Work::Decode), 8)];
  uint64_t writes = seen[where_of(where_kind(Work::Sink))];
  EXPECT_GT(writes, 3U);
  EXPECT_GT(decodes, writes) << "three times as long";
  EXPECT_EQ(seen.size(), seen.count(0) + 2);
  ASSERT_EQ(sampler.times().size(), 1U);  // also when it is over
  EXPECT_EQ(sampler.times()[0].name, "worker");
  EXPECT_GE(sampler.times()[0].cpu_ns, 4 * a_while_ns);
  EXPECT_TRUE(taken(sampler).empty()) << "each is given once";
}

TEST(Sampler, KnowsAThreadThatWasThereBeforeAndOneThatEnrols) {
  auto env = real_env();
  std::atomic<bool> over{false};
  auto thread = env->start_thread("before", [&] {
    while (!over) burn(*env, 1'000'000);
  });
  std::set<std::string> names;
  {
    auto made = env->start_sampler();
    ASSERT_TRUE(made) << made.error().message;
    made.value()->enrol("here");
    made.value()->enrol("here");  // is already
    burn(*env, a_while_ns);
    for (const ThreadTime& time : made.value()->times()) {
      EXPECT_GT(time.cpu_ns, 0) << time.name;
      EXPECT_TRUE(names.insert(time.name).second);
    }
  }
  over = true;
  thread->join();
  EXPECT_EQ(names, (std::set<std::string>{"before", "here"}));
}

TEST(Sampler, IsOneAtATimeAndAgainLater) {
  auto env = real_env();
  auto other_env = real_env();
  auto first = env->start_sampler();
  ASSERT_TRUE(first);
  EXPECT_FALSE(env->start_sampler());
  auto other = other_env->start_sampler();  // of another engine: they do not meet
  ASSERT_TRUE(other);
  other.value()->enrol("other");
  burn(*env, a_while_ns);
  EXPECT_TRUE(taken(*first.value()).empty());
  EXPECT_FALSE(taken(*other.value()).empty());
  first = Error{"gone"};
  EXPECT_TRUE(env->start_sampler());
}

TEST(Sampler, WritesNothingWhereItIsGone) {
  auto env = real_env();
  for (int i = 0; i < 50; ++i) {
    auto made = env->start_sampler();
    ASSERT_TRUE(made);
    made.value()->enrol("here");
    burn(*env, 2'000'000);
  }
  burn(*env, 20'000'000);
}

TEST(SamplerDeathTest, LeavesAHostThatHandlesTheSignalAlone) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        ::signal(SIGPROF, [](int) {});
        auto env = real_env();
        auto made = env->start_sampler();
        ::_exit(!made && made.error().message == "the process handles SIGPROF itself" ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace mut::env

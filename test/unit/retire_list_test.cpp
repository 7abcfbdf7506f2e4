// Code that is replaced while workers run it (live-change-cases.md T-H14).
#include "runtime/swap/retire_list.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <fstream>
#include <set>
#include <thread>

#include "compiler/jit/jit.h"
#include "test/unit/kernel_run.h"

namespace {

using mut::runtime::RetireList;
using mut::test::KernelRun;
using mut::test::program_of;

TEST(RetireList, KeepsAKernelUntilTheSlowestWorkerPassesABoundary) {
  RetireList list;
  RetireList::Worker& quick = list.add_worker();
  RetireList::Worker& slow = list.add_worker();
  quick.enter();
  slow.enter();
  auto code = std::make_shared<int>(1);
  std::weak_ptr<int> watched = code;
  list.retire(std::move(code), 1);
  quick.enter();
  EXPECT_EQ(list.reclaim(), 1U);
  EXPECT_FALSE(watched.expired());
  slow.enter();
  EXPECT_EQ(list.reclaim(), 0U);
  EXPECT_TRUE(watched.expired());
}

TEST(RetireList, DoesNotWaitForAWorkerThatRests) {
  RetireList list;
  RetireList::Worker& idle = list.add_worker();
  RetireList::Worker& busy = list.add_worker();
  idle.enter();
  idle.rest();
  busy.enter();
  list.retire(std::make_shared<int>(1), 1);
  busy.enter();
  EXPECT_EQ(list.reclaim(), 0U);
}

TEST(RetireList, KeepsWhatWasRetiredAfterABatchBegan) {
  RetireList list;
  RetireList::Worker& worker = list.add_worker();
  list.retire(std::make_shared<int>(1), 1);
  worker.enter();
  list.retire(std::make_shared<int>(2), 2);
  EXPECT_EQ(list.reclaim(), 1U);
  worker.rest();
  EXPECT_EQ(list.reclaim(), 0U);
}

TEST(RetireList, CountsVersionsOnce) {
  RetireList list;
  RetireList::Worker& worker = list.add_worker();
  worker.enter();
  list.retire(std::make_shared<int>(1), 1);  // quick
  list.retire(std::make_shared<int>(2), 1);  // optimised
  list.retire(std::make_shared<int>(3), 0);  // never run
  list.retire_state(std::make_shared<int>(4));
  EXPECT_EQ(list.waiting(), std::set<uint64_t>{1});
  list.retire(std::make_shared<int>(5), 2);
  EXPECT_EQ(list.waiting(), (std::set<uint64_t>{1, 2}));
}

size_t code_mappings() {
  size_t count = 0;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    count += line.find(" r-xp 00000000 00:00 0") != std::string::npos;
  return count;
}

TEST(RetireList, TenThousandSwapsUnderFourWorkersOfWhichOneIsBlockedInARead) {
  constexpr int swaps = 10'000;
  constexpr int warm = 500;
  constexpr int busy_workers = 3;
  auto a = program_of("x + x");
  auto b = program_of("x * x");
  ASSERT_TRUE(a && b);
  mut::jit::Jit jit;
  RetireList list;
  auto first = jit.compile(*a->graph, mut::jit::Tier::Quick, mut::codegen::Literals::Table,
                           mut::jit::Reuse::InProcess, nullptr);
  ASSERT_TRUE(first);
  auto running = std::make_shared<mut::runtime::Kernels>(std::move(first).value());
  std::atomic<const mut::runtime::Kernels*> current{running.get()};
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> batches{0};
  std::atomic<uint64_t> wrong{0};
  std::vector<std::thread> workers;
  for (int i = 0; i < busy_workers; ++i) {
    workers.emplace_back([&, worker = &list.add_worker()] {
      KernelRun own(a);
      while (!stop) {
        worker->enter();
        int64_t y = own.run(*current.load());
        if (y != 40 && y != 400) ++wrong;
        ++batches;
        std::this_thread::yield();
      }
      worker->rest();
    });
  }
  // The fourth has run a batch and then waits for input that does not come.
  std::mutex input_mutex;
  std::condition_variable input;
  std::atomic<bool> blocked{false};
  workers.emplace_back([&, worker = &list.add_worker()] {
    KernelRun own(a);
    worker->enter();
    own.run(*current.load());
    worker->rest();
    std::unique_lock lock(input_mutex);
    blocked = true;
    input.wait(lock, [&] { return stop.load(); });
  });
  while (!blocked) std::this_thread::yield();

  size_t early_mappings = 0;
  size_t most_waiting = 0;
  for (int i = 1; i <= swaps; ++i) {
    const mut::session::Program& next = i % 2 == 1 ? *b : *a;
    auto made = jit.compile(*next.graph, mut::jit::Tier::Quick, mut::codegen::Literals::Table,
                            mut::jit::Reuse::InProcess, nullptr);
    ASSERT_TRUE(made);
    auto kernels = std::make_shared<mut::runtime::Kernels>(std::move(made).value());
    current.store(kernels.get());
    list.retire(std::exchange(running, std::move(kernels)), static_cast<uint64_t>(i));
    size_t waiting = list.reclaim();
    most_waiting = std::max(most_waiting, waiting);
    if (i == warm || i == swaps) {
      while (list.reclaim() > 0) std::this_thread::yield();
      EXPECT_EQ(jit.live_dylibs(), 1U);
      if (i == warm) early_mappings = code_mappings();
      if (i == swaps) EXPECT_LE(code_mappings(), early_mappings + 1);
    }
  }
  stop = true;
  input.notify_all();
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_GT(batches, 0U);
  // A worker that gets no time for long makes code wait, the blocked one does not.
  EXPECT_LT(most_waiting, static_cast<size_t>(swaps) / 2);
}

}  // namespace

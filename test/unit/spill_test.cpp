// State in a file: pieces, what stays in memory, a disk without room.
#include "runtime/state/spill.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <vector>

#include "runtime/env/real_env.h"
#include "runtime/state/budget.h"
#include "runtime/state/heap.h"
#include "runtime/state/row_memory.h"

namespace mut::state {
namespace {

constexpr size_t mib = size_t{1} << 20;

class SpillTest : public ::testing::Test {
 protected:
  std::shared_ptr<Spill> open(size_t bytes_max, size_t resident_bytes) {
    auto opened = Spill::open(*env_, {::testing::TempDir(), bytes_max, resident_bytes});
    if (!opened) ADD_FAILURE() << opened.error().message;
    return opened ? std::move(opened).value() : nullptr;
  }
  // Until it holds, ten seconds at most.
  template <typename Holds>
  bool becomes(Holds holds) {
    for (int i = 0; i < 1000; ++i) {
      if (holds()) return true;
      env_->sleep(10'000'000);
    }
    return false;
  }
  std::unique_ptr<env::Env> env_ = std::move(env::make_real_env()).value();
};

TEST_F(SpillTest, PiecesKeepWhatIsWrittenWhenTheyAreNotInMemory) {
  auto spill = open(256 * mib, 8 * mib);
  std::vector<char*> pieces;
  for (int i = 0; i < 128; ++i) {
    char* piece = spill->take(mib);
    ASSERT_NE(piece, nullptr);
    ASSERT_TRUE(spill->owns(piece));
    memset(piece, i, mib);
    pieces.push_back(piece);
  }
  EXPECT_EQ(spill->used_bytes(), 128 * mib);
  // A look comes a while after what is touched.
  EXPECT_TRUE(becomes([&] { return spill->resident_bytes() > 0 && spill->resident_bytes() <= 8 * mib; }))
      << spill->resident_bytes();
  for (int i = 0; i < 128; ++i) {
    for (size_t at = 0; at < mib; at += 4096)
      ASSERT_EQ(pieces[i][at], static_cast<char>(i)) << i << " " << at;
  }
}

TEST_F(SpillTest, APieceThatIsGivenBackIsHandedOutAgain) {
  auto spill = open(64 * mib, 8 * mib);
  std::set<char*> first;
  while (char* piece = spill->take(mib)) first.insert(piece);
  EXPECT_EQ(first.size(), 64U);
  for (char* piece : first) spill->give_back(piece, mib);
  EXPECT_EQ(spill->used_bytes(), 0U);
  std::set<char*> again;
  while (char* piece = spill->take(mib)) again.insert(piece);
  EXPECT_EQ(again, first);
  for (char* piece : again) spill->give_back(piece, mib);
  // Smaller ones are parts of what there is.
  std::set<char*> parts;
  while (char* piece = spill->take(Spill::piece_bytes)) parts.insert(piece);
  EXPECT_EQ(parts.size(), 64 * mib / Spill::piece_bytes);
}

TEST_F(SpillTest, ADirectoryThatIsNotThereIsAnError) {
  auto opened = Spill::open(*env_, {"/no/such/directory", 64 * mib, 8 * mib});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("/no/such/directory"), std::string::npos) << opened.error().message;
}

TEST_F(SpillTest, ABudgetTakesFromTheFileWhenMemoryHasItsShare) {
  auto spill = open(64 * mib, 4 * mib);
  Budget budget(16 * mib, spill);
  EXPECT_EQ(budget.limit(), 80 * mib);
  EXPECT_EQ(budget.take_spilled(mib), nullptr);  // memory has room
  budget.add(14 * mib);
  char* piece = budget.take_spilled(mib);
  ASSERT_NE(piece, nullptr);
  budget.add(mib);
  budget.in_file(mib);
  EXPECT_EQ(budget.spilled(), mib);
  EXPECT_TRUE(budget.fits(40 * mib));
  EXPECT_FALSE(budget.fits(66 * mib));
  EXPECT_EQ(budget.take_spilled(1024), nullptr);  // too small for the file
  EXPECT_TRUE(budget.owns_spilled(piece));
  budget.give_back_spilled(piece, mib);
  budget.out_of_file(mib);
  budget.remove(mib);
  EXPECT_EQ(budget.spilled(), 0U);
  char own[8];
  EXPECT_FALSE(budget.owns_spilled(own));
}

TEST_F(SpillTest, WhatIsTooSmallForTheFileEndsAtTheMemory) {
  auto spill = open(64 * mib, 4 * mib);
  Budget budget(16 * mib, spill);
  budget.add(16 * mib);
  EXPECT_TRUE(budget.fits(1024));
  budget.add(1024);
  EXPECT_FALSE(budget.fits(1024));
  budget.remove(16 * mib + 1024);
}

TEST_F(SpillTest, AStoreTakesWhatItHasInTheFileAlong) {
  auto spill = open(64 * mib, 4 * mib);
  Budget one(mib, spill), other(mib, spill);
  one.add(mib);
  Budget store(&one);
  char* piece = store.take_spilled(mib);
  ASSERT_NE(piece, nullptr);
  store.add(mib);
  store.in_file(mib);
  EXPECT_EQ(one.spilled(), mib);
  store.move_to(other);
  EXPECT_EQ(one.spilled(), 0U);
  EXPECT_EQ(other.spilled(), mib);
  store.give_back_spilled(piece, mib);
  store.out_of_file(mib);
  store.remove(mib);
  one.remove(mib);
  EXPECT_EQ(other.spilled(), 0U);
}

TEST_F(SpillTest, AHeapAndRowsGoOnInTheFile) {
  auto spill = open(256 * mib, 4 * mib);
  Budget budget(8 * mib, spill);
  MutHeap view{};
  Heap heap(budget, view);
  std::vector<uint64_t> places;
  for (int i = 0; i < 60'000; ++i) {
    places.push_back(heap.allocate(1024));
    memset(heap.at(places.back()), i, 1024);
  }
  EXPECT_GT(budget.spilled(), 40 * mib);
  for (int i = 0; i < 60'000; ++i) ASSERT_EQ(heap.at(places[i])[512], static_cast<char>(i)) << i;
}

// What of a region is not used yet does not count as in the file: else so much less of what lies in memory
// would count.
TEST_F(SpillTest, RowsInTheFileCountAsTheyAreTaken) {
  auto spill = open(256 * mib, 4 * mib);
  Budget budget(8 * mib, spill);
  budget.add(8 * mib);
  RowMemory rows(budget);
  char* piece = rows.take(60'000);
  EXPECT_TRUE(spill->owns(piece));
  EXPECT_TRUE(rows.owns(piece));
  EXPECT_EQ(budget.spilled(), 60'000U);
  rows.give_back(piece, 60'000);
  EXPECT_EQ(budget.spilled(), 0U);
  EXPECT_EQ(rows.take(50'000), piece);
  rows.give_back(piece, 50'000);
  budget.remove(8 * mib);
}

// A region in memory has its memory from the begin, whatever of it is used.
TEST_F(SpillTest, ARegionInMemoryIsSetAside) {
  auto spill = open(64 * mib, 4 * mib);
  Budget budget(8 * mib, spill);
  budget.add(5 * mib);
  RowMemory rows(budget);
  char* piece = rows.take(60'000);
  EXPECT_FALSE(spill->owns(piece));
  budget.add(60'000);
  char* next = budget.take_spilled(mib);
  ASSERT_NE(next, nullptr);
  budget.give_back_spilled(next, mib);
  rows.give_back(piece, 60'000);
  budget.remove(5 * mib + 60'000);
}

}  // namespace
}  // namespace mut::state

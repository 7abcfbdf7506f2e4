#include "runtime/state/own_cells.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "runtime/state/cells.h"

namespace mut::state {
namespace {

// A cell of one list of numbers, as a process has it.
class OwnCells : public ::testing::Test {
 protected:
  OwnCells() : budget_(size_t{1} << 30), heap_(budget_, view_) {
    std::vector<abi::FieldDesc> fields;
    fields.push_back(abi::made_field("set", abi::make_scalar(abi::TypeKind::I64)));
    fields.push_back(abi::made_field("value", abi::make_list(abi::make_scalar(abi::TypeKind::I64))));
    desc_.fn = CellFn::Own;
    desc_.result = abi::make_record(std::move(fields));
    desc_.size = own_size(*desc_.result);
  }

  // The copy that a kernel makes of so many numbers.
  std::array<uint64_t, 3> words(uint64_t count) {
    numbers_.resize(count);
    for (uint64_t i = 0; i < count; ++i) numbers_[i] = static_cast<int64_t>(i);
    list_ = {count, numbers_.data()};
    const char* at = reinterpret_cast<const char*>(&list_);
    std::array<uint64_t, 3> out{1, 0, 0};
    memcpy(&out[2], &at, sizeof(at));
    return out;
  }
  char* cell() { return reinterpret_cast<char*>(cell_.data()); }

  Budget budget_;
  MutHeap view_{};
  Heap heap_;
  CellDesc desc_;
  std::vector<int64_t> numbers_;
  MutList list_{};
  std::array<uint64_t, 3> cell_{};
};

TEST_F(OwnCells, AListIsReadAsItWasWritten) {
  store_own(desc_, cell(), heap_, words(1000).data());
  numbers_.assign(1000, -1);  // nothing of the copy is used any more
  batch::Arena arena;
  std::array<uint64_t, 3> read{};
  load_own(desc_, cell(), heap_, arena, read.data());
  const MutList* list = nullptr;
  memcpy(&list, &read[2], sizeof(list));
  ASSERT_EQ(list->count, 1000U);
  for (int64_t i = 0; i < 1000; ++i) EXPECT_EQ(static_cast<const int64_t*>(list->data)[i], i);
}

TEST_F(OwnCells, ALongListThatBecomesShortGivesItsMemoryBack) {
  store_own(desc_, cell(), heap_, words(4).data());
  size_t small = budget_.used();
  for (uint64_t count = 10'000; count < 10'100; ++count) store_own(desc_, cell(), heap_, words(count).data());
  EXPECT_GT(budget_.used(), 80'000U);
  EXPECT_LT(budget_.used(), 2 * 131'072U);  // one of them, in a piece of a power of two
  store_own(desc_, cell(), heap_, words(4).data());
  EXPECT_EQ(budget_.used(), small);
  free_cell(desc_, cell(), heap_);
  EXPECT_EQ(cell_[0], 0U);
}

TEST_F(OwnCells, AListOfTheSameSizeNeedsNoRoom) {
  store_own(desc_, cell(), heap_, words(10'000).data());
  EXPECT_EQ(own_growth(desc_, cell(), &heap_, words(10'001).data()), 0U);
  // 160,016 bytes: the next power of two.
  EXPECT_EQ(own_growth(desc_, cell(), &heap_, words(20'000).data()), 262'144U);
  EXPECT_EQ(own_growth(desc_, nullptr, nullptr, words(10'000).data()), 131'072U);
}

}  // namespace
}  // namespace mut::state

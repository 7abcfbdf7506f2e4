#include "runtime/batch/newest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

namespace mut::batch {
namespace {

TEST(Newest, IsTheGreatestOfAnyNumberOfTimes) {
  std::mt19937_64 random(1);
  std::vector<int64_t> times(300);
  for (int64_t& time : times) time = static_cast<int64_t>(random());
  for (size_t from : {size_t{0}, size_t{1}, size_t{3}}) {
    int64_t newest = std::numeric_limits<int64_t>::min();
    for (size_t count = 0; from + count < times.size(); ++count) {
      EXPECT_EQ(newest_of({times.data() + from, count}), newest);
      newest = std::max(newest, times[from + count]);
    }
  }
}

TEST(Newest, OfNegativeTimesIsNotZero) {
  std::vector<int64_t> times(37, -5);
  times[17] = -4;
  EXPECT_EQ(newest_of(times), -4);
}

}  // namespace
}  // namespace mut::batch

#include <gtest/gtest.h>

#include "compiler/source/source_set.h"

namespace mut::source {
namespace {

TEST(SourceFile, CountsColumnsInCodePoints) {
  SourceFile file("a.mut", "x\né = 1\r\nz");
  EXPECT_EQ(file.line_count(), 3U);
  EXPECT_EQ(file.line(2), "é = 1");
  LineColumn place = file.locate(2 + 3);  // after "é "
  EXPECT_EQ(place.line, 2U);
  EXPECT_EQ(place.column, 3U);
}

TEST(SourceFile, LocatesPastTheEndAtTheEnd) {
  SourceFile file("a.mut", "ab\n");
  EXPECT_EQ(file.locate(99).line, 2U);
  EXPECT_EQ(file.locate(99).column, 1U);
}

}  // namespace
}  // namespace mut::source

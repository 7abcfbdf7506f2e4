// Rows that a host is given together.
#include <map>
#include <string>
#include <vector>

#include "test/unit/embed_fixture.h"

namespace mut::embed_test {
namespace {

constexpr const char* kinds_script = R"(
    type Row = { id: int, weight: float, note: string?, part: i16, ok: bool, wait: duration, at: time }
    source rows: Row = host() time at
    stream known = rows | where id > 0
    emit known to host()
)";

std::string line(int id, const std::string& rest = "") {
  return R"({"id":)" + std::to_string(id) + R"(,"weight":)" + std::to_string(id) + ".5" + rest +
         R"(,"part":7,"ok":true,"wait":"2s","at":)" + R"("1970-01-01T00:00:01Z"})" + "\n";
}

// What is a number in every row can be read by column, all else by field.
TEST(RowBatches, AreReadByColumnOrByField) {
  auto engine = load(kinds_script);
  ASSERT_TRUE(engine);
  EXPECT_DONE(engine->bind_host_source("rows"));
  EXPECT_DONE(engine->push_text("rows", line(1) + line(-4) + line(2, R"(,"note":"hi")") + line(3)));
  size_t rows_seen = 0;
  EXPECT_DONE(engine->bind_batch_sink("known", [&](const RowBatch& rows) {
    ASSERT_EQ(rows.field_count(), 7U);
    EXPECT_EQ(rows.field_name(3), "part");
    auto id = rows.ints(0);
    auto weight = rows.floats(1);
    auto wait = rows.ints(5);
    auto at = rows.ints(6);
    ASSERT_TRUE(id && weight && wait && at);
    for (size_t field : {1U, 2U, 3U, 4U}) EXPECT_FALSE(rows.ints(field)) << field;
    for (size_t field : {0U, 2U, 3U, 4U, 5U}) EXPECT_FALSE(rows.floats(field)) << field;
    for (size_t row = 0; row < rows.row_count(); ++row) {
      ++rows_seen;
      EXPECT_EQ((*id)[row], static_cast<int64_t>(rows_seen));
      EXPECT_EQ((*weight)[row], static_cast<double>(rows_seen) + 0.5);
      EXPECT_EQ((*wait)[row], 2'000'000'000);
      EXPECT_EQ((*at)[row], 1'000'000'000);
      EXPECT_EQ(rows.field(row, 0), FieldValue(static_cast<int64_t>(rows_seen)));
      EXPECT_EQ(rows.field(row, 2), rows_seen == 2 ? FieldValue("hi") : FieldValue());
      EXPECT_EQ(rows.field(row, 3), FieldValue(int64_t{7}));
      EXPECT_EQ(rows.field(row, 4), FieldValue(true));
    }
  }));
  EXPECT_DONE(engine->start());
  EXPECT_DONE(engine->finish("rows"));
  EXPECT_DONE(engine->run_to_end());
  EXPECT_EQ(rows_seen, 3U);
}

// The order and the number of rows are those of the sink that is given one by one, over edits of what is in
// them.
TEST(RowBatches, AreTheRowsOfTheSinkAlsoBehindAnEdit) {
  auto script = [](int factor) {
    return "type Row = { id: int }\nsource rows: Row = host()\nstream made = rows | select id, n = id * " +
           std::to_string(factor) + (factor > 2 ? ", twice = id * 2" : "") + "\nemit made to host()\n";
  };
  auto engine = load(script(2));
  ASSERT_TRUE(engine);
  EXPECT_DONE(engine->bind_host_source("rows"));
  std::vector<std::vector<int64_t>> seen;
  EXPECT_DONE(engine->bind_batch_sink("made", [&](const RowBatch& rows) {
    for (size_t row = 0; row < rows.row_count(); ++row) {
      seen.emplace_back();
      for (size_t field = 0; field < rows.field_count(); ++field)
        seen.back().push_back((*rows.ints(field))[row]);
    }
  }));
  EXPECT_DONE(engine->start());
  auto push = [&](int64_t from, int64_t to) {
    for (int64_t id = from; id < to; ++id) EXPECT_DONE(engine->push_row("rows", {id}));
    while (engine->run() != RunState::Idle) {
    }
  };
  push(0, 10'000);
  ASSERT_TRUE(engine->swap({.text = script(3)}).ok());
  push(10'000, 20'000);
  EXPECT_DONE(engine->finish("rows"));
  EXPECT_DONE(engine->run_to_end());
  ASSERT_EQ(seen.size(), 20'000U);
  for (int64_t id = 0; id < 20'000; ++id) {
    std::vector<int64_t> wanted =
        id < 10'000 ? std::vector<int64_t>{id, id * 2} : std::vector<int64_t>{id, id * 3, id * 2};
    ASSERT_EQ(seen[static_cast<size_t>(id)], wanted);
  }
}

TEST(RowBatches, OfASinkThatIsNotThereOrToNobodyAreRefused) {
  auto engine = load(kinds_script);
  ASSERT_TRUE(engine);
  EXPECT_EQ(failure_of(engine->bind_batch_sink("nothing", [](const RowBatch&) {})).kind,
            Failure::Kind::Usage);
  EXPECT_EQ(failure_of(engine->bind_batch_sink("known", nullptr)).kind, Failure::Kind::Usage)
      << "no function";
}

}  // namespace
}  // namespace mut::embed_test

// What threads decode ahead is what one decoder makes of the same text, whatever the text is, wherever it is
// read in pieces, and although the shard asks for other columns, other batches and another record meanwhile.
#include <gtest/gtest.h>

#include <random>

#include "runtime/connector/record_pump.h"
#include "runtime/env/real_env.h"
#include "test/unit/decode_rows.h"

namespace mut::test {
namespace {

using abi::TypeKind;
using connector::Poll;
using connector::RecordPump;
using connector::StreamStep;
using Random = std::mt19937_64;

size_t below(Random& random, size_t end) { return random() % end; }

// Gives its text in pieces of random sizes, with moments between in which there is none.
class TornStream final : public connector::ByteStream {
 public:
  TornStream(std::string_view text, uint64_t seed, size_t most) : rest_(text), random_(seed), most_(most) {}
  Result<StreamStep> read(char* to, size_t bytes) override {
    if (rest_.empty()) return StreamStep{StreamStep::State::End, 0};
    if (below(random_, 20) == 0) return StreamStep{StreamStep::State::Wait, 0};
    // Plenty comes most of the time: only then there is something to decode ahead.
    size_t limit = below(random_, 4) == 0 ? 1 + below(random_, most_) : most_;
    size_t part = std::min({bytes, rest_.size(), limit});
    memcpy(to, rest_.data(), part);
    rest_.remove_prefix(part);
    return StreamStep{StreamStep::State::Data, part};
  }

 private:
  std::string_view rest_;
  Random random_;
  size_t most_;
};

// From a row on the shard wants something else.
struct Change {
  uint64_t row = 0;
  batch::NeededColumns needed;
  abi::TypeDescRef record;  // null: the one before
};

struct Read {
  Decoded rows;
  std::vector<std::string> names;
};

struct Plan {
  codec::Format format = codec::Format::Json;
  codec::DecodeOptions options;
  abi::TypeDescRef record;
  uint32_t batch_rows = 4096;
  std::vector<Change> changes;
};

// As Feeds does it: a batch ends where a change is.
Read read_all(const Plan& plan, std::string_view text, uint64_t seed, size_t read_most,
              std::shared_ptr<connector::DecodeThreads> threads) {
  TornStream stream(text, seed, read_most);
  RecordPump pump(codec::make_decoder(plan.format, plan.record, plan.options), std::move(threads));
  pump.start_input();
  Read out;
  abi::TypeDescRef record = plan.record;
  batch::NeededColumns needed(record->fields.size(), 1);
  std::unique_ptr<batch::Batch> batch;
  uint64_t position = 0;
  size_t next = 0;
  for (bool over = false; !over;) {
    while (next < plan.changes.size() && plan.changes[next].row <= position) {
      const Change& change = plan.changes[next++];
      if (change.record) {
        record = change.record;
        EXPECT_TRUE(pump.redeclare(record, plan.options.time_field).ok());
      }
      needed = change.needed;
    }
    uint32_t rows = plan.batch_rows;
    if (next < plan.changes.size())
      rows = static_cast<uint32_t>(std::min<uint64_t>(rows, plan.changes[next].row - position));
    if (!batch || &batch->record() != record.get() || batch->needed() != needed ||
        batch->row_capacity() != rows)
      batch = std::make_unique<batch::Batch>(record, needed, rows);
    batch->clear();
    batch->set_input_name("input " + std::to_string(position / 1000));
    auto polled = pump.fill(stream, 77, *batch);
    if (!polled) {
      out.rows.error = polled.error().message;
      return out;
    }
    over = polled.value() == Poll::End;
    if (polled.value() != Poll::Ready) {
      EXPECT_EQ(batch->row_count(), 0u);
      continue;
    }
    EXPECT_GT(batch->row_count(), 0u);
    EXPECT_LE(batch->row_count(), rows);
    EXPECT_EQ(batch->view().first_position, position);
    EXPECT_EQ(batch->view().arrival, 77);
    EXPECT_EQ(abi::view(batch->view().input_name), "input " + std::to_string(position / 1000));
    show_rows(*batch, out.rows);
    position += batch->row_count();
  }
  return out;
}

void expect_same(const Plan& plan, std::string_view text, uint64_t seed, env::Env& env) {
  Random random(seed);
  Read alone = read_all(plan, text, seed, SIZE_MAX / 2, nullptr);
  for (uint32_t count : {1U, 3U}) {
    auto threads = std::make_shared<connector::DecodeThreads>(env, count);
    size_t most = size_t{1} << (14 + below(random, 6));
    Read ahead = read_all(plan, text, random(), most, threads);
    EXPECT_EQ(ahead.rows.error, alone.rows.error);
    ASSERT_EQ(ahead.rows.rows.size(), alone.rows.rows.size()) << "seed " << seed;
    for (size_t i = 0; i < alone.rows.rows.size(); ++i) {
      ASSERT_EQ(ahead.rows.rows[i], alone.rows.rows[i]) << "row " << i << ", seed " << seed;
      ASSERT_EQ(ahead.rows.raw[i], alone.rows.raw[i]) << "row " << i << ", seed " << seed;
      ASSERT_EQ(ahead.rows.lines[i], alone.rows.lines[i]) << "row " << i << ", seed " << seed;
      if (alone.rows.rows[i].starts_with("!")) continue;  // has no time of its own
      ASSERT_EQ(ahead.rows.times[i], alone.rows.times[i]) << "row " << i << ", seed " << seed;
    }
  }
}

std::string json_text(Random& random, size_t lines) {
  std::string out;
  for (size_t i = 0; i < lines; ++i) {
    std::string a = "\"a\":" + std::to_string(i),
                b = "\"b\":\"" + std::string(below(random, 60), 'x') + "\\n\"";
    switch (below(random, 400)) {
      case 0:
        out += "\n\n  \n";
        break;
      case 1:
        out += "{" + a + ",\n";
        break;
      case 2:
        out += "{" + a + ",\"b\":\"\xff\"}\n";
        break;
      case 3:
        out += "{" + a + ",\"b\":\"" + std::string(100'000 + below(random, 400'000), 'y') + "\"}\n";
        break;
      case 4:
        out += "{" + a + ",\"c\":12.5,\"d\":[1,{\"e\":2}]," + b + "} \r\n";
        break;
      case 5:
        out += "[1,2]\n";
        break;
      default:
        out += below(random, 3) == 0 ? "{" + b + "," + a + "}\n" : "{" + a + "," + b + "}\n";
    }
  }
  if (below(random, 2) == 0) out += "{\"a\":1,\"b\":\"last\"}";
  return out;
}

std::string csv_cell(Random& random) {
  switch (below(random, 40)) {
    case 0:
      return "\"one\nmore \"\"line\"\"\"";
    case 1:
      return "\"behind\"it";
    case 2:
      return "in\"side";
    case 3:
      return "\"open";
    case 4:
      return "\"\"";
    case 5:
    case 6:
    case 7:
      return "\"with, separator\"";
    case 8:
    case 9:
      return "\"\"\"doubled\"\"\"";
    default:
      return std::string(below(random, 40), 'z');
  }
}

std::string csv_text(Random& random, size_t lines) {
  std::string out = "x,a,b\n";
  for (size_t i = 0; i < lines; ++i) {
    std::string end = below(random, 50) == 0 ? "\r\n" : "\n";
    if (below(random, 300) == 0) out += end;
    bool plain = below(random, 100) != 0;
    out += plain ? "x" : csv_cell(random);
    out += "," + std::to_string(i) + ",";
    out += plain ? std::string(below(random, 50), 'b') : csv_cell(random);
    if (below(random, 300) == 0) out += ",more";
    out += end;
  }
  return out;
}

class DecodeAhead : public testing::Test {
 protected:
  std::unique_ptr<env::Env> env_ = env::make_real_env().value();
  abi::TypeDescRef record_ =
      record({field("a", scalar(TypeKind::I64)), field("b", scalar(TypeKind::String))});
  abi::TypeDescRef other_ = record({field("a", scalar(TypeKind::F64)), field("b", scalar(TypeKind::String)),
                                    field_or("c", scalar(TypeKind::F64), "0")});
};

TEST_F(DecodeAhead, LinesOfJson) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    Random random(seed);
    Plan plan{codec::Format::Json, {}, record_, seed % 2 == 0 ? 4096U : 300U, {}};
    expect_same(plan, json_text(random, 12'000), seed, *env_);
  }
}

TEST_F(DecodeAhead, CellsOfCsvWithQuotesOfAllKinds) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    Random random(seed);
    Plan plan{codec::Format::Csv, {}, record_, seed % 2 == 0 ? 4096U : 300U, {}};
    expect_same(plan, csv_text(random, 16'000), seed, *env_);
  }
}

TEST_F(DecodeAhead, PlainLines) {
  Random random(5);
  Plan plan{codec::Format::Lines, {}, record({field("line", scalar(TypeKind::String))}), 4096, {}};
  expect_same(plan, json_text(random, 12'000), 5, *env_);
}

// Nothing is cut off inside of an array: its elements may hold line ends.
TEST_F(DecodeAhead, AnArray) {
  std::string text = "[\n";
  for (int i = 0; i < 20'000; ++i) text += "{\"a\":" + std::to_string(i) + ",\n\"b\":\"x\"},\n";
  text += "{\"a\":1,\"b\":\"last\"}]";
  Plan plan{codec::Format::Json, {}, record_, 4096, {}};
  expect_same(plan, text, 9, *env_);
}

TEST_F(DecodeAhead, AnEditReadsOtherColumnsAndAnotherRecord) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Random random(seed);
    Plan plan{seed % 2 == 0 ? codec::Format::Json : codec::Format::Csv, {}, record_, 1000, {}};
    abi::TypeDescRef now = record_;
    uint64_t row = 0;
    for (int i = 0; i < 8; ++i) {
      Change change;
      change.row = row += 1 + below(random, 2500);
      if (below(random, 2) == 0) now = change.record = now == record_ ? other_ : record_;
      for (size_t column = 0; column < now->fields.size(); ++column)
        change.needed.push_back(static_cast<char>(below(random, 2)));
      plan.changes.push_back(std::move(change));
    }
    std::string text =
        plan.format == codec::Format::Json ? json_text(random, 12'000) : csv_text(random, 12'000);
    expect_same(plan, text, seed, *env_);
  }
}

// What was learned of the header of one file says nothing of the next.
TEST_F(DecodeAhead, FilesWithOtherHeaders) {
  auto threads = std::make_shared<connector::DecodeThreads>(*env_, 2);
  RecordPump pump(codec::make_decoder(codec::Format::Csv, record_, {}), threads);
  for (const char* header : {"a,b\n", "b,a\n", "x,b,a\n", "a,x,b\n"}) {
    std::string names = header, line;
    for (char c : names) line += c == 'a' ? "1" : c == 'b' ? "two" : std::string(1, c);
    std::string text = names;
    for (int i = 0; i < 20'000; ++i) text += line;
    TornStream stream(text, 7, SIZE_MAX / 2);
    pump.start_input();
    batch::Batch batch(record_, {1, 1}, 4096);
    Decoded rows;
    for (bool over = false; !over;) {
      batch.clear();
      auto polled = pump.fill(stream, 77, batch);
      ASSERT_TRUE(polled.ok());
      over = polled.value() == Poll::End;
      show_rows(batch, rows);
    }
    ASSERT_EQ(rows.rows.size(), 20'000u) << header;
    for (const std::string& row : rows.rows) ASSERT_EQ(row, R"({"a":1,"b":"two"})") << header;
  }
}

// What a thread works on outlives the source.
TEST_F(DecodeAhead, ASourceThatGoesWhileItsTextIsDecoded) {
  Random random(3);
  const std::string text = json_text(random, 20'000);
  auto threads = std::make_shared<connector::DecodeThreads>(*env_, 2);
  for (int i = 0; i < 50; ++i) {
    TornStream stream(text, static_cast<uint64_t>(i), SIZE_MAX / 2);
    RecordPump pump(codec::make_decoder(codec::Format::Json, record_, {}), threads);
    pump.start_input();
    batch::Batch batch(record_, {1, 1}, 1000);
    for (int polls = 0; polls < 1 + i % 5; ++polls) {
      batch.clear();
      ASSERT_TRUE(pump.fill(stream, 77, batch).ok());
    }
  }
}

TEST_F(DecodeAhead, ABrokenStreamIsToldBehindTheRowsBeforeIt) {
  class Breaking final : public connector::ByteStream {
   public:
    Result<StreamStep> read(char* to, size_t bytes) override {
      if (reads_++ == 5) return Error{"the disk is gone"};
      std::string line = "{\"a\":" + std::to_string(reads_) + ",\"b\":\"x\"}\n";
      size_t used = 0;
      for (; used + line.size() <= std::min<size_t>(bytes, 64 * 1024); used += line.size())
        memcpy(to + used, line.data(), line.size());
      lines += used / line.size();
      return StreamStep{StreamStep::State::Data, used};
    }
    size_t lines = 0;

   private:
    int reads_ = 0;
  };
  for (uint32_t count : {0U, 1U}) {
    Breaking stream;
    auto threads = count == 0 ? nullptr : std::make_shared<connector::DecodeThreads>(*env_, count);
    RecordPump pump(codec::make_decoder(codec::Format::Json, record_, {}), threads);
    pump.start_input();
    size_t rows = 0;
    std::string error;
    batch::Batch batch(record_, {1, 1}, 500);
    while (error.empty()) {
      batch.clear();
      auto polled = pump.fill(stream, 77, batch);
      if (polled) rows += batch.row_count();
      if (!polled) error = polled.error().message;
    }
    EXPECT_EQ(error, "the disk is gone");
    EXPECT_EQ(rows, stream.lines);
    EXPECT_GT(rows, 1000u);
  }
}

}  // namespace
}  // namespace mut::test

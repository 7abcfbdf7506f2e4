#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "runtime/connector/file/file_sink.h"
#include "runtime/connector/file/file_source.h"
#include "runtime/connector/memory/memory.h"
#include "runtime/connector/stdio/stdio.h"
#include "runtime/env/real_env.h"
#include "test/unit/data_files.h"
#include "test/unit/decode_rows.h"

namespace mut::test {
namespace {

using abi::TypeKind;
using connector::Poll;
using Rows = std::vector<std::string>;

class Connector : public testing::Test {
 protected:
  Connector() : env_(env::make_real_env().value()) {
    folder_ = testing::TempDir() + "mut-connector-" + std::to_string(env_->random_seed());
    EXPECT_TRUE(env_->create_directories(folder_).ok());
  }
  ~Connector() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  void write(const std::string& name, std::string_view text) const {
    std::ofstream(path(name), std::ios::binary | std::ios::trunc) << text;
  }
  void append(const std::string& name, std::string_view text) const {
    std::ofstream(path(name), std::ios::binary | std::ios::app) << text;
  }

  Result<std::unique_ptr<connector::SinkWriter>> open_sink(const std::string& name, bool append) const {
    auto sink = connector::make_file_sink(*env_, path(name));
    notice_ = append ? "" : sink->notice();
    Status begun = sink->begin(append ? connector::SinkStart::Append : connector::SinkStart::Replace);
    if (!begun) return begun.error();
    return sink;
  }
  mutable std::string notice_;  // of the sink opened last

  struct Taken {
    Rows rows;
    std::vector<std::string> inputs;  // of each batch
    std::vector<uint64_t> positions;
    Poll last = Poll::Ready;
    std::string error;
  };
  // Polls until there is nothing for now.
  static Taken take(connector::SourceReader& source, const abi::TypeDescRef& type,
                    uint32_t rows_per_batch = 64) {
    Taken out;
    batch::Batch batch(type, batch::NeededColumns(type->fields.size(), 1), rows_per_batch);
    for (;;) {
      batch.clear();
      out.last = source.poll(batch);
      if (out.last == Poll::Failed) out.error = source.error().message;
      if (out.last != Poll::Ready) return out;
      Decoded shown;
      show_rows(batch, shown);
      out.rows.insert(out.rows.end(), shown.rows.begin(), shown.rows.end());
      out.inputs.emplace_back(abi::view(batch.view().input_name));
      out.positions.push_back(batch.view().first_position);
    }
  }

  std::unique_ptr<connector::SourceReader> open(const std::string& name, codec::Format format,
                                                bool follow = false) {
    auto source = connector::open_file_source(*env_, {path(name), format, {}, follow, nullptr}, type_);
    EXPECT_TRUE(source.ok()) << source.error().message;
    return source ? std::move(source).value() : nullptr;
  }

  std::unique_ptr<env::Env> env_;
  std::string folder_;
  abi::TypeDescRef type_ = record({field("a", scalar(TypeKind::I64))});
};

TEST_F(Connector, AFileGivesItsRowsAndCountsThem) {
  write("in.jsonl", "{\"a\":1}\nbad\n{\"a\":3}");
  auto source = open("in.jsonl", codec::Format::Json);
  Taken taken = take(*source, type_, 2);
  EXPECT_EQ(taken.rows.size(), 3u);
  EXPECT_EQ(taken.rows[2], R"({"a":3})");
  EXPECT_EQ(taken.positions, (std::vector<uint64_t>{0, 2}));
  EXPECT_EQ(taken.inputs[0], path("in.jsonl"));
  EXPECT_EQ(taken.last, Poll::End);
}

TEST_F(Connector, ALargeFileComesWholeThroughAnyBatchSize) {
  std::string text;
  for (int i = 0; i < 100'000; ++i)
    text += "{\"pad\":\"" + std::string(i % 37, 'x') + "\",\"a\":" + std::to_string(i) + "}\n";
  text += "{\"pad\":\"" + std::string(3'000'000, 'y') + "\",\"a\":100000}\n{\"a\":100001}\n";
  write("in.jsonl", text);
  for (uint32_t rows : {1000u, 4096u}) {
    auto source = open("in.jsonl", codec::Format::Json);
    Taken taken = take(*source, type_, rows);
    ASSERT_EQ(taken.rows.size(), 100'002u);
    for (size_t i = 0; i < taken.rows.size(); ++i)
      ASSERT_EQ(taken.rows[i], "{\"a\":" + std::to_string(i) + "}");
  }
}

TEST_F(Connector, FilesOfADirectoryComeInOrderEachWithItsHeader) {
  write("b.csv", "x,a\n1,20\n");
  write("a.csv", "a\n10\n11");
  write("c.txt", "a\n30\n");
  for (const char* name : {"*.csv", ""}) {
    auto source = open(name, codec::Format::Csv);
    Taken taken = take(*source, type_);
    EXPECT_EQ(Rows(taken.rows.begin(), taken.rows.begin() + 3),
              (Rows{R"({"a":10})", R"({"a":11})", R"({"a":20})"}));
    EXPECT_EQ(taken.rows.size(), *name ? 3u : 4u);
    EXPECT_EQ(taken.inputs[1], path("b.csv"));
    EXPECT_EQ(taken.positions[1], 2u);
  }
}

TEST_F(Connector, WhatDoesNotFitIsToldAtOpenWithTheFileName) {
  write("in.csv", "b\n1\n");
  auto source =
      connector::open_file_source(*env_, {path("in.csv"), codec::Format::Csv, {}, false, nullptr}, type_);
  ASSERT_FALSE(source.ok());
  EXPECT_EQ(source.error().message, path("in.csv") + ": no column `a` in the header");
  auto missing =
      connector::open_file_source(*env_, {path("no.csv"), codec::Format::Csv, {}, false, nullptr}, type_);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().message, path("no.csv") + ": No such file or directory");
  auto nothing =
      connector::open_file_source(*env_, {path("*.none"), codec::Format::Csv, {}, false, nullptr}, type_);
  ASSERT_FALSE(nothing.ok());
  EXPECT_EQ(nothing.error().message, path("*.none") + ": no file fits");
}

TEST_F(Connector, AFollowedFileGrowsRotatesAndIsCut) {
  write("log.jsonl", "{\"a\":1}\n{\"a\":");
  auto source = open("log.jsonl", codec::Format::Json, true);
  Taken taken = take(*source, type_);
  EXPECT_EQ(taken.rows, (Rows{R"({"a":1})"}));
  EXPECT_EQ(taken.last, Poll::Wait);
  EXPECT_GT(source->retry_after_ns(), 0);
  append("log.jsonl", "2}\n");
  EXPECT_EQ(take(*source, type_).rows, (Rows{R"({"a":2})"}));
  append("log.jsonl", "{\"a\":3}");  // no line end when it is rotated away
  std::filesystem::rename(path("log.jsonl"), path("log.1"));
  write("log.jsonl", "{\"a\":4}\n");
  EXPECT_EQ(take(*source, type_).rows, (Rows{R"({"a":3})", R"({"a":4})"}));
  write("log.jsonl", "");
  EXPECT_EQ(take(*source, type_).rows, Rows{});
  append("log.jsonl", "{\"a\":5}\n");
  EXPECT_EQ(take(*source, type_).rows, (Rows{R"({"a":5})"}));
  source->stop();
  EXPECT_EQ(take(*source, type_).last, Poll::End);
}

TEST_F(Connector, AFollowedPatternTakesNewFiles) {
  write("p1.jsonl", "{\"a\":1}\n");
  auto source = open("p*.jsonl", codec::Format::Json, true);
  EXPECT_EQ(take(*source, type_).rows, (Rows{R"({"a":1})"}));
  append("p1.jsonl", "{\"a\":2}\n");
  write("p2.jsonl", "{\"a\":3}\n");
  EXPECT_EQ(take(*source, type_).rows, (Rows{R"({"a":2})", R"({"a":3})"}));
}

TEST_F(Connector, PackedTextGoesOutAndComesBackMembersAppended) {
  for (const auto& [ending, kind] : {std::pair("gz", "gzip"), std::pair("zst", "zstd")}) {
    std::string name = std::string("out.jsonl.") + ending;
    for (bool again : {false, true}) {
      auto sink = open_sink(name, again);
      ASSERT_TRUE(sink.ok());
      EXPECT_EQ(sink.value()->wants_header(), !again);
      for (int i = 0; i < 5000; ++i) {
        ASSERT_TRUE(sink.value()->write("{\"a\":" + std::to_string(i) + "}\n").ok());
        if (i % 1000 == 0) {
          ASSERT_TRUE(sink.value()->flush().ok());
        }
      }
      ASSERT_TRUE(sink.value()->close().ok());
    }
    auto source = open(name, codec::Format::Json);
    Taken taken = take(*source, type_);
    ASSERT_EQ(taken.rows.size(), 10'000u);
    EXPECT_EQ(taken.rows.back(), R"({"a":4999})");
    std::string packed = read_all(path(name));
    EXPECT_LT(packed.size(), 10'000u * 5);
    std::string cut_name = std::string("cut.jsonl.") + ending;
    write(cut_name, packed.substr(0, packed.size() - 5));
    auto cut = open(cut_name, codec::Format::Json);
    Taken cut_taken = take(*cut, type_);
    EXPECT_EQ(cut_taken.last, Poll::Failed);
    EXPECT_EQ(cut_taken.error, path(cut_name) + ": the " + kind + " data is cut off");
    // What follows the first member is none.
    std::string damaged_name = std::string("damaged.jsonl.") + ending;
    write(damaged_name, packed + "{\"a\":5}\n");
    auto damaged = open(damaged_name, codec::Format::Json);
    Taken damaged_taken = take(*damaged, type_);
    EXPECT_EQ(damaged_taken.rows.size(), 10'000u);
    EXPECT_EQ(damaged_taken.last, Poll::Failed);
    EXPECT_NE(damaged_taken.error.find(std::string("the ") + kind + " data is damaged"), std::string::npos);
  }
}

TEST_F(Connector, PackedTextOfManySizesIsWhole) {
  type_ = record({field("line", scalar(TypeKind::String))});
  for (size_t size : {0u, 1u, 65'536u, 262'144u, 3'000'000u}) {
    for (const char* name : {"size.txt.gz", "size.txt.zst"}) {
      auto sink = open_sink(name, false);
      ASSERT_TRUE(sink.ok());
      std::string line(size, 'x');
      for (size_t i = 0; i < size; i += 7) line[i] = static_cast<char>('a' + i % 26);
      if (size > 0) {
        ASSERT_TRUE(sink.value()->write(line + "\n").ok());
      }
      ASSERT_TRUE(sink.value()->close().ok());
      Taken taken = take(*open(name, codec::Format::Lines), type_);
      ASSERT_EQ(taken.rows.size(), size > 0 ? 1u : 0u) << name << size;
      if (size > 0) {
        EXPECT_EQ(taken.rows[0].size(), size + 11);
      }
    }
  }
}

TEST_F(Connector, AFileSinkReplacesAndSaysSoUnlessItAppends) {
  auto put = [&](bool append, std::string_view text) {
    auto sink = open_sink("out.csv", append);
    EXPECT_TRUE(sink.ok());
    std::string notice = notice_;
    EXPECT_TRUE(sink.value()->write(text).ok());
    EXPECT_TRUE(sink.value()->close().ok());
    return notice;
  };
  EXPECT_EQ(put(false, "one\n"), "");
  EXPECT_EQ(put(false, "two\n"), "replaces " + path("out.csv") + ", 4 bytes");
  EXPECT_EQ(put(true, "three\n"), "");
  EXPECT_EQ(read_all(path("out.csv")), "two\nthree\n");
  EXPECT_FALSE(open_sink("no/such/folder", false).ok());
}

TEST_F(Connector, AHeldSinkIsUntouchedUntilItBeginsAndIsContinuedAfterItsClose) {
  write("held.txt", "old\n");
  auto sink = connector::make_file_sink(*env_, path("held.txt"));
  ASSERT_TRUE(sink->hold().ok());
  sink->release();
  EXPECT_EQ(read_all(path("held.txt")), "old\n");
  EXPECT_FALSE(sink->flush().ok());
  for (std::string_view text : {"a\n", "b\n"}) {
    ASSERT_TRUE(sink->begin(connector::SinkStart::Replace).ok());
    ASSERT_TRUE(sink->write(text).ok());
    ASSERT_TRUE(sink->close().ok());
  }
  EXPECT_EQ(read_all(path("held.txt")), "a\nb\n");
}

TEST_F(Connector, TextIsFlushedAfterATenthOfASecond) {
  auto sink = open_sink("out.txt", false);
  ASSERT_TRUE(sink.ok());
  ASSERT_TRUE(sink.value()->write("a\n").ok());
  env_->sleep(connector::flush_interval_ns + 10'000'000);
  ASSERT_TRUE(sink.value()->write("b\n").ok());
  EXPECT_EQ(read_all(path("out.txt")), "a\nb\n");
}

TEST_F(Connector, ALiveSourceRingsWhenTextComes) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  auto writer = env_->start_thread("writer", [&] {
    std::ofstream pipe(path("pipe"));
    pipe << "{\"a\":1}\n{\"a\"" << std::flush;
    env_->sleep(20'000'000);
    pipe << ":2}\n";
  });
  auto bell = env_->make_event_count();
  auto file = env_->open_input(path("pipe"));
  ASSERT_TRUE(file.ok());
  auto source = connector::make_live_source(*env_, std::move(file).value(), "pipe", codec::Format::Json, {},
                                            type_, bell.get(), nullptr);
  Rows rows;
  for (;;) {
    uint64_t seen = bell->current();
    Taken taken = take(*source, type_);
    rows.insert(rows.end(), taken.rows.begin(), taken.rows.end());
    if (taken.last == Poll::End) break;
    ASSERT_EQ(taken.last, Poll::Wait);
    bell->wait(seen, -1);
  }
  EXPECT_EQ(rows, (Rows{R"({"a":1})", R"({"a":2})"}));
}

TEST_F(Connector, PushedTextIsDecodedAsItComes) {
  auto queue = std::make_shared<connector::TextQueue>(nullptr);
  auto source = connector::make_text_source(*env_, queue, "host", codec::Format::Json, {}, type_, nullptr);
  EXPECT_EQ(take(*source, type_).last, Poll::Wait);
  queue->push("{\"a\":1}\n{\"a\":2");
  EXPECT_EQ(take(*source, type_).rows, (Rows{R"({"a":1})"}));
  queue->push("}");
  queue->finish();
  Taken rest = take(*source, type_);
  EXPECT_EQ(rest.rows, (Rows{R"({"a":2})"}));
  EXPECT_EQ(rest.last, Poll::End);
}

TEST_F(Connector, AFirstRecordShorterThanAByteOrderMarkDoesNotWaitForMore) {
  type_ = record({field("line", scalar(TypeKind::String))});
  auto queue = std::make_shared<connector::TextQueue>(nullptr);
  auto source = connector::make_text_source(*env_, queue, "host", codec::Format::Lines, {}, type_, nullptr);
  queue->push("5\n");
  EXPECT_EQ(take(*source, type_).rows, (Rows{R"({"line":"5"})"}));
  auto marked = std::make_shared<connector::TextQueue>(nullptr);
  source = connector::make_text_source(*env_, marked, "host", codec::Format::Lines, {}, type_, nullptr);
  for (const char* part : {"\xef", "\xbb", "\xbf", "6", "\n"}) {
    EXPECT_EQ(take(*source, type_).rows, Rows{});
    marked->push(part);
  }
  EXPECT_EQ(take(*source, type_).rows, (Rows{R"({"line":"6"})"}));
}

#ifdef MUT_FAIL_POINTS
TEST_F(Connector, AFailureOfTheDiskNamesTheFile) {
  write("in.jsonl", "{\"a\":1}\n");
  auto source = open("in.jsonl", codec::Format::Json);
  ASSERT_TRUE(env_->fail_points().configure("file.read:error").ok());
  Taken taken = take(*source, type_);
  EXPECT_EQ(taken.error, path("in.jsonl") + ": injected failure of file.read");
}
#endif

}  // namespace
}  // namespace mut::test

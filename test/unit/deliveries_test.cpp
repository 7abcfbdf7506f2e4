// What sinks and sources of brokers have in common: rows that are held for a checkpoint and delivered once,
// messages that become rows, what waits on disk.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <mutex>

#include "runtime/codec/json/field_text.h"
#include "runtime/connector/carried/carried_sink.h"
#include "runtime/connector/message/message_source.h"
#include "runtime/connector/overflow/spill_file.h"
#include "runtime/env/real_env.h"
#include "test/unit/decode_rows.h"

namespace mut::test {
namespace {

using connector::Delivery;
using connector::Poll;
using connector::SinkWriter;
using connector::Trouble;
using connector::Undelivered;
using Rows = std::vector<std::string>;
constexpr int64_t second_ns = 1'000'000'000;

// Numbers of a checkpoint, and of what the end behind it brings about.
constexpr uint64_t of(uint64_t checkpoint) { return checkpoint << 20U; }
constexpr uint64_t of_end(uint64_t checkpoint) { return of(checkpoint) + (uint64_t{1} << 19U); }
// "2", "2+1" for its second one, "2 end".
std::string number_text(uint64_t number) {
  bool end = number != 0 && number >= of_end(number >> 20U);
  uint64_t part = number - (end ? of_end(number >> 20U) : of(number >> 20U));
  return std::to_string(number >> 20U) + (end ? " end" : "") + (part > 0 ? "+" + std::to_string(part) : "");
}

// The world of a sink, which outlives its carriers: what arrived, and what to do to the next attempts.
struct World {
  std::mutex mutex;
  Rows arrived;
  uint64_t newest = 0;
  enum class Next : uint8_t { Takes, Refuses, FailsBefore, FailsBehind };  // behind: it has arrived
  std::vector<Next> next;
  uint64_t connections = 0;

  size_t count() {
    std::lock_guard lock(mutex);
    return arrived.size();
  }
};

class FakeCarrier final : public connector::Carrier {
 public:
  enum class Keeps : uint8_t { Numbers, Nothing };
  FakeCarrier(World& world, Keeps keeps) : world_(world), keeps_(keeps) {}
  std::optional<Trouble> connect() override {
    std::lock_guard lock(world_.mutex);
    ++world_.connections;
    return std::nullopt;
  }
  void disconnect() noexcept override {}
  std::optional<Trouble> deliver(const Delivery& delivery) override {
    std::lock_guard lock(world_.mutex);
    auto next = World::Next::Takes;
    if (!world_.next.empty()) {
      next = world_.next.front();
      world_.next.erase(world_.next.begin());
    }
    if (next == World::Next::Refuses) return Trouble{Error{"no"}, Trouble::Kind::ForGood};
    if (next == World::Next::FailsBefore) return Trouble{Error{"lost"}};
    world_.arrived.push_back(number_text(delivery.number) + " " + std::string(delivery.rows));
    world_.newest = std::max(world_.newest, delivery.number);
    if (next == World::Next::FailsBehind) return Trouble{Error{"lost"}};
    return std::nullopt;
  }
  bool keeps_numbers() const override { return keeps_ == Keeps::Numbers; }
  Result<uint64_t> newest_number() override {
    std::lock_guard lock(world_.mutex);
    return world_.newest;
  }
  std::string target() const override { return "fake"; }

 private:
  World& world_;
  Keeps keeps_;
};

class Deliveries : public testing::Test {
 protected:
  Deliveries() : env_(env::make_real_env().value()), notices_(std::make_shared<connector::Notices>()) {}

  std::unique_ptr<SinkWriter> sink(FakeCarrier::Keeps keeps) {
    return connector::make_carried_sink(*env_, {"sink `x`", "x"},
                                        std::make_unique<FakeCarrier>(world_, keeps), nullptr, notices_);
  }
  void until_arrived(size_t count) {
    for (int i = 0; i < 5000 && world_.count() < count; ++i) env_->sleep(second_ns / 1000);
    EXPECT_EQ(world_.count(), count);
  }

  std::unique_ptr<env::Env> env_;
  std::shared_ptr<connector::Notices> notices_;
  World world_;
};

TEST_F(Deliveries, GoOutAsTheyComeWithoutCheckpoints) {
  auto out = sink(FakeCarrier::Keeps::Numbers);
  ASSERT_TRUE(out->begin(connector::SinkStart::Append));
  EXPECT_EQ(out->after_crash(), SinkWriter::AfterCrash::Loses);
  ASSERT_TRUE(out->write("a\n"));
  until_arrived(1);
  EXPECT_EQ(world_.arrived, Rows{"0 a\n"});
  EXPECT_TRUE(out->close());
}

TEST_F(Deliveries, WaitForTheCheckpointThatHasThem) {
  auto out = sink(FakeCarrier::Keeps::Numbers);
  out->deliver_by_checkpoints({"run"});
  ASSERT_TRUE(out->begin(connector::SinkStart::Append));
  EXPECT_EQ(out->after_crash(), SinkWriter::AfterCrash::Commits);
  ASSERT_TRUE(out->write("a\n"));
  ASSERT_TRUE(out->write("b\n"));
  auto first = out->undelivered(1);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].number, of(1));
  EXPECT_EQ(first[0].rows, "a\nb\n");
  ASSERT_TRUE(out->write("c\n"));
  env_->sleep(second_ns / 50);
  EXPECT_EQ(world_.count(), 0u);
  out->commit(1);
  until_arrived(1);
  EXPECT_EQ(world_.arrived, Rows{"1 a\nb\n"});
  EXPECT_EQ(out->undelivered(2).back().rows, "c\n");
  // The checkpoint failed: its rows are part of the next one's, under the number that they had.
  ASSERT_TRUE(out->write("d\n"));
  EXPECT_EQ(out->undelivered(3).size(), 2u);
  out->commit(3);
  until_arrived(3);
  EXPECT_EQ(world_.arrived, (Rows{"1 a\nb\n", "2 c\n", "3 d\n"}));
  ASSERT_TRUE(out->write("e\n"));
  EXPECT_TRUE(out->close());  // by an edit: they wait for their checkpoint
  env_->sleep(second_ns / 50);
  EXPECT_EQ(world_.count(), 3u);
  out->end_run(connector::RunEnd::Whole);
  EXPECT_TRUE(out->close());  // what the end has brought about is known when it comes again
  EXPECT_EQ(world_.arrived.back(), "3 end e\n");
}

// An edit has changed the columns between two checkpoints.
TEST_F(Deliveries, HaveANumberForEachHeader) {
  auto out = sink(FakeCarrier::Keeps::Numbers);
  out->deliver_by_checkpoints({"run"});
  ASSERT_TRUE(out->begin(connector::SinkStart::Append));
  for (const char* header : {"a\n", "a,b\n", "a\n"}) {
    out->set_header(header);
    ASSERT_TRUE(out->write("1\n"));
    ASSERT_TRUE(out->write("2\n"));
  }
  EXPECT_EQ(out->undelivered(1).size(), 3u);
  out->commit(1);
  until_arrived(3);
  EXPECT_EQ(world_.arrived, (Rows{"1 1\n2\n", "1+1 1\n2\n", "1+2 1\n2\n"}));
  for (const char* header : {"a,b\n", "a\n"}) {
    out->set_header(header);
    ASSERT_TRUE(out->write("3\n"));
  }
  out->end_run(connector::RunEnd::Whole);
  EXPECT_TRUE(out->close());
  EXPECT_EQ(world_.arrived.size(), 5u);
  EXPECT_EQ(world_.arrived[3], "1 end 3\n");
  EXPECT_EQ(world_.arrived[4], "1 end+1 3\n");
}

TEST_F(Deliveries, ComeOnceWhateverIsNotKnownToHaveArrived) {
  auto out = sink(FakeCarrier::Keeps::Numbers);
  out->deliver_by_checkpoints({"run"});
  ASSERT_TRUE(out->begin(connector::SinkStart::Append));
  world_.next = {World::Next::FailsBehind, World::Next::FailsBefore};
  for (uint64_t number = 1; number <= 3; ++number) {
    ASSERT_TRUE(out->write(std::to_string(number) + "\n"));
    (void)out->undelivered(number);
    out->commit(number);
  }
  until_arrived(3);
  EXPECT_EQ(world_.arrived, (Rows{"1 1\n", "2 2\n", "3 3\n"}));
  EXPECT_GE(world_.connections, 3u);
  EXPECT_TRUE(out->close());
}

TEST_F(Deliveries, GoOnBehindACrash) {
  world_.newest = of(2);
  auto out = sink(FakeCarrier::Keeps::Numbers);
  out->deliver_by_checkpoints({"run", 2});
  ASSERT_TRUE(
      out->resume({"fake", "run/old name", 0, {{of(2), "", "had arrived\n"}, {of(3), "", "had not\n"}}}));
  EXPECT_EQ(out->deliveries_name(), "run/old name");
  ASSERT_TRUE(out->begin(connector::SinkStart::Append));
  env_->sleep(second_ns / 50);
  EXPECT_EQ(world_.count(), 0u);  // nothing goes out before all of the checkpoint is loaded
  ASSERT_TRUE(out->cut_back());
  until_arrived(1);
  EXPECT_EQ(world_.arrived, Rows{"3 had not\n"});
  EXPECT_TRUE(out->close());
}

TEST_F(Deliveries, OfARunThatFailsAreMadeAgainByAnother) {
  auto out = sink(FakeCarrier::Keeps::Numbers);
  out->deliver_by_checkpoints({"run"});
  ASSERT_TRUE(out->begin(connector::SinkStart::Append));
  ASSERT_TRUE(out->write("a\n"));
  (void)out->undelivered(1);
  out->commit(1);
  ASSERT_TRUE(out->write("b\n"));
  (void)out->undelivered(2);  // which is never durable
  ASSERT_TRUE(out->write("c\n"));
  out->end_run(connector::RunEnd::Broken);
  EXPECT_TRUE(out->close());
  EXPECT_EQ(world_.arrived, Rows{"1 a\n"});
}

TEST_F(Deliveries, BehindTheCheckpointThatIsUsedAreRefused) {
  world_.newest = of(4);  // of checkpoint 4
  auto out = sink(FakeCarrier::Keeps::Numbers);
  out->deliver_by_checkpoints({"run", 3});
  Status held = out->hold();
  ASSERT_FALSE(held);
  EXPECT_NE(held.error().message.find("checkpoint 4, which is newer"), std::string::npos)
      << held.error().message;
  auto after_end = sink(FakeCarrier::Keeps::Numbers);
  world_.newest = of_end(3);  // what the end behind checkpoint 3 brought about
  after_end->deliver_by_checkpoints({"run", 3});
  EXPECT_TRUE(after_end->hold());
  after_end->release();
}

TEST_F(Deliveries, OfAWorldWithoutNumbersAreInTheCheckpointUntilTheyArrive) {
  auto out = sink(FakeCarrier::Keeps::Nothing);
  out->deliver_by_checkpoints({"run"});
  EXPECT_EQ(out->after_crash(), SinkWriter::AfterCrash::Stays);
  ASSERT_TRUE(out->begin(connector::SinkStart::Append));
  ASSERT_TRUE(out->write("a\n"));
  until_arrived(1);
  for (int i = 0; i < 1000 && out->waiting_bytes() > 0; ++i) env_->sleep(second_ns / 1000);
  EXPECT_TRUE(out->undelivered(1).empty());
  world_.next = {World::Next::FailsBefore, World::Next::FailsBefore};
  ASSERT_TRUE(out->write("b\n"));
  EXPECT_EQ(out->undelivered(2).size(), 1u);
  until_arrived(2);
  EXPECT_TRUE(out->close());
}

TEST_F(Deliveries, ThatAreRefusedEndTheSink) {
  auto out = sink(FakeCarrier::Keeps::Nothing);
  ASSERT_TRUE(out->begin(connector::SinkStart::Append));
  world_.next = {World::Next::Refuses};
  ASSERT_TRUE(out->write("a\n"));
  Status told = out->flush();
  for (int i = 0; i < 5000 && told; ++i) {
    env_->sleep(second_ns / 1000);
    told = out->flush();
  }
  ASSERT_FALSE(told);
  EXPECT_NE(told.error().message.find("fake: no"), std::string::npos) << told.error().message;
}

// Messages that a test has put there.
class FakeSubscription final : public connector::Subscription {
 public:
  explicit FakeSubscription(std::vector<Rows> groups) : groups_(std::move(groups)) {}
  Poll take(connector::MessageGroup& to) override {
    if (next_ == groups_.size()) return Poll::End;
    to.begin("fake from " + std::to_string(next_));
    for (const std::string& message : groups_[next_]) to.add(message);
    ++next_;
    return Poll::Ready;
  }
  const Error& error() const override { return error_; }
  void stop() override {}
  bool replays() const override { return true; }
  std::string cursor() const override { return std::to_string(next_ - 1); }
  Status resume(const std::string& cursor) override {
    next_ = std::stoul(cursor);
    return Unit{};
  }
  void acknowledge(uint64_t messages) override { *acknowledged = messages; }

  std::shared_ptr<uint64_t> acknowledged = std::make_shared<uint64_t>(0);

 private:
  std::vector<Rows> groups_;
  size_t next_ = 0;
  Error error_;
};

class Messages : public testing::Test {
 protected:
  Messages()
      : env_(env::make_real_env().value()), record_(record({field("a", scalar(abi::TypeKind::I64))})) {}

  std::unique_ptr<connector::SourceReader> source(std::vector<Rows> groups) {
    auto subscription = std::make_unique<FakeSubscription>(std::move(groups));
    acknowledged_ = subscription->acknowledged;
    return connector::make_message_source(*env_, std::move(subscription), codec::Format::Json, record_, {});
  }
  // The next batch of so many rows at most.
  Rows take(connector::SourceReader& from, uint32_t rows_most = 100) {
    batch::Batch batch(record_, batch::NeededColumns(1, 1), rows_most);
    if (from.poll(batch) != Poll::Ready) return {"none"};
    Decoded shown;
    show_rows(batch, shown);
    lines_ = shown.lines;
    return shown.rows;
  }

  std::unique_ptr<env::Env> env_;
  abi::TypeDescRef record_;
  std::shared_ptr<uint64_t> acknowledged_;
  std::vector<uint32_t> lines_;
};

TEST_F(Messages, AreTextsOfTheirOwn) {
  auto from =
      source({{R"({"a":1})", "{\"a\":2}\n{\"a\":3}\n", R"([{"a":4},{"a":5}])", "", "{\"a\":", R"({"a":6})"}});
  Rows got = take(*from);
  ASSERT_EQ(got.size(), 8u);
  EXPECT_EQ(Rows(got.begin(), got.begin() + 6), (Rows{R"({"a":1})", R"({"a":2})", R"({"a":3})", R"({"a":4})",
                                                      R"({"a":5})", "! the message is empty"}));
  EXPECT_EQ(got[6].front(), '!');
  EXPECT_EQ(got[7], R"({"a":6})");
  EXPECT_EQ(lines_.front(), 1u);
  EXPECT_EQ(lines_.back(), 6u);  // of the sixth message
  EXPECT_EQ(take(*from), Rows{"none"});
}

TEST_F(Messages, MayBeCutByABatch) {
  auto from = source({{"{\"a\":1}\n{\"a\":2}\n{\"a\":3}", R"([{"a":4},{"a":5}])"}, {R"({"a":6})"}});
  Rows all;
  for (int i = 0; i < 6; ++i) {
    Rows got = take(*from, 1);
    ASSERT_EQ(got.size(), 1u);
    all.push_back(got[0]);
    EXPECT_EQ(from->place().skip, i < 5 ? static_cast<uint64_t>(i) : 0u);
    std::string cursor = from->place().cursor;
    EXPECT_EQ(cursor.substr(cursor.rfind(' ') + 1), i < 5 ? "0" : "1");
  }
  EXPECT_EQ(all, (Rows{R"({"a":1})", R"({"a":2})", R"({"a":3})", R"({"a":4})", R"({"a":5})", R"({"a":6})"}));
}

TEST_F(Messages, GoOnAtAPlace) {
  auto from = source({{R"({"a":1})"}, {R"({"a":2})", R"({"a":3})"}});
  connector::SourcePlace place;
  place.cursor = "0 0 1";
  place.record = 1;
  ASSERT_TRUE(from->resume(place));
  EXPECT_EQ(take(*from), (Rows{R"({"a":2})", R"({"a":3})"}));
  EXPECT_EQ(from->place().record, 1u);
}

TEST_F(Messages, GoOnInsideOfAGroupThatIsTheSame) {
  auto before = source({{R"({"a":1})", R"({"a":2})"}, {R"({"a":3})", R"({"a":4})", R"({"a":5})"}});
  (void)take(*before);
  (void)take(*before, 2);
  (void)take(*before, 1);
  connector::SourcePlace place = before->place();
  EXPECT_EQ(place.skip, 2u);
  // The world gives the same messages in other pieces.
  auto after =
      source({{R"({"a":1})", R"({"a":2})"}, {R"({"a":3})"}, {R"({"a":4})"}, {R"({"a":5})", R"({"a":6})"}});
  ASSERT_TRUE(after->resume(place));
  EXPECT_EQ(take(*after), (Rows{R"({"a":3})", R"({"a":4})", R"({"a":5})", R"({"a":6})"}));
  EXPECT_EQ(after->place().cursor.substr(after->place().cursor.rfind(' ') + 1), "1");
  // One of them is another, or gone.
  for (const char* other : {R"({"a":7})", ""}) {
    auto changed = source({{R"({"a":1})", R"({"a":2})"}, {R"({"a":3})", other, R"({"a":5})"}});
    ASSERT_TRUE(changed->resume(place));
    EXPECT_EQ(take(*changed), Rows{"none"});
    EXPECT_NE(changed->error().message.find("are not what they were"), std::string::npos);
  }
}

TEST_F(Messages, AreAcknowledgedInGroups) {
  auto from = source({{R"({"a":1})", "[]"}, {R"({"a":2})", R"({"a":3})"}, {R"({"a":4})"}});
  from->take_until_durable();
  (void)take(*from);
  (void)take(*from);
  EXPECT_EQ(*acknowledged_, 0u);
  from->acknowledge(2);
  EXPECT_EQ(*acknowledged_, 2u);  // messages of the first group
  from->acknowledge(3);
  EXPECT_EQ(*acknowledged_, 4u);
}

TEST_F(Messages, CountAsTakenWhenTheyHaveRunWithoutCheckpoints) {
  auto from = source({{R"({"a":1})"}, {R"({"a":2})"}});
  (void)take(*from);
  EXPECT_EQ(*acknowledged_, 0u);
  (void)take(*from);
  EXPECT_EQ(*acknowledged_, 1u);
}

TEST(SpillFile, GivesBackInOrderAndLeavesNothing) {
  auto env = env::make_real_env().value();
  std::string folder = testing::TempDir() + "spill";
  std::filesystem::create_directories(folder);
  connector::SpillFile spill(*env, folder);
  uint64_t pushed = 0;
  uint64_t popped = 0;
  auto push = [&] {
    connector::MessageGroup group;
    group.begin("from " + std::to_string(pushed));
    for (uint64_t i = 0; i <= pushed % 3; ++i)
      group.add(std::string(i * 100'000, 'x') + std::to_string(pushed));
    ASSERT_TRUE(spill.push(group));
    ++pushed;
  };
  auto pop = [&] {
    auto group = spill.pop();
    ASSERT_TRUE(group);
    EXPECT_EQ(group.value().from(), "from " + std::to_string(popped));
    ASSERT_EQ(group.value().size(), popped % 3 + 1);
    EXPECT_EQ(group.value().message(0), std::to_string(popped));
    ++popped;
  };
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 700; ++i) push();  // more than one file holds
    for (int i = 0; i < 300; ++i) pop();
  }
  while (!spill.empty()) pop();
  EXPECT_EQ(popped, pushed);
  EXPECT_EQ(spill.bytes(), 0u);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST(FieldText, IsFoundInARow) {
  const std::string row = R"({"a":1,"b":{"c":"}\""},"d":["x,",2],"e\"":"q\n","n":null})";
  EXPECT_EQ(json::field_text(row, "a"), "1");
  EXPECT_EQ(json::field_text(row, "b"), R"({"c":"}\""})");
  EXPECT_EQ(json::field_text(row, "d"), R"(["x,",2])");
  EXPECT_EQ(json::field_text(row, "e\""), R"("q\n")");
  EXPECT_EQ(json::field_text(row, "n"), "null");
  EXPECT_EQ(json::field_text(row, "c"), std::nullopt);
  EXPECT_EQ(json::field_text("{}", "c"), std::nullopt);
  for (size_t size = 0; size < row.size(); ++size) (void)json::field_text(row.substr(0, size), "zz");
  EXPECT_EQ(json::key_text(R"("q\n")"), "q\n");
  EXPECT_EQ(json::key_text("12.5"), "12.5");
  EXPECT_EQ(json::key_text("null"), std::nullopt);
}

TEST(FieldText, IsTakenOutOfARow) {
  EXPECT_EQ(json::without_field(R"({"a":1,"b":{"a":2},"c":"}"})", "a"), R"({"b":{"a":2},"c":"}"})");
  EXPECT_EQ(json::without_field(R"({"a":1,"b":{"a":2},"c":"}"})", "b"), R"({"a":1,"c":"}"})");
  EXPECT_EQ(json::without_field(R"({"a":1,"b":{"a":2},"c":"}"})", "c"), R"({"a":1,"b":{"a":2}})");
  EXPECT_EQ(json::without_field(R"({"a":1})", "a"), "{}");
  EXPECT_EQ(json::without_field(R"({"a":1})", "b"), R"({"a":1})");
  EXPECT_EQ(json::without_field("{}", "a"), "{}");
  const std::string row = R"({"a":1,"b":{"a":2}})";
  for (size_t size = 0; size < row.size(); ++size) (void)json::without_field(row.substr(0, size), "b");
}

TEST(FieldText, OfAMapIsGivenEntryByEntry) {
  size_t at = 1;
  const std::string map = R"({"a\"":"x,}","":""})";
  auto first = json::next_member(map, at);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->name, "a\"");
  EXPECT_EQ(json::key_text(first->value), "x,}");
  auto second = json::next_member(map, at);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->name, "");
  EXPECT_EQ(json::key_text(second->value), "");
  EXPECT_FALSE(json::next_member(map, at));
}

}  // namespace
}  // namespace mut::test

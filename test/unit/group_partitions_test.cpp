#include "runtime/connector/kafka/group_partitions.h"

#include <gtest/gtest.h>

#include <string>

namespace mut::connector {
namespace {

using Place = GroupPartitions::Place;
using To = Place::To;
using Places = std::map<int32_t, int64_t>;

struct Group {
  KafkaApi api;
  GroupPartitions partitions;

  Group() : api(make_api()), partitions(api, "t", KafkaRecord::Payload) {}
  static KafkaApi make_api() {
    KafkaApi out;
    out.message_destroy = [](rd_kafka_message_t* message) { delete message; };
    return out;
  }

  KafkaMessage message(int32_t partition, int64_t offset, size_t size = 1) const {
    static std::string text(1 << 20, 'x');
    auto out = std::make_unique<rd_kafka_message_t>();
    out->partition = partition;
    out->offset = offset;
    out->payload = text.data();
    out->len = size;
    return {out.release(), KafkaMessageDeleter{&api}};
  }
  bool put(int32_t partition, std::initializer_list<int64_t> offsets) {
    std::vector<KafkaMessage> messages;
    for (int64_t offset : offsets) messages.push_back(message(partition, offset));
    return partitions.put(std::move(messages));
  }
  std::optional<GroupPartitions::Taken> take() {
    MessageGroup group;
    return partitions.take(group);
  }
};

TEST(GroupPartitions, CommitsWhatWasRunAndNothingElse) {
  Group group;
  group.partitions.grant({{0, {10, To::Known}}, {1, {0, To::Known}}});
  EXPECT_TRUE(group.put(0, {10, 11, 12}));
  EXPECT_FALSE(group.put(1, {0})) << "the rows had not come to what was there";
  auto taken = group.take();
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->next, 13);
  EXPECT_EQ(group.partitions.to_commit(), Places{});
  EXPECT_FALSE(group.partitions.are_run());
  group.partitions.note_run(*taken);
  EXPECT_TRUE(group.partitions.are_run()) << "what nobody has taken need not be";
  EXPECT_EQ(group.partitions.to_commit(), (Places{{0, 13}}));
  group.partitions.note_committed(0, 13);
  EXPECT_EQ(group.partitions.to_commit(), Places{});
}

TEST(GroupPartitions, TellsAPlaceThatTheGroupDoesNotKnow) {
  Group group;
  group.partitions.grant({{0, {10, To::Unknown}}, {1, {0, To::Unknown}}});
  EXPECT_EQ(group.partitions.to_commit(), (Places{{0, 10}, {1, 0}}));
}

TEST(GroupPartitions, HandsOverNothingThatWasWithdrawn) {
  Group group;
  group.partitions.grant({{0, {0, To::Known}}, {1, {0, To::Known}}});
  group.put(0, {0, 1});
  group.put(1, {0});
  group.partitions.withdraw({0});
  group.put(0, {2});
  auto taken = group.take();
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->partition, 1);
  EXPECT_FALSE(group.take());
  EXPECT_EQ(group.partitions.bytes(), 0U);
}

TEST(GroupPartitions, AnAcknowledgementOfAnEarlierGrantMeansNothing) {
  Group group;
  group.partitions.grant({{0, {0, To::Known}}});
  group.put(0, {0, 1, 2, 3});
  auto taken = group.take();
  group.partitions.remove({0});
  group.partitions.note_run(*taken);
  group.partitions.grant({{0, {0, To::Known}}});
  group.partitions.note_run(*taken);
  EXPECT_EQ(group.partitions.to_commit(), Places{});
  EXPECT_TRUE(group.put(0, {0, 1})) << "they come again";
}

TEST(GroupPartitions, LetsGoOfWhatCameAlready) {
  Group group;
  group.partitions.grant({{0, {5, To::Known}}});
  EXPECT_FALSE(group.put(0, {3, 4}));
  EXPECT_FALSE(group.put(7, {5})) << "it was never granted";
  EXPECT_TRUE(group.put(0, {5, 5, 6}));
  EXPECT_EQ(group.take()->next, 7);
  EXPECT_EQ(group.partitions.places(), (Places{{0, 7}}));
}

TEST(GroupPartitions, HasRoomForFourMebibytes) {
  Group group;
  group.partitions.grant({{0, {0, To::Known}}});
  for (int64_t offset = 0; offset < 4; ++offset) {
    EXPECT_TRUE(group.partitions.has_room());
    std::vector<KafkaMessage> one;
    one.push_back(group.message(0, offset, 1 << 20));
    group.partitions.put(std::move(one));
  }
  EXPECT_FALSE(group.partitions.has_room());
  for (int taken = 0; taken < 2; ++taken) EXPECT_TRUE(group.take());
  EXPECT_TRUE(group.partitions.has_room());
  EXPECT_FALSE(group.partitions.has_much_room());
  EXPECT_TRUE(group.take());
  EXPECT_TRUE(group.partitions.has_much_room());
}

}  // namespace
}  // namespace mut::connector

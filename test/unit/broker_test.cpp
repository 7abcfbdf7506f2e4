#include <gtest/gtest.h>

#include <fstream>
#include <utility>

#include "runtime/connector/kafka/brokers.h"
#include "runtime/connector/message/broker_line.h"
#include "runtime/connector/message/envelope.h"
#include "runtime/connector/mqtt/mqtt_topic.h"
#include "runtime/connector/nats/nats_url.h"
#include "runtime/connector/tls_trouble.h"
#include "runtime/env/real_env.h"

namespace mut::connector {
namespace {

// Messages by number, from a place on; the connection breaks behind each `breaks_every`.
class NumberLine final : public BrokerLine {
 public:
  explicit NumberLine(uint64_t count, uint64_t breaks_every = 1'000'000)
      : count_(count), breaks_every_(breaks_every) {}
  Status connect() override { return Unit{}; }
  Status serve(MessageQueue& to, env::SocketSet& set, const std::atomic<bool>& stopped) override {
    while (!stopped.load()) {
      if (next_ == count_ || !to.has_room()) {
        set.wait({}, -1);
        continue;
      }
      to.put({std::string(1000, 'x'), next_, std::to_string(next_)});
      if (++next_ % breaks_every_ == 0) return Error{"broke"};
    }
    return Unit{};
  }
  void disconnect() noexcept override {}
  std::string target() const override { return "numbers"; }
  std::string name_from(uint64_t place) const override { return "from " + std::to_string(place); }
  bool replays() const override { return true; }
  uint64_t first_place() const override { return next_; }
  Status go_to(uint64_t place) override {
    if (place > count_) return Error{"there are only " + std::to_string(count_)};
    next_ = place;
    return Unit{};
  }
  void acknowledge(const std::string& receipt) override { acknowledged = receipt; }

  std::string acknowledged;

 private:
  uint64_t count_, breaks_every_, next_ = 0;
};

struct Opened {
  explicit Opened(uint64_t count, uint64_t breaks_every = 1'000'000)
      : env(std::move(env::make_real_env()).value()), wake(env->make_event_count()) {
    auto numbers = std::make_unique<NumberLine>(count, breaks_every);
    line = numbers.get();
    subscription =
        std::move(open_broker_subscription(*env, "r", std::move(numbers), wake.get(), notices)).value();
  }
  Poll take() {
    while (true) {
      uint64_t seen = wake->current();
      group.begin("");
      Poll got = subscription->take(group);
      if (got != Poll::Wait) return got;
      wake->wait(seen, 1'000'000'000);
    }
  }

  std::unique_ptr<env::Env> env;
  std::unique_ptr<env::EventCount> wake;
  std::shared_ptr<Notices> notices = std::make_shared<Notices>();
  NumberLine* line = nullptr;
  std::unique_ptr<Subscription> subscription;
  MessageGroup group;
};

TEST(BrokerSubscription, ReadsAheadUpToItsBoundAndGivesWhatItHasAtTheEnd) {
  Opened opened(100'000);
  ASSERT_EQ(opened.take(), Poll::Ready);
  size_t waiting = 0;
  for (int i = 0; i < 200 && waiting < 1024 * 1024; ++i) {
    opened.env->sleep(5'000'000);
    waiting = opened.subscription->waiting_bytes();
  }
  EXPECT_GE(waiting, 1024U * 1024);
  EXPECT_LT(waiting, 1024U * 1024 + 2000);
  opened.subscription->stop();
  uint64_t left = 0;
  while (opened.take() == Poll::Ready) left += opened.group.size();
  EXPECT_GE(left * 1000, 900'000U);
}

TEST(BrokerSubscription, NamesTheGroupThatWasTakenLastAndGoesToIt) {
  Opened opened(5000);
  EXPECT_EQ(opened.subscription->cursor(), "0");
  ASSERT_TRUE(opened.subscription->resume("4000"));
  uint64_t taken = 4000;
  while (taken < 5000) {
    ASSERT_EQ(opened.take(), Poll::Ready);
    EXPECT_EQ(opened.subscription->cursor(), std::to_string(taken));
    EXPECT_EQ(opened.group.from(), "from " + std::to_string(taken));
    taken += opened.group.size();
  }
  EXPECT_EQ(taken, 5000U);
  EXPECT_FALSE(opened.subscription->resume("6000"));
  EXPECT_FALSE(opened.subscription->resume("many"));
}

TEST(BrokerSubscription, GoesOnBehindALostConnectionAndTellsIt) {
  Opened opened(20, 10);
  uint64_t taken = 0;
  while (taken < 20) {
    ASSERT_EQ(opened.take(), Poll::Ready);
    taken += opened.group.size();
  }
  auto said = opened.notices->take();
  ASSERT_GE(said.size(), 2U);
  EXPECT_EQ(said[0], "source `r`: broke; connecting again");
  EXPECT_TRUE(said[1].starts_with("source `r` is connected to numbers again, after ")) << said[1];
}

TEST(BrokerSubscription, AcknowledgesTheLastMessageOfThoseThatNeedNotBeKept) {
  Opened opened(100);
  uint64_t taken = 0, first = 0;
  while (taken < 100) {
    ASSERT_EQ(opened.take(), Poll::Ready);
    taken += opened.group.size();
    if (first == 0) first = taken;
  }
  opened.subscription->acknowledge(0);
  EXPECT_EQ(opened.line->acknowledged, "");
  opened.subscription->acknowledge(first);
  EXPECT_EQ(opened.line->acknowledged, std::to_string(first - 1));
  opened.subscription->acknowledge(100);
  EXPECT_EQ(opened.line->acknowledged, "99");
}

TEST(Envelope, HoldsWholeValuesAndNothingElse) {
  auto of = [](std::string_view payload) { return in_envelope("topic", "a\"b", payload); };
  EXPECT_EQ(of("{\"n\":1}"), "{\"topic\":\"a\\\"b\",\"value\":{\"n\":1}}");
  EXPECT_EQ(of(" [1,\n\"]\"] "), "{\"topic\":\"a\\\"b\",\"value\": [1, \"]\"] }");
  EXPECT_EQ(of(""), "{\"topic\":\"a\\\"b\",\"value\":null}");
  EXPECT_EQ(of("-1.5"), "{\"topic\":\"a\\\"b\",\"value\":-1.5}");
  for (const char* payload : {"1,\"topic\":\"c\"", "1}{\"topic\":\"c\",\"value\":1", "{} {}", "1 2", "\"a",
                              "{", "}{", "]", "\"\n\"", "\"\\", "\"a\":1", "1\"a\"", " "}) {
    std::string text = of(payload);
    EXPECT_TRUE(text.starts_with("{\"topic\":\"a\\\"b\",\"value\":\"") && !text.ends_with("\"}")) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
}

TEST(NatsUrl, TakesAHostAndAPortAndNoMore) {
  EXPECT_EQ(parse_nats_url("nats://localhost").value().text(), "localhost:4222");
  EXPECT_EQ(parse_nats_url("nats://[::1]").value().text(), "[::1]:4222");
  EXPECT_EQ(parse_nats_url("nats://10.0.0.1:5").value().text(), "10.0.0.1:5");
  EXPECT_EQ(parse_nats_url("tls://a").value().text(), "a:4222");
  EXPECT_TRUE(is_tls_url("tls://a"));
  EXPECT_FALSE(is_tls_url("nats://a"));
  for (const char* wrong : {"localhost:4222", "nats://", "nats://a:0", "nats://a:b", "nats://u:p@a", "tls://",
                            "nats://a,b", "nats://a/b", "tls://u:p@a", "http://a"})
    EXPECT_FALSE(parse_nats_url(wrong)) << wrong;
}

TEST(Brokers, AreHostsWithPortsOrWithout) {
  auto found = parse_brokers("localhost, [::1]:9093,far:1").value();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].text(), "localhost:9092");
  EXPECT_EQ(found[1].text(), "[::1]:9093");
  EXPECT_EQ(farthest_host(found), "far");
  EXPECT_EQ(farthest_host(parse_brokers("127.0.0.1,localhost").value()), "127.0.0.1");
  for (const char* wrong : {"", ",", "a,", "a:0", "a:b", "ssl://a:1", "a,,b", "::1"})
    EXPECT_FALSE(parse_brokers(wrong)) << wrong;
}

TEST(TlsTrouble, SaysWhatMayBeDone) {
  Tls tls{Tls::Check::Verify, "ca.pem"};
  auto fix = [&](const char* why) { return with_tls_fix(why, tls); };
  EXPECT_EQ(fix("reset by peer"), "reset by peer");
  EXPECT_NE(fix("certificate verify failed: unable to get local issuer").find("nobody in `ca.pem`"),
            std::string::npos);
  EXPECT_NE(fix("certificate verify failed: IP address mismatch").find("another host"), std::string::npos);
  EXPECT_NE(fix("certificate verify failed: certificate has expired").find("not valid today"),
            std::string::npos);
  EXPECT_NE(fix("tlsv13 alert certificate required").find("`cert` and `cert_key`"), std::string::npos);
  tls.certificate = "me.pem";
  EXPECT_NE(fix("tlsv1 alert unknown ca").find("not take the certificate `me.pem`"), std::string::npos);
  EXPECT_NE(fix("wrong version number").find("speaks no TLS"), std::string::npos);
}

TEST(TlsTrouble, TellsOfFilesThatCannotBeUsed) {
  auto env = std::move(env::make_real_env()).value();
  const std::string folder = testing::TempDir();
  auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder + name) << text;
    return folder + name;
  };
  Tls tls{Tls::Check::Verify, write("ca.pem", "x"), write("me.pem", "x"),
          write("me.key", "-----BEGIN PRIVATE KEY-----\n")};
  EXPECT_TRUE(check_tls_files(*env, tls));
  tls.certificate_key = write("locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
  EXPECT_FALSE(check_tls_files(*env, tls));
  tls.certificate_key = write("old.key", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n");
  EXPECT_FALSE(check_tls_files(*env, tls));
  tls.certificate_key = folder + "none.key";
  EXPECT_NE(check_tls_files(*env, tls).error().message.find("none.key"), std::string::npos);
  tls.check = Tls::Check::Off;
  EXPECT_TRUE(check_tls_files(*env, tls));
}

TEST(Subjects, HaveStarsForWholeWordsOfPatternsAlone) {
  for (const char* fine : {"a", "a.b", "*.b", "a.>", ">"})
    EXPECT_EQ(problem_of_subject(fine, SubjectUse::Pattern), "");
  for (const char* wrong : {"", ".", "a.", "a b", ">.a", "a*", "a.b>"})
    EXPECT_NE(problem_of_subject(wrong, SubjectUse::Pattern), "") << wrong;
  EXPECT_NE(problem_of_subject("a.*", SubjectUse::Exact), "");
}

TEST(Topics, HaveWildcardsForWholeLevelsOfFiltersAlone) {
  for (const char* fine : {"a", "/", "a/+/b", "#", "+/#", "a//b"})
    EXPECT_EQ(problem_of_topic(fine, TopicUse::Filter), "");
  for (const char* wrong : {"", "#/a", "a+", "a/b#"})
    EXPECT_NE(problem_of_topic(wrong, TopicUse::Filter), "") << wrong;
  EXPECT_NE(problem_of_topic("a/+", TopicUse::Exact), "");
}

}  // namespace
}  // namespace mut::connector

// TCP beside the conformance suite (test/connectors): addresses, the pace of attempts, what is said, and what
// edits do to readers and writers before they run.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "runtime/connector/backoff.h"
#include "runtime/connector/follow_up.h"
#include "runtime/connector/memory/memory.h"
#include "runtime/connector/notices.h"
#include "runtime/connector/tcp/tcp_sink.h"
#include "runtime/connector/tcp/tcp_source.h"
#include "runtime/env/real_env.h"
#include "test/unit/decode_rows.h"

namespace mut::test {
namespace {

using abi::TypeKind;
using connector::Poll;
using Rows = std::vector<std::string>;
constexpr int64_t second_ns = 1'000'000'000;

TEST(TcpAddress, IsAHostAndAPort) {
  EXPECT_EQ(env::parse_tcp_address("127.0.0.1:9000").value(), (env::TcpAddress{"127.0.0.1", 9000}));
  EXPECT_EQ(env::parse_tcp_address("[::1]:0").value(), (env::TcpAddress{"::1", 0}));
  EXPECT_EQ(env::parse_tcp_address("db.example:65535").value().text(), "db.example:65535");
  EXPECT_EQ((env::TcpAddress{"::1", 1}).text(), "[::1]:1");
  for (const char* wrong : {"", "9000", ":9000", "host:", "host:x", "host:1x", "::1:9000", "host:65536",
                            "host:-1", "host:99999999999"})
    EXPECT_FALSE(env::parse_tcp_address(wrong).ok()) << wrong;
}

TEST(Backoff, IsSoonAtFirstThenOnceASecond) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    connector::Backoff backoff(seed);
    EXPECT_LE(backoff.next_ns(), second_ns / 5);
    int64_t before_steady = backoff.next_ns() + backoff.next_ns() + backoff.next_ns();
    EXPECT_LT(before_steady, 3 * second_ns);
    backoff.next_ns();
    for (int i = 0; i < 50; ++i) {
      int64_t steady = backoff.next_ns();
      EXPECT_GE(steady, second_ns);
      EXPECT_LE(steady, 2 * second_ns);
    }
    backoff.note_lasted(second_ns);  // a peer that accepts and closes
    EXPECT_GE(backoff.next_ns(), second_ns);
    backoff.note_lasted(10 * second_ns);
    EXPECT_LE(backoff.next_ns(), second_ns / 5);
  }
}

TEST(Notices, SayWhatHappensAgainSeldom) {
  connector::Notices notices;
  for (int i = 0; i < 5; ++i) notices.say_seldom("lost", "lost", i * second_ns);
  notices.say_seldom("other", "other", second_ns);
  notices.say_seldom("lost", "lost", 40 * second_ns);
  EXPECT_EQ(notices.take(), (Rows{"lost", "other", "lost (and 4 times before, since it was said last)"}));
  for (int i = 0; i < 250; ++i) notices.say("x");
  EXPECT_EQ(notices.take().size(), 101u);
  EXPECT_EQ(notices.take(), Rows{});
}

class Tcp : public testing::Test {
 protected:
  Tcp() : env_(env::make_real_env().value()), wake_(env_->make_event_count()) {}

  std::unique_ptr<env::SocketListener> listen(const std::string& host = "127.0.0.1") const {
    auto listener = env_->listen_tcp({host, 0});
    EXPECT_TRUE(listener.ok()) << listener.error().message;
    return std::move(listener).value();
  }
  std::unique_ptr<env::Socket> connect(const std::string& address) const {
    auto socket = env_->connect_tcp(env::parse_tcp_address(address).value(), second_ns, never_);
    EXPECT_TRUE(socket.ok()) << socket.error().message;
    return std::move(socket).value();
  }
  static void send(env::Socket& socket, std::string_view text) {
    while (!text.empty()) {
      auto sent = socket.write(text);
      ASSERT_TRUE(sent.ok()) << sent.error().message;
      text.remove_prefix(sent.value());
      socket.wait(env::Socket::Interest::Write, second_ns);
    }
  }
  // Reads until so many bytes came, or the end.
  static std::string receive(env::Socket& socket, size_t bytes) {
    std::string out;
    char room[4096];
    while (out.size() < bytes) {
      if (socket.wait(env::Socket::Interest::Read, 10 * second_ns) == env::Socket::Event::Timeout) return out;
      auto got = socket.read(room, sizeof(room));
      if (!got || got.value() == 0) return out;
      if (got.value() > 0) out.append(room, static_cast<size_t>(got.value()));
    }
    return out;
  }

  std::unique_ptr<connector::SourceReader> open_source(codec::Format format = codec::Format::Json) {
    connector::TcpSourceOptions options;
    options.intake = {"source `x`", connector::TcpSide::Listen, {"127.0.0.1", 0}};
    options.format = format;
    auto source = connector::open_tcp_source(*env_, std::move(options), type_, wake_.get(), notices_);
    EXPECT_TRUE(source.ok()) << source.error().message;
    return std::move(source).value();
  }
  // The address that was said last.
  std::string said_address() {
    auto said = notices_->take();
    EXPECT_FALSE(said.empty());
    return said.empty() ? "" : said.back().substr(said.back().rfind(' ') + 1);
  }
  // Polls until so many rows came.
  Rows take(connector::SourceReader& source, size_t count) {
    Rows out;
    int64_t until = env_->monotonic_ns() + 10 * second_ns;
    while (out.size() < count && env_->monotonic_ns() < until) {
      uint64_t seen = wake_->current();
      batch_.clear();
      Poll polled = source.poll(batch_);
      if (polled == Poll::Wait) wake_->wait(seen, second_ns / 10);
      if (polled == Poll::End || polled == Poll::Failed) break;
      if (polled != Poll::Ready) continue;
      Decoded shown;
      show_rows(batch_, shown);
      out.insert(out.end(), shown.rows.begin(), shown.rows.end());
    }
    return out;
  }

  std::unique_ptr<env::Env> env_;
  std::unique_ptr<env::EventCount> wake_;
  std::shared_ptr<connector::Notices> notices_ = std::make_shared<connector::Notices>();
  std::atomic<bool> never_{false};
  abi::TypeDescRef type_ = record({field("a", scalar(TypeKind::I64))});
  batch::Batch batch_{type_, batch::NeededColumns(1, 1), 64};
};

TEST_F(Tcp, AListenerSaysItsPortAndTakesConnections) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    auto listener = listen(host);
    auto client = connect(listener->address());
    auto server = listener->accept();
    ASSERT_TRUE(server.ok());
    EXPECT_EQ(client->peer(), listener->address());
    send(*client, "hello");
    EXPECT_EQ(receive(*server.value(), 5), "hello");
    for (int i = 0; i < 1000 && client->unconfirmed_bytes() > 0; ++i) env_->sleep(1'000'000);
    EXPECT_EQ(client->unconfirmed_bytes(), 0u);
    client->finish_writing();
    EXPECT_EQ(receive(*server.value(), 1), "");
    EXPECT_FALSE(listener->accept_now().value());
  }
}

TEST_F(Tcp, WhatCannotBeReachedSaysWhatToDo) {
  auto listener = listen();
  auto address = env::parse_tcp_address(listener->address()).value();
  auto twice = env_->listen_tcp(address);
  ASSERT_FALSE(twice.ok());
  EXPECT_NE(twice.error().message.find("another program listens there"), std::string::npos);
  listener = nullptr;
  for (int i = 0; i < 50; ++i) {  // nor does it meet itself
    auto refused = env_->connect_tcp(address, second_ns, never_);
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().message.find("nobody listens there"), std::string::npos);
  }
  EXPECT_TRUE(env_->listen_tcp(address).ok());
  auto unknown = env_->connect_tcp({"no.such.host.invalid", 1}, second_ns, never_);
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().message.find("cannot be found"), std::string::npos);
}

TEST_F(Tcp, ASourceReadsEachClientByItself) {
  auto source = open_source(codec::Format::Csv);
  EXPECT_EQ(take(*source, 0), Rows{});
  batch_.clear();
  EXPECT_EQ(source->poll(batch_), Poll::Wait);
  std::string address = said_address();
  auto one = connect(address);
  auto two = connect(address);
  send(*one, "a\n1\n2");
  send(*two, "x,a\n7,3");
  EXPECT_EQ(take(*source, 1), (Rows{R"({"a":1})"}));
  send(*one, "0\n");
  EXPECT_EQ(take(*source, 1), (Rows{R"({"a":20})"}));
  two = nullptr;
  EXPECT_EQ(take(*source, 1), (Rows{R"({"a":3})"}));
  source->stop();
  EXPECT_EQ(take(*source, 1), Rows{});
  EXPECT_EQ(receive(*one, 1), "");
}

// More than a batch takes lies ready, and nothing more comes: all of it is given. So is a record that comes
// in many pieces, once it has its end.
TEST_F(Tcp, WhatLiesReadyDoesNotWaitForMore) {
  auto source = open_source();
  EXPECT_EQ(source->poll(batch_), Poll::Wait);
  auto client = connect(said_address());
  std::string pad(2000, 'x');
  std::string text;
  for (int i = 0; i < 300; ++i) text += "{\"pad\":\"" + pad + "\",\"a\":" + std::to_string(i) + "}\n";
  std::thread sender([&] { send(*client, text); });
  Rows rows = take(*source, 300);
  sender.join();
  ASSERT_EQ(rows.size(), 300u);
  EXPECT_EQ(rows.back(), R"({"a":299})");
  send(*client, "{\"pad\":\"");
  for (int piece = 0; piece < 100; ++piece) {
    send(*client, pad);
    (void)take(*source, 0);
    batch_.clear();
    ASSERT_EQ(source->poll(batch_), Poll::Wait);
  }
  send(*client, "\",\"a\":7}\n");
  EXPECT_EQ(take(*source, 1), (Rows{R"({"a":7})"}));
}

TEST_F(Tcp, WhatHadComeIsGivenBeforeTheNextAddress) {
  auto source = open_source();
  EXPECT_EQ(source->poll(batch_), Poll::Wait);
  auto old_client = connect(said_address());
  send(*old_client, "{\"a\":1}\n");
  EXPECT_EQ(take(*source, 1), (Rows{R"({"a":1})"}));
  send(*old_client, "{\"a\":2}\n{\"a\":3}\n{\"a\":");
  uint64_t seen = wake_->current();
  for (int i = 0; i < 1000 && old_client->unconfirmed_bytes() > 0; ++i) env_->sleep(1'000'000);
  wake_->wait(seen, second_ns / 5);
  auto both = connector::make_follow_up(std::move(source), open_source(), 1);
  Rows rest = take(*both, 3);
  ASSERT_EQ(rest.size(), 3u);
  EXPECT_EQ(Rows(rest.begin(), rest.begin() + 2), (Rows{R"({"a":2})", R"({"a":3})"}));
  EXPECT_NE(rest[2].find("broke inside of this record"), std::string::npos) << rest[2];
  EXPECT_EQ(receive(*old_client, 1), "");
  batch_.clear();
  EXPECT_EQ(both->poll(batch_), Poll::Wait);
  auto client = connect(said_address());
  send(*client, "{\"a\":4}\n");
  EXPECT_EQ(take(*both, 1), (Rows{R"({"a":4})"}));
}

TEST_F(Tcp, ASinkThatIsHeldOnlyConnectsAndLetsGo) {
  auto listener = listen();
  auto address = env::parse_tcp_address(listener->address()).value();
  auto sink = connector::make_tcp_sink(*env_, {address, {"sink `x`", "x"}}, wake_.get(), notices_);
  ASSERT_TRUE(sink->hold().ok());
  auto server = listener->accept();
  ASSERT_TRUE(server.ok());
  sink->release();
  EXPECT_EQ(receive(*server.value(), 1), "");
  EXPECT_TRUE(sink->close().ok());
  listener = nullptr;
  EXPECT_FALSE(sink->hold().ok());
}

TEST_F(Tcp, ASinkSendsWhatWasNotConfirmedAgainBehindItsHeader) {
  auto listener = listen();
  auto address = env::parse_tcp_address(listener->address()).value();
  auto sink = connector::make_tcp_sink(*env_, {address, {"sink `x`", "x"}}, wake_.get(), notices_);
  ASSERT_TRUE(sink->begin(connector::SinkStart::Append).ok());
  EXPECT_FALSE(sink->wants_header());
  sink->set_header("a\n");
  ASSERT_TRUE(sink->write("1\n").ok());
  auto first = listener->accept();
  EXPECT_EQ(receive(*first.value(), 4), "a\n1\n");
  first.value() = nullptr;
  // The first write after the end gets a reset for an answer, no confirmation.
  ASSERT_TRUE(sink->write("2\n").ok());
  auto second = listener->accept();
  EXPECT_EQ(receive(*second.value(), 4), "a\n2\n");
  ASSERT_TRUE(sink->write("3\n").ok());
  ASSERT_TRUE(sink->close().ok());
  EXPECT_EQ(receive(*second.value(), 10), "3\n");
}

// An edit takes a sink away while the next one, which brings it back, is prepared already.
TEST_F(Tcp, AHeldServerKeepsItsPortOverAClose) {
  auto sink =
      connector::make_tcp_server_sink(*env_, {{"127.0.0.1", 0}, {"sink `x`", "x"}}, wake_.get(), notices_);
  ASSERT_TRUE(sink->begin(connector::SinkStart::Append).ok());
  std::string address = said_address();
  auto first = connect(address);
  ASSERT_TRUE(sink->write("1\n").ok());
  ASSERT_TRUE(sink->hold().ok());
  ASSERT_TRUE(sink->close().ok());
  EXPECT_EQ(receive(*first, 10), "1\n");
  ASSERT_TRUE(sink->begin(connector::SinkStart::Append).ok());
  sink->release();
  auto second = connect(address);
  ASSERT_TRUE(sink->write("2\n").ok());
  ASSERT_TRUE(sink->close().ok());
  EXPECT_EQ(receive(*second, 10), "2\n");
}

TEST_F(Tcp, AServerKeepsRowsForItsFirstClient) {
  auto sink =
      connector::make_tcp_server_sink(*env_, {{"127.0.0.1", 0}, {"sink `x`", "x"}}, wake_.get(), notices_);
  ASSERT_TRUE(sink->begin(connector::SinkStart::Append).ok());
  sink->set_header("a\n");
  std::string row(1000, 'x');
  row += "\n";
  size_t rows = 0;
  for (; !sink->full(); ++rows) ASSERT_TRUE(sink->write(row).ok());
  EXPECT_GE(rows * row.size(), connector::waiting_bytes_max);
  Rows said;
  for (int i = 0; i < 1000 && said.empty(); ++i) {
    said = notices_->take();
    env_->sleep(1'000'000);
  }
  ASSERT_EQ(said.size(), 1u);
  auto client = connect(said[0].substr(said[0].rfind(' ') + 1));
  std::string got = receive(*client, 2 + rows * row.size());
  EXPECT_EQ(got.size(), 2 + rows * row.size());
  EXPECT_TRUE(got.starts_with("a\nxxx"));
  EXPECT_FALSE(sink->full());
  ASSERT_TRUE(sink->write("end\n").ok());
  ASSERT_TRUE(sink->close().ok());
  EXPECT_EQ(receive(*client, 10), "end\n");
}

}  // namespace
}  // namespace mut::test

// Encrypted connections beside the conformance suite (test/connectors): what waits inside of one, who is
// refused and why, and clients that never agree.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "runtime/env/real_env.h"
#include "runtime/env/screened_listener.h"
#include "runtime/tls/connect.h"
#include "runtime/tls/listen.h"
#include "test/unit/certificates.h"

namespace mut::test {
namespace {

using Interest = env::Socket::Interest;
constexpr int64_t second_ns = 1'000'000'000;

struct Pair {
  std::unique_ptr<env::Socket> connected;
  std::unique_ptr<env::Socket> accepted;
};

class Tls : public testing::Test {
 protected:
  Tls()
      : env_(env::make_real_env().value()),
        folder_(std::filesystem::temp_directory_path() / ("mut-tls-" + std::to_string(::getpid()))),
        authority_({"authority", ""}, nullptr),
        server_({"server", "DNS:localhost,IP:127.0.0.1"}, &authority_) {
    std::filesystem::create_directories(folder_);
    write("ca.pem", authority_.certificate_text());
    use(server_);
  }
  ~Tls() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }
  void use(const Certificate& certificate, const std::string& name = "server") const {
    write(name + ".pem", certificate.certificate_text());
    write(name + ".key", certificate.key_text());
  }

  std::unique_ptr<env::SocketListener> listen(tls::Listening listening) {
    auto below = env_->listen_tcp({"127.0.0.1", 0});
    address_ = env::parse_tcp_address(below.value()->address()).value();
    listening.refused = [this](const Error& why) { refused_.push_back(why.message); };
    auto out = tls::encrypt(*env_, std::move(below).value(), std::move(listening));
    if (!out) ADD_FAILURE() << out.error().message;
    return out ? std::move(out).value() : nullptr;
  }
  std::unique_ptr<env::SocketListener> listen() { return listen({server_files()}); }
  tls::Files server_files() const { return {path("server.pem"), path("server.key"), ""}; }

  std::unique_ptr<env::Socket> connect_below() {
    return env_->connect_tcp(address_, second_ns, given_up_).value();
  }
  Result<std::unique_ptr<env::Socket>> connect(const tls::Files& files,
                                               const std::string& host = "localhost") {
    return tls::encrypt(*env_, connect_below(), host, files, env_->monotonic_ns() + 5 * second_ns, given_up_);
  }
  tls::Files trusting() const { return {"", "", path("ca.pem")}; }

  // The next one that has agreed; null: none in time.
  std::unique_ptr<env::Socket> accept(env::SocketListener& listener, int64_t timeout_ns = 5 * second_ns) {
    auto set = env_->make_socket_set();
    int64_t until_ns = env_->monotonic_ns() + timeout_ns;
    while (env_->monotonic_ns() < until_ns) {
      env::SocketSet::Entry entry{&listener};
      set->wait({&entry, 1}, until_ns - env_->monotonic_ns());
      auto next = listener.accept_now();
      if (next && next.value()) return std::move(next).value();
    }
    return nullptr;
  }

  Pair make_pair(env::SocketListener& listener) {
    Pair out;
    std::thread connects([&] {
      auto made = connect(trusting());
      if (!made) ADD_FAILURE() << made.error().message;
      if (made) out.connected = std::move(made).value();
    });
    out.accepted = accept(listener);
    connects.join();
    return out;
  }

  // Why who connects is refused; empty: it is not.
  std::string refusal(env::SocketListener& listener, const tls::Files& files,
                      const std::string& host = "localhost") {
    std::string why;
    std::atomic<bool> over{false};
    std::thread serves([&] {
      std::vector<std::unique_ptr<env::Socket>> accepted;
      while (!over.load()) accepted.push_back(accept(listener, second_ns / 50));
    });
    auto made = connect(files, host);
    if (!made) why = made.error().message;
    // What the other side finds wrong comes behind the agreement.
    int64_t until_ns = env_->monotonic_ns() + second_ns / 10;
    while (made && why.empty() && env_->monotonic_ns() < until_ns) {
      (void)made.value()->wait(Interest::Read, second_ns / 50);
      char byte;
      auto got = made.value()->read(&byte, 1);
      if (!got) why = got.error().message;
    }
    over.store(true);
    serves.join();
    return why;
  }

  // All that comes, to the end; `error` says why it broke.
  std::string read_all(env::Socket& from, std::string* error = nullptr) {
    auto set = env_->make_socket_set();
    std::string out;
    std::string room(7000, '\0');
    while (true) {
      auto got = from.read(room.data(), room.size());
      if (!got && error != nullptr) *error = got.error().message;
      if (!got || got.value() == 0) return out;
      if (got.value() > 0) {
        out.append(room, 0, static_cast<size_t>(got.value()));
        continue;
      }
      env::SocketSet::Entry entry{&from};
      set->wait({&entry, 1}, 5 * second_ns);
    }
  }
  void write_all(env::Socket& to, std::string_view text) {
    auto set = env_->make_socket_set();
    while (!text.empty()) {
      auto wrote = to.write(text);
      ASSERT_TRUE(wrote) << wrote.error().message;
      text.remove_prefix(wrote.value());
      env::SocketSet::Entry entry{&to, Interest::Write};
      if (wrote.value() == 0) set->wait({&entry, 1}, 5 * second_ns);
    }
  }

  std::unique_ptr<env::Env> env_;
  std::filesystem::path folder_;
  Certificate authority_;
  Certificate server_;
  env::TcpAddress address_;
  std::atomic<bool> given_up_{false};
  std::vector<std::string> refused_;
};

std::string numbered(size_t bytes) {
  std::string out;
  for (size_t i = 0; out.size() < bytes; ++i) out += std::to_string(i) + ",";
  return out;
}

TEST_F(Tls, BothSidesReadWhatTheOtherWrote) {
  auto listener = listen();
  Pair pair = make_pair(*listener);
  ASSERT_TRUE(pair.connected && pair.accepted);
  const std::string there = numbered(3'000'000);
  const std::string back = numbered(2'000'000);
  std::string heard_there;
  std::thread writer([&] {
    write_all(*pair.connected, there);
    pair.connected->finish_writing();
  });
  heard_there = read_all(*pair.accepted);
  writer.join();
  EXPECT_EQ(heard_there, there);
  std::string heard_back;
  std::thread reader([&] { heard_back = read_all(*pair.connected); });
  write_all(*pair.accepted, back);
  pair.accepted->finish_writing();
  reader.join();
  EXPECT_EQ(heard_back, back);
}

TEST_F(Tls, WhatWaitsInsideWakesWhoWaits) {
  auto listener = listen();
  Pair pair = make_pair(*listener);
  ASSERT_TRUE(pair.connected && pair.accepted);
  // One record, which is decrypted as a whole: nothing below tells of what is left of it.
  write_all(*pair.accepted, std::string(10'000, 'x'));
  auto set = env_->make_socket_set();
  size_t came = 0;
  char byte;
  while (came < 10'000) {
    int64_t begun_ns = env_->monotonic_ns();
    env::SocketSet::Entry entry{pair.connected.get()};
    set->wait({&entry, 1}, 10 * second_ns);
    ASSERT_TRUE(entry.ready);
    ASSERT_EQ(pair.connected->wait(Interest::Read, 10 * second_ns), env::Socket::Event::Ready);
    ASSERT_LT(env_->monotonic_ns() - begun_ns, 5 * second_ns);
    auto got = pair.connected->read(&byte, 1);
    ASSERT_TRUE(got);
    came += got.value() > 0 ? 1 : 0;
  }
  EXPECT_EQ(pair.connected->read(&byte, 1).value(), -1);
  int64_t begun_ns = env_->monotonic_ns();
  env::SocketSet::Entry entry{pair.connected.get()};
  set->wait({&entry, 1}, second_ns / 20);
  EXPECT_FALSE(entry.ready);
  EXPECT_GE(env_->monotonic_ns() - begun_ns, second_ns / 20);
}

TEST_F(Tls, WhoReadsNothingIsWaitedForAndThenGetsAll) {
  auto listener = listen();
  Pair pair = make_pair(*listener);
  ASSERT_TRUE(pair.connected && pair.accepted);
  std::string sent;
  const std::string piece = numbered(100'000);
  while (true) {
    auto wrote = pair.accepted->write(piece);
    ASSERT_TRUE(wrote);
    if (wrote.value() == 0) break;
    sent += piece.substr(0, wrote.value());
    ASSERT_LT(sent.size(), size_t{100} << 20U);
  }
  EXPECT_GT(pair.accepted->unconfirmed_bytes(), 0U);
  std::string heard;
  std::thread reader([&] { heard = read_all(*pair.connected); });
  // What was encrypted and did not fit goes out while this side waits for something to read.
  auto set = env_->make_socket_set();
  int64_t until_ns = env_->monotonic_ns() + 5 * second_ns;
  while (pair.accepted->unconfirmed_bytes() > 0 && env_->monotonic_ns() < until_ns) {
    env::SocketSet::Entry entry{pair.accepted.get(), Interest::Read};
    set->wait({&entry, 1}, second_ns / 100);
    char byte;
    ASSERT_EQ(pair.accepted->read(&byte, 1).value(), -1);
  }
  EXPECT_EQ(pair.accepted->unconfirmed_bytes(), 0U);
  pair.accepted->finish_writing();
  reader.join();
  EXPECT_EQ(heard, sent);
}

TEST_F(Tls, AnEndWithoutAGoodbyeIsBroken) {
  auto listener = listen();
  Pair pair = make_pair(*listener);
  ASSERT_TRUE(pair.connected && pair.accepted);
  write_all(*pair.accepted, "half a rec");
  pair.accepted = nullptr;  // as if the program had ended
  std::string why;
  EXPECT_EQ(read_all(*pair.connected, &why), "half a rec");
  EXPECT_NE(why.find("cut off"), std::string::npos) << why;

  pair = make_pair(*listener);
  write_all(*pair.accepted, "a record");
  pair.accepted->finish_writing();
  why.clear();
  EXPECT_EQ(read_all(*pair.connected, &why), "a record");
  EXPECT_EQ(why, "");
}

TEST_F(Tls, WhoIsNotWhoItShouldBeIsRefusedInWords) {
  auto listener = listen();
  auto said = [&](const std::string& words, const tls::Files& files, const std::string& host = "localhost") {
    std::string why = refusal(*listener, files, host);
    EXPECT_NE(why.find(words), std::string::npos) << why;
  };
  EXPECT_EQ(refusal(*listener, trusting()), "");
  EXPECT_EQ(refusal(*listener, trusting(), "127.0.0.1"), "");
  EXPECT_EQ(refusal(*listener, {}, "whoever.example"), "");  // nobody in particular
  said("hostname mismatch; its certificate is not of `other.example`", trusting(), "other.example");
  said("IP address mismatch", trusting(), "127.0.0.2");
  Certificate stranger({"stranger", ""}, nullptr);
  write("stranger.pem", stranger.certificate_text());
  said("`ca` names who is", {"", "", path("stranger.pem")});
  use(Certificate({"server", "DNS:localhost", -60}, &authority_));
  said("certificate has expired; the other side has to renew it", trusting());
  use(Certificate({"server", "DNS:localhost"}, nullptr));
  said("self-signed certificate", trusting());
  said("no certificates of PEM", {"", "", path("server.key")});
  said("No such file", {"", "", path("nowhere.pem")});
}

TEST_F(Tls, ClientsShowACertificateWhereOneIsWanted) {
  tls::Listening listening{server_files()};
  listening.files.authorities = path("ca.pem");
  auto listener = listen(listening);
  use(Certificate({"client", "DNS:client"}, &authority_), "client");
  Certificate stranger({"stranger", ""}, nullptr);
  use(Certificate({"client", "DNS:client"}, &stranger), "unknown");
  auto showing = [&](const std::string& name) {
    return tls::Files{path(name + ".pem"), path(name + ".key"), path("ca.pem")};
  };
  EXPECT_EQ(refusal(*listener, showing("client")), "");
  EXPECT_EQ(refused_.size(), 0U);
  std::string none = refusal(*listener, trusting());
  EXPECT_NE(none.find("certificate required"), std::string::npos) << none;
  std::string unknown = refusal(*listener, showing("unknown"));
  EXPECT_NE(unknown.find("does not take the certificate"), std::string::npos) << unknown;
  ASSERT_EQ(refused_.size(), 2U);
  EXPECT_NE(refused_[0].find("peer did not return a certificate"), std::string::npos) << refused_[0];
  EXPECT_NE(refused_[1].find("nobody whom `ca` names has signed it"), std::string::npos) << refused_[1];
}

// By TLS 1.3 the client takes the agreement for done before the server has looked at who it is.
TEST_F(Tls, WhoMayStillBeRefusedIsConnectedLaterAndConfirmsLater) {
  tls::Listening listening{server_files()};
  listening.files.authorities = path("ca.pem");
  auto listener = listen(listening);
  use(Certificate({"client", "DNS:client"}, &authority_), "client");
  Certificate stranger({"stranger", ""}, nullptr);
  use(Certificate({"client", "DNS:client"}, &stranger), "unknown");
  auto connect_as = [&](const tls::Files& files) {
    std::unique_ptr<env::Socket> accepted;
    std::thread serves([&] { accepted = accept(*listener, second_ns); });
    auto made = connect(files);
    serves.join();
    return std::pair(std::move(made), std::move(accepted));
  };
  EXPECT_FALSE(connect_as(trusting()).first);
  EXPECT_FALSE(connect_as({path("unknown.pem"), path("unknown.key"), path("ca.pem")}).first);

  tls::Files known{path("client.pem"), path("client.key"), path("ca.pem")};
  auto [quiet, hears] = connect_as(known);
  ASSERT_TRUE(quiet) << quiet.error().message;
  ASSERT_TRUE(hears);
  write_all(*quiet.value(), "rows");
  env_->sleep(second_ns / 20);
  EXPECT_GE(quiet.value()->unconfirmed_bytes(), 4U);  // though the other machine has them
  int64_t until_ns = env_->monotonic_ns() + 10 * second_ns;
  while (quiet.value()->unconfirmed_bytes() > 0 && env_->monotonic_ns() < until_ns)
    env_->sleep(second_ns / 50);
  EXPECT_EQ(quiet.value()->unconfirmed_bytes(), 0U);

  // Whoever answers has taken this side for who it is.
  auto [answered, answers] = connect_as(known);
  ASSERT_TRUE(answered && answers);
  write_all(*answers, "!");
  write_all(*answered.value(), "rows");
  char byte;
  (void)answered.value()->wait(Interest::Read, second_ns);
  EXPECT_EQ(answered.value()->read(&byte, 1).value(), 1);
  until_ns = env_->monotonic_ns() + second_ns / 2;
  while (answered.value()->unconfirmed_bytes() > 0 && env_->monotonic_ns() < until_ns)
    env_->sleep(second_ns / 100);
  EXPECT_EQ(answered.value()->unconfirmed_bytes(), 0U);
}

TEST_F(Tls, WhoNeverAgreesHoldsUpNobody) {
  tls::Listening listening{server_files()};
  listening.agree_ns = second_ns / 5;
  auto listener = listen(listening);
  std::vector<std::unique_ptr<env::Socket>> bad;
  for (const char* says : {"", "GET / HTTP/1.1\r\n\r\n", "garbage\n", "\x16\x03\x01\x02\x00\x01"}) {
    bad.push_back(connect_below());
    (void)bad.back()->write(says);
  }
  Pair pair = make_pair(*listener);
  EXPECT_TRUE(pair.connected && pair.accepted);
  EXPECT_EQ(accept(*listener, second_ns / 2), nullptr);
  ASSERT_EQ(refused_.size(), 4U);
  EXPECT_NE(refused_[0].find("http request; it speaks HTTP in the clear"), std::string::npos) << refused_[0];
  EXPECT_NE(refused_[1].find("it does not speak TLS"), std::string::npos) << refused_[1];
  EXPECT_NE(refused_[2].find("in time"), std::string::npos) << refused_[2];
  EXPECT_NE(refused_[3].find("in time"), std::string::npos) << refused_[3];
}

TEST_F(Tls, ManyThatAreSilentTakeNobodysPlace) {
  auto listener = listen();
  std::vector<std::unique_ptr<env::Socket>> silent;
  for (size_t i = 0; i < env::Screening().entrances_max + 30; ++i) silent.push_back(connect_below());
  EXPECT_EQ(accept(*listener, second_ns / 10), nullptr);
  Pair pair = make_pair(*listener);
  EXPECT_TRUE(pair.connected && pair.accepted);
  EXPECT_GE(refused_.size(), 30U);
}

TEST_F(Tls, ARenewedCertificateIsTaken) {
  Certificate later({"later", ""}, nullptr);
  write("later.pem", later.certificate_text());
  auto listener = listen();
  use(Certificate({"server", "DNS:localhost"}, &later));
  EXPECT_EQ(refusal(*listener, {"", "", path("later.pem")}), "");
  write("server.pem", server_.certificate_text());  // without its key: the one before stays
  EXPECT_EQ(refusal(*listener, {"", "", path("later.pem")}), "");
  EXPECT_EQ(refusal(*listener, {"", "", path("later.pem")}), "");
  ASSERT_EQ(refused_.size(), 1U);  // once, not for each connection
  EXPECT_NE(refused_[0].find("goes on with the certificate that it has"), std::string::npos) << refused_[0];
  EXPECT_NE(refused_[0].find("belongs to another certificate"), std::string::npos) << refused_[0];
  write("server.key", server_.key_text());
  EXPECT_EQ(refusal(*listener, trusting()), "");
}

TEST_F(Tls, WhoConnectsToWhatDoesNotSpeakTlsIsTold) {
  auto below = env_->listen_tcp({"127.0.0.1", 0}).value();
  address_ = env::parse_tcp_address(below->address()).value();
  std::thread answers([&] {
    auto came = below->accept().value();
    (void)came->write("220 welcome\r\n");
    std::string room(4096, '\0');
    while (came->wait(Interest::Read, second_ns) == env::Socket::Event::Ready) {
      auto got = came->read(room.data(), room.size());
      if (!got || got.value() == 0) return;
    }
  });
  auto made = connect(trusting());
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("it does not speak TLS there"), std::string::npos)
      << made.error().message;
  answers.join();
  int64_t begun_ns = env_->monotonic_ns();
  auto silent =
      tls::encrypt(*env_, connect_below(), "localhost", trusting(), begun_ns + second_ns / 5, given_up_);
  ASSERT_FALSE(silent);
  EXPECT_NE(silent.error().message.find("nothing answers TLS there"), std::string::npos);
  EXPECT_LT(env_->monotonic_ns() - begun_ns, 2 * second_ns);
}

}  // namespace
}  // namespace mut::test

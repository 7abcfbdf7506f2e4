// A connection of a source, which is made again whenever it is lost.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "runtime/connector/backoff.h"
#include "runtime/connector/notices.h"
#include "runtime/connector/postgres/connection.h"
#include "runtime/connector/postgres/waiting_rows.h"

namespace mut::connector {

// Threads: open() by the one that makes it, interrupt() by any, the rest by one.
class Reconnecting {
 public:
  Reconnecting(env::Env& env, PostgresServer server, std::string name, std::shared_ptr<Notices> notices)
      : env_(env),
        notices_(std::move(notices)),
        name_(std::move(name)),
        connection_(env, std::move(server)),
        backoff_(env.random_seed()) {}

  PostgresConnection& connection() { return connection_; }
  std::string about() const { return "postgres " + connection_.server().text(); }
  void note_open() { link_.emplace(notices_->links(), "source", name_); }

  // After trouble that passes: told, `lost` with it, and there is no connection any more.
  void lose(const std::string& why, const std::string& lost) {
    connection_.close();
    link_->note_lost(why);
    notices_->say_seldom("again",
                         "source `" + name_ + "`: " + about() + ": " + why + "; connecting again" + lost,
                         env_.monotonic_ns());
  }
  // One attempt. False: it failed, and the wait before the next one is over.
  bool connect_again(WaitingRows& waiting) {
    auto failed = connection_.connect();
    if (!failed) {
      link_->note_made_again();
      connected_ns_ = env_.monotonic_ns();
      return true;
    }
    lose(failed->message, "");
    waiting.rest(backoff_.next_ns());
    return false;
  }
  void note_lasted() { backoff_.note_lasted(env_.monotonic_ns() - connected_ns_); }

 private:
  env::Env& env_;
  std::shared_ptr<Notices> notices_;
  std::string name_;
  PostgresConnection connection_;
  Backoff backoff_;
  std::optional<Link> link_;
  int64_t connected_ns_ = 0;
};

}  // namespace mut::connector

// Texts between the thread that waits for a server and the thread of the rows.
#pragma once
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/connector/message/subscription.h"
#include "runtime/env/env.h"

namespace mut::connector {

// Before who puts them there has to wait; bytes.
constexpr size_t waiting_rows_bytes_max = 1024 * 1024;

// Threads: put(), end() and fail() by one, take() by one, stop() by any.
class WaitingRows {
 public:
  // `wake` (may be null) is rung when there is something to take.
  WaitingRows(env::Env& env, env::EventCount* wake) : wake_(wake), room_(env.make_socket_set()) {}

  // Waits for room. False: stopped, and it was not taken in. `place`: where the input goes on behind it.
  bool put(std::string text, std::string place);
  void end();
  void fail(Error why);

  // What there is, up to the size of a group. `place`: of the last one.
  Poll take(MessageGroup& to, std::string& place);
  const Error& error() const { return error_; }
  // Nothing more is put; what is there can be taken.
  void stop();
  bool stopped() const;
  size_t bytes() const;
  // Of the thread that puts: until stop(), or for so long.
  void rest(int64_t wait_ns);

 private:
  struct Row {
    std::string text;
    std::string place;
  };
  env::EventCount* wake_;
  std::unique_ptr<env::SocketSet> room_;
  mutable std::mutex mutex_;  // guards what follows
  std::deque<Row> rows_;
  size_t bytes_ = 0;
  bool stopped_ = false;
  bool ended_ = false;
  std::optional<Error> failed_;
  Error error_{};  // of the thread that takes
};

}  // namespace mut::connector

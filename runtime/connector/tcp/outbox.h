// What both sinks of TCP have in common: rows that wait for a thread, and its life.
#pragma once
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/connector/tcp/tcp_sink.h"

namespace mut::connector {

// Threads: hold() and release() any, run() its own, the rest one.
class Outbox : public SinkWriter {
 public:
  Outbox(env::Env& env, TcpSinkOptions options, env::EventCount* wake, std::shared_ptr<Notices> notices);
  ~Outbox() override;

  Status hold() override;
  void release() override;
  Status begin(SinkStart) override;
  Status write(std::string_view text) override;
  bool full() const override;
  // Rows that the other side has not confirmed are in memory alone.
  AfterCrash after_crash() const override { return AfterCrash::Loses; }
  size_t waiting_bytes() const override;
  void hurry() override;
  Status flush() override;
  Status close() override;
  bool wants_header() const override { return false; }
  void set_header(std::string_view header) override;

 protected:
  // Whether it can be reached: a port or a connection. While it runs no more than once.
  virtual Status open() = 0;
  virtual void shut() = 0;
  // Writes until everything has gone and finishing(), or until it has failed.
  virtual void run() = 0;

  // ---- of the thread of run()
  struct Piece {
    std::string text;                           // rows that were written at once
    std::shared_ptr<const std::string> header;  // that they belong below
  };
  // How many pieces there are; they stay where they are until forget_first().
  size_t piece_count() const;
  const Piece& piece(size_t index) const;
  void forget_first();
  std::string header() const;
  void fail(Error error);
  bool finishing() const { return finishing_.load(); }
  // Whether nothing has moved for so long that a run that ends waits no longer.
  bool waited_enough() const;
  void note_moved() { moved_ns_.store(env_.monotonic_ns()); }
  std::string bytes_left_text() const;

  env::Env& env_;
  TcpSinkOptions options_;
  std::shared_ptr<Notices> notices_;
  std::unique_ptr<env::SocketSet> set_;
  std::atomic<bool> given_up_{false};  // of attempts to connect

  // Before the members of who inherits go.
  void end();

 private:
  Status tell();

  env::EventCount* wake_;
  std::mutex life_;  // guards what follows: an edit that is prepared holds what the shard writes to
  int holds_ = 0;
  bool open_ = false;
  bool active_ = false;  // between begin() and close()
  std::unique_ptr<env::Thread> thread_;

  mutable std::mutex mutex_;  // guards what follows
  std::deque<Piece> pieces_;
  size_t bytes_ = 0;
  std::shared_ptr<const std::string> header_ = std::make_shared<std::string>();
  std::optional<Error> failed_;
  bool told_ = false;  // that it has failed

  std::atomic<bool> finishing_{false};
  std::atomic<bool> hurried_{false};
  std::atomic<int64_t> moved_ns_{0};  // by the steady clock
};

}  // namespace mut::connector

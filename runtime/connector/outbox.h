// What sinks have in common whose world may take nothing for a while: rows that wait for a thread, and its
// life.
#pragma once
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/connector/notices.h"
#include "runtime/connector/sink_writer.h"
#include "runtime/env/env.h"

namespace mut::connector {

// Rows that wait, or that the other side has not confirmed, before the sink is full; bytes. The rows of one
// stretch may come on top.
constexpr size_t waiting_bytes_max = 4 * 1024 * 1024;
// How long there may be no connection before a sink that connects fails, where nobody says.
constexpr int64_t give_up_default_ns = 600'000'000'000;

// The same of one whose rows go out behind checkpoints.
constexpr size_t held_bytes_max = 64 * 1024 * 1024;

struct OutboxOptions {
  std::string about;  // "sink `x`": begins what it says
  std::string name;   // of the sink
  int64_t give_up_ns = give_up_default_ns;
};

// Threads: hold() and release() any, run() its own, the rest one.
class Outbox : public SinkWriter {
 public:
  Outbox(env::Env& env, OutboxOptions options, env::EventCount* wake, std::shared_ptr<Notices> notices);
  ~Outbox() override;

  Status hold() override;
  void release() override;
  Status begin(SinkStart) override;
  Status write(std::string_view text) override;
  bool full() const override;
  // Without checkpoints rows that the other side has not confirmed are in memory alone.
  AfterCrash after_crash() const override;
  void deliver_by_checkpoints(const CheckpointedRun& run) override;
  std::vector<Undelivered> undelivered(uint64_t number) override;
  void commit(uint64_t number) override;
  bool wants_checkpoint() const override;
  Status resume(const SinkPlace& place) override;
  // What was undelivered goes out from here on.
  Status cut_back() override;
  size_t waiting_bytes() const override;
  void hurry() override;
  Status flush() override;
  void end_run(RunEnd how) override;
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
    uint64_t number = 0;                        // of the delivery; 0: as they come, or in none yet
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
  OutboxOptions options_;
  std::shared_ptr<Notices> notices_;
  std::unique_ptr<env::SocketSet> set_;
  std::atomic<bool> given_up_{false};  // of attempts to connect

  // Before the members of who inherits go.
  void end();
  // Rows go out behind the checkpoint that has them. Each has its numbers: the first half for its deliveries,
  // one for each header that its rows belong below; the other half for what the end of the input brings about
  // behind it, so that it is known when another run brings it about again.
  static constexpr uint64_t numbers_of_checkpoint = uint64_t{1} << 20U;
  static uint64_t first_number_of(uint64_t checkpoint) { return checkpoint * numbers_of_checkpoint; }
  static uint64_t end_number_of(uint64_t checkpoint) {
    return first_number_of(checkpoint) + numbers_of_checkpoint / 2;
  }
  static uint64_t newest_number_of(uint64_t checkpoint) { return first_number_of(checkpoint + 1) - 1; }
  static uint64_t checkpoint_of(uint64_t number) { return number / numbers_of_checkpoint; }
  void hold_rows_back(const CheckpointedRun& run);

 private:
  Status tell();
  void settle_held();
  void number_held(uint64_t first);

  env::EventCount* wake_;
  std::mutex life_;  // guards what follows: an edit that is prepared holds what the shard writes to
  int holds_ = 0;
  bool open_ = false;
  bool active_ = false;  // between begin() and close()
  std::unique_ptr<env::Thread> thread_;

  mutable std::mutex mutex_;  // guards what follows
  std::deque<Piece> pieces_;
  size_t bytes_ = 0;
  enum class Keeps : uint8_t { Nothing, Unconfirmed, RowsBack } keeps_ = Keeps::Nothing;
  std::deque<Piece> held_;  // back, oldest first; of those that no checkpoint has the number is 0
  size_t held_bytes_ = 0;
  uint64_t checkpoint_ = 0;           // the last one that has rows of it
  std::optional<RunEnd> run_end_;     // it ends
  std::vector<Undelivered> resumed_;  // until cut_back()
  std::shared_ptr<const std::string> header_ = std::make_shared<std::string>();
  std::optional<Error> failed_;
  bool told_ = false;  // that it has failed

  std::atomic<bool> finishing_{false};
  std::atomic<bool> hurried_{false};
  std::atomic<int64_t> moved_ns_{0};  // by the steady clock
};

}  // namespace mut::connector

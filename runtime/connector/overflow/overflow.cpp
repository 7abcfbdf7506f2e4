#include "runtime/connector/overflow/overflow.h"

#include <atomic>
#include <deque>
#include <mutex>
#include <utility>

#include "runtime/connector/message/message_source.h"
#include "runtime/connector/overflow/spill_file.h"
#include "runtime/env/does.h"

namespace mut::connector {
namespace {

// Rows of a batch of lines: as many as a group has messages.
constexpr uint32_t lines_at_once = 1024;
// Between two attempts to write where the disk takes nothing.
constexpr int64_t disk_retry_ns = 200'000'000;
// For what its thread still has when it is stopped.
constexpr int64_t stop_wait_ns = 1'000'000'000;
constexpr int64_t stop_look_ns = 500'000;

class Overflow final : public Subscription {
 public:
  Overflow(env::Env& env, OverflowOptions options, std::unique_ptr<SourceReader> lines,
           std::shared_ptr<env::EventCount> bell, env::EventCount* wake, std::shared_ptr<Notices> notices)
      : env_(env),
        options_(std::move(options)),
        lines_(std::move(lines)),
        bell_(std::move(bell)),
        wake_(wake),
        notices_(std::move(notices)),
        spill_(env, options_.spill_folder),
        batch_(overflow_line(), batch::NeededColumns(1, 0), lines_at_once),
        thread_(env.start_thread("mut-overflow", [this] {
          env::Does reads(Work::Decode);
          run();
        })) {}
  ~Overflow() override {
    over_.store(true);
    stop();
    thread_->join();
  }

  Poll take(MessageGroup& to) override {
    // Behind stop() what was received is on its way here, and nothing is the end before it is told.
    for (int64_t begun_ns = env_.monotonic_ns(); stopping_.load() && nothing_yet();) {
      if (env_.monotonic_ns() - begun_ns > stop_wait_ns) break;
      env_.sleep(stop_look_ns);
    }
    std::lock_guard lock(mutex_);
    if (!waiting_.empty()) {
      to = std::move(waiting_.front());
      waiting_.pop_front();
      waiting_bytes_ -= to.text_bytes();
      return Poll::Ready;
    }
    if (!spill_.empty()) {
      auto read = spill_.pop();
      if (!read) return fail(read.error().within(options_.spill_folder));
      to = std::move(read).value();
      return Poll::Ready;
    }
    if (!ended_) return Poll::Wait;
    if (dropped_.load() > 0 && !std::exchange(told_, true))
      notices_->say(options_.about + ": " + std::to_string(dropped_.load()) + " records were dropped in all");
    return error_ ? Poll::Failed : Poll::End;
  }

  const Error& error() const override { return *error_; }
  void stop() override {
    stopping_.store(true);
    lines_->stop();
    bell_->notify();
  }
  size_t waiting_bytes() const override {
    std::lock_guard lock(mutex_);
    return waiting_bytes_ + spill_.bytes();
  }
  uint64_t dropped() const override { return dropped_.load(); }

 private:
  bool nothing_yet() const {
    std::lock_guard lock(mutex_);
    return waiting_.empty() && spill_.empty() && !ended_;
  }
  Poll fail(Error error) {
    error_ = std::move(error);
    return Poll::Failed;
  }

  void run() {
    while (!over_.load()) {
      uint64_t seen = bell_->current();
      batch_.clear();
      Poll came = lines_->poll(batch_);
      if (came == Poll::Ready) {
        store(group_of(batch_));
      } else if (came == Poll::Wait) {
        bell_->wait(seen, lines_->retry_after_ns());
      } else {
        return end(came);
      }
      if (wake_ != nullptr) wake_->notify();
    }
  }

  void end(Poll how) {
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
      if (how == Poll::Failed && !error_) error_ = lines_->error();
    }
    if (wake_ != nullptr) wake_->notify();
  }

  static MessageGroup group_of(batch::Batch& batch) {
    const MutBatch& view = batch.view();
    MessageGroup out;
    out.begin(std::string(abi::view(view.input_name)));
    uint32_t error = 0;
    for (uint32_t i = 0; i < view.row_count; ++i) {
      std::string_view raw(view.origins[i].raw, view.origins[i].raw_size);
      bool is_bad = view.bad != nullptr && view.bad[i] != 0;
      if (is_bad) out.add_bad(raw, std::string(abi::view(view.errors[error++].message)));
      if (!is_bad) out.add(raw);
    }
    return out;
  }

  void store(MessageGroup group) {
    while (!try_store(group)) {
      notices_->say_seldom("disk",
                           options_.about + ": " + why_ + "; it takes no more records until there is room",
                           env_.monotonic_ns());
      if (over_.load()) return;
      env_.sleep(disk_retry_ns);
    }
  }

  // False: the disk takes nothing, and memory neither.
  bool try_store(MessageGroup& group) {
    std::lock_guard lock(mutex_);
    const size_t bytes = group.text_bytes();
    const bool fits = waiting_bytes_ + bytes <= overflow_bytes || waiting_.empty();
    if (options_.policy == OverflowPolicy::Spill && (!spill_.empty() || !fits)) {
      Status wrote = spill_.push(group);
      if (wrote) return true;
      why_ = wrote.error().message;
      if (!fits || !spill_.empty()) return false;
    }
    if (!fits && options_.policy == OverflowPolicy::DropNewest) {
      dropped_ += group.size();
      tell_dropped();
      return true;
    }
    while (waiting_bytes_ + bytes > overflow_bytes && !waiting_.empty()) {
      dropped_ += waiting_.front().size();
      waiting_bytes_ -= waiting_.front().text_bytes();
      waiting_.pop_front();
      tell_dropped();
    }
    waiting_bytes_ += bytes;
    waiting_.push_back(std::move(group));
    return true;
  }

  void tell_dropped() {
    notices_->say_seldom("full",
                         options_.about + ": records come faster than they are run; " +
                             std::to_string(dropped_.load()) + " were dropped so far",
                         env_.monotonic_ns());
  }

  env::Env& env_;
  OverflowOptions options_;
  std::unique_ptr<SourceReader> lines_;  // of the thread, stop() apart
  std::shared_ptr<env::EventCount> bell_;
  env::EventCount* wake_;
  std::shared_ptr<Notices> notices_;
  mutable std::mutex mutex_;  // guards what follows
  std::deque<MessageGroup> waiting_;
  size_t waiting_bytes_ = 0;
  SpillFile spill_;  // behind those
  bool ended_ = false;
  bool told_ = false;  // how many were dropped in all
  std::optional<Error> error_;
  std::string why_;  // the disk took nothing; of the thread

  batch::Batch batch_;  // of the thread
  std::atomic<uint64_t> dropped_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> over_{false};
  std::unique_ptr<env::Thread> thread_;  // the last: it uses all others
};

}  // namespace

abi::TypeDescRef overflow_line() {
  static const abi::TypeDescRef line =
      abi::make_record({abi::made_field("line", abi::make_scalar(abi::TypeKind::String))});
  return line;
}

std::unique_ptr<SourceReader> make_overflow_source(env::Env& env, OverflowOptions options,
                                                   std::unique_ptr<SourceReader> lines,
                                                   std::shared_ptr<env::EventCount> bell,
                                                   abi::TypeDescRef record, env::EventCount* wake,
                                                   std::shared_ptr<Notices> notices) {
  codec::Format format = options.format;
  codec::DecodeOptions decode = options.decode;
  auto overflow = std::make_unique<Overflow>(env, std::move(options), std::move(lines), std::move(bell), wake,
                                             std::move(notices));
  return make_message_source(env, std::move(overflow), format, std::move(record), decode);
}

}  // namespace mut::connector

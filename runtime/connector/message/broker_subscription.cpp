#include <charconv>
#include <deque>
#include <optional>
#include <utility>

#include "runtime/connector/backoff.h"
#include "runtime/connector/message/broker_line.h"
#include "runtime/env/does.h"

namespace mut::connector {
namespace {

// For what is received when it is stopped.
constexpr int64_t stop_wait_ns = 2'000'000'000;
constexpr int64_t stop_look_ns = 500'000;

class BrokerSubscription final : public Subscription {
 public:
  BrokerSubscription(env::Env& env, const std::string& name, std::unique_ptr<BrokerLine> line,
                     env::EventCount* wake, std::shared_ptr<Notices> notices)
      : env_(env),
        about_("source `" + name + "`"),
        line_(std::move(line)),
        wake_(wake),
        notices_(std::move(notices)),
        set_(env.make_socket_set()),
        queue_(wake, *set_),
        backoff_(env.random_seed()),
        link_(notices_->links(), "source", name),
        next_place_(line_->first_place()),
        group_place_(next_place_),
        begun_ns_(env.monotonic_ns()) {}
  ~BrokerSubscription() override {
    stop();
    thread_ = nullptr;
  }

  Poll take(MessageGroup& to) override {
    start();
    // Behind stop() what was received is on its way here, and nothing is the end before it is told.
    for (int64_t begun_ns = env_.monotonic_ns(); stopped_.load() && !over_.load() && queue_.bytes() == 0;) {
      if (env_.monotonic_ns() - begun_ns > stop_wait_ns) break;
      env_.sleep(stop_look_ns);
    }
    bool over = over_.load();
    group_place_ = next_place_;
    BrokerMessage message;
    while (!to.full() && queue_.take(message)) {
      if (to.size() == 0) to.begin(line_->name_from(message.place));
      to.add(message.payload);
      next_place_ = message.place + 1;
      ++taken_;
    }
    if (to.size() == 0) return over ? Poll::End : Poll::Wait;
    if (!message.receipt.empty()) receipts_.push_back({taken_, std::move(message.receipt)});
    return Poll::Ready;
  }

  const Error& error() const override { return error_; }
  void stop() override {
    stopped_.store(true);
    set_->ring();
  }
  size_t waiting_bytes() const override { return queue_.bytes(); }

  bool replays() const override { return line_->replays(); }
  std::string cursor() const override { return line_->replays() ? std::to_string(group_place_) : ""; }
  Status resume(const std::string& cursor) override {
    uint64_t place = 0;
    auto [end, wrong] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), place);
    if (wrong != std::errc() || end != cursor.data() + cursor.size())
      return Error{"`" + cursor + "` is no place in it"};
    Status went = line_->go_to(place);
    if (went) group_place_ = next_place_ = place;
    return went;
  }

  void acknowledge(uint64_t messages) override {
    std::string receipt;
    while (!receipts_.empty() && receipts_.front().messages <= messages) {
      receipt = std::move(receipts_.front().text);
      receipts_.pop_front();
    }
    if (!receipt.empty()) line_->acknowledge(receipt);
  }

 private:
  struct Receipt {
    uint64_t messages = 0;  // taken up to it
    std::string text;
  };

  void start() {
    if (thread_ || over_.load()) return;
    if (stopped_.load()) return over_.store(true);
    thread_ = env_.start_thread("mut-broker", [this] {
      env::Does reads(Work::Decode);
      run();
    });
  }

  void run() {
    Status going = line_->begin();
    while (!stopped_.load()) {
      if (going) going = line_->serve(queue_, *set_, stopped_);
      if (stopped_.load()) break;  // what is acknowledged yet still goes out
      line_->disconnect();
      lose(going ? Error{line_->target() + ": it is closed"} : going.error());
      going = connect_again();
    }
    over_.store(true);
    if (wake_ != nullptr) wake_->notify();
  }

  void lose(const Error& why) {
    int64_t now_ns = env_.monotonic_ns();
    if (!lost_ns_) {  // it was there
      backoff_.note_lasted(now_ns - begun_ns_);
      lost_ns_ = now_ns;
    }
    link_.note_lost(why.message);
    notices_->say_seldom("lost", about_ + ": " + why.message + "; connecting again", now_ns);
  }

  Status connect_again() {
    int64_t until_ns = env_.monotonic_ns() + backoff_.next_ns();
    for (int64_t left_ns = 1; left_ns > 0 && !stopped_.load(); left_ns = until_ns - env_.monotonic_ns())
      set_->wait({}, std::max<int64_t>(until_ns - env_.monotonic_ns(), 0));
    if (stopped_.load()) return Unit{};
    Status connected = line_->connect();
    if (connected) connected = line_->begin();
    if (!connected) return connected;
    begun_ns_ = env_.monotonic_ns();
    link_.note_made_again();
    notices_->say_seldom("again",
                         about_ + " is connected to " + line_->target() + " again, after " +
                             std::to_string((begun_ns_ - *lost_ns_) / 1'000'000) + " ms",
                         begun_ns_);
    lost_ns_.reset();
    return connected;
  }

  env::Env& env_;
  std::string about_;
  std::unique_ptr<BrokerLine> line_;
  env::EventCount* wake_;
  std::shared_ptr<Notices> notices_;
  std::unique_ptr<env::SocketSet> set_;
  MessageQueue queue_;
  Error error_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> over_{false};  // no message comes any more

  // ---- of its thread
  Backoff backoff_;
  Link link_;
  std::optional<int64_t> lost_ns_;

  // ---- of that of the rows
  uint64_t next_place_;
  uint64_t group_place_;  // where the group begins that was taken last
  uint64_t taken_ = 0;
  std::deque<Receipt> receipts_;

  int64_t begun_ns_;                     // of the thread: the connection
  std::unique_ptr<env::Thread> thread_;  // from the first take() on
};

}  // namespace

Result<std::unique_ptr<Subscription>> open_broker_subscription(env::Env& env, const std::string& name,
                                                               std::unique_ptr<BrokerLine> line,
                                                               env::EventCount* wake,
                                                               std::shared_ptr<Notices> notices) {
  Status connected = line->connect();
  if (!connected) return connected.error();
  return std::unique_ptr<Subscription>(
      std::make_unique<BrokerSubscription>(env, name, std::move(line), wake, std::move(notices)));
}

}  // namespace mut::connector

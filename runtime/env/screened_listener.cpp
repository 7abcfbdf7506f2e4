#include "runtime/env/screened_listener.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <list>
#include <optional>
#include <utility>

namespace mut::env {
namespace {

// Of one look, before the others have their turn.
constexpr int accepted_at_once = 16;

class ScreenedListener final : public SocketListener {
 public:
  ScreenedListener(Env& env, std::unique_ptr<SocketListener> below, Screening screening)
      : env_(env), below_(std::move(below)), screening_(std::move(screening)), set_(env.make_socket_set()) {}

  int number() const override { return below_->number(); }
  void list_below(Interest wanted, std::vector<Below>& to) const override {
    below_->list_below(wanted, to);
    for (const One& one : entering_) one.entrance->below().list_below(one.entrance->interest(), to);
  }
  bool holds(Interest wanted) const override {
    return !agreed_.empty() || shortage_ || below_->holds(wanted) ||
           std::any_of(entering_.begin(), entering_.end(),
                       [](const One& one) { return one.entrance->below().holds(one.entrance->interest()); });
  }
  int64_t due_ns() const override {
    int64_t below_ns = below_->due_ns();
    if (entering_.empty()) return below_ns;
    return below_ns < 0 ? entering_.front().until_ns : std::min(below_ns, entering_.front().until_ns);
  }
  bool advance(Interest wanted) override {
    (void)below_->advance(wanted);
    for (int i = 0; i < accepted_at_once && take_in(); ++i) {
    }
    for (auto one = entering_.begin(); one != entering_.end();)
      one = is_over(*one) ? entering_.erase(one) : std::next(one);
    return !agreed_.empty() || shortage_;
  }

  Result<std::unique_ptr<Socket>> accept() override {
    while (true) {
      auto next = accept_now();
      if (!next || next.value() || rung_.exchange(false)) return next;
      std::array<SocketSet::Entry, 1> entries{{{this}}};
      set_->wait(entries, -1);
    }
  }
  Result<std::unique_ptr<Socket>> accept_now() override {
    if (agreed_.empty() && !shortage_) advance(Interest::Read);
    if (shortage_) return *std::exchange(shortage_, std::nullopt);
    if (agreed_.empty()) return std::unique_ptr<Socket>();
    auto out = std::move(agreed_.front());
    agreed_.pop_front();
    return out;
  }
  void ring() noexcept override {
    rung_.store(true);
    set_->ring();
  }
  const std::string& address() const override { return below_->address(); }

 private:
  struct One {
    std::unique_ptr<Entrance> entrance;
    int64_t until_ns = 0;
  };

  // False: there is none.
  bool take_in() {
    auto came = below_->accept_now();
    if (!came) shortage_ = came.error();
    if (!came || !came.value()) return false;
    if (entering_.size() >= screening_.entrances_max) {
      refuse(entering_.front(), {"others came before it had said what is said first"});
      entering_.pop_front();
    }
    entering_.push_back(
        {screening_.begin(std::move(came).value()), env_.monotonic_ns() + screening_.agree_ns});
    return true;
  }

  // Whether it has agreed, or never will.
  bool is_over(One& one) {
    auto moved = one.entrance->move();
    if (moved && moved.value() == Entrance::Agreed::Yes) {
      agreed_.push_back(one.entrance->take());
      return true;
    }
    if (!moved) {
      refuse(one, moved.error());
      return true;
    }
    if (env_.monotonic_ns() < one.until_ns) return false;
    refuse(one, {"it did not say in time what is said first"});
    return true;
  }

  void refuse(const One& one, const Error& why) {
    if (screening_.refused) screening_.refused(why.within(one.entrance->below().peer()));
  }

  Env& env_;
  std::unique_ptr<SocketListener> below_;
  Screening screening_;
  std::unique_ptr<SocketSet> set_;  // of accept()
  std::list<One> entering_;         // oldest first
  std::deque<std::unique_ptr<Socket>> agreed_;
  std::optional<Error> shortage_;  // of descriptors, which passes
  std::atomic<bool> rung_{false};
};

}  // namespace

std::unique_ptr<SocketListener> make_screened_listener(Env& env, std::unique_ptr<SocketListener> below,
                                                       Screening screening) {
  return std::make_unique<ScreenedListener>(env, std::move(below), std::move(screening));
}

}  // namespace mut::env

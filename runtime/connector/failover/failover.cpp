#include "runtime/connector/failover/failover.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <utility>

#include "runtime/connector/backoff.h"

namespace mut::connector {
namespace {

// Between two looks at which inputs are there.
constexpr int64_t look_ns = 20'000'000;

// Opens one input on a thread of its own, again and again, until it is there.
class Opener {
 public:
  Opener(env::Env& env, const FailoverInput& input, env::EventCount* wake)
      : input_(input), wake_(wake), bell_(env.make_event_count()), backoff_(env.random_seed()) {
    thread_ = env.start_thread("mut-open", [this] { run(); });
  }
  ~Opener() {
    over_.store(true);
    bell_->notify();
    thread_->join();
  }
  Opener(const Opener&) = delete;
  Opener& operator=(const Opener&) = delete;

  // It is not wanted any more; whether its thread has ended.
  bool leave() {
    over_.store(true);
    bell_->notify();
    return done_.load();
  }
  // Once it is there, once.
  std::unique_ptr<SourceReader> take() {
    std::lock_guard lock(mutex_);
    return std::move(opened_);
  }

 private:
  void run() {
    while (!over_.load()) {
      uint64_t seen = bell_->current();
      auto opened = input_.open();
      if (opened) {
        std::lock_guard lock(mutex_);
        opened_ = std::move(opened).value();
        break;
      }
      bell_->wait(seen, backoff_.next_ns());
    }
    done_.store(true);
    if (wake_ != nullptr) wake_->notify();
  }

  const FailoverInput& input_;
  env::EventCount* wake_;
  std::unique_ptr<env::EventCount> bell_;
  Backoff backoff_;
  std::mutex mutex_;  // guards what follows
  std::unique_ptr<SourceReader> opened_;
  std::atomic<bool> over_{false};
  std::atomic<bool> done_{false};
  std::unique_ptr<env::Thread> thread_;
};

struct Input {
  explicit Input(FailoverInput of) : options(std::move(of)) {}
  FailoverInput options;
  std::unique_ptr<SourceReader> reader;  // null: it is not open
  std::unique_ptr<Opener> opener;        // that is to change this
  std::optional<int64_t> lost_ns;        // since when it is not there, by the steady clock
  bool over = false;                     // it has come to its end
};

class Failover final : public SourceReader {
 public:
  Failover(env::Env& env, std::string about, std::vector<FailoverInput> inputs, env::EventCount* wake,
           std::shared_ptr<Notices> notices)
      : env_(env), about_(std::move(about)), wake_(wake), notices_(std::move(notices)) {
    for (FailoverInput& each : inputs) inputs_.push_back(std::make_unique<Input>(std::move(each)));
  }

  // The first that can be opened, one after the other.
  Status open() {
    std::string why;
    for (active_ = 0; active_ < inputs_.size(); ++active_) {
      Input& input = *inputs_[active_];
      auto opened = input.options.open();
      if (opened) {
        input.reader = std::move(opened).value();
        if (active_ > 0)
          notices_->say(about_ + ": " + inputs_[0]->options.about + " is not there (" + why + "); reading " +
                        input.options.about);
        return Unit{};
      }
      if (active_ == 0) why = opened.error().message;
      lose(input);
    }
    return Error{why + ", and none that stands in for it can be opened"};
  }

  Poll poll(batch::Batch& batch) override {
    note_states();
    choose();
    Poll came = read(batch);
    if (came != Poll::Ready) return came;
    batch.set_first_position(records_);
    records_ += batch.row_count();
    return came;
  }

  const Error& error() const override { return error_; }
  int64_t retry_after_ns() const override {
    int64_t own = reading_ != nullptr && reading_->reader ? reading_->reader->retry_after_ns() : -1;
    bool looks = active_ > 0 || inputs_[0]->lost_ns;
    if (!looks) return own < 0 ? watch_ns : std::min(own, watch_ns);
    return own < 0 ? look_ns : std::min(own, look_ns);
  }
  Status redeclare(abi::TypeDescRef record, std::optional<size_t> time_field) override {
    std::vector<SourceReader*> all;
    for (auto& input : inputs_) all.push_back(input->reader.get());
    for (auto& ending : ending_) all.push_back(ending.get());
    for (SourceReader* reader : all) {
      if (reader == nullptr) continue;
      Status done = reader->redeclare(record, time_field);
      if (!done) return done;
    }
    redeclared_ = {std::move(record), time_field};
    return Unit{};
  }
  size_t waiting_bytes() const override {
    size_t out = 0;
    for (const auto& input : inputs_) out += input->reader ? input->reader->waiting_bytes() : 0;
    return out;
  }
  codec::Decoder* decoder() override { return last_ != nullptr ? last_->decoder() : nullptr; }
  uint64_t dropped_records() const override {
    uint64_t out = 0;
    for (const auto& input : inputs_) out += input->reader ? input->reader->dropped_records() : 0;
    return out;
  }
  void stop() override {
    stopped_.store(true);
    if (wake_ != nullptr) wake_->notify();
  }

 private:
  // Between two looks at an input that is there, where nothing else wakes the rows.
  static constexpr int64_t watch_ns = 100'000'000;
  struct Redeclared {
    abi::TypeDescRef record;
    std::optional<size_t> time_field;
  };

  void lose(Input& input) {
    if (!input.lost_ns) input.lost_ns = env_.monotonic_ns();
  }

  // Which inputs are there.
  void note_states() {
    std::erase_if(leaving_, [](auto& opener) { return opener->leave(); });
    int64_t now_ns = env_.monotonic_ns();
    if (now_ns - looked_ns_ < look_ns / 2) return;
    looked_ns_ = now_ns;
    std::vector<Links::State> links = notices_->links().states();
    for (auto& each : inputs_) {
      Input& input = *each;
      take_opened(input);
      if (!input.reader) continue;
      bool connected = std::none_of(links.begin(), links.end(), [&](const Links::State& link) {
        return link.side == "source" && link.name == input.options.name && !link.connected;
      });
      if (connected) input.lost_ns.reset();
      if (!connected) lose(input);
    }
  }

  void take_opened(Input& input) {
    if (!input.opener) return;
    auto opened = input.opener->take();
    if (!opened) return;
    input.opener = nullptr;
    if (redeclared_.record) (void)opened->redeclare(redeclared_.record, redeclared_.time_field);
    input.reader = std::move(opened);
    input.lost_ns.reset();
  }

  // Which is to be read.
  void choose() {
    int64_t now_ns = env_.monotonic_ns();
    for (size_t i = 0; i < active_; ++i) {
      if (!inputs_[i]->reader && !inputs_[i]->over) want(*inputs_[i]);
      if (inputs_[i]->reader && !inputs_[i]->lost_ns && !inputs_[i]->over) return go_back(i);
    }
    Input& active = *inputs_[active_];
    bool gone = !active.reader || active.over;
    if (!gone && !active.lost_ns) return;
    size_t next = active_ + 1;
    if (next == inputs_.size()) return;
    Input& other = *inputs_[next];
    if (!gone && now_ns - *active.lost_ns < other.options.after_ns) return;
    if (gone && active.lost_ns && now_ns - *active.lost_ns < other.options.after_ns) return;
    if (!other.reader && !other.over) want(other);
    if (!other.reader) return;
    active_ = next;
    notices_->say(about_ + ": " + active.options.about + " is lost; reading " + other.options.about);
  }

  // Those that stood in are read to the end of what they have received.
  void go_back(size_t to) {
    notices_->say(about_ + ": " + inputs_[to]->options.about + " is there again");
    for (size_t i = to + 1; i < inputs_.size(); ++i) {
      Input& input = *inputs_[i];
      let_go(input.opener);
      if (!input.reader) continue;
      input.reader->stop();
      ending_.push_back(std::move(input.reader));
      input.lost_ns.reset();
      input.over = false;
    }
    active_ = to;
  }

  // Its thread may still wait for the world.
  void let_go(std::unique_ptr<Opener>& opener) {
    if (opener && !opener->leave()) leaving_.push_back(std::move(opener));
    opener = nullptr;
  }

  void want(Input& input) {
    if (!input.opener) input.opener = std::make_unique<Opener>(env_, input.options, wake_);
  }

  Poll read(batch::Batch& batch) {
    while (!ending_.empty()) {
      Poll came = ending_.front()->poll(batch);
      last_ = ending_.front().get();
      if (came == Poll::Ready) return came;
      if (came == Poll::Wait) break;  // it has been stopped: its end comes
      forget_ending();
      batch.clear();
    }
    reading_ = inputs_[active_].get();
    if (stopped_.load()) return read_to_end(batch);
    if (read_lost(batch) == Poll::Ready) return Poll::Ready;
    if (!reading_->reader || reading_->over) return Poll::Wait;
    Poll came = reading_->reader->poll(batch);
    last_ = reading_->reader.get();
    if (came == Poll::Ready || came == Poll::Wait) return came;
    if (came == Poll::End) {
      // The first one is what the script is about: its end is that of the source.
      if (active_ == 0) return Poll::End;
      reading_->over = true;
      return Poll::Wait;
    }
    notices_->say_seldom("failed",
                         about_ + ": " + reading_->options.about + ": " + reading_->reader->error().message +
                             "; it is opened again",
                         env_.monotonic_ns());
    last_ = nullptr;
    reading_->reader = nullptr;
    lose(*reading_);
    want(*reading_);
    batch.clear();
    return Poll::Wait;
  }

  // What those that are stood in for had received when they were lost, or between two looks.
  Poll read_lost(batch::Batch& batch) {
    for (size_t i = 0; i < active_; ++i) {
      Input& input = *inputs_[i];
      if (!input.reader || input.over || input.reader->waiting_bytes() == 0) continue;
      Poll came = input.reader->poll(batch);
      last_ = input.reader.get();
      if (came == Poll::Ready) return came;
      batch.clear();
      if (came == Poll::Wait) continue;
      last_ = nullptr;
      input.reader = nullptr;
      lose(input);
    }
    return Poll::Wait;
  }

  // What all have received.
  Poll read_to_end(batch::Batch& batch) {
    for (auto& each : inputs_) {
      let_go(each->opener);
      if (!each->reader) continue;
      each->reader->stop();
      ending_.push_back(std::move(each->reader));
    }
    while (!ending_.empty()) {
      Poll came = ending_.front()->poll(batch);
      last_ = ending_.front().get();
      if (came == Poll::Ready || came == Poll::Wait) return came;
      forget_ending();
      batch.clear();
    }
    return Poll::End;
  }

  void forget_ending() {
    last_ = nullptr;
    ending_.erase(ending_.begin());
  }

  env::Env& env_;
  std::string about_;
  env::EventCount* wake_;
  std::shared_ptr<Notices> notices_;
  std::vector<std::unique_ptr<Input>> inputs_;    // most wanted first
  std::vector<std::unique_ptr<Opener>> leaving_;  // not wanted any more
  int64_t looked_ns_ = 0;
  size_t active_ = 0;
  Input* reading_ = nullptr;
  std::vector<std::unique_ptr<SourceReader>> ending_;  // stopped, and read to their ends
  SourceReader* last_ = nullptr;                       // whose rows were handed over last
  Redeclared redeclared_;
  uint64_t records_ = 0;
  std::atomic<bool> stopped_{false};
  Error error_;
};

}  // namespace

Result<std::unique_ptr<SourceReader>> make_failover_source(env::Env& env, std::string about,
                                                           std::vector<FailoverInput> inputs,
                                                           env::EventCount* wake,
                                                           std::shared_ptr<Notices> notices) {
  auto out = std::make_unique<Failover>(env, std::move(about), std::move(inputs), wake, std::move(notices));
  Status opened = out->open();
  if (!opened) return opened.error();
  return std::unique_ptr<SourceReader>(std::move(out));
}

}  // namespace mut::connector

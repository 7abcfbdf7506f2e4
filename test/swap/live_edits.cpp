#include "test/swap/live_edits.h"

#include <fmt/format.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace mut::swap_test {
namespace {

constexpr int64_t idle_wait_ns = 1'000'000;

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

int64_t thread_cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

// Between the thread that runs rows and the one that edits.
class Desk {
 public:
  void publish(uint64_t payments) { payments_.store(payments, std::memory_order_relaxed); }
  uint64_t payments() const { return payments_.load(std::memory_order_relaxed); }
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  bool closed() {
    std::lock_guard lock(mutex_);
    return closed_;
  }
  void hand_over(SwapReport report) {
    std::lock_guard lock(mutex_);
    report_ = std::move(report);
    changed_.notify_all();
  }
  // The report of the edit that was offered; none when the rows ended before.
  std::optional<SwapReport> wait_report() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return report_ || closed_; });
    return std::exchange(report_, std::nullopt);
  }

 private:
  std::atomic<uint64_t> payments_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<SwapReport> report_;
  bool closed_ = false;
};

std::string text_field(const RowView& row, std::string_view name) {
  for (size_t i = 0; i < row.field_count(); ++i) {
    if (row.field_name(i) != name) continue;
    FieldValue value = row.field(i);
    if (auto* text = std::get_if<std::string>(&value)) return *text;
    if (auto* real = std::get_if<double>(&value)) return fmt::format("{}", *real);
    if (auto* whole = std::get_if<int64_t>(&value)) return fmt::format("{}", *whole);
  }
  return "";
}

void add_window(const RowView& row, CountryTotals& totals) {
  Totals& of = totals[text_field(row, "country")];
  of.total += std::strtod(text_field(row, "total").c_str(), nullptr);
  of.count += std::strtoll(text_field(row, "n").c_str(), nullptr, 10);
}

class Running {
 public:
  Running(const Course& course, Account* account)
      : course_(course), account_(account), edits_(course.script, course.seed) {
    if (course_.settled_behind != 0) amounts_.emplace(made_);
  }

  CourseResult run() {
    if (open()) {
      int64_t begin = now_ns();
      deadline_ns_ = course_.time_limit_ns > 0 ? begin + course_.time_limit_ns : 0;
      std::thread editor([this] { edit(); });
      int64_t spent = thread_cpu_ns();
      drive();
      result_.row_seconds = static_cast<double>(thread_cpu_ns() - spent) / 1e9;
      desk_.close();
      editor.join();
      result_.seconds = static_cast<double>(now_ns() - begin) / 1e9;
      result_.payments = engine_->stats().records_in;
      result_.histogram = edits_.histogram();
      auto closed = engine_->close();
      if (!closed) fail(closed.failure().text);
    }
    return std::move(result_);
  }

 private:
  void fail(std::string problem) {
    std::lock_guard lock(problem_mutex_);
    if (result_.problem.empty()) result_.problem = std::move(problem);
  }

  std::string text(const Rules& rules) const { return text_of(course_.script, rules, made_, course_.rate); }

  void tell_latency(const RowView& row) {
    FieldValue n = row.field(0);
    auto due =
        begun_ns_ + static_cast<int64_t>(static_cast<double>(std::get<int64_t>(n)) / course_.rate * 1e9);
    course_.latency(now_ns() - due);
  }

  bool open() {
    EngineOptions options;
    options.tier = course_.tier;
    options.shards = course_.shards;
    options.policy = SwapPolicy::Live;  // aggregates that were added go again without a question
    auto loaded = Engine::load(text(edits_.rules()), "payments.mut", options);
    if (!loaded) return fail(loaded.failure().text), false;
    engine_ = std::move(loaded).value();
    auto bind = [&](const char* sink, std::function<void(const RowView&)> receive) {
      auto bound = engine_->bind_host_sink(sink, std::move(receive));
      if (!bound) fail(bound.failure().text);
    };
    if (account_ != nullptr) {
      account_->begin(edits_.rules(), 0);
    }
    for (auto [name, sink] :
         {std::pair("blocked", Sink::Blocked), {"review", Sink::Review}, {"cleared", Sink::Cleared}}) {
      bind(name, [this, sink](const RowView& row) {
        if (account_ != nullptr) account_->row(sink, row);
        if (course_.latency) tell_latency(row);
      });
    }
    if (course_.script == Script::Stages) {
      bind("numbered", [this](const RowView& row) {
        if (account_ != nullptr) account_->numbered(row);
      });
      for (const char* name : {"meetings", "greatest", "waits"}) bind(name, [](const RowView&) {});
    }
    if (course_.script != Script::Stateless) {
      bind("volume", [this](const RowView& row) { add_window(row, result_.volume); });
      bind("untouched", [this](const RowView& row) {
        add_window(row, result_.untouched);
        if (account_ == nullptr || course_.settled_behind != 0) return;
        result_.untouched_rows.push_back(text_field(row, "window_start") + " " + text_field(row, "country") +
                                         " " + text_field(row, "total") + " " + text_field(row, "n"));
      });
    }
    auto started = engine_->start();
    begun_ns_ = now_ns();
    if (!started) fail(started.failure().text);
    return result_.problem.empty();
  }

  // The thread of the rows.
  void drive() {
    while (true) {
      RunState state = engine_->run();
      EngineStats stats = engine_->stats();
      uint64_t payments = stats.records_in;
      if (course_.after_batch) course_.after_batch(stats);
      desk_.publish(payments);
      if (auto report = engine_->swap_done()) taken(std::move(*report));
      if (course_.settled_behind != 0 && account_ != nullptr && payments > course_.settled_behind)
        account_->settle(payments - course_.settled_behind, [this] { return amounts_->next(); });
      if (state == RunState::Failed) return fail(engine_->failure().text);
      if (state == RunState::Done) return;
      if (state == RunState::Idle) engine_->wait(idle_wait_ns);
      if (edited_.load() && (course_.pace == Pace::Unlimited || desk_.payments() >= course_.payments))
        engine_->stop();
    }
  }

  void taken(SwapReport report) {
    {
      std::lock_guard lock(offered_mutex_);
      if (account_ != nullptr && offered_)
        account_->begin(*offered_, report.cut.empty() ? 0 : report.cut[0].records);
      offered_.reset();
    }
    result_.times.check.push_back(report.check_ns);
    if (report.compiled) result_.times.compile.push_back(report.compile_ns);
    result_.times.pause.push_back(report.pause_ns);
    ++result_.edits;
    if (course_.after_edit) course_.after_edit(result_.edits, engine_->stats());
    desk_.hand_over(std::move(report));
  }

  // The thread of the editor.
  void edit() {
    uint64_t between = course_.payments / static_cast<uint64_t>(course_.edits + 1);
    for (int k = 1; k <= course_.edits; ++k) {
      uint64_t due = between * static_cast<uint64_t>(k);
      while (course_.pace == Pace::Spread && desk_.payments() < due && !desk_.closed())
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      if (desk_.closed() || (deadline_ns_ != 0 && now_ns() > deadline_ns_)) break;
      const Rules& rules = edits_.next();
      {
        std::lock_guard lock(offered_mutex_);
        offered_ = rules;
      }
      auto report = engine_->swap({text(rules), "payments.mut", {}, {}});
      if (!report) {
        fail(fmt::format("edit {} ({}) is not taken: {}", k, name_of(edits_.last_kind()),
                         report.failure().text));
        break;
      }
      if (!desk_.wait_report()) break;
      if (course_.rest_every != 0 && k % course_.rest_every == 0) rest();
    }
    edited_.store(true);
  }

  void rest() {
    uint64_t until = desk_.payments() + course_.rest_payments;
    while (desk_.payments() < until && !desk_.closed())
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  Course course_;
  Account* account_;
  EditGenerator edits_;
  std::unique_ptr<Engine> engine_;
  Desk desk_;
  // Without edits the generator ends by itself, at the number that a run with edits came to.
  uint64_t made_ = course_.edits > 0 ? course_.payments * 100 : course_.payments;
  std::optional<PaymentAmounts> amounts_;
  int64_t begun_ns_ = 0;
  std::atomic<bool> edited_{false};  // no more edits come
  int64_t deadline_ns_ = 0;
  std::mutex offered_mutex_;
  std::optional<Rules> offered_;
  std::mutex problem_mutex_;
  CourseResult result_;
};

}  // namespace

CourseResult run_course(const Course& course, Account* account) { return Running(course, account).run(); }

PaymentAmounts::PaymentAmounts(uint64_t payments) {
  std::string text = text_of(Script::Stateless, {}, payments);
  text = text.substr(0, text.find("stream scored")) + "emit payments to host()\n";
  auto loaded = Engine::load(text, "payments.mut", {});
  if (!loaded) return;
  auto bound = loaded.value()->bind_host_sink("payments", [this](const RowView& row) {
    FieldValue value = row.field(3);
    made_.push_back(std::get<double>(value));
  });
  if (bound && loaded.value()->start()) engine_ = std::move(loaded).value();
}

double PaymentAmounts::next() {
  while (made_.empty() && engine_ && engine_->run() == RunState::More) {
  }
  if (made_.empty()) return std::nan("");
  double out = made_.front();
  made_.pop_front();
  return out;
}

std::vector<double> amounts_of(uint64_t payments) {
  PaymentAmounts amounts(payments);
  std::vector<double> out;
  out.reserve(payments);
  for (double amount = amounts.next(); !std::isnan(amount); amount = amounts.next()) out.push_back(amount);
  return out;
}

}  // namespace mut::swap_test

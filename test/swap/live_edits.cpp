#include "test/swap/live_edits.h"

#include <fmt/format.h>
#include <time.h>

#include <atomic>
#include <chrono>
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
      : course_(course), account_(account), edits_(course.script, course.seed) {}

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

  bool open() {
    EngineOptions options;
    options.tier = course_.tier;
    options.shards = course_.shards;
    options.policy = SwapPolicy::Live;  // aggregates that were added go again without a question
    auto loaded = Engine::load(text_of(course_.script, edits_.rules(), made_), "payments.mut", options);
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
      });
    }
    if (course_.script == Script::Tour) {
      bind("volume", [this](const RowView& row) { add_window(row, result_.volume); });
      bind("untouched", [this](const RowView& row) {
        add_window(row, result_.untouched);
        if (account_ == nullptr) return;
        result_.untouched_rows.push_back(text_field(row, "window_start") + " " + text_field(row, "country") +
                                         " " + text_field(row, "total") + " " + text_field(row, "n"));
      });
    }
    auto started = engine_->start();
    if (!started) fail(started.failure().text);
    return result_.problem.empty();
  }

  // The thread of the rows.
  void drive() {
    while (true) {
      RunState state = engine_->run();
      desk_.publish(engine_->stats().records_in);
      if (auto report = engine_->swap_done()) taken(std::move(*report));
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
      auto report = engine_->swap({text_of(course_.script, rules, made_), "payments.mut", {}, {}});
      if (!report) {
        fail(fmt::format("edit {} ({}) is not taken: {}", k, name_of(edits_.last_kind()),
                         report.failure().text));
        break;
      }
      if (!desk_.wait_report()) break;
    }
    edited_.store(true);
  }

  Course course_;
  Account* account_;
  EditGenerator edits_;
  std::unique_ptr<Engine> engine_;
  Desk desk_;
  // Without edits the generator ends by itself, at the number that a run with edits came to.
  uint64_t made_ = course_.edits > 0 ? course_.payments * 100 : course_.payments;
  std::atomic<bool> edited_{false};  // no more edits come
  int64_t deadline_ns_ = 0;
  std::mutex offered_mutex_;
  std::optional<Rules> offered_;
  std::mutex problem_mutex_;
  CourseResult result_;
};

}  // namespace

CourseResult run_course(const Course& course, Account* account) { return Running(course, account).run(); }

std::vector<double> amounts_of(uint64_t payments) {
  std::vector<double> out;
  out.reserve(payments);
  std::string text = text_of(Script::Stateless, {}, payments);
  text = text.substr(0, text.find("stream scored")) + "emit payments to host()\n";
  auto engine = Engine::load(text, "payments.mut", {});
  if (!engine) return out;
  auto bound = engine.value()->bind_host_sink("payments", [&out](const RowView& row) {
    FieldValue value = row.field(3);
    out.push_back(std::get<double>(value));
  });
  if (!bound || !engine.value()->start()) return out;
  while (engine.value()->run() == RunState::More) {
  }
  return out;
}

}  // namespace mut::swap_test

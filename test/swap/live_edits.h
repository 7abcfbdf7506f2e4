// One engine that runs the payments script while a second thread edits it.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "test/swap/account.h"
#include "test/swap/edits.h"

namespace mut::swap_test {

enum class Pace : uint8_t {
  Spread,     // over the payments, evenly
  Unlimited,  // the next edit as soon as the last one is taken
};

struct Course {
  Script script = Script::Stateless;
  uint64_t payments = 1'000'000;  // at least; the run goes on until the last edit was taken
  int edits = 0;
  uint64_t seed = 1;
  Pace pace = Pace::Spread;
  int64_t time_limit_ns = 0;  // no more edits after it; 0: none
  TierChoice tier = TierChoice::Auto;
  uint32_t shards = 1;
  double rate = 0;  // payments a second; 0: as fast as they go
  // Time between the moment when a payment was due and its row, in nanoseconds; of courses with a rate.
  std::function<void(int64_t latency_ns)> latency;
  // A run that ends by its edits is too long to be kept: the account settles what is this many payments old.
  uint64_t settled_behind = 0;  // 0: it keeps all
  // With Pace::Unlimited: the editor rests after every so many edits, for so many payments. 0: never.
  int rest_every = 0;
  uint64_t rest_payments = 0;
  // After each batch, on the thread that runs the rows.
  std::function<void(const EngineStats& stats)> after_batch;
  // After each edit was taken, on the thread that runs the rows.
  std::function<void(int taken, const EngineStats& stats)> after_edit;
};

// In nanoseconds, one of each edit taken.
struct EditTimes {
  std::vector<int64_t> check;
  std::vector<int64_t> compile;  // only edits that compiled
  std::vector<int64_t> pause;
};

struct CourseResult {
  std::string problem;  // empty: all went well
  uint64_t payments = 0;
  double seconds = 0;
  double row_seconds = 0;  // of processor time, on the thread that runs the rows
  int edits = 0;
  std::array<int, edit_kind_count> histogram{};
  EditTimes times;
  CountryTotals volume;     // of the windows that edits change
  CountryTotals untouched;  // of those that none does
  std::vector<std::string> untouched_rows;
};

// `account` hears of every row and version; null: nothing is kept of them.
CourseResult run_course(const Course& course, Account* account);

// What the generator makes, by an engine of its own whose script is never edited.
class PaymentAmounts {
 public:
  explicit PaymentAmounts(uint64_t payments);
  // Of the next payment; not a number when there is none.
  double next();

 private:
  std::unique_ptr<Engine> engine_;
  std::deque<double> made_;
};

std::vector<double> amounts_of(uint64_t payments);

}  // namespace mut::swap_test

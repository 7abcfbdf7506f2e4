// What became of every payment: kept from the rows alone, judged by the rules of the versions and where
// they began. Shares nothing with the engine but the text of the scripts.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "mutstream/engine.h"
#include "test/swap/edits.h"

namespace mut::swap_test {

enum class Sink : uint8_t { Blocked, Review, Cleared };

struct Balance {
  uint64_t rows = 0;
  uint64_t lost = 0;
  uint64_t repeated = 0;
  uint64_t mixed = 0;  // of another version, or with content that its version does not give
  uint64_t reordered = 0;
  std::vector<std::string> examples;
  bool even() const { return lost == 0 && repeated == 0 && mixed == 0 && reordered == 0; }
};

// Sums by country, over all windows.
struct Totals {
  double total = 0;
  int64_t count = 0;
};
using CountryTotals = std::map<std::string, Totals>;

class Account {
 public:
  explicit Account(Script script) : script_(script) {}
  // A version rules the payments from `from` on.
  void begin(const Rules& rules, uint64_t from) { begun_.push_back({rules, from}); }
  void row(Sink sink, const RowView& row);
  // A row of a running count by group: they count on, whatever is edited.
  void numbered(const RowView& row);
  // `amounts`: of every payment that was made, from a run of its own.
  Balance close(const std::vector<double>& amounts);
  // Judges and forgets the payments before `end`, whose rows have all come; `next_amount` gives the amount of
  // one after the other. For runs that are too long to be kept.
  void settle(uint64_t end, const std::function<double()>& next_amount);
  const Balance& balance() const { return balance_; }

 private:
  struct Begun {
    Rules rules;
    uint64_t from = 0;
  };
  struct Seen {
    double amount = 0;
    double score = 0;
    int32_t version = 0;
    uint8_t rows = 0;
    Sink sink = Sink::Blocked;
  };
  bool fits(const Seen& seen, const Rules& rules, double amount) const;
  void judge(uint64_t payment, double amount);
  void note(uint64_t& counter, uint64_t payment, const char* what);

  Script script_;
  std::deque<Begun> begun_;
  uint64_t settled_ = 0;   // payments before it are judged
  std::deque<Seen> seen_;  // by payment, from there
  std::map<std::string, int64_t> counted_;
  int64_t last_[3] = {-1, -1, -1};
  Balance balance_;
};

}  // namespace mut::swap_test

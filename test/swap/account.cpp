#include "test/swap/account.h"

#include <algorithm>
#include <cmath>

namespace mut::swap_test {
namespace {

constexpr size_t examples_max = 8;
// logistic() of the engine and std::exp here round differently.
constexpr double score_tolerance = 1e-9;

Sink sink_of(double score) {
  return score > 0.9 ? Sink::Blocked : score > 0.6 ? Sink::Review : Sink::Cleared;
}

int64_t integer(const RowView& row, size_t field) {
  FieldValue value = row.field(field);
  const auto* number = std::get_if<int64_t>(&value);
  return number == nullptr ? -1 : *number;
}

double real(const RowView& row, size_t field) {
  FieldValue value = row.field(field);
  const auto* number = std::get_if<double>(&value);
  return number == nullptr ? std::nan("") : *number;
}

}  // namespace

Account::Account(Script script, const std::vector<double>& amounts)
    : script_(script), amounts_(amounts), seen_(amounts.size()) {}

void Account::announce(const Rules& rules) {
  if (known_.size() <= static_cast<size_t>(rules.number))
    known_.resize(static_cast<size_t>(rules.number) + 1);
  known_[static_cast<size_t>(rules.number)] = rules;
}

void Account::begin(const Rules& rules, uint64_t from) { begun_.push_back({rules, from}); }

void Account::note(uint64_t& counter, uint64_t payment, const char* what) {
  ++counter;
  if (balance_.examples.size() < examples_max)
    balance_.examples.push_back("payment " + std::to_string(payment) + " " + what);
}

void Account::row(Sink sink, const RowView& row) {
  // n, amount, score, v
  int64_t n = integer(row, 0);
  int64_t version = integer(row, 3);
  ++balance_.rows;
  if (n < 0 || static_cast<size_t>(n) >= seen_.size()) {
    note(balance_.mixed, static_cast<uint64_t>(n), "was never made");
    return;
  }
  auto payment = static_cast<size_t>(n);
  int64_t& last = last_[static_cast<size_t>(sink)];
  if (n < last) note(balance_.reordered, payment, "comes after a later one");
  last = std::max(last, n);
  Seen& seen = seen_[payment];
  if (seen.rows < 255) ++seen.rows;
  seen.version = static_cast<uint16_t>(version);
  double score = real(row, 2);
  seen.wrong = version < 0 || static_cast<size_t>(version) >= known_.size() ||
               real(row, 1) != amounts_[payment] || sink != sink_of(score);
  if (!seen.wrong && script_ == Script::Stateless) {
    double wanted = known_[static_cast<size_t>(version)].score(amounts_[payment]);
    seen.wrong = std::fabs(wanted - score) > score_tolerance;
  }
}

Balance Account::close(uint64_t payments) {
  size_t version = 0;
  for (uint64_t payment = 0; payment < payments; ++payment) {
    while (version + 1 < begun_.size() && begun_[version + 1].from <= payment) ++version;
    const Seen& seen = seen_[payment];
    bool wanted = begun_[version].rules.keeps(amounts_[payment]);
    if (seen.rows == 0) {
      if (wanted) note(balance_.lost, payment, "is lost");
      continue;
    }
    if (seen.rows > 1) note(balance_.repeated, payment, "has several rows");
    if (!wanted || seen.wrong) note(balance_.mixed, payment, "has a row that its version does not give");
    if (seen.version != begun_[version].rules.number)
      note(balance_.mixed, payment, "has a row of another version");
  }
  return balance_;
}

}  // namespace mut::swap_test

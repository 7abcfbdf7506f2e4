#include "test/swap/account.h"

#include <algorithm>
#include <cmath>

namespace mut::swap_test {
namespace {

constexpr size_t examples_max = 8;
constexpr int64_t payments_max = 100'000'000;  // more than a run can make: a number that is no payment's
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

void Account::note(uint64_t& counter, uint64_t payment, const char* what) {
  ++counter;
  if (balance_.examples.size() < examples_max)
    balance_.examples.push_back("payment " + std::to_string(payment) + " " + what);
}

void Account::row(Sink sink, const RowView& row) {
  // n, amount, score, v
  int64_t n = integer(row, 0);
  ++balance_.rows;
  if (n < 0 || n > payments_max) {
    note(balance_.mixed, static_cast<uint64_t>(n), "was never made");
    return;
  }
  auto payment = static_cast<size_t>(n);
  int64_t& last = last_[static_cast<size_t>(sink)];
  if (n < last) note(balance_.reordered, payment, "comes after a later one");
  last = std::max(last, n);
  if (seen_.size() <= payment) seen_.resize(payment + 1);
  Seen& seen = seen_[payment];
  if (seen.rows < 255) ++seen.rows;
  seen.sink = sink;
  seen.amount = real(row, 1);
  seen.score = real(row, 2);
  seen.version = static_cast<int32_t>(integer(row, 3));
}

bool Account::fits(const Seen& seen, const Rules& rules, double amount) const {
  if (seen.amount != amount || seen.sink != sink_of(seen.score) || !rules.keeps(amount)) return false;
  return script_ == Script::Tour || std::fabs(rules.score(amount) - seen.score) <= score_tolerance;
}

Balance Account::close(const std::vector<double>& amounts) {
  if (seen_.size() > amounts.size()) note(balance_.mixed, seen_.size() - 1, "was never made");
  seen_.resize(amounts.size());
  size_t version = 0;
  for (size_t payment = 0; payment < amounts.size(); ++payment) {
    while (version + 1 < begun_.size() && begun_[version + 1].from <= payment) ++version;
    const Rules& rules = begun_[version].rules;
    const Seen& seen = seen_[payment];
    if (seen.rows == 0) {
      if (rules.keeps(amounts[payment])) note(balance_.lost, payment, "is lost");
      continue;
    }
    if (seen.rows > 1) note(balance_.repeated, payment, "has several rows");
    if (seen.version != rules.number) {
      note(balance_.mixed, payment, "has a row of another version");
    } else if (!fits(seen, rules, amounts[payment])) {
      note(balance_.mixed, payment, "has a row that its version does not give");
    }
  }
  return balance_;
}

}  // namespace mut::swap_test

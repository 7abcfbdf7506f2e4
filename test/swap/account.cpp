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
  auto payment = static_cast<uint64_t>(n);
  if (payment < settled_) return note(balance_.repeated, payment, "has a row that came late");
  int64_t& last = last_[static_cast<size_t>(sink)];
  if (n < last) note(balance_.reordered, payment, "comes after a later one");
  last = std::max(last, n);
  if (seen_.size() <= payment - settled_) seen_.resize(payment - settled_ + 1);
  Seen& seen = seen_[payment - settled_];
  if (seen.rows < 255) ++seen.rows;
  seen.sink = sink;
  seen.amount = real(row, 1);
  seen.score = real(row, 2);
  seen.version = static_cast<int32_t>(integer(row, 3));
}

bool Account::fits(const Seen& seen, const Rules& rules, double amount) const {
  if (seen.amount != amount || seen.sink != sink_of(seen.score) || !rules.keeps(amount)) return false;
  return script_ != Script::Stateless || std::fabs(rules.score(amount) - seen.score) <= score_tolerance;
}

void Account::numbered(const RowView& row) {
  std::string country;
  int64_t nth = -1;
  for (size_t i = 0; i < row.field_count(); ++i) {
    if (row.field_name(i) == "nth") nth = integer(row, i);
    FieldValue value = row.field(i);
    if (auto* text = std::get_if<std::string>(&value)) country = *text;
  }
  int64_t& last = counted_[country];
  if (nth > last + 1) note(balance_.lost, static_cast<uint64_t>(nth), "of a group is not counted on");
  if (nth <= last) note(balance_.repeated, static_cast<uint64_t>(nth), "of a group is counted again");
  last = nth;
}

void Account::judge(uint64_t payment, double amount) {
  while (begun_.size() > 1 && begun_[1].from <= payment) begun_.pop_front();
  const Rules& rules = begun_.front().rules;
  Seen seen;
  if (!seen_.empty()) {
    seen = seen_.front();
    seen_.pop_front();
  }
  ++settled_;
  if (seen.rows == 0) {
    if (rules.keeps(amount)) note(balance_.lost, payment, "is lost");
    return;
  }
  if (seen.rows > 1) note(balance_.repeated, payment, "has several rows");
  if (seen.version != rules.number) {
    note(balance_.mixed, payment, "has a row of another version");
  } else if (!fits(seen, rules, amount)) {
    note(balance_.mixed, payment, "has a row that its version does not give");
  }
}

void Account::settle(uint64_t end, const std::function<double()>& next_amount) {
  while (settled_ < end) judge(settled_, next_amount());
}

Balance Account::close(const std::vector<double>& amounts) {
  if (settled_ + seen_.size() > amounts.size())
    note(balance_.mixed, settled_ + seen_.size() - 1, "was never made");
  while (settled_ < amounts.size()) judge(settled_, amounts[settled_]);
  return balance_;
}

}  // namespace mut::swap_test

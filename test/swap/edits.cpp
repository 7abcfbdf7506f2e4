#include "test/swap/edits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mut::swap_test {
namespace {

constexpr double between_most = 400.0;  // upper end of FilterForm::Between
constexpr double stateless_usual = 30.0;
constexpr double stateless_spread = 20.0;

std::string argument_of(const Rules& rules) {
  switch (rules.form) {
    case Form::Linear:
      return fmt::format("{:.3f} + {:.3f} * z", rules.offset, rules.slope);
    case Form::Square:
      return fmt::format("{:.3f} + {:.3f} * z * z", rules.offset, rules.slope);
    case Form::Absolute:
      return fmt::format("{:.3f} + {:.3f} * abs(z)", rules.offset, rules.slope);
    case Form::Steps:
      return fmt::format("{:.3f} + (if z > 1.0 then {:.3f} * z else z)", rules.offset, rules.slope);
  }
  return "";
}

std::string filter_of(const Rules& rules) {
  switch (rules.filter) {
    case FilterForm::Above:
      return fmt::format("amount > {:.3f}", rules.least);
    case FilterForm::NotBelow:
      return fmt::format("not (amount <= {:.3f})", rules.least);
    case FilterForm::Between:
      return fmt::format("amount > {:.3f} and amount < {:.1f}", rules.least, between_most);
  }
  return "";
}

// Three decimals, as the script writes it.
double written(double value) { return std::round(value * 1000.0) / 1000.0; }

constexpr const char* head =
    R"(type Payment = {{ n: int, id: string, card: string, amount: float, country: string, at: time }}
param limit: float in 0.0..1.0 = 0.9
source payments: Payment = generate(count: {}, seed: 7, step: 50ms{}) {{
    n = n, id = "p{{n}}", card = "c{{pick(0..5000)}}", amount = lognormal(3.0, 1.2),
    country = pick(["DE", "FR", "GB", "NL", "US"]),
  }}
  time at, lateness 5s
)";

constexpr const char* tail = R"(
route scored {
  score > limit -> blocked,
  score > 0.6 -> review,
  else -> cleared,
}
emit blocked to host()
emit review to host()
emit cleared to host()
)";

std::string stateless(const Rules& rules) {
  return fmt::format(R"(stream scored = payments
  | where {}
  | with z = (amount - {:.1f}) / {:.1f}
  | with score = logistic({})
  | select n, amount, score, v = {}
)",
                     filter_of(rules), stateless_usual, stateless_spread, argument_of(rules), rules.number);
}

std::string tour(const Rules& rules) {
  // Each has a value for a group that sees no event behind the cut: others end in `.errors` there, and the
  // window's row is missing from the totals (test/e2e/added_in_open_window).
  static constexpr const char* added[] = {", twice = sum(amount * 2.0)", ", cards = distinct(card)",
                                          ", large = sum(amount where amount > 20.0)"};
  std::string more;
  for (int i = 0; i < rules.aggregates; ++i) more += added[i];
  return fmt::format(R"(stream scored = payments
  | where {}
  | with usual = avg(amount) over last {}m by card,
         spread = stddev(amount) over last {}m by card,
         places = distinct(country) over last 1h by card
  | with z = if spread > 0 then (amount - usual) / spread else 0.0
  | with score = logistic({} + 1.5 * float(places - 1))
  | select n, amount, score, v = {}
stream volume = payments
  | aggregate total = sum(amount), n = count(){} by country window tumbling {}s
emit volume to host()
stream untouched = payments
  | aggregate total = sum(amount), n = count() by country window tumbling 1m
emit untouched to host()
)",
                     filter_of(rules), rules.usual_minutes, rules.usual_minutes, argument_of(rules),
                     rules.number, more, rules.volume_seconds);
}

// Beside the tour's: a count that no edit may disturb, and stages of every kind, which edits turn.
std::string more_stages(const Rules& rules) {
  return fmt::format(R"(stream numbered = payments
  | @numbered aggregate nth = count() by country ttl none
stream firsts = payments
  | @firsts dedupe by card, country within {}m
  | @calm throttle {} per 10s by card
  | @before with before = prev(amount) by card ttl 1h, ten = count() over last {} events by card
  | where before is some b and b > {:.3f}
stream meetings = firsts
  | @met join payments as other within {}ms on card == other.card
  | where n != other.n
  | select n, m = other.n, card, at
  | @meets aggregate met = count() by card window session {}s
stream greatest = payments
  | @greatest top {} by amount desc window tumbling 10s
  | select rank, amount, n, at
  | @spell latest by rank
stream waits = firsts
  | @waits delay {}ms
  | @steps aggregate n = count() by country window sliding 10s every 5s
emit numbered to host()
emit meetings to host()
emit greatest to host()
emit waits to host()
)",
                     rules.usual_minutes, 20 + rules.aggregates, 8 + rules.aggregates, rules.least,
                     500 + 100 * rules.aggregates, 4 + rules.aggregates, 2 + rules.aggregates,
                     1000 + 500 * rules.aggregates);
}

}  // namespace

const char* name_of(EditKind kind) {
  switch (kind) {
    case EditKind::Constant:
      return "constant";
    case EditKind::Expression:
      return "expression";
    case EditKind::Filter:
      return "filter";
    case EditKind::WindowLength:
      return "window length";
    case EditKind::AddedAggregate:
      return "added aggregate";
  }
  return "";
}

bool Rules::keeps(double amount) const {
  return amount > least && (filter != FilterForm::Between || amount < between_most);
}

double Rules::score(double amount) const {
  double z = (amount - stateless_usual) / stateless_spread;
  double argument = offset;
  switch (form) {
    case Form::Linear:
      argument += slope * z;
      break;
    case Form::Square:
      argument += slope * z * z;
      break;
    case Form::Absolute:
      argument += slope * std::fabs(z);
      break;
    case Form::Steps:
      argument += z > 1.0 ? slope * z : z;
      break;
  }
  return 1.0 / (1.0 + std::exp(-argument));
}

std::string text_of(Script script, const Rules& rules, uint64_t events, double rate) {
  std::string pace = rate > 0 ? fmt::format(", rate: {:.0f}", rate) : "";
  return fmt::format(fmt::runtime(head), events, pace) +
         (script == Script::Stateless ? stateless(rules) : tour(rules)) +
         (script == Script::Stages ? more_stages(rules) : "") + tail;
}

double EditGenerator::uniform(double low, double high) {
  return written(std::uniform_real_distribution<double>(low, high)(random_));
}

int EditGenerator::pick(int count) { return std::uniform_int_distribution<int>(0, count - 1)(random_); }

const Rules& EditGenerator::next() {
  // The stateless script has no window and no aggregate.
  auto kind =
      static_cast<EditKind>(pick(script_ == Script::Stateless ? 3 : static_cast<int>(edit_kind_count)));
  ++rules_.number;
  switch (kind) {
    case EditKind::Constant:
      rules_.slope = uniform(0.2, 2.0);
      rules_.offset = uniform(-6.0, -1.0);
      break;
    case EditKind::Expression:
      rules_.form = static_cast<Form>((static_cast<int>(rules_.form) + 1 + pick(3)) % 4);
      break;
    case EditKind::Filter:
      rules_.filter = static_cast<FilterForm>((static_cast<int>(rules_.filter) + 1 + pick(2)) % 3);
      rules_.least = uniform(0.0, 9.0);
      break;
    case EditKind::WindowLength:
      if (pick(2) == 0) {
        rules_.usual_minutes = rules_.usual_minutes == 30 ? 60 : rules_.usual_minutes == 60 ? 15 : 30;
      } else {
        rules_.volume_seconds = rules_.volume_seconds == 60 ? 120 : rules_.volume_seconds == 120 ? 30 : 60;
      }
      break;
    case EditKind::AddedAggregate:
      rules_.aggregates = rules_.aggregates == 3 ? 0 : rules_.aggregates + 1;  // after three all go again
      break;
  }
  last_kind_ = kind;
  ++histogram_[static_cast<size_t>(kind)];
  return rules_;
}

}  // namespace mut::swap_test

#include "compiler/reference/aggregates.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "compiler/reference/evaluate.h"
#include "compiler/reference/text_functions.h"

namespace mut::reference {

using typed::AggregateFn;
using typed::EventError;
using typed::Kind;

namespace {

// Neumaier's sum over long doubles: exact enough that 1e-12 relative is not in question.
long double float_sum(const std::vector<double>& values) {
  long double sum = 0;
  long double compensation = 0;
  for (double value : values) {
    long double next = sum + value;
    compensation += fabsl(sum) >= std::fabs(value) ? (sum - next) + value : (value - next) + sum;
    sum = next;
  }
  return std::isfinite(sum) && std::isfinite(compensation) ? sum + compensation : sum;
}

std::vector<double> floats(const std::vector<Admitted>& list) {
  std::vector<double> out;
  for (const Admitted& each : list) out.push_back(each.value.as_float());
  return out;
}

Decimal exact_sum(const Value::Parts& values, int scale) {
  Decimal sum;
  sum.scale = scale;
  for (const Value& value : values) sum = add(sum, value.as_decimal());
  return sum;
}

Value mean(const std::vector<Admitted>& list, typed::TypeRef type) {
  if (type->kind == Kind::Optional) type = type->element;
  if (type->kind != Kind::Decimal)
    return static_cast<double>(float_sum(floats(list)) / static_cast<long double>(list.size()));
  Value::Parts values;
  for (const Admitted& each : list) values.push_back(each.value);
  auto count = Decimal::of_int(static_cast<int64_t>(list.size()));
  return fitting(divide(exact_sum(values, values[0].as_decimal().scale), count, type->scale));
}

Value variance(const std::vector<Admitted>& list, bool sample, bool root) {
  if (list.size() < (sample ? 2U : 1U)) return {};
  std::vector<double> values = floats(list);
  auto count = static_cast<long double>(values.size());
  long double mean = float_sum(values) / count;
  long double squares = 0;
  bool all_equal = true;
  for (double value : values) {
    squares += (value - mean) * (value - mean);
    all_equal = all_equal && value == values[0];
  }
  if (all_equal && std::isfinite(values[0])) squares = 0;  // rule 8.22
  long double out = squares / (sample ? count - 1 : count);
  return static_cast<double>(root ? sqrtl(out) : out);
}

// The first of the list that no other precedes.
template <typename Precedes>
const Admitted& best(const std::vector<Admitted>& list, Precedes precedes) {
  const Admitted* chosen = &list[0];
  for (const Admitted& each : list) {
    if (precedes(each, *chosen)) chosen = &each;
  }
  return *chosen;
}

Value extreme(const std::vector<Admitted>& list, int sign) {
  return best(list,
              [&](const Admitted& a, const Admitted& b) { return sign * total_order(a.value, b.value) < 0; })
      .value;
}

// Ties go to the earliest event (rule 5.4).
Value extreme_by(const std::vector<Admitted>& list, int sign) {
  return best(list,
              [&](const Admitted& a, const Admitted& b) {
                int order = sign * total_order(a.order, b.order);
                return order < 0 || (order == 0 && a.time < b.time);
              })
      .value;
}

// Between the two values around the place of the share (rule 7.7).
Value quantile(std::vector<Admitted> list, double share) {
  std::sort(list.begin(), list.end(),
            [](const Admitted& a, const Admitted& b) { return total_order(a.value, b.value) < 0; });
  double at = share * static_cast<double>(list.size() - 1);
  auto below = static_cast<size_t>(std::floor(at));
  double part = at - std::floor(at);
  double low = list[below].value.as_float();
  double high = list[std::min(below + 1, list.size() - 1)].value.as_float();
  bool between = part > 0 && total_order(Value(low), Value(high)) != 0;
  return (between ? low * (1 - part) + high * part : low) + 0.0;
}

// How many different values, exactly up to 256; else by the registers of HyperLogLog: each hash raises the
// register of its first 12 bits to the place of the first one among the others. The estimate is Ertl's
// (2017).
Value approx_distinct(const std::vector<Admitted>& list) {
  std::set<uint64_t> hashes;
  for (const Admitted& each : list) hashes.insert(spread_hash(each.value));
  if (hashes.size() <= 256) return static_cast<int64_t>(hashes.size());
  constexpr int registers = 4096;
  constexpr int rest_bits = 52;
  std::vector<int> ranks(registers, 0);
  for (uint64_t hash : hashes) {
    int rank = 1;
    while (rank <= rest_bits && (hash >> (rest_bits - rank) & 1U) == 0) ++rank;
    int& known = ranks[hash >> rest_bits];
    known = std::max(known, rank);
  }
  auto share_of = [&](int rank) {
    return static_cast<double>(std::count(ranks.begin(), ranks.end(), rank)) / registers;
  };
  // sigma(x) = x + sum over k of x^(2^k) 2^(k-1); tau(x) = (1 - x - sum over k of (1 - x^(2^-k))^2 2^-k) / 3
  double zeros = share_of(0);
  double sigma = zeros;
  for (int k = 1; k < 64; ++k) sigma += std::pow(zeros, std::exp2(k)) * std::exp2(k - 1);
  double full = 1 - share_of(rest_bits + 1);
  double tau = 1 - full;
  for (int k = 1; k < 64 && full > 0; ++k)
    tau -= std::pow(1 - std::pow(full, std::exp2(-k)), 2) * std::exp2(-k);
  double sum = sigma + (full > 0 && full < 1 ? tau / 3 : 0) * std::exp2(-rest_bits);
  for (int rank = 1; rank <= rest_bits; ++rank) sum += share_of(rank) * std::exp2(-rank);
  return static_cast<int64_t>(std::llround(registers / (2 * std::log(2.0) * sum)));
}

std::vector<Admitted> first_of(const typed::AggregateCall& call, const std::vector<Admitted>& list) {
  std::vector<Admitted> out;
  for (size_t at : chosen_of(call, list)) out.push_back(list[at]);
  return out;
}

}  // namespace

Value sum_of(const Value::Parts& values, typed::TypeRef type) {
  if (type->kind == Kind::Optional) type = type->element;
  if (type->kind == Kind::Float) {
    std::vector<double> all;
    for (const Value& value : values) all.push_back(value.as_float());
    return static_cast<double>(float_sum(all));
  }
  if (type->kind == Kind::Decimal) return fitting(exact_sum(values, type->scale));
  __int128 sum = 0;
  for (const Value& value : values) sum += value.as_int();
  if (sum < INT64_MIN || sum > INT64_MAX) fail(EventError::Overflow);
  return static_cast<int64_t>(sum);
}

std::vector<size_t> chosen_of(const typed::AggregateCall& call, const std::vector<Admitted>& list) {
  std::vector<size_t> out(list.size());
  std::iota(out.begin(), out.end(), size_t{0});
  std::stable_sort(out.begin(), out.end(), [&](size_t a, size_t b) {
    int order = call.fn == AggregateFn::Top ? total_order(list[b].value, list[a].value) : 0;
    return order < 0 || (order == 0 && list[a].time < list[b].time);
  });
  if (call.most > 0 && out.size() > static_cast<size_t>(call.most))
    out.resize(static_cast<size_t>(call.most));
  return out;
}

bool counts_nothing(AggregateFn fn) {
  if (fn == AggregateFn::Own || fn == AggregateFn::ApproxDistinct) return true;
  return fn == AggregateFn::Count || fn == AggregateFn::Sum || fn == AggregateFn::Distinct;
}

Value aggregate(const typed::AggregateCall& call, const std::vector<Admitted>& list) {
  switch (call.fn) {
    case AggregateFn::Own:
      return own_result(call, list);
    case AggregateFn::Count:
      return static_cast<int64_t>(list.size());
    case AggregateFn::Sum: {
      Value::Parts values;
      for (const Admitted& each : list) values.push_back(each.value);
      return sum_of(values, call.argument->type);
    }
    case AggregateFn::Distinct: {
      std::set<Key, KeyLess> seen;
      for (const Admitted& each : list) seen.insert({each.value});
      return static_cast<int64_t>(seen.size());
    }
    case AggregateFn::ApproxDistinct:
      return approx_distinct(list);
    default:
      break;
  }
  if (list.empty()) return {};
  switch (call.fn) {
    case AggregateFn::Avg:
      return mean(list, call.result);
    case AggregateFn::Min:
      return extreme(list, 1);
    case AggregateFn::Max:
      return extreme(list, -1);
    case AggregateFn::First:
      return best(list, [](const Admitted& a, const Admitted& b) { return a.time < b.time; }).value;
    case AggregateFn::Last:
      return best(list, [](const Admitted& a, const Admitted& b) { return a.time >= b.time; }).value;
    case AggregateFn::Variance:
      return variance(list, false, false);
    case AggregateFn::VarianceSample:
      return variance(list, true, false);
    case AggregateFn::Stddev:
      return variance(list, false, true);
    case AggregateFn::StddevSample:
      return variance(list, true, true);
    case AggregateFn::Any:
    case AggregateFn::All: {
      bool any = false;
      bool all = true;
      for (const Admitted& each : list) {
        any = any || each.value.as_bool();
        all = all && each.value.as_bool();
      }
      return call.fn == AggregateFn::Any ? any : all;
    }
    case AggregateFn::ArgMin:
      return extreme_by(list, 1);
    case AggregateFn::ArgMax:
      return extreme_by(list, -1);
    case AggregateFn::Quantile:
      return quantile(list, call.share);
    case AggregateFn::Collect:
    case AggregateFn::Top: {
      Value::Parts out;
      for (const Admitted& each : first_of(call, list)) out.push_back(each.value);
      return out;
    }
    case AggregateFn::StringAgg: {
      std::string out;
      bool first = true;
      for (const Admitted& each : first_of(call, list)) {
        out += (first ? "" : call.separator) + each.value.as_text();
        first = false;
      }
      return out;
    }
    default:
      return {};
  }
}

}  // namespace mut::reference

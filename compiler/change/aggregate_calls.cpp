#include "compiler/change/aggregate_calls.h"

#include <algorithm>

#include "compiler/change/types.h"

namespace mut::change {
namespace {

using state::CellFn;
using state::StoreKind;
using typed::AggregateFn;
using typed::Kind;

bool is_previous(AggregateFn fn) {
  return fn == AggregateFn::Prev || fn == AggregateFn::Delta || fn == AggregateFn::Changed;
}

}  // namespace

bool same_function(const Cell& a, const Cell& b) {
  if (a.call == nullptr || b.call == nullptr) return a.call == b.call;
  // Over the last events it is the events that are kept: they can be added by other rules.
  bool events = a.node->desc.kind == StoreKind::Ring && b.node->desc.kind == StoreKind::Ring;
  if (a.call->own != nullptr && b.call->own != nullptr)
    return events || typed::text_of_state(*a.call->own) == typed::text_of_state(*b.call->own);
  return a.call->fn == b.call->fn || (is_previous(a.call->fn) && is_previous(b.call->fn));
}

bool same_digits(const typed::AggregateCall& a, const typed::AggregateCall& b) {
  auto digits = [](const typed::Expr* expr) {
    typed::TypeRef type = expr == nullptr ? nullptr : typed::without_none(expr->type);
    return type != nullptr && type->kind == Kind::Decimal ? type->text : "";
  };
  for (size_t i = 0;; ++i) {
    const typed::Expr* of_a = typed::argument_of(a, i);
    const typed::Expr* of_b = typed::argument_of(b, i);
    if (of_a == nullptr && of_b == nullptr) return true;
    if (digits(of_a) != digits(of_b)) return false;
  }
}

bool same_parameters(const typed::AggregateCall& a, const typed::AggregateCall& b) {
  if (a.own == nullptr || b.own == nullptr) return a.own == b.own;
  return std::equal(a.own->parameter_types.begin(), a.own->parameter_types.end(),
                    b.own->parameter_types.begin(), b.own->parameter_types.end(), same_type);
}

std::string function_name(const typed::AggregateCall& call) {
  return call.own != nullptr ? call.own->name : typed::aggregate_name(call.fn);
}

bool keeps_arguments(CellFn fn) {
  switch (fn) {
    case CellFn::Min:
    case CellFn::Max:
    case CellFn::First:
    case CellFn::Last:
    case CellFn::Distinct:
    case CellFn::ArgMin:
    case CellFn::ArgMax:
    case CellFn::Previous:
    case CellFn::Collect:
    case CellFn::Top:
    case CellFn::Rank:
      return true;
    default:
      return false;
  }
}

}  // namespace mut::change

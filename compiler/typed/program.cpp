#include "compiler/typed/program.h"

namespace mut::typed {

ExprPtr clone(const Expr& expr) {
  auto out = std::make_unique<Expr>();
  out->kind = expr.kind;
  out->type = expr.type;
  out->span = expr.span;
  out->value = expr.value;
  out->index = expr.index;
  out->op = expr.op;
  out->builtin = expr.builtin;
  out->spec = expr.spec;
  for (const ExprPtr& arg : expr.args) out->args.push_back(clone(*arg));
  return out;
}

const char* event_error_code(EventError error) {
  switch (error) {
    case EventError::None:
      return "none";
    case EventError::Overflow:
      return "overflow";
    case EventError::DivisionByZero:
      return "division_by_zero";
    case EventError::Index:
      return "index";
    case EventError::Cast:
      return "cast";
    case EventError::Decode:
      return "decode";
    case EventError::Future:
      return "future";
    case EventError::Range:
      return "range";
    case EventError::Memory:
      return "memory";
    case EventError::NoValue:
      return "no_value";
    case EventError::NoKey:
      return "no_key";
  }
  return "none";
}

const char* aggregate_name(AggregateFn fn) {
  switch (fn) {
    case AggregateFn::Count:
      return "count";
    case AggregateFn::Sum:
      return "sum";
    case AggregateFn::Avg:
      return "avg";
    case AggregateFn::Min:
      return "min";
    case AggregateFn::Max:
      return "max";
    case AggregateFn::First:
      return "first";
    case AggregateFn::Last:
      return "last";
    case AggregateFn::Variance:
      return "variance";
    case AggregateFn::VarianceSample:
      return "variance_sample";
    case AggregateFn::Stddev:
      return "stddev";
    case AggregateFn::StddevSample:
      return "stddev_sample";
    case AggregateFn::Distinct:
      return "distinct";
    case AggregateFn::Any:
      return "any";
    case AggregateFn::All:
      return "all";
    case AggregateFn::ArgMin:
      return "arg_min";
    case AggregateFn::ArgMax:
      return "arg_max";
    case AggregateFn::Prev:
      return "prev";
    case AggregateFn::Delta:
      return "delta";
    case AggregateFn::Changed:
      return "changed";
  }
  return "?";
}

const Option* Connector::find(std::string_view wanted) const {
  for (const Option& option : options) {
    if (option.name == wanted) return &option;
  }
  return nullptr;
}

const Option* Connector::positional(size_t index) const {
  for (const Option& option : options) {
    if (option.name.empty() && index-- == 0) return &option;
  }
  return nullptr;
}

int Program::find_stream(std::string_view name) const {
  for (size_t i = 0; i < streams.size(); ++i) {
    if (streams[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace mut::typed

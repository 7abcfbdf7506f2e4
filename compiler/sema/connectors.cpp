#include "compiler/sema/connectors.h"

#include <algorithm>

#include "compiler/sema/connectors/rule.h"

namespace mut::sema {

using diag::Code;
using typed::Kind;

namespace {

bool check_metrics(const typed::Connector& metrics, Direction, diag::Engine& diags) {
  if (!need_option(metrics, "every", "`every: 1s`", diags)) return false;
  const typed::Option* every = metrics.find("every");
  constexpr int64_t least_ns = 10'000'000;
  return every->value.as_int() >= least_ns || report_option(*every, "at least 10ms are needed", diags);
}

const std::vector<ConnectorRule>& rules() {
  static const std::vector<ConnectorRule> table = {
      {"file", true, true, 1,
       text_options({{"follow", Kind::Bool}, {"append", Kind::Bool}, {"start", Kind::String}})},
      {"stdin", true, false, 0, text_options({})},
      {"stdout", false, true, 0, {{"format", Kind::String}}},
      {"generate",
       true,
       false,
       0,
       {{"count", Kind::Int},
        {"rate", Kind::Float},
        {"seed", Kind::Int},
        {"step", Kind::Duration},
        {"start", Kind::Time}}},
      tcp_rule(),
      http_rule(),
      kafka_rule(),
      mqtt_rule(),
      nats_rule(),
      postgres_rule(),
      {"metrics", true, false, 0, {{"every", Kind::Duration}}, check_metrics},
      websocket_rule(),
      {"host", true, true, 0, {}},
  };
  return table;
}
constexpr std::string_view later[] = {"udp", "redis"};

}  // namespace

std::vector<OptionRule> text_options(std::vector<OptionRule> more) {
  more.insert(more.end(), {{"format", Kind::String},
                           {"time_unit", Kind::String},
                           {"header", Kind::Bool},
                           {"separator", Kind::String},
                           {"none", Kind::List}});
  return more;
}

bool report_option(const typed::Option& option, std::string_view problem, diag::Engine& diags) {
  diags.report(Code::BadOption, option.span, option.name, std::string(problem));
  return false;
}

bool need_option(const typed::Connector& connector, std::string_view name, std::string_view usage,
                 diag::Engine& diags) {
  if (connector.find(name) != nullptr) return true;
  diags.report(Code::MissingOption, connector.span, connector.name, std::string(usage));
  return false;
}

bool refuse_options(const typed::Connector& connector, std::initializer_list<std::string_view> names,
                    Direction side, diag::Engine& diags) {
  for (std::string_view name : names) {
    if (const typed::Option* option = connector.find(name))
      return report_option(*option, side == Direction::In ? "it is of a source" : "it is of a sink", diags);
  }
  return true;
}

bool check_envelope(const typed::Connector& connector, diag::Engine& diags) {
  const typed::Option* envelope = connector.find("envelope");
  const typed::Option* format = connector.find("format");
  bool fine = envelope == nullptr || !envelope->value.as_bool() || format == nullptr ||
              format->value.as_text() == "json";
  return fine || report_option(*envelope, "it is of messages of JSON", diags);
}

bool check_not_negative(const typed::Connector& connector, std::string_view name, diag::Engine& diags) {
  const typed::Option* option = connector.find(name);
  if (option == nullptr || option->value.as_int() >= 0) return true;
  return report_option(*option, "a duration here must not be negative", diags);
}

bool check_one_of(const typed::Connector& connector, std::string_view name,
                  std::initializer_list<std::string_view> values, diag::Engine& diags) {
  const typed::Option* option = connector.find(name);
  if (option == nullptr || std::find(values.begin(), values.end(), option->value.as_text()) != values.end())
    return true;
  std::string list;
  for (std::string_view value : values) list += (list.empty() ? "" : ", ") + std::string(value);
  return report_option(*option, "one of " + list + " is needed", diags);
}

std::optional<typed::Connector> check_connector(const ast::ConnectorExpr& connector, Direction direction,
                                                ExprChecker& exprs) {
  diag::Engine& diags = exprs.diags();
  const ConnectorRule* rule = nullptr;
  std::vector<std::string> candidates;
  for (const ConnectorRule& entry : rules()) {
    candidates.emplace_back(entry.name);
    if (entry.name == connector.name.text && (direction == Direction::In ? entry.in : entry.out))
      rule = &entry;
  }
  if (rule == nullptr) {
    if (std::find(std::begin(later), std::end(later), connector.name.text) != std::end(later)) {
      diags.report(Code::NotExecutable, connector.name.span, "connector `" + connector.name.text + "`");
      return std::nullopt;
    }
    auto report = diags.report(Code::UnknownConnector, connector.name.span, connector.name.text);
    if (auto near = diag::did_you_mean(connector.name.text, candidates)) {
      report.note("did you mean `" + *near + "`?").fix(connector.name.span, *near);
    }
    return std::nullopt;
  }
  typed::Connector out;
  out.name = connector.name.text;
  out.span = connector.span;
  bool fine = true;
  size_t positional = 0;
  for (const ast::Argument& arg : connector.args) {
    typed::Option option;
    option.span = arg.value->span;
    Kind wanted = Kind::String;
    if (arg.name) {
      option.name = arg.name->text;
      const OptionRule* found = nullptr;
      std::vector<std::string> names;
      static const OptionRule guarantee{"guarantee", Kind::String};
      if (direction == Direction::Out && option.name == guarantee.name) found = &guarantee;
      for (const OptionRule& entry : rule->options) {
        names.emplace_back(entry.name);
        if (entry.name == option.name) found = &entry;
      }
      if (found == nullptr) {
        auto report = diags.report(Code::UnknownOption, arg.name->span, out.name, option.name);
        if (auto near = diag::did_you_mean(option.name, names))
          report.note("did you mean `" + *near + "`?").fix(arg.name->span, *near);
        fine = false;
        continue;
      }
      wanted = found->kind;
    } else if (positional++ >= rule->positional_max) {
      diags.report(Code::ArgumentCount, arg.value->span, out.name,
                   std::to_string(rule->positional_max) + " unnamed", std::to_string(positional));
      fine = false;
      continue;
    }
    option.kind = wanted;
    if (wanted == Kind::Secret) {
      auto reference = check_secret(out.name, arg, exprs);
      fine = fine && reference.has_value();
      if (!reference) continue;
      option.value = std::move(*reference);
      out.options.push_back(std::move(option));
      continue;
    }
    // Words such as `csv` or `ms` stand for themselves.
    const auto* word = std::get_if<ast::NameRef>(&arg.value->node);
    if (word != nullptr && wanted == Kind::String && !exprs.names().consts.contains(word->name.text)) {
      option.value = {word->name.text};
      out.options.push_back(std::move(option));
      continue;
    }
    typed::TypeRef type =
        wanted == Kind::List ? exprs.types().list(exprs.type(Kind::String)) : exprs.type(wanted);
    auto value = exprs.check_constant(*arg.value, type);
    if (!value) {
      fine = false;
      continue;
    }
    option.value = std::move(value->value);
    out.options.push_back(std::move(option));
  }
  if (out.name == "file" && out.positional(0) == nullptr && fine) {
    diags.report(Code::MissingOption, connector.span, out.name, "a path");
    fine = false;
  }
  if (fine) {
    fine = check_one_of(out, "format", {"json", "csv", "tsv", "lines"}, diags);
    fine = check_one_of(out, "guarantee", {"exactly_once", "at_least_once", "at_most_once"}, diags) && fine;
    fine = check_one_of(out, "time_unit", {"s", "ms", "us", "ns"}, diags) && fine;
    if (out.name == "file") fine = check_one_of(out, "start", {"earliest"}, diags) && fine;
    if (rule->check != nullptr) fine = rule->check(out, direction, diags) && fine;
    if (const typed::Option* start = out.find("start"); start != nullptr && direction == Direction::Out) {
      diags.report(Code::BadOption, start->span, "start", "it is of a source");
      fine = false;
    }
    const typed::Option* separator = out.find("separator");
    if (separator != nullptr && separator->value.as_text().size() != 1) {
      diags.report(Code::BadOption, separator->span, "separator", "one character is needed");
      fine = false;
    }
  }
  if (!fine) return std::nullopt;
  return out;
}

bool check_sink_rows(const typed::Connector& connector, typed::TypeRef row, diag::Engine& diags) {
  for (const ConnectorRule& entry : rules()) {
    if (entry.name == connector.name && entry.check_rows != nullptr)
      return entry.check_rows(connector, *row, diags);
  }
  return true;
}

}  // namespace mut::sema

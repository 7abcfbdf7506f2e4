#include "compiler/sema/connectors.h"

#include <algorithm>

#include "runtime/env/loopback.h"
#include "runtime/env/tcp_address.h"
#include "runtime/http/url.h"

namespace mut::sema {

using diag::Code;
using typed::Kind;

namespace {

struct OptionRule {
  std::string_view name;
  Kind kind;  // String also for words: `format: csv`; List: a list of texts
};

struct ConnectorRule {
  std::string_view name;
  bool in;
  bool out;
  size_t positional_max;
  std::vector<OptionRule> options;
};

// How text is read and written, and what is particular to the connector.
std::vector<OptionRule> text_options(std::vector<OptionRule> more) {
  more.insert(more.end(), {{"format", Kind::String},
                           {"time_unit", Kind::String},
                           {"header", Kind::Bool},
                           {"separator", Kind::String},
                           {"none", Kind::List}});
  return more;
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
      {"tcp", true, true, 0,
       text_options({{"connect", Kind::String}, {"listen", Kind::String}, {"give_up", Kind::Duration}})},
      {"http", true, true, 0,
       text_options({{"listen", Kind::String}, {"post", Kind::String}, {"give_up", Kind::Duration}})},
      {"host", true, true, 0, {}},
  };
  return table;
}
constexpr std::string_view later[] = {"udp",  "websocket", "kafka",    "nats",
                                      "mqtt", "redis",     "postgres", "metrics"};

// Which side it is on, and where; what reads has no options of what writes. False when something was
// reported.
bool check_tcp(const typed::Connector& tcp, Direction direction, diag::Engine& diags) {
  const typed::Option* connect = tcp.find("connect");
  const typed::Option* listen = tcp.find("listen");
  if (connect == nullptr && listen == nullptr) {
    diags.report(Code::MissingOption, tcp.span, tcp.name,
                 "`connect: \"host:port\"` or `listen: \"host:port\"`");
    return false;
  }
  if (connect != nullptr && listen != nullptr) {
    diags.report(Code::BadOption, listen->span, "listen", "it connects or listens, not both")
        .mark(connect->span);
    return false;
  }
  const typed::Option& address = connect != nullptr ? *connect : *listen;
  auto parsed = env::parse_tcp_address(address.value.as_text());
  std::string problem = parsed ? "" : parsed.error().message;
  if (parsed && connect != nullptr && parsed.value().port == 0)
    problem = "port 0 is of `listen`: the system chooses one";
  if (!problem.empty()) {
    diags.report(Code::BadOption, address.span, address.name, problem);
    return false;
  }
  for (const typed::Option& option : tcp.options) {
    bool of_sink = option.name == "give_up";
    bool fits = of_sink ? direction == Direction::Out && connect != nullptr : direction == Direction::In;
    if (fits || &option == &address || option.name == "format") continue;
    diags.report(Code::BadOption, option.span, option.name,
                 of_sink ? "it is of a sink that connects" : "it is of a source");
    return false;
  }
  const typed::Option* give_up = tcp.find("give_up");
  if (give_up == nullptr || give_up->value.as_int() >= 0) return true;
  diags.report(Code::BadOption, give_up->span, "give_up", "a duration here must not be negative");
  return false;
}

// What is wrong with where it listens; empty: nothing.
std::string problem_of_listen(const http::Url& url) {
  if (url.target.find('?') != std::string::npos) return "a path has no query";
  if (env::is_loopback(url.address.host)) return "";
  return "only this machine is served, since there is neither encryption nor a password yet: 127.0.0.1, "
         "localhost or [::1], behind a proxy where others are to send";
}

// Where it listens or sends to. False when something was reported.
bool check_http(const typed::Connector& http, Direction direction, diag::Engine& diags) {
  bool in = direction == Direction::In;
  const typed::Option* own = http.find(in ? "listen" : "post");
  for (const typed::Option& option : http.options) {
    bool of_sink = option.name == "post" || option.name == "give_up";
    if (&option == own || option.name == "format" || of_sink != in) continue;
    diags.report(Code::BadOption, option.span, option.name,
                 of_sink ? "it is of a sink" : "it is of a source");
    return false;
  }
  if (own == nullptr) {
    diags.report(Code::MissingOption, http.span, http.name,
                 in ? "`listen: \"127.0.0.1:port/path\"`" : "`post: \"http://host:port/path\"`");
    return false;
  }
  auto url = http::parse_url(own->value.as_text());
  std::string problem = url ? "" : url.error().message;
  if (url && in) problem = problem_of_listen(url.value());
  if (url && !in && url.value().address.port == 0) problem = "port 0 is of `listen`: the system chooses one";
  const typed::Option* give_up = http.find("give_up");
  if (problem.empty() && give_up != nullptr && give_up->value.as_int() < 0) {
    own = give_up;
    problem = "a duration here must not be negative";
  }
  if (problem.empty()) return true;
  diags.report(Code::BadOption, own->span, own->name, problem);
  return false;
}

}  // namespace

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
  auto one_of = [&](std::string_view name, std::initializer_list<std::string_view> values) {
    const typed::Option* option = out.find(name);
    if (option == nullptr || std::find(values.begin(), values.end(), option->value.as_text()) != values.end())
      return;
    std::string list;
    for (std::string_view value : values) list += (list.empty() ? "" : ", ") + std::string(value);
    diags.report(Code::BadOption, option->span, option->name, "one of " + list + " is needed");
    fine = false;
  };
  if (fine) {
    one_of("format", {"json", "csv", "tsv", "lines"});
    one_of("time_unit", {"s", "ms", "us", "ns"});
    if (out.name == "file") one_of("start", {"earliest"});
    if (out.name == "tcp") fine = check_tcp(out, direction, diags) && fine;
    if (out.name == "http") fine = check_http(out, direction, diags) && fine;
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

}  // namespace mut::sema

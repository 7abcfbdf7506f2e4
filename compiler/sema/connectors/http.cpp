#include "compiler/sema/connectors/rule.h"
#include "runtime/env/loopback.h"
#include "runtime/http/url.h"

namespace mut::sema {

using diag::Code;
using typed::Kind;

namespace {

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
    if (&option == own || option.name == "format" || option.name == "guarantee" || of_sink != in) continue;
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

const ConnectorRule& http_rule() {
  static const ConnectorRule rule = {
      "http",
      true,
      true,
      0,
      text_options({{"listen", Kind::String}, {"post", Kind::String}, {"give_up", Kind::Duration}}),
      check_http};
  return rule;
}

}  // namespace mut::sema

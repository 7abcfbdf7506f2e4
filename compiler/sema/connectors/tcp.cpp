#include "compiler/sema/connectors/rule.h"
#include "runtime/env/tcp_address.h"

namespace mut::sema {

using diag::Code;
using typed::Kind;

namespace {

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
    if (fits || &option == &address || option.name == "format" || option.name == "guarantee") continue;
    diags.report(Code::BadOption, option.span, option.name,
                 of_sink ? "it is of a sink that connects" : "it is of a source");
    return false;
  }
  const typed::Option* give_up = tcp.find("give_up");
  if (give_up == nullptr || give_up->value.as_int() >= 0) return true;
  diags.report(Code::BadOption, give_up->span, "give_up", "a duration here must not be negative");
  return false;
}

}  // namespace

const ConnectorRule& tcp_rule() {
  static const ConnectorRule rule = {
      "tcp",
      true,
      true,
      0,
      text_options({{"connect", Kind::String}, {"listen", Kind::String}, {"give_up", Kind::Duration}}),
      check_tcp};
  return rule;
}

}  // namespace mut::sema

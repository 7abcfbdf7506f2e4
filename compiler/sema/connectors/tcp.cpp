#include "compiler/sema/connectors/rule.h"
#include "runtime/env/tcp_address.h"

namespace mut::sema {

using diag::Code;
using typed::Kind;

namespace {

// Who listens is encrypted where there is a certificate.
bool check_encryption(const typed::Connector& tcp, diag::Engine& diags) {
  if (!check_tls(tcp, diags)) return false;
  const typed::Option* tls = tcp.find("tls");
  const typed::Option* authorities = tcp.find("ca");
  if (tcp.find("listen") == nullptr) return true;
  if (tls != nullptr)
    return report_option(*tls, "it is of `connect`; who listens is encrypted by `cert` and `cert_key`",
                         diags);
  if (authorities != nullptr && tcp.find("cert") == nullptr)
    return report_option(*authorities, "it goes with `cert` and `cert_key`", diags);
  return true;
}

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
  if (!check_encryption(tcp, diags)) return false;
  for (const typed::Option& option : tcp.options) {
    bool of_both = option.name == "tls" || option.name == "ca" || option.name == "cert" ||
                   option.name == "cert_key" || option.name == "format" || option.name == "guarantee";
    bool of_sink = option.name == "give_up";
    bool fits = of_sink ? direction == Direction::Out && connect != nullptr : direction == Direction::In;
    if (fits || &option == &address || of_both) continue;
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
      tls_options(
          text_options({{"connect", Kind::String}, {"listen", Kind::String}, {"give_up", Kind::Duration}})),
      check_tcp};
  return rule;
}

}  // namespace mut::sema

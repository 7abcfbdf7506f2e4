#include "compiler/sema/connectors/rule.h"
#include "runtime/http/websocket_url.h"

namespace mut::sema {

using typed::Kind;

namespace {

bool check_websocket(const typed::Connector& websocket, Direction direction, diag::Engine& diags) {
  if (!need_option(websocket, "connect", "`connect: \"ws://host:port/path\"`", diags)) return false;
  const typed::Option& connect = *websocket.find("connect");
  auto url = http::parse_websocket_url(connect.value.as_text());
  if (!url) return report_option(connect, url.error().message, diags);
  if (!check_tls_of_url(websocket, url.value(), "wss://", diags)) return false;
  if (direction == Direction::In)
    return refuse_options(websocket, {"give_up"}, Direction::Out, diags) &&
           check_one_of(websocket, "format", {"json", "lines"}, diags);
  return refuse_options(websocket, {"time_unit"}, Direction::In, diags) &&
         check_one_of(websocket, "format", {"json"}, diags) &&
         check_not_negative(websocket, "give_up", diags);
}

}  // namespace

const ConnectorRule& websocket_rule() {
  static const ConnectorRule rule = {"websocket",
                                     true,
                                     true,
                                     0,
                                     tls_options({{"connect", Kind::String},
                                                  {"hello", Kind::String},
                                                  {"token", Kind::Secret},
                                                  {"give_up", Kind::Duration},
                                                  {"format", Kind::String},
                                                  {"time_unit", Kind::String}}),
                                     check_websocket};
  return rule;
}

}  // namespace mut::sema

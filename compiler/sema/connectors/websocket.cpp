#include "compiler/sema/connectors/rule.h"
#include "runtime/http/websocket_url.h"

namespace mut::sema {

using typed::Kind;

namespace {

bool check_serving(const typed::Connector& websocket, Direction direction, diag::Engine& diags) {
  const typed::Option& listen = *websocket.find("listen");
  if (const typed::Option* connect = websocket.find("connect"))
    return report_option(*connect, "it connects or listens, not both", diags);
  for (std::string_view name : {"hello", "give_up", "tls"}) {
    if (const typed::Option* option = websocket.find(name))
      return report_option(*option, "it is of who connects", diags);
  }
  auto url = http::parse_websocket_place(listen.value.as_text());
  if (!url) return report_option(listen, url.error().message, diags);
  if (!check_listening(websocket, url.value(), "wss://", diags)) return false;
  if (direction == Direction::In) return check_one_of(websocket, "format", {"json", "lines"}, diags);
  return refuse_options(websocket, {"time_unit"}, Direction::In, diags) &&
         check_one_of(websocket, "format", {"json"}, diags);
}

bool check_websocket(const typed::Connector& websocket, Direction direction, diag::Engine& diags) {
  if (websocket.find("listen") != nullptr) return check_serving(websocket, direction, diags);
  const char* usage = "`connect: \"ws://host:port/path\"` or `listen: \"127.0.0.1:port/path\"`";
  if (!need_option(websocket, "connect", usage, diags)) return false;
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
                                                  {"listen", Kind::String},
                                                  {"hello", Kind::String},
                                                  {"token", Kind::Secret},
                                                  {"give_up", Kind::Duration},
                                                  {"format", Kind::String},
                                                  {"time_unit", Kind::String}}),
                                     check_websocket};
  return rule;
}

}  // namespace mut::sema

#include "compiler/sema/connectors/rule.h"
#include "runtime/http/url.h"

namespace mut::sema {

using typed::Kind;

namespace {

bool check_receiving(const typed::Connector& http, const http::Url& url, diag::Engine& diags) {
  return refuse_options(http, {"post", "give_up", "tls"}, Direction::Out, diags) &&
         check_listening(http, url, "https://", diags);
}

bool check_sending(const typed::Connector& http, const http::Url& url, diag::Engine& diags) {
  if (!refuse_options(http, {"listen", "time_unit", "header", "separator", "none"}, Direction::In, diags))
    return false;
  if (url.address.port == 0)
    return report_option(*http.find("post"), "port 0 is of `listen`: the system chooses one", diags);
  return check_tls_of_url(http, url, "https://", diags) && check_not_negative(http, "give_up", diags);
}

// Where it listens or sends to. False when something was reported.
bool check_http(const typed::Connector& http, Direction direction, diag::Engine& diags) {
  bool in = direction == Direction::In;
  const char* own = in ? "listen" : "post";
  const char* usage = in ? "`listen: \"127.0.0.1:port/path\"`" : "`post: \"http://host:port/path\"`";
  if (http.find(own) == nullptr) {
    // What belongs to the other side tells more than that this one's is missing.
    if (!(in ? refuse_options(http, {"post"}, Direction::Out, diags)
             : refuse_options(http, {"listen"}, Direction::In, diags)))
      return false;
    return need_option(http, own, usage, diags);
  }
  const typed::Option& option = *http.find(own);
  auto url = http::parse_url(option.value.as_text());
  if (!url) return report_option(option, url.error().message, diags);
  return in ? check_receiving(http, url.value(), diags) : check_sending(http, url.value(), diags);
}

}  // namespace

const ConnectorRule& http_rule() {
  static const ConnectorRule rule = {"http",
                                     true,
                                     true,
                                     0,
                                     tls_options(text_options({{"listen", Kind::String},
                                                               {"post", Kind::String},
                                                               {"token", Kind::Secret},
                                                               {"give_up", Kind::Duration}})),
                                     check_http};
  return rule;
}

}  // namespace mut::sema

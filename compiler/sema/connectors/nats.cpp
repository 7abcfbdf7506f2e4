#include "compiler/sema/connectors/rule.h"
#include "runtime/connector/nats/nats_url.h"

namespace mut::sema {

using connector::SubjectUse;
using typed::Kind;

namespace {

// Names of options that go together with a stream, or without one.
bool check_reading(const typed::Connector& nats, diag::Engine& diags) {
  if (!refuse_options(nats, {"give_up"}, Direction::Out, diags)) return false;
  bool of_stream = nats.find("stream") != nullptr;
  for (std::string_view name : {"durable", "start"}) {
    const typed::Option* option = nats.find(name);
    if (option != nullptr && !of_stream)
      return report_option(*option, "it is of a source with `stream`", diags);
  }
  const typed::Option* queue = nats.find("queue");
  if (queue != nullptr && of_stream)
    return report_option(*queue, "a stream is read as a whole, in its order; `queue` is without `stream`",
                         diags);
  if (!of_stream && !need_option(nats, "subject", "`subject: \"orders.>\"`", diags)) return false;
  return check_one_of(nats, "start", {"earliest", "new"}, diags) && check_envelope(nats, diags);
}

// A user with a password, or a token, or a file of credentials.
bool check_login(const typed::Connector& nats, diag::Engine& diags) {
  const typed::Option* user = nats.find("user");
  const typed::Option* password = nats.find("password");
  const typed::Option* token = nats.find("token");
  if (token != nullptr && (user != nullptr || password != nullptr))
    return report_option(*token, "it is in the place of `user` and `password`", diags);
  const typed::Option* credentials = nats.find("creds");
  if (credentials != nullptr && (user != nullptr || password != nullptr || token != nullptr))
    return report_option(*credentials, "it is in the place of a password or token", diags);
  if (credentials != nullptr && credentials->value.as_text().empty())
    return report_option(*credentials, "the path of a file is needed", diags);
  if ((user == nullptr) == (password == nullptr)) return true;
  return report_option(user != nullptr ? *user : *password, "`user` and `password` go together", diags);
}

bool check_writing(const typed::Connector& nats, diag::Engine& diags) {
  return refuse_options(nats, {"queue", "durable", "envelope", "time_unit", "header", "separator", "none"},
                        Direction::In, diags) &&
         need_option(nats, "subject", "`subject: \"orders.eu\"`", diags) &&
         check_one_of(nats, "format", {"json"}, diags) && check_not_negative(nats, "give_up", diags);
}

// Where the server is, which messages, and how they are read or written. False when something was reported.
bool check_nats(const typed::Connector& nats, Direction direction, diag::Engine& diags) {
  if (!need_option(nats, "url", "`url: \"nats://host:4222\"`", diags)) return false;
  const typed::Option& url = *nats.find("url");
  auto address = connector::parse_nats_url(url.value.as_text());
  if (!address) return report_option(url, address.error().message, diags);
  if (!check_login(nats, diags) || !check_tls(nats, diags)) return false;
  const typed::Option* tls = nats.find("tls");
  if (tls != nullptr && tls->value.as_text() == "off" && connector::is_tls_url(url.value.as_text()))
    return report_option(*tls, "`url` wants it with tls://", diags);
  warn_in_the_clear(nats, {"password", "token"}, address.value().host, diags);
  bool in = direction == Direction::In;
  if (!(in ? check_reading(nats, diags) : check_writing(nats, diags))) return false;
  if (const typed::Option* subject = nats.find("subject")) {
    std::string problem =
        connector::problem_of_subject(subject->value.as_text(), in ? SubjectUse::Pattern : SubjectUse::Exact);
    if (!problem.empty()) return report_option(*subject, problem, diags);
  }
  for (std::string_view name : {"stream", "durable", "queue"}) {
    const typed::Option* option = nats.find(name);
    std::string problem = option == nullptr ? "" : connector::problem_of_name(option->value.as_text());
    if (!problem.empty()) return report_option(*option, problem, diags);
  }
  return true;
}

}  // namespace

const ConnectorRule& nats_rule() {
  static const ConnectorRule rule = {"nats",
                                     true,
                                     true,
                                     0,
                                     tls_options(text_options({{"url", Kind::String},
                                                               {"subject", Kind::String},
                                                               {"stream", Kind::String},
                                                               {"durable", Kind::String},
                                                               {"queue", Kind::String},
                                                               {"start", Kind::String},
                                                               {"user", Kind::String},
                                                               {"password", Kind::Secret},
                                                               {"token", Kind::Secret},
                                                               {"creds", Kind::String},
                                                               {"envelope", Kind::Bool},
                                                               {"give_up", Kind::Duration}})),
                                     check_nats};
  return rule;
}

}  // namespace mut::sema

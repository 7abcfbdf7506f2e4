// What a script may write of a connector. One file for each that reaches other programs.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "compiler/diagnostics/diagnostics.h"
#include "compiler/sema/connectors.h"
#include "compiler/typed/program.h"
#include "runtime/http/url.h"

namespace mut::sema {

struct OptionRule {
  std::string_view name;
  // String also for words: `format: csv`; List: a list of texts; Secret: a password or token, by reference.
  typed::Kind kind;
};

struct ConnectorRule {
  std::string_view name;
  bool in;
  bool out;
  size_t positional_max;
  std::vector<OptionRule> options;
  // Of options that are there and have their types. False when something was reported. Null: nothing more is
  // to be said.
  bool (*check)(const typed::Connector&, Direction, diag::Engine&) = nullptr;
  // Of a sink: of its rows, which are a record. The same.
  bool (*check_rows)(const typed::Connector&, const typed::Type& row, diag::Engine&) = nullptr;
};

// `env("NAME")` or `secret_file("path")`. Nothing when something was reported.
std::optional<typed::Const> check_secret(std::string_view connector, const ast::Argument& argument,
                                         ExprChecker& exprs);

// How text is read and written, and what is particular to the connector.
std::vector<OptionRule> text_options(std::vector<OptionRule> more);

// The same with what is said of encryption by who connects: `tls`, `ca`, `cert`, `cert_key`.
std::vector<OptionRule> tls_options(std::vector<OptionRule> more);

// ---- of checks; each reports, and is false, when something is wrong
// What must be there: `usage` says how it is written.
bool need_option(const typed::Connector& connector, std::string_view name, std::string_view usage,
                 diag::Engine& diags);
// These are of the other side: of a source, or of a sink.
bool refuse_options(const typed::Connector& connector, std::initializer_list<std::string_view> names,
                    Direction side, diag::Engine& diags);
// `envelope`, where it is there: what it makes is JSON.
bool check_envelope(const typed::Connector& connector, diag::Engine& diags);
// `give_up` and its like, where they are there.
bool check_not_negative(const typed::Connector& connector, std::string_view name, diag::Engine& diags);
// `format`, where it is there; none of text that is no message.
bool check_one_of(const typed::Connector& connector, std::string_view name,
                  std::initializer_list<std::string_view> values, diag::Engine& diags);
// Those of tls_options().
bool check_tls(const typed::Connector& connector, diag::Engine& diags);
// The same of who connects to a URL, and `token`. `scheme`: of one that is encrypted, "https://".
bool check_tls_of_url(const typed::Connector& connector, const http::Url& url, std::string_view scheme,
                      diag::Engine& diags);
// The same of who listens at a URL: others than this machine are served only where that is safe.
bool check_listening(const typed::Connector& connector, const http::Url& url, std::string_view scheme,
                     diag::Engine& diags);
// Warns where one of these is sent to another machine, and `tls: off` is said.
void warn_in_the_clear(const typed::Connector& connector, std::initializer_list<std::string_view> secrets,
                       std::string_view host, diag::Engine& diags);
bool report_option(const typed::Option& option, std::string_view problem, diag::Engine& diags);  // false

// One for each: a missing one does not link.
const ConnectorRule& tcp_rule();
const ConnectorRule& http_rule();
const ConnectorRule& kafka_rule();
const ConnectorRule& mqtt_rule();
const ConnectorRule& nats_rule();
const ConnectorRule& postgres_rule();
const ConnectorRule& websocket_rule();

}  // namespace mut::sema

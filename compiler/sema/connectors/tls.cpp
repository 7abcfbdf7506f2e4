#include "compiler/sema/connectors/rule.h"
#include "runtime/env/loopback.h"

namespace mut::sema {

using typed::Connector;
using typed::Kind;
using typed::Option;

std::vector<OptionRule> tls_options(std::vector<OptionRule> more) {
  for (std::string_view name : {"tls", "ca", "cert", "cert_key"}) more.push_back({name, Kind::String});
  return more;
}

bool check_tls(const Connector& connector, diag::Engine& diags) {
  if (!check_one_of(connector, "tls", {"off", "require", "verify"}, diags)) return false;
  const Option* tls = connector.find("tls");
  std::string_view said = tls != nullptr ? std::string_view(tls->value.as_text()) : "";
  const Option* authorities = connector.find("ca");
  if (authorities != nullptr && !said.empty() && said != "verify")
    return report_option(*authorities, "it is of `tls: verify`", diags);
  const Option* certificate = connector.find("cert");
  const Option* key = connector.find("cert_key");
  if (certificate != nullptr && said == "off")
    return report_option(*certificate, "it goes with encryption: `tls: verify`", diags);
  if ((certificate == nullptr) != (key == nullptr))
    return report_option(certificate != nullptr ? *certificate : *key, "`cert` and `cert_key` go together",
                         diags);
  for (const Option* file : {authorities, certificate, key}) {
    if (file != nullptr && file->value.as_text().empty())
      return report_option(*file, "the path of a file is needed", diags);
  }
  return true;
}

namespace {

// `with`: what they go with.
bool refuse_in_the_clear(const Connector& connector, const std::string& with, diag::Engine& diags) {
  for (std::string_view name : {"tls", "ca", "cert", "cert_key"}) {
    if (const Option* option = connector.find(name))
      return report_option(*option, "it goes with encryption: `" + with + "`", diags);
  }
  return true;
}

}  // namespace

bool check_tls_of_url(const Connector& connector, const http::Url& url, std::string_view scheme,
                      diag::Engine& diags) {
  const std::string encrypted = std::string(scheme) + "…";
  if (!url.is_encrypted() && !refuse_in_the_clear(connector, encrypted, diags)) return false;
  const Option* tls = connector.find("tls");
  if (tls != nullptr && tls->value.as_text() == "off")
    return report_option(
        *tls, "`" + encrypted + "` is encrypted; leave it out, or take the scheme without `s`", diags);
  const Option* token = connector.find("token");
  if (token != nullptr && !url.is_encrypted() && !url.is_of_this_machine())
    return report_option(*token, "it could be read on the way to another machine: write `" + encrypted + "`",
                         diags);
  return check_tls(connector, diags);
}

bool check_listening(const Connector& connector, const http::Url& url, std::string_view scheme,
                     diag::Engine& diags) {
  const std::string encrypted = "listen: \"" + std::string(scheme) + "…\"";
  const Option& listen = *connector.find("listen");
  if (url.target.find('?') != std::string::npos) return report_option(listen, "a path has no query", diags);
  if (!url.is_encrypted() && !refuse_in_the_clear(connector, encrypted, diags)) return false;
  if (!check_tls(connector, diags)) return false;
  if (url.is_encrypted() && connector.find("cert") == nullptr)
    return report_option(
        listen, "whoever is encrypted shows a certificate: `cert` and `cert_key` are files of PEM", diags);
  bool known = connector.find("token") != nullptr || connector.find("ca") != nullptr;
  if (url.is_of_this_machine() || (url.is_encrypted() && known)) return true;
  return report_option(listen,
                       "only this machine is served (127.0.0.1, localhost, [::1]), unless by `" +
                           std::string(scheme) +
                           "`, with `cert` and `cert_key`, and for those who are known: `token`, or `ca` for "
                           "certificates of clients",
                       diags);
}

void warn_in_the_clear(const Connector& connector, std::initializer_list<std::string_view> secrets,
                       std::string_view host, diag::Engine& diags) {
  const Option* tls = connector.find("tls");
  if (tls == nullptr || tls->value.as_text() != "off" || env::is_loopback(host)) return;
  for (std::string_view name : secrets) {
    const Option* secret = connector.find(name);
    if (secret == nullptr) continue;
    diags.report(diag::Code::SecretInTheClear, secret->span, std::string(name), std::string(host))
        .note(tls->span, "because of this");
  }
}

}  // namespace mut::sema

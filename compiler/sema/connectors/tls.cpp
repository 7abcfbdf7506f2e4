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

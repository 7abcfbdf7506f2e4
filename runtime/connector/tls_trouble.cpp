#include "runtime/connector/tls_trouble.h"

#include <array>
#include <initializer_list>
#include <string_view>

namespace mut::connector {
namespace {

bool has_any(const std::string& text, std::initializer_list<std::string_view> words) {
  for (std::string_view word : words) {
    if (text.find(word) != std::string::npos) return true;
  }
  return false;
}

// "BEGIN ENCRYPTED PRIVATE KEY", or a line of the older form.
bool wants_password(std::string_view key) {
  return key.find("BEGIN ENCRYPTED") != std::string_view::npos ||
         key.find("4,ENCRYPTED") != std::string_view::npos;
}

// What may be done about it; empty: it is none of encryption.
std::string fix_of(const std::string& why, const Tls& tls) {
  const std::string ours = tls.certificate.empty() ? "" : "`" + tls.certificate + "`";
  if (has_any(why, {"alert unknown ca", "alert bad certificate", "alert certificate", "certificate required",
                    "alert handshake failure", "alert unsupported certificate",
                    "requires a valid client certificate"})) {
    return ours.empty() ? "it wants to see a certificate: give `cert` and `cert_key`"
                        : "it does not take the certificate " + ours;
  }
  if (has_any(why, {"ostname mismatch", "ost name verification failed", "IP address mismatch",
                    "does not match host name"}))
    return "its certificate is of another host: connect by a name or an address that stands in it";
  if (has_any(why, {"certificate has expired", "certificate is not yet valid"}))
    return "its certificate is not valid today";
  if (has_any(why, {"certificate verify failed", "unable to get local issuer", "self-signed certificate",
                    "self signed certificate", "unable to get issuer"})) {
    if (tls.check == Tls::Check::Off) return "it wants an encrypted connection: `tls: verify`";
    return "its certificate is signed by nobody in `" + tls.authorities +
           "`: `ca: \"file\"` names the authority that has signed it";
  }
  if (tls.check == Tls::Check::Off && has_any(why, {", no encryption"}))
    return "if it wants an encrypted connection: `tls: verify`";
  if (has_any(why, {"wrong version number", "packet length too long", "http request", "record layer failure",
                    "PLAINTEXT broker", "does not support SSL"}))
    return "what is there speaks no TLS: another port, or `tls: off`";
  // It has not understood the greeting.
  if (has_any(why, {"handshake failed"}) && has_any(why, {"unexpected eof"}))
    return "it seems that what is there speaks no TLS: another port, or `tls: off`";
  return "";
}

}  // namespace

Status check_tls_files(env::Env& env, const Tls& tls) {
  if (tls.check == Tls::Check::Off) return Unit{};
  for (const std::string* path : {&tls.authorities, &tls.certificate}) {
    if (path->empty()) continue;
    auto file = env.open_input(*path);
    if (!file) return file.error();
  }
  if (tls.certificate_key.empty()) return Unit{};
  auto key = env.open_input(tls.certificate_key);
  if (!key) return key.error();
  std::array<char, 4096> begin{};  // has the lines that say how it is kept
  auto got = key.value()->read(begin.data(), begin.size());
  if (!got) return got.error();
  if (!wants_password({begin.data(), got.value()})) return Unit{};
  return Error{tls.certificate_key +
               ": the key has a password, which nobody gives: `openssl pkey` writes one without"};
}

std::string with_tls_fix(std::string why, const Tls& tls) {
  std::string fix = fix_of(why, tls);
  return fix.empty() ? why : why + "; " + fix;
}

}  // namespace mut::connector

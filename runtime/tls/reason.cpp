#include "runtime/tls/reason.h"

namespace mut::tls {
namespace {

std::string text_of(const Library& ssl, unsigned long code) {
  const char* text = code == 0 ? nullptr : ssl.ERR_reason_error_string(code);
  return text != nullptr ? text : "a reason that is not known";
}

// What to do about a certificate that was not taken; empty: nothing that is known.
std::string remedy_of_certificate(long result, Role role, const std::string& host) {
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "; the other side has to renew it, unless the clock of this machine is wrong";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "; it begins later: is the clock of this machine right?";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "; its certificate is not of `" + host + "`: write the host as the certificate has it";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return role == Role::Connects ? "; nobody who is trusted has signed it: `ca` names who is"
                                    : "; nobody whom `ca` names has signed it";
    default:
      return "";
  }
}

std::string remedy_of(int reason, Role role) {
  bool connects = role == Role::Connects;
  switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_RECORD_LENGTH_MISMATCH:
    case SSL_R_UNKNOWN_PROTOCOL:
      return connects ? "; it does not speak TLS there: is it another port, or in the clear?"
                      : "; it does not speak TLS";
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
      return "; it speaks HTTP in the clear: `https://` is meant";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_VERSION_TOO_LOW:
      return "; TLS 1.2 or 1.3 is spoken here";
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return "; it has to show one that `ca` has signed";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return connects ? "; the other side may want a certificate of this one: `cert` and `cert_key`" : "";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return "; the other side does not take the certificate of this one";
    default:
      return "";
  }
}

}  // namespace

std::string last_reason(const Library& ssl) {
  std::string out = text_of(ssl, ssl.ERR_peek_error());
  ssl.ERR_clear_error();
  return out;
}

std::string last_reason(const Library& ssl, const SSL* connection, Role role, const std::string& host) {
  unsigned long code = ssl.ERR_peek_error();
  std::string out = text_of(ssl, code);
  if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    long result = ssl.SSL_get_verify_result(connection);
    out = ssl.X509_verify_cert_error_string(result) + remedy_of_certificate(result, role, host);
  } else if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
    out += remedy_of(ERR_GET_REASON(code), role);
  }
  ssl.ERR_clear_error();
  return out;
}

}  // namespace mut::tls

#include "runtime/connector/tls.h"

namespace mut::connector {

std::string Tls::text() const {
  if (check == Check::Off) return "";
  std::string out = check == Check::Require ? ", tls require" : ", tls verify";
  if (!authorities.empty()) out += " " + authorities;
  if (!certificate.empty()) out += ", as " + certificate;
  return out;
}

}  // namespace mut::connector

// How a connection of a connector is encrypted, as a script says it. Files are PEM, read when a connection is
// made, each time anew: a certificate that is renewed is taken at the next one.
#pragma once
#include <cstdint>
#include <string>

namespace mut::connector {

// The certificates that the system trusts, on Debian and its like.
constexpr const char* system_authorities = "/etc/ssl/certs/ca-certificates.crt";

struct Tls {
  enum class Check : uint8_t {
    Off,      // in the clear
    Require,  // encrypted, whoever the other side is
    Verify    // its certificate is that of the host, and signed by one of `authorities`
  } check = Check::Off;
  std::string authorities;  // those who are trusted; empty: nobody is asked for
  // What this side shows of itself; both empty: nothing.
  std::string certificate;
  std::string certificate_key;

  bool operator==(const Tls&) const = default;
  // Behind a target, for people: ", tls verify ca.pem"; empty: off.
  std::string text() const;
};

}  // namespace mut::connector

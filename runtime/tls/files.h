// What a side of an encrypted connection shows of itself, and whom it trusts: files of PEM, read when a
// connection is made, so that one that was renewed is taken at the next.
#pragma once
#include <string>

namespace mut::tls {

// Paths; empty: none.
struct Files {
  // Who connects shows it where it is asked for; who listens has to have one. Behind it stand those that lead
  // to an authority.
  std::string certificate;
  std::string certificate_key;
  // Whose certificates the other side has to have. None: of who connects, whoever listens is trusted; of who
  // listens, nobody is asked.
  std::string authorities;

  bool operator==(const Files&) const = default;
};

}  // namespace mut::tls

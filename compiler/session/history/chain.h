// A line of a history: {"prev":"…","body":{…},"sum":"…"}. `sum` is the SHA-256 of `prev` and the bytes of the
// body; the `prev` of the next line is this `sum`. Whoever changes, takes away or moves a line but the last
// breaks the chain.
#pragma once
#include <string>
#include <string_view>

#include "runtime/abi/result.h"

namespace mut::session {

// What the first line follows.
std::string chain_begin();
// How every line begins.
std::string_view chain_line_begin();

struct Sealed {
  std::string line;  // with its line end
  std::string sum;
};
Sealed seal(const std::string& prev, std::string_view body);

struct Opened {
  std::string_view body;  // in `line`
  std::string sum;
};
// `line` without its line end.
Result<Opened> unseal(const std::string& prev, std::string_view line);

}  // namespace mut::session

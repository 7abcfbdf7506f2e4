// Passwords and tokens of connectors, which nothing holds longer than it takes to use them.
#pragma once
#include <cstdint>
#include <string>

#include "runtime/abi/result.h"
#include "runtime/env/env.h"

namespace mut::connector {

constexpr size_t secret_bytes_max = 64 * 1024;

// Where one is found.
struct Secret {
  enum class From : uint8_t { Variable, File } from = From::Variable;
  std::string name;  // of the variable, or the path of the file

  // As a script writes it: `env("SHOP_DB_PASSWORD")`.
  std::string text() const;
  // What is there now; of a file without its last line end. Fails where there is nothing, or more than
  // secret_bytes_max. Threads: any.
  Result<std::string> read(env::Env& env) const;
};

}  // namespace mut::connector

// The settings of a side of encrypted connections, made of its files. Private to the folder.
#pragma once
#include <memory>
#include <string>

#include "runtime/tls/files.h"
#include "runtime/tls/library.h"

namespace mut::tls {

enum class Role : uint8_t { Connects, Listens };

// What the files hold.
struct Texts {
  std::string certificate;
  std::string certificate_key;
  std::string authorities;
  bool operator==(const Texts&) const = default;
};
Result<Texts> read_texts(env::Env& env, const Files& files);

using Context = std::shared_ptr<SSL_CTX>;
// Fails where the texts are none of certificates, or do not belong together.
Result<Context> make_context(const LibraryRef& library, Role role, const Files& files, const Texts& texts);

}  // namespace mut::tls

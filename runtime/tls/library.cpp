#include "runtime/tls/library.h"

namespace mut::tls {

Result<LibraryRef> load(env::Env& env) {
  auto opened = env.open_library("libssl.so.3");
  if (!opened) return Error{"encryption needs libssl.so.3, which is not there: apt install libssl3"};
  const env::Library& library = *opened.value();
  auto out = std::make_shared<Library>();
  Status bound = Unit{};
#define MUT_TLS_FUNCTION(name) \
  if (bound) bound = env::bind(library, #name, out->name);
#include "runtime/tls/functions.def"
#undef MUT_TLS_FUNCTION
  if (!bound) return bound.error();
  return LibraryRef(std::move(out));
}

}  // namespace mut::tls

// Lines of a history: whatever they are, reading them ends, and what is read is written as it was read.
#include <cstdlib>
#include <string>
#include <string_view>

#include "compiler/session/history/chain.h"
#include "compiler/session/history/record_json.h"

namespace {

using namespace mut::session;  // NOLINT

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // As a line: only what was sealed opens.
  if (auto opened = unseal(chain_begin(), bytes))
    require(seal(chain_begin(), opened.value().body).line == std::string(bytes) + "\n");
  if (bytes.empty()) return 0;
  Sealed sealed = seal(chain_begin(), bytes);
  auto back = unseal(chain_begin(), std::string_view(sealed.line).substr(0, sealed.line.size() - 1));
  require(back.ok() && back.value().body == bytes && back.value().sum == sealed.sum);
  // As the body of one.
  auto event = read_event(bytes);
  if (!event || event.value().kind != Event::Kind::Version) return 0;
  std::string written = version_event(event.value().record);
  auto again = read_event(written);
  require(again.ok() && version_event(again.value().record) == written);
  return 0;
}

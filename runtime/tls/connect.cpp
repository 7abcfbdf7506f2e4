#include "runtime/tls/connect.h"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/tls/handshake.h"

namespace mut::tls {
namespace {

// How soon who connects notices that it is to give up.
constexpr int64_t look_ns = 20'000'000;

}  // namespace

Result<std::unique_ptr<env::Socket>> encrypt(env::Env& env, std::unique_ptr<env::Socket> below,
                                             const std::string& host, const Files& files, int64_t until_ns,
                                             const std::atomic<bool>& given_up) {
  auto library = load(env);
  if (!library) return library.error();
  auto texts = read_texts(env, files);
  if (!texts) return texts.error();
  auto context = make_context(library.value(), Role::Connects, files, texts.value());
  if (!context) return context.error();
  Handshake handshake(std::move(below),
                      std::make_unique<Session>(library.value(), context.value(), Role::Connects, host));
  while (true) {
    auto agreed = handshake.move();
    if (!agreed) return agreed.error();
    if (agreed.value() == env::Entrance::Agreed::Yes) return handshake.take();
    int64_t left_ns = until_ns - env.monotonic_ns();
    if (given_up.load()) return Error{"it was given up"};
    if (left_ns <= 0) return Error{"nothing answers TLS there: is it another port, or in the clear?"};
    (void)handshake.below().wait(handshake.interest(), std::min(left_ns, look_ns));
  }
}

}  // namespace mut::tls

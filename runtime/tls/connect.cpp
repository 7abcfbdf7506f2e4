#include "runtime/tls/connect.h"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/tls/handshake.h"

namespace mut::tls {
namespace {

// How soon who connects notices that it is to give up.
constexpr int64_t look_ns = 20'000'000;
// How long is waited for a refusal of who this side is, where the other side may refuse it behind the
// agreement and may say nothing else: so long, and so many times what the agreement took.
constexpr int64_t refusal_ns = 300'000'000;
constexpr int64_t refusal_turns = 4;
// How long nothing counts as confirmed there.
constexpr int64_t doubt_turns = 5;

// A server of TLS 1.3 looks at the certificate of a client when that takes the agreement for done. Most say
// something then (tickets); of who is silent for a while nothing is known but that it has not refused yet.
Status hear_refusal(env::Env& env, EncryptedSocket& socket, int64_t took_ns,
                    const std::atomic<bool>& given_up) {
  int64_t patience_ns = std::max(refusal_ns, refusal_turns * took_ns);
  int64_t now_ns = env.monotonic_ns();
  socket.doubt(env, now_ns + doubt_turns * patience_ns);
  int64_t until_ns = now_ns + patience_ns;
  while (!given_up.load()) {
    Status heard = socket.hear();
    if (!heard || !socket.is_in_doubt()) return heard;
    now_ns = env.monotonic_ns();
    if (now_ns >= until_ns) break;
    socket.wait_below(std::min(until_ns - now_ns, look_ns));
  }
  return Unit{};
}

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
  int64_t begin_ns = env.monotonic_ns();
  Handshake handshake(std::move(below),
                      std::make_unique<Session>(library.value(), context.value(), Role::Connects, host));
  while (true) {
    auto agreed = handshake.move();
    if (!agreed) return agreed.error();
    if (agreed.value() == env::Entrance::Agreed::Yes) {
      bool may_be_refused = handshake.may_be_refused();
      std::unique_ptr<EncryptedSocket> socket = handshake.take_encrypted();
      Status accepted = may_be_refused ? hear_refusal(env, *socket, env.monotonic_ns() - begin_ns, given_up)
                                       : Status(Unit{});
      if (!accepted) return accepted.error();
      return std::unique_ptr<env::Socket>(std::move(socket));
    }
    int64_t left_ns = until_ns - env.monotonic_ns();
    if (given_up.load()) return Error{"it was given up"};
    if (left_ns <= 0) return Error{"nothing answers TLS there: is it another port, or in the clear?"};
    (void)handshake.below().wait(handshake.interest(), std::min(left_ns, look_ns));
  }
}

}  // namespace mut::tls

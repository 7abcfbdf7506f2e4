#include "runtime/tls/listen.h"

#include <optional>
#include <utility>

#include "runtime/tls/handshake.h"

namespace mut::tls {
namespace {

// What this side shows, as the files have it. Threads: one at a time.
class Shown {
 public:
  Shown(env::Env& env, LibraryRef library, Files files)
      : env_(env), library_(std::move(library)), files_(std::move(files)) {}

  // Where it fails what was shown before still is, and that is told once.
  Status read() {
    auto texts = read_texts(env_, files_);
    std::optional<Texts> found;
    if (texts) found = std::move(texts).value();
    if (found && found == texts_) return Unit{};
    bool told = !found && !texts_ && context_;
    texts_ = found;
    if (!found) return told ? Status(Unit{}) : Status(texts.error());
    auto context = make_context(library_, Role::Listens, files_, *texts_);
    if (!context) return context.error();
    context_ = std::move(context).value();
    return Unit{};
  }
  std::unique_ptr<Session> begin() const {
    return std::make_unique<Session>(library_, context_, Role::Listens, "");
  }

 private:
  env::Env& env_;
  LibraryRef library_;
  Files files_;
  std::optional<Texts> texts_;  // that were looked at last; none: they could not be read
  Context context_;
};

}  // namespace

Result<std::unique_ptr<env::SocketListener>> encrypt(env::Env& env,
                                                     std::unique_ptr<env::SocketListener> below,
                                                     Listening listening) {
  auto library = load(env);
  if (!library) return library.error();
  auto shown = std::make_shared<Shown>(env, std::move(library).value(), std::move(listening.files));
  Status read = shown->read();
  if (!read) return read.error();
  env::Screening screening;
  screening.agree_ns = listening.agree_ns;
  screening.refused = listening.refused;
  screening.begin = [shown, refused = std::move(listening.refused),
                     address = below->address()](std::unique_ptr<env::Socket> came) {
    Status renewed = shown->read();
    if (!renewed && refused)
      refused(renewed.error().within(address + " goes on with the certificate that it has"));
    return std::make_unique<Handshake>(std::move(came), shown->begin());
  };
  return env::make_screened_listener(env, std::move(below), std::move(screening));
}

}  // namespace mut::tls

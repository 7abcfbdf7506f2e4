#include "runtime/tls/handshake.h"

#include <utility>

namespace mut::tls {

Status Handshake::send() {
  while (!session_->unsent().empty()) {
    auto sent = below_->write(session_->unsent());
    if (!sent) return sent.error();
    if (sent.value() == 0) break;
    session_->note_sent(sent.value());
  }
  return Unit{};
}

Result<env::Entrance::Agreed> Handshake::move() {
  while (true) {
    auto agreed = session_->agree();
    Status sent = send();
    if (!agreed) return agreed.error();
    if (agreed.value() == Session::Agreed::Yes) return Agreed::Yes;
    auto came = below_->read(room_.data(), room_.size());
    if (!came) return came.error();
    if (came.value() == 0) return Error{"it has closed the connection before both sides agreed on TLS"};
    // What came before the other side went may say why.
    if (came.value() < 0 && !sent) return sent.error();
    if (came.value() < 0) return Agreed::NotYet;
    session_->put({room_.data(), static_cast<size_t>(came.value())});
  }
}

env::Waited::Interest Handshake::interest() const {
  return session_->unsent().empty() ? env::Waited::Interest::Read : env::Waited::Interest::ReadOrWrite;
}

std::unique_ptr<env::Socket> Handshake::take() { return take_encrypted(); }

std::unique_ptr<EncryptedSocket> Handshake::take_encrypted() {
  return std::make_unique<EncryptedSocket>(std::move(below_), std::move(session_));
}

}  // namespace mut::tls

// Two sides that agree how to encrypt. Private to the folder.
#pragma once
#include <array>
#include <memory>

#include "runtime/env/screened_listener.h"
#include "runtime/tls/session.h"
#include "runtime/tls/socket.h"

namespace mut::tls {

class Handshake final : public env::Entrance {
 public:
  Handshake(std::unique_ptr<env::Socket> below, std::unique_ptr<Session> session)
      : below_(std::move(below)), session_(std::move(session)) {}

  Result<Agreed> move() override;
  env::Waited::Interest interest() const override;
  env::Socket& below() const override { return *below_; }
  std::unique_ptr<env::Socket> take() override;
  std::unique_ptr<EncryptedSocket> take_encrypted();
  bool may_be_refused() const { return session_->may_be_refused(); }

 private:
  Status send();
  std::unique_ptr<env::Socket> below_;
  std::unique_ptr<Session> session_;
  std::array<char, 8 * 1024> room_{};
};

}  // namespace mut::tls

// A connection whose two sides have agreed, over one that carries its bytes. Private to the folder.
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <string>

#include "runtime/env/env.h"
#include "runtime/env/sockets.h"
#include "runtime/tls/session.h"

namespace mut::tls {

class EncryptedSocket final : public env::Socket {
 public:
  EncryptedSocket(std::unique_ptr<env::Socket> below, std::unique_ptr<Session> session)
      : below_(std::move(below)), session_(std::move(session)) {}

  int number() const override { return below_->number(); }
  void list_below(Interest wanted, std::vector<Below>& to) const override;
  bool holds(Interest wanted) const override;
  bool advance(Interest wanted) override;

  Event wait(Interest wanted, int64_t timeout_ns) override;
  void ring() noexcept override { below_->ring(); }
  Result<int64_t> read(char* to, size_t bytes) override;
  Result<size_t> write(std::string_view bytes) override;
  // Encrypted bytes, which are more than those that were written: none of these counts as confirmed too soon.
  // All of them while the other side may still refuse this one: what it confirms then nobody may read.
  uint64_t unconfirmed_bytes() const override;
  void finish_writing() noexcept override;
  const std::string& peer() const override { return below_->peer(); }

  // From now on until the other side has been heard of, or until then, it may refuse this one.
  void doubt(env::Env& env, int64_t until_ns);
  bool is_in_doubt() const { return doubted_by_ != nullptr; }
  // Takes in what has come, and leaves what read() gives. Fails where this side was refused.
  Status hear();
  void wait_below(int64_t timeout_ns) { (void)below_->wait(Interest::Read, timeout_ns); }

 private:
  Interest interest_below(Interest wanted) const;
  bool take_in();
  // Sends what is encrypted, as far as it fits.
  Status send();
  Error broke(const Error& why);
  Error why_it_ended(const Error& otherwise);

  std::unique_ptr<env::Socket> below_;
  std::unique_ptr<Session> session_;
  // Something may lie in the session that nothing below tells of.
  bool may_have_more_ = true;
  bool finishing_ = false;
  env::Env* doubted_by_ = nullptr;  // whose clock counts; null: there is no doubt
  int64_t doubt_until_ns_ = 0;
  uint64_t written_ = 0;
  std::optional<Error> broken_;
  std::array<char, 16 * 1024> room_{};
};

}  // namespace mut::tls

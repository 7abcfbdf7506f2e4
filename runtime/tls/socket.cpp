#include "runtime/tls/socket.h"

#include <algorithm>
#include <utility>

namespace mut::tls {
namespace {

// Of one call of write(), so that what is encrypted and does not fit is little.
constexpr size_t piece_bytes = 16 * 1024;
// What the other side makes this one say, by questions whose answers it does not read.
constexpr size_t unsent_bytes_max = 256 * 1024;
// Pieces of one call of read() that bring no data.
constexpr int turns_max = 16;

bool reads(env::Waited::Interest wanted) {
  return wanted == env::Waited::Interest::Read || wanted == env::Waited::Interest::ReadOrWrite;
}

}  // namespace

env::Waited::Interest EncryptedSocket::interest_below(Interest wanted) const {
  if (session_->unsent().empty()) return wanted;
  return reads(wanted) ? Interest::ReadOrWrite : Interest::Write;
}

void EncryptedSocket::list_below(Interest wanted, std::vector<Below>& to) const {
  to.push_back({number(), interest_below(wanted)});
}

bool EncryptedSocket::holds(Interest wanted) const { return broken_ || (reads(wanted) && may_have_more_); }

bool EncryptedSocket::advance(Interest wanted) {
  (void)send();
  if (broken_ || reads(wanted)) return true;
  return wanted == Interest::Write && session_->unsent().empty();
}

env::Socket::Event EncryptedSocket::wait(Interest wanted, int64_t timeout_ns) {
  if (holds(wanted)) return Event::Ready;
  Event event = below_->wait(interest_below(wanted), timeout_ns);
  if (event != Event::Ready) return event;
  return advance(wanted) ? Event::Ready : Event::Timeout;
}

Error EncryptedSocket::broke(const Error& why) {
  if (!broken_) broken_ = why;
  return *broken_;
}

// The other side may have said why, before it went.
Error EncryptedSocket::why_it_ended(const Error& otherwise) {
  std::array<char, 1024> ignored;
  for (int turn = 0; turn < turns_max; ++turn) {
    auto got = session_->read(ignored.data(), ignored.size());
    if (!got) return got.error().within(peer());
    if (got.value() == 0) return otherwise;
    if (got.value() > 0) continue;
    auto came = below_->read(room_.data(), room_.size());
    if (!came || came.value() <= 0) return otherwise;
    session_->put({room_.data(), static_cast<size_t>(came.value())});
  }
  return otherwise;
}

Status EncryptedSocket::send() {
  if (broken_) return *broken_;
  while (!session_->unsent().empty()) {
    auto sent = below_->write(session_->unsent());
    if (!sent) return broke(why_it_ended(sent.error()));
    if (sent.value() == 0) break;
    session_->note_sent(sent.value());
  }
  if (session_->unsent().size() > unsent_bytes_max)
    return broke({peer() + ": it asks and does not read the answers"});
  if (finishing_ && session_->unsent().empty()) {
    finishing_ = false;
    below_->finish_writing();
  }
  return Unit{};
}

Result<int64_t> EncryptedSocket::read(char* to, size_t bytes) {
  size_t filled = 0;
  for (int turn = 0; turn < turns_max && !broken_ && filled < bytes;) {
    auto got = session_->read(to + filled, bytes - filled);
    (void)send();
    if (!got) (void)broke(got.error().within(peer()));
    if (!got || got.value() == 0) break;
    // What came was understood, and is no refusal.
    if (got.value() > 0 || (turn > 0 && !session_->has_part())) doubted_by_ = nullptr;
    if (got.value() > 0) {
      filled += static_cast<size_t>(got.value());
    } else if (take_in()) {
      ++turn;
    } else {
      return filled > 0 ? static_cast<int64_t>(filled) : int64_t{-1};
    }
  }
  if (filled > 0) return static_cast<int64_t>(filled);  // an end comes behind it
  if (broken_) return *broken_;
  return session_->has_ended() ? int64_t{0} : int64_t{-1};
}

// Whether more has come, or the end.
bool EncryptedSocket::take_in() {
  if (broken_) return false;
  auto came = below_->read(room_.data(), room_.size());
  may_have_more_ = !came || came.value() >= 0;
  if (!came) (void)broke(came.error());
  if (came && came.value() == 0)
    (void)broke({peer() + ": the connection was cut off: it ended without the goodbye of TLS"});
  if (came && came.value() > 0) session_->put({room_.data(), static_cast<size_t>(came.value())});
  return may_have_more_;
}

Result<size_t> EncryptedSocket::write(std::string_view bytes) {
  size_t took = 0;
  while (true) {
    Status sent = send();
    if (!sent) return sent.error();
    if (took == bytes.size() || !session_->unsent().empty()) return took;
    auto part = session_->write(bytes.substr(took, piece_bytes));
    if (!part) return broke(part.error().within(peer()));
    if (part.value() == 0) return took;
    took += part.value();
    written_ += part.value();
  }
}

uint64_t EncryptedSocket::unconfirmed_bytes() const {
  uint64_t encrypted = below_->unconfirmed_bytes() + session_->unsent().size();
  bool doubted = doubted_by_ != nullptr && doubted_by_->monotonic_ns() < doubt_until_ns_;
  return doubted ? std::max(encrypted, written_) : encrypted;
}

void EncryptedSocket::doubt(env::Env& env, int64_t until_ns) {
  doubted_by_ = &env;
  doubt_until_ns_ = until_ns;
}

Status EncryptedSocket::hear() {
  while (!broken_ && is_in_doubt() && take_in()) {
    auto taken = session_->look();
    (void)send();
    if (!taken) return broke(taken.error().within(peer()));
    if (taken.value()) doubted_by_ = nullptr;
  }
  may_have_more_ = true;
  return broken_ ? Status(*broken_) : Status(Unit{});
}

void EncryptedSocket::finish_writing() noexcept {
  session_->say_goodbye();
  finishing_ = true;
  (void)send();
}

}  // namespace mut::tls

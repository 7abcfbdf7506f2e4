#include "runtime/http/framed_socket.h"

#include <algorithm>
#include <utility>

namespace mut::http {
namespace {

constexpr size_t read_bytes = 64 * 1024;
// Frames that are made at once, before they are sent.
constexpr size_t frames_bytes = 64 * 1024;
// Answers to pings that the other side does not read.
constexpr size_t unsent_bytes_max = 256 * 1024;
constexpr uint16_t all_is_said = 1000;
constexpr uint16_t protocol_broken = 1002;

bool reads(env::Waited::Interest wanted) {
  return wanted == env::Waited::Interest::Read || wanted == env::Waited::Interest::ReadOrWrite;
}

}  // namespace

env::Waited::Interest FramedSocket::interest_below(Interest wanted) const {
  if (unsent_.empty()) return wanted;
  return reads(wanted) ? Interest::ReadOrWrite : Interest::Write;
}

void FramedSocket::list_below(Interest wanted, std::vector<Below>& to) const {
  below_->list_below(interest_below(wanted), to);
}

bool FramedSocket::holds(Interest wanted) const {
  return broken_ || ended_ || below_->holds(interest_below(wanted));
}

int64_t FramedSocket::due_ns() const { return asked_ns_.value_or(heard_ns_) + websocket_silence_ns; }

bool FramedSocket::advance(Interest wanted) {
  bool there = below_->advance(interest_below(wanted));
  ask_whether_it_is_there();
  (void)send();
  if (broken_) return true;
  return there && (reads(wanted) || (wanted == Interest::Write && unsent_.empty()));
}

void FramedSocket::ask_whether_it_is_there() {
  int64_t now_ns = env_.monotonic_ns();
  if (now_ns < due_ns() || goodbye_ != Goodbye::No || ended_) return;
  if (asked_ns_) {
    (void)receive();  // what was not read could not be heard
    if (asked_ns_) (void)broke({peer() + ": it does not answer"});
    return;
  }
  asked_ns_ = now_ns;
  append_frame(Opcode::Ping, "", unsent_);
}

env::Socket::Event FramedSocket::wait(Interest wanted, int64_t timeout_ns) {
  if (holds(wanted)) return Event::Ready;
  Event event = below_->wait(interest_below(wanted), timeout_ns);
  if (event != Event::Ready) return event;
  return advance(wanted) ? Event::Ready : Event::Timeout;
}

Error FramedSocket::broke(const Error& why) {
  if (!broken_) broken_ = why;
  return *broken_;
}

Status FramedSocket::send() {
  if (broken_) return *broken_;
  size_t sent = 0;
  while (sent < unsent_.size()) {
    auto wrote = below_->write(std::string_view(unsent_).substr(sent));
    if (!wrote) return broke(wrote.error());
    if (wrote.value() == 0) break;
    sent += wrote.value();
  }
  unsent_.erase(0, sent);
  if (goodbye_ == Goodbye::Queued && unsent_.empty()) {
    goodbye_ = Goodbye::Said;
    below_->finish_writing();
  }
  return Unit{};
}

Result<bool> FramedSocket::receive() {
  if (broken_) return *broken_;
  std::array<char, read_bytes> bytes;
  auto got = below_->read(bytes.data(), bytes.size());
  if (!got) return broke(got.error());
  if (got.value() < 0) return false;
  ended_ = ended_ || got.value() == 0;
  heard_ns_ = env_.monotonic_ns();
  asked_ns_.reset();
  frames_.take({bytes.data(), static_cast<size_t>(got.value())});
  return true;
}

Result<FramedSocket::Came> FramedSocket::next(FrameReader::Message& to) {
  while (true) {
    if (broken_) return *broken_;
    auto found = frames_.next();
    if (!found) {
      say_goodbye(protocol_broken, found.error().message);
      return broke(found.error().within(peer()));
    }
    if (!found.value()) return ended_ ? Came::End : Came::Nothing;
    to = std::move(*found.value());
    switch (to.opcode) {
      case Opcode::Close:
        say_goodbye(all_is_said, "");
        ended_ = true;
        return Came::End;
      case Opcode::Ping:
        append_frame(Opcode::Pong, to.payload, unsent_);
        (void)send();
        if (unsent_.size() > frames_bytes + unsent_bytes_max)
          return broke({peer() + ": it asks and does not read the answers"});
        break;
      case Opcode::Pong:
        break;
      default:
        return Came::Message;
    }
  }
}

Result<int64_t> FramedSocket::read(char*, size_t) {
  auto came = receive();
  if (!came) return came.error();
  FrameReader::Message ignored;
  while (true) {
    auto step = next(ignored);
    if (!step) return step.error();
    if (step.value() == Came::End) return int64_t{0};
    if (step.value() == Came::Nothing) return int64_t{-1};
  }
}

Result<size_t> FramedSocket::write(std::string_view bytes) {
  size_t took = 0;
  while (true) {
    Status sent = send();
    if (!sent) return sent.error();
    if (took == bytes.size() || !unsent_.empty() || goodbye_ != Goodbye::No) return took;
    while (took < bytes.size() && unsent_.size() < frames_bytes) {
      std::string_view rest = bytes.substr(took);
      size_t end = std::min(rest.find('\n'), rest.size());
      line_ += rest.substr(0, end);
      took += std::min(end + 1, rest.size());
      if (end == rest.size()) break;
      append_frame(Opcode::Text, line_, unsent_);
      line_.clear();
    }
  }
}

uint64_t FramedSocket::unconfirmed_bytes() const {
  return below_->unconfirmed_bytes() + unsent_.size() + line_.size();
}

void FramedSocket::say_goodbye(uint16_t code, std::string_view why) noexcept {
  if (goodbye_ != Goodbye::No) return;
  goodbye_ = Goodbye::Queued;
  append_frame(Opcode::Close, close_payload(code, why), unsent_);
  (void)send();
}

void FramedSocket::finish_writing() noexcept { say_goodbye(all_is_said, ""); }

}  // namespace mut::http

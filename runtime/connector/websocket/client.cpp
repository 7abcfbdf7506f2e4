#include "runtime/connector/websocket/client.h"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/connector/encrypted.h"
#include "runtime/connector/http/token.h"

namespace mut::connector {
namespace {

constexpr size_t read_bytes = 64 * 1024;

}  // namespace

Status WebSocketClient::connect(int64_t timeout_ns, const std::atomic<bool>& given_up) {
  int64_t until_ns = env_.monotonic_ns() + timeout_ns;
  frames_ = http::FrameReader();
  came_.clear();
  out_.clear();
  sent_ = 0;
  agreed_ = false;
  auto connected = connect_to(env_, target_.url.address, target_.tls, timeout_ns, given_up);
  if (!connected) return connected.error();
  socket_ = std::move(connected).value();
  Status agreed = agree(until_ns);
  if (!agreed) {
    socket_ = nullptr;
    return agreed.error().within(target_.text());
  }
  if (!target_.hello.empty()) queue(http::Opcode::Text, target_.hello);
  return Unit{};
}

Status WebSocketClient::agree(int64_t until_ns) {
  std::string key = http::websocket_key(env_.random_seed(), env_.random_seed());
  std::vector<http::Field> fields;
  if (target_.token) {
    auto field = read_bearer(env_, *target_.token);
    if (!field) return field.error();
    fields.push_back(std::move(field).value());
  }
  out_ = http::upgrade_request(target_.url, key, fields);
  auto set = env_.make_socket_set();
  while (true) {
    int64_t left_ns = until_ns - env_.monotonic_ns();
    if (left_ns <= 0) return Error{"it does not answer"};
    Status moved = move(*set, left_ns);
    if (!moved) return moved;
    auto end = http::read_upgrade(came_, key);
    if (!end) return end.error();
    if (!end.value()) continue;
    frames_.take(std::string_view(came_).substr(*end.value()));
    came_.clear();
    agreed_ = true;
    return Unit{};
  }
}

void WebSocketClient::disconnect() noexcept {
  if (socket_ && agreed_) {
    queue(http::Opcode::Close, "\x03\xe8");  // 1000: all is said
    (void)write_some();
    socket_->finish_writing();
  }
  socket_ = nullptr;
}

void WebSocketClient::queue(http::Opcode opcode, std::string_view payload) {
  if (sent_ == out_.size()) {
    out_.clear();
    sent_ = 0;
  }
  http::append_frame(opcode, payload, static_cast<uint32_t>(env_.random_seed()), out_);
}

Status WebSocketClient::write_some() {
  while (sent_ < out_.size()) {
    auto wrote = socket_->write(std::string_view(out_).substr(sent_));
    if (!wrote) return wrote.error();
    if (wrote.value() == 0) break;
    sent_ += wrote.value();
    wrote_ns_ = env_.monotonic_ns();
  }
  return Unit{};
}

Result<size_t> WebSocketClient::read_some() {
  std::array<char, read_bytes> bytes;
  auto got = socket_->read(bytes.data(), bytes.size());
  if (!got) return got.error();
  if (got.value() == 0) return Error{target_.text() + ": the connection was closed"};
  if (got.value() < 0) return size_t{0};
  auto size = static_cast<size_t>(got.value());
  heard_ns_ = env_.monotonic_ns();
  if (agreed_) {
    frames_.take({bytes.data(), size});
  } else {
    came_.append(bytes.data(), size);
  }
  return size;
}

Status WebSocketClient::move(env::SocketSet& set, int64_t timeout_ns) {
  Status wrote = write_some();
  if (!wrote) return wrote;
  auto interest = all_sent() ? env::Socket::Interest::Read : env::Socket::Interest::ReadOrWrite;
  std::array<env::SocketSet::Entry, 1> entries{{{socket_.get(), interest, false}}};
  set.wait(entries, timeout_ns);
  if (!entries[0].ready) return Unit{};
  wrote = write_some();
  if (!wrote) return wrote;
  auto read = read_some();
  return read ? Status(Unit{}) : Status(read.error());
}

Result<std::optional<http::FrameReader::Message>> WebSocketClient::next() {
  while (true) {
    auto found = frames_.next();
    if (!found) return found.error().within(target_.text());
    if (!found.value()) return found;
    const http::FrameReader::Message& message = *found.value();
    if (message.opcode == http::Opcode::Close)
      return Error{target_.text() + ": it was closed: " + http::close_text(message.payload)};
    if (message.opcode != http::Opcode::Ping) return found;
    queue(http::Opcode::Pong, message.payload);
  }
}

}  // namespace mut::connector

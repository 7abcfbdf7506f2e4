// WebSocket (RFC 6455) as bytes: the request that begins it, its answer, and frames. Sockets are the matter
// of who has one.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/result.h"
#include "runtime/http/message.h"
#include "runtime/http/url.h"

namespace mut::http {

// `key`: sixteen bytes that were drawn, in base64. `more`: fields beside those of the protocol.
std::string upgrade_request(const Url& url, const std::string& key, const std::vector<Field>& more = {});
std::string websocket_key(uint64_t drawn, uint64_t drawn_too);

constexpr size_t upgrade_bytes_max = 16 * 1024;
// How many bytes the answer to that request has, once it is there as a whole: what follows are frames. Fails
// where it refuses, or is none.
Result<std::optional<size_t>> read_upgrade(std::string_view bytes, const std::string& key);

// The other side of that request: why it is refused, of one for `path`; nothing: it may be agreed to.
std::optional<Response> refuse_upgrade(const Request& request, std::string_view path);
// After it: what agrees.
std::string upgrade_answer(const Request& request);

enum class Opcode : uint8_t { Continuation = 0, Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10 };

// A whole one, as who connects has to send it. `mask`: drawn for it.
void append_frame(Opcode opcode, std::string_view payload, uint32_t mask, std::string& to);
// The same of who was connected to.
void append_frame(Opcode opcode, std::string_view payload, std::string& to);

constexpr size_t websocket_message_bytes_max = 16 * 1024 * 1024;

// What is sent by who connects is masked, and nothing else is.
enum class Masks : uint8_t { Refused, Wanted };

// Reads what the other side sends. Threads: one at a time.
class FrameReader {
 public:
  explicit FrameReader(Masks masks = Masks::Refused) : masks_(masks) {}
  struct Message {
    Opcode opcode = Opcode::Text;  // never Continuation: fragments are put together
    std::string payload;
  };
  void take(std::string_view bytes) { bytes_ += bytes; }
  // Of what has come and is no message yet.
  size_t held_bytes() const { return left().size() + (begun_ ? begun_->payload.size() : 0); }
  // The next one; nothing: more bytes are wanted. Fails for good where the other side breaks the protocol.
  Result<std::optional<Message>> next();

 private:
  struct Header {
    bool last = false;
    uint8_t opcode = 0;
    size_t header_bytes = 0;
    uint64_t payload_bytes = 0;
  };
  Result<std::optional<Header>> header() const;
  std::string_view left() const { return std::string_view(bytes_).substr(used_); }

  Masks masks_;
  std::string bytes_;
  size_t used_ = 0;
  std::optional<Message> begun_;  // fragments of a message so far
};

// Of a Close: 1000 all is said, 1001 it goes away, 1002 the protocol was broken, 1009 it is too much.
std::string close_payload(uint16_t code, std::string_view why);

// "1001 going away", of the payload of a Close.
std::string close_text(std::string_view payload);

}  // namespace mut::http

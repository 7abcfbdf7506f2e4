#include "runtime/http/websocket.h"

#include <algorithm>
#include <boost/beast/core/detail/base64.hpp>
#include <boost/beast/core/detail/sha1.hpp>
#include <utility>

namespace mut::http {
namespace {

namespace detail = boost::beast::detail;

constexpr uint8_t last_bit = 0x80, reserved_bits = 0x70, opcode_bits = 0x0f, mask_bit = 0x80,
                  length_bits = 0x7f;
constexpr uint64_t control_bytes_max = 125;
constexpr size_t mask_bytes = 4;

std::string base64(std::string_view bytes) {
  std::string out(detail::base64::encoded_size(bytes.size()), '\0');
  out.resize(detail::base64::encode(out.data(), bytes.data(), bytes.size()));
  return out;
}

// What the other side has to answer to a key.
std::string answer_to(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  detail::sha1_context context;
  detail::init(context);
  detail::update(context, text.data(), text.size());
  char digest[detail::sha1_context::digest_size];
  detail::finish(context, &digest[0]);
  return base64({digest, sizeof digest});
}

bool same_but_case(std::string_view one, std::string_view other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a | 0x20 : a) == b; });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

// Of the first field with that name, which is in small letters; empty: there is none.
std::string_view field_of(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    size_t end = std::min(head.find('\n'), head.size());
    std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 1, head.size()));
    size_t colon = line.find(':');
    if (colon != std::string_view::npos && same_but_case(line.substr(0, colon), name))
      return trimmed(line.substr(colon + 1));
  }
  return "";
}

bool has_word(const std::string* field, std::string_view word) {
  std::string_view list = field != nullptr ? std::string_view(*field) : "";
  while (!list.empty()) {
    size_t end = std::min(list.find(','), list.size());
    if (same_but_case(trimmed(list.substr(0, end)), word)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

// Sixteen bytes in base64.
bool is_key(const std::string* text) {
  constexpr size_t key_chars = 24;
  if (text == nullptr || text->size() != key_chars || !text->ends_with("==")) return false;
  return std::all_of(text->begin(), text->end() - 2, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  });
}

void append_header(Opcode opcode, size_t size, uint8_t mask, std::string& to) {
  to += static_cast<char>(last_bit | static_cast<uint8_t>(opcode));
  int length_bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
  uint64_t length = length_bytes == 0 ? size : length_bytes == 2 ? 126 : 127;
  to += static_cast<char>(mask | length);
  for (int shift = length_bytes * 8 - 8; shift >= 0; shift -= 8)
    to += static_cast<char>(size >> shift & 0xffU);
}

void unmask(std::string_view mask, std::string& payload) {
  for (size_t i = 0; i < payload.size(); ++i)
    payload[i] = static_cast<char>(payload[i] ^ mask[i % mask_bytes]);
}

// For people, whatever the other side sent.
std::string shown(std::string_view text) {
  constexpr size_t bytes_max = 200;
  std::string out(text.substr(0, bytes_max));
  for (char& c : out) c = c < ' ' || c > '~' ? '?' : c;
  return out;
}

uint64_t number_of(std::string_view bytes) {
  uint64_t out = 0;
  for (char byte : bytes) out = out << 8U | static_cast<uint8_t>(byte);
  return out;
}

}  // namespace

std::string websocket_key(uint64_t drawn, uint64_t drawn_too) {
  std::string bytes;
  for (uint64_t each : {drawn, drawn_too}) {
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(each >> shift & 0xffU);
  }
  return base64(bytes);
}

std::string upgrade_request(const Url& url, const std::string& key, const std::vector<Field>& more) {
  std::string out = "GET " + url.target + " HTTP/1.1\r\nHost: " + url.address.text() +
                    "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + key +
                    "\r\nSec-WebSocket-Version: 13\r\n";
  for (const Field& field : more) out += field.name + ": " + field.value + "\r\n";
  return out + "\r\n";
}

std::optional<Response> refuse_upgrade(const Request& request, std::string_view path) {
  if (request.path() != path) return refusal(404, "WebSocket is spoken at " + std::string(path));
  if (request.method != "GET") {
    Response out = refusal(405, "ask by GET");
    out.fields.push_back({"Allow", "GET"});
    return out;
  }
  const std::string* version = request.find("Sec-WebSocket-Version");
  bool asks =
      has_word(request.find("Upgrade"), "websocket") && has_word(request.find("Connection"), "upgrade");
  if (!asks || version == nullptr || *version != "13") {
    Response out = refusal(426, "WebSocket is spoken here, of version 13");
    out.fields.push_back({"Upgrade", "websocket"});
    out.fields.push_back({"Sec-WebSocket-Version", "13"});
    return out;
  }
  if (!is_key(request.find("Sec-WebSocket-Key")))
    return refusal(400, "a Sec-WebSocket-Key is 16 bytes in base64");
  return std::nullopt;
}

std::string upgrade_answer(const Request& request) {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
         "Upgrade\r\nSec-WebSocket-Accept: " +
         answer_to(*request.find("Sec-WebSocket-Key")) + "\r\n\r\n";
}

Result<std::optional<size_t>> read_upgrade(std::string_view bytes, const std::string& key) {
  size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() >= upgrade_bytes_max) return Error{"its answer has no end"};
    return std::optional<size_t>();
  }
  std::string_view head = bytes.substr(0, end + 2);
  std::string_view status = head.substr(0, head.find('\r'));
  if (status.starts_with("HTTP/1.1 401"))
    return Error{"it wants to know who asks: `token` is missing, or another one is known there"};
  if (!status.starts_with("HTTP/1.1 101"))
    return Error{"it does not speak WebSocket there: " + shown(status)};
  if (!same_but_case(field_of(head, "upgrade"), "websocket") ||
      field_of(head, "sec-websocket-accept") != answer_to(key))
    return Error{"its answer belongs to no such request"};
  return std::optional<size_t>(end + 4);
}

void append_frame(Opcode opcode, std::string_view payload, std::string& to) {
  append_header(opcode, payload.size(), 0, to);
  to += payload;
}

void append_frame(Opcode opcode, std::string_view payload, uint32_t mask, std::string& to) {
  size_t size = payload.size();
  append_header(opcode, size, mask_bit, to);
  char bytes[4];
  for (int i = 0; i < 4; ++i) bytes[i] = static_cast<char>(mask >> (24 - 8 * i) & 0xffU);
  to.append(bytes, 4);
  size_t begin = to.size();
  to += payload;
  for (size_t i = 0; i < size; ++i) to[begin + i] = static_cast<char>(to[begin + i] ^ bytes[i % 4]);
}

Result<std::optional<FrameReader::Header>> FrameReader::header() const {
  std::string_view bytes = left();
  if (bytes.size() < 2) return std::optional<Header>();
  auto first = static_cast<uint8_t>(bytes[0]);
  auto second = static_cast<uint8_t>(bytes[1]);
  Header out{(first & last_bit) != 0, static_cast<uint8_t>(first & opcode_bits), 2,
             static_cast<uint64_t>(second & length_bits)};
  bool control = out.opcode >= 8;
  if ((first & reserved_bits) != 0) return Error{"a frame has bits that nobody agreed on"};
  if (out.opcode > 10 || (out.opcode > 2 && !control)) return Error{"a frame is of no known kind"};
  if (((second & mask_bit) != 0) != (masks_ == Masks::Wanted))
    return Error{masks_ == Masks::Wanted ? "a frame is not masked" : "a frame is masked"};
  if (control && (!out.last || out.payload_bytes > control_bytes_max))
    return Error{"a control frame is too long"};
  if (out.payload_bytes >= 126) {
    size_t length_bytes = out.payload_bytes == 126 ? 2 : 8;
    if (bytes.size() < 2 + length_bytes) return std::optional<Header>();
    out.payload_bytes = number_of(bytes.substr(2, length_bytes));
    out.header_bytes = 2 + length_bytes;
  }
  if (masks_ == Masks::Wanted) out.header_bytes += mask_bytes;
  size_t begun = begun_ ? begun_->payload.size() : 0;
  if (out.payload_bytes > websocket_message_bytes_max - begun)
    return Error{"a message is longer than 16 MiB"};
  if (!control && (out.opcode == 0) != begun_.has_value())
    return Error{"a fragment belongs to no message, or a message begins inside of another"};
  return std::optional<Header>(out);
}

Result<std::optional<FrameReader::Message>> FrameReader::next() {
  while (true) {
    auto found = header();
    if (!found) return found.error();
    const auto& frame = found.value();
    if (!frame || left().size() < frame->header_bytes + frame->payload_bytes) {
      bytes_.erase(0, used_);
      used_ = 0;
      return std::optional<Message>();
    }
    std::string payload(left().substr(frame->header_bytes, frame->payload_bytes));
    if (masks_ == Masks::Wanted) unmask(left().substr(frame->header_bytes - mask_bytes, mask_bytes), payload);
    used_ += frame->header_bytes + frame->payload_bytes;
    if (frame->opcode >= 8)
      return std::optional<Message>(Message{static_cast<Opcode>(frame->opcode), std::move(payload)});
    if (begun_) {
      begun_->payload += payload;
    } else {
      begun_.emplace(Message{static_cast<Opcode>(frame->opcode), std::move(payload)});
    }
    if (frame->last) return std::exchange(begun_, std::nullopt);
  }
}

std::string close_payload(uint16_t code, std::string_view why) {
  std::string out = {static_cast<char>(code >> 8U), static_cast<char>(code & 0xffU)};
  return out.append(why.substr(0, control_bytes_max - out.size()));
}

std::string close_text(std::string_view payload) {
  if (payload.size() < 2) return "without a reason";
  std::string why = shown(payload.substr(2));
  return std::to_string(number_of(payload.substr(0, 2))) + (why.empty() ? "" : " " + why);
}

}  // namespace mut::http

// Frames of WebSocket, whole, in pieces and damaged; the rest stands in test/websocket.
#include "runtime/http/websocket.h"

#include <gtest/gtest.h>

#include "runtime/http/websocket_url.h"

namespace mut::test {
namespace {

using http::FrameReader;
using http::Opcode;

// As the other side sends them: without a mask.
std::string frame(uint8_t first, const std::string& payload) {
  std::string out(1, static_cast<char>(first));
  size_t size = payload.size();
  int bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
  out += static_cast<char>(bytes == 0 ? size : bytes == 2 ? 126 : 127);
  for (int shift = bytes * 8 - 8; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift & 0xffU);
  return out + payload;
}

std::vector<std::string> read_all(const std::string& bytes, size_t piece) {
  FrameReader reader;
  std::vector<std::string> out;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    reader.take(std::string_view(bytes).substr(at, piece));
    while (true) {
      auto message = reader.next();
      if (!message) {
        out.push_back("error: " + message.error().message);
        return out;
      }
      if (!message.value()) break;
      out.push_back(std::to_string(static_cast<int>(message.value()->opcode)) + " " +
                    message.value()->payload);
    }
  }
  return out;
}

TEST(WebSocketFrames, AreReadInWhateverPiecesTheyCome) {
  std::string all;
  std::vector<std::string> want;
  for (size_t size : {0, 1, 125, 126, 65535, 65536}) {
    all += frame(0x81, std::string(size, 'x'));
    want.push_back("1 " + std::string(size, 'x'));
  }
  all += frame(0x01, "one ") + frame(0x89, "ping") + frame(0x00, "two ") + frame(0x80, "three") +
         frame(0x82, "b");
  want.insert(want.end(), {"9 ping", "1 one two three", "2 b"});
  for (size_t piece : {size_t{1}, size_t{7}, size_t{4096}, all.size()})
    EXPECT_EQ(read_all(all, piece), want) << piece;
}

TEST(WebSocketFrames, AreRefusedWhereTheyBreakTheProtocol) {
  const std::vector<std::string> wrong = {
      frame(0xc1, "x"),                     // a bit that nobody agreed on
      frame(0x83, "x"),                     // a kind that there is not
      frame(0x8b, "x"),                     //
      frame(0x80, "x"),                     // goes on with nothing
      frame(0x01, "x") + frame(0x81, "y"),  // begins inside of another
      frame(0x09, "x"),                     // a control frame in fragments
      frame(0x89, std::string(126, 'x')),   // and a long one
      std::string("\x81\x81\0\0\0\0x", 7),  // with a mask
      std::string("\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10),
      std::string("\x81\x7f\0\0\0\0\1\0\0\1", 10),  // 16 MiB and one
  };
  for (const std::string& bytes : wrong) {
    auto got = read_all(bytes, bytes.size());
    ASSERT_FALSE(got.empty());
    EXPECT_TRUE(got.back().starts_with("error: ")) << got.back();
  }
}

TEST(WebSocketFrames, AreWrittenWithAMask) {
  std::string out;
  http::append_frame(Opcode::Text, "Hello", 0x37fa213d, out);
  EXPECT_EQ(out, std::string("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11));  // RFC 6455, 5.7
  out.clear();
  http::append_frame(Opcode::Binary, std::string(65536, '\0'), 0, out);
  EXPECT_EQ(out.substr(0, 14), std::string("\x82\xff\0\0\0\0\0\1\0\0\0\0\0\0", 14));
  EXPECT_EQ(out.size(), 65536U + 14);
}

TEST(WebSocketFrames, OfWhoConnectsAreMaskedAndOthersAreNot) {
  std::string bytes;
  std::vector<std::string> want;
  for (size_t size : {0, 5, 126, 70'000}) {
    http::append_frame(Opcode::Text, std::string(size, 'x'), 0x37fa213d, bytes);
    want.push_back(std::string(size, 'x'));
  }
  for (size_t piece : {size_t{1}, size_t{7}, bytes.size()}) {
    FrameReader reader(http::Masks::Wanted);
    std::vector<std::string> got;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      reader.take(std::string_view(bytes).substr(at, piece));
      for (auto message = reader.next(); message && message.value(); message = reader.next())
        got.push_back(message.value()->payload);
    }
    EXPECT_EQ(got, want) << piece;
    EXPECT_EQ(reader.held_bytes(), 0U);
  }
  FrameReader reader(http::Masks::Wanted);
  reader.take(frame(0x81, "x"));
  EXPECT_FALSE(reader.next());
  std::string plain;
  http::append_frame(Opcode::Text, std::string(126, 'x'), plain);
  EXPECT_EQ(read_all(plain, 1), (std::vector<std::string>{"1 " + std::string(126, 'x')}));
}

TEST(WebSocketUpgrade, IsAnsweredByTheKey) {
  http::Request request{"GET", "/feed?x=1", {}, "", true};
  request.fields = {{"Upgrade", "WebSocket"},
                    {"Connection", "keep-alive, Upgrade"},
                    {"Sec-WebSocket-Version", "13"},
                    {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};  // RFC 6455, 1.3
  EXPECT_FALSE(http::refuse_upgrade(request, "/feed"));
  EXPECT_NE(http::upgrade_answer(request).find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
            std::string::npos);
  EXPECT_EQ(http::refuse_upgrade(request, "/other")->status, 404U);
  for (size_t i = 0; i < request.fields.size(); ++i) {
    http::Request wrong = request;
    wrong.fields[i].value = "other";
    EXPECT_EQ(http::refuse_upgrade(wrong, "/feed")->status, i == 3 ? 400U : 426U) << wrong.fields[i].name;
  }
}

TEST(WebSocketUpgrade, IsAgreedByTheKeyAlone) {
  const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455, 1.3
  const std::string fine =
      "HTTP/1.1 101 Switching Protocols\r\nUPGRADE: WebSocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
  EXPECT_EQ(http::read_upgrade(fine + "frames", key).value(), std::optional<size_t>(fine.size()));
  EXPECT_EQ(http::read_upgrade(fine.substr(0, fine.size() - 1), key).value(), std::nullopt);
  EXPECT_FALSE(http::read_upgrade(fine, "another"));
  EXPECT_FALSE(http::read_upgrade("HTTP/1.1 404 Not Found\r\n\r\n", key));
  EXPECT_FALSE(http::read_upgrade("\r\n\r\n", key));
  EXPECT_FALSE(http::read_upgrade(std::string(http::upgrade_bytes_max, 'x'), key));
}

TEST(WebSocketClose, HasACodeAndAReasonThatFits) {
  EXPECT_EQ(http::close_text(http::close_payload(1001, "it goes")), "1001 it goes");
  EXPECT_EQ(http::close_payload(1002, std::string(500, 'x')).size(), 125U);
}

TEST(WebSocketUrl, IsAHostAndAPath) {
  EXPECT_EQ(http::websocket_text(http::parse_websocket_place("127.0.0.1:0/in").value()),
            "ws://127.0.0.1:0/in");
  EXPECT_EQ(http::websocket_text(http::parse_websocket_place("wss://[::]:1").value()), "wss://[::]:1/");
  EXPECT_FALSE(http::parse_websocket_place("https://x/"));
  EXPECT_EQ(http::parse_websocket_url("ws://[::1]:9000/a?b=c").value().text(), "[::1]:9000/a?b=c");
  EXPECT_EQ(http::parse_websocket_url("ws://feed.example").value().text(), "feed.example:80/");
  EXPECT_EQ(http::websocket_text(http::parse_websocket_url("wss://feed.example").value()),
            "wss://feed.example:443/");
  for (const char* wrong :
       {"", "feed.example:80", "http://x/", "https://x/", "ws://", "wss://", "ws://a@b/", "ws://x:0/"})
    EXPECT_FALSE(http::parse_websocket_url(wrong)) << wrong;
}

}  // namespace
}  // namespace mut::test

// Requests and responses of HTTP/1.1 as values, and the bytes that they are on a connection. Boost.Beast does
// the work, in message.cpp alone; sockets are the matter of who has one.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mut::http {

struct Field {
  std::string name;
  std::string value;
};

// Of the first field of that name, whatever its case; null: there is none.
const std::string* find_field(const std::vector<Field>& fields, std::string_view name);

struct Request {
  std::string method;  // "GET"
  std::string target;  // "/metrics?x=1", as it was sent
  std::vector<Field> fields;
  std::string body;
  bool keep_alive = false;
  std::string peer{};  // "127.0.0.1:40312": whose it is, of one that a server has read

  const std::string* find(std::string_view name) const { return find_field(fields, name); }
  // The target up to its query.
  std::string_view path() const;
};

struct Response {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<Field> fields{};
};
Response text_page(unsigned status, std::string text);
// That status with a line that says why.
Response refusal(unsigned status, std::string why);

// "503 Service Unavailable".
std::string status_text(unsigned status);

enum class Connection : uint8_t { Stays, Closes };
enum class Body : uint8_t { Sent, LeftOut };  // LeftOut: the answer to HEAD, whose length is that of the body
// `wall_ns`: nanoseconds since 1970, UTC, for its date.
std::string bytes_of(const Response& response, Connection then, Body body, int64_t wall_ns);

// Of a request, which says that the connection is to stay.
std::string bytes_of(const Request& request);

struct ReadLimits {
  size_t header_bytes = 8 * 1024;
  size_t body_bytes = 0;
};

// Reads one request after the other out of the bytes of a connection. Threads: one at a time.
class RequestReader {
 public:
  explicit RequestReader(ReadLimits limits);
  ~RequestReader();
  RequestReader(RequestReader&&) noexcept;
  RequestReader& operator=(RequestReader&&) noexcept;

  // Nothing: no byte of the next request is there. Wrong: as refusal() says; nothing is read any more.
  enum class State : uint8_t { Nothing, Part, Whole, Wrong };
  State take(std::string_view bytes);
  // After Whole. What follows on the connection is looked at: take("") says how far it is.
  Request take_request();
  // After Wrong: 400, 413, 431, …, and why.
  const Response& refusal() const;
  // Whether the other side waits for leave to send the body; once a request.
  bool take_expectation();

 private:
  class Parsing;
  std::unique_ptr<Parsing> parsing_;
};

// Reads one answer out of the bytes of a connection. What comes before it (100 Continue) is passed over.
// Threads: one at a time.
class ResponseReader {
 public:
  explicit ResponseReader(ReadLimits limits);
  ~ResponseReader();
  ResponseReader(const ResponseReader&) = delete;
  ResponseReader& operator=(const ResponseReader&) = delete;

  // As of a RequestReader.
  using State = RequestReader::State;
  State take(std::string_view bytes);
  // The connection has ended, which may be the end of the answer. Nothing, Part: it was none.
  State end();
  // After Whole.
  Response take_response();
  // After Whole: whether another request may follow.
  bool keeps_alive() const;

 private:
  class Parsing;
  std::unique_ptr<Parsing> parsing_;
};

}  // namespace mut::http

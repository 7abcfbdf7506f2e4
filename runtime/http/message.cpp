#include "runtime/http/message.h"

// An assertion of Beast 1.81 wants five bytes where the last chunk of a body is looked at again; where it is
// the only one, three are there, and enough (parse_chunk_header, found by test/fuzz). No other file includes
// Beast.
#define BOOST_DISABLE_ASSERTS
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <ctime>
#include <utility>

#include "runtime/abi/check.h"

namespace mut::http {
namespace {

namespace beast = boost::beast::http;
using boost::system::error_code;

// What a body in chunks may have beside itself: a few bytes for each chunk, and fields behind the last.
constexpr size_t chunked_share = 8;
constexpr size_t chunked_bytes = 8 * 1024;

std::string text(boost::beast::string_view view) { return {view.data(), view.size()}; }

// Sat, 28 Nov 2026 17:00:00 GMT
std::string date_text(int64_t wall_ns) {
  std::time_t seconds = static_cast<std::time_t>(wall_ns / 1'000'000'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char out[64];
  return {out, std::strftime(out, sizeof(out), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

Response refusal_of(error_code problem, const ReadLimits& limits) {
  if (problem == beast::error::header_limit)
    return refusal(431, "the header is longer than " + std::to_string(limits.header_bytes) + " bytes");
  if (problem == beast::error::body_limit)
    return refusal(413, "the body is longer than " + std::to_string(limits.body_bytes) + " bytes");
  if (problem == beast::error::bad_version) return refusal(505, "HTTP/1.1 is spoken here");
  return refusal(400, "this is no request of HTTP/1.1: " + problem.message());
}

template <typename Message>
void append_bytes(Message& message, Body body, std::string& out) {
  beast::serializer<Message::header_type::is_request::value, beast::string_body> writer(message);
  if (body == Body::LeftOut) writer.split(true);
  while (!writer.is_done() && !(body == Body::LeftOut && writer.is_header_done())) {
    error_code problem;
    writer.next(problem, [&](error_code&, const auto& buffers) {
      for (auto piece : boost::beast::buffers_range_ref(buffers))
        out.append(static_cast<const char*>(piece.data()), piece.size());
      writer.consume(boost::beast::buffer_bytes(buffers));
    });
    MUT_CHECK(!problem, "a body that lies in memory can always be written");
  }
}

}  // namespace

const std::string* find_field(const std::vector<Field>& fields, std::string_view name) {
  for (const Field& field : fields) {
    if (boost::beast::iequals({field.name.data(), field.name.size()}, {name.data(), name.size()}))
      return &field.value;
  }
  return nullptr;
}

std::string_view Request::path() const { return std::string_view(target).substr(0, target.find('?')); }

Response text_page(unsigned status, std::string text) {
  Response out;
  out.status = status;
  out.body = std::move(text);
  return out;
}

Response refusal(unsigned status, std::string why) { return text_page(status, std::move(why) + "\n"); }

std::string status_text(unsigned status) {
  return std::to_string(status) + " " + text(beast::obsolete_reason(beast::int_to_status(status)));
}

std::string bytes_of(const Response& response, Connection then, Body body, int64_t wall_ns) {
  beast::response<beast::string_body> message;
  message.version(11);
  message.result(response.status);
  message.set(beast::field::date, date_text(wall_ns));
  message.set(beast::field::content_type, response.type);
  message.set(beast::field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
  for (const Field& field : response.fields) message.set(field.name, field.value);
  message.keep_alive(then == Connection::Stays);
  message.body() = response.body;
  message.prepare_payload();
  std::string out;
  append_bytes(message, body, out);
  return out;
}

std::string bytes_of(const Request& request) {
  beast::request<beast::string_body> message;
  message.version(11);
  message.method_string(request.method);
  message.target(request.target);
  for (const Field& field : request.fields) message.set(field.name, field.value);
  message.body() = request.body;
  message.prepare_payload();
  std::string out;
  append_bytes(message, Body::Sent, out);
  return out;
}

class RequestReader::Parsing {
 public:
  explicit Parsing(ReadLimits limits) : limits_(limits) { begin(); }

  State take(std::string_view bytes) {
    held_ += bytes;
    if (state_ == State::Whole || state_ == State::Wrong) return state_;
    while (!held_.empty() && !parser_->is_done()) {
      bool in_header = !parser_->is_header_done();
      error_code problem;
      size_t used = parser_->put(boost::asio::buffer(held_), problem);
      held_.erase(0, used);
      if (problem && problem != beast::error::need_more) return refuse(refusal_of(problem, limits_));
      // The parser's own bounds are of what comes at once.
      if (in_header) header_bytes_ += used;
      bytes_ += used;
      size_t waits = parser_->is_done() ? 0 : held_.size();
      if (header_bytes_ + (parser_->is_header_done() ? 0 : waits) > limits_.header_bytes)
        return refuse(refusal_of(beast::error::header_limit, limits_));
      if (bytes_ + waits > limits_.header_bytes + chunked_share * limits_.body_bytes + chunked_bytes)
        return refuse(mut::http::refusal(413, "there is too much between the chunks of the body"));
      if (in_header && parser_->is_header_done()) {
        parser_->eager(true);
      } else if (problem || used == 0) {
        break;
      }
    }
    if (parser_->is_done()) return state_ = State::Whole;
    return state_ = held_.empty() && !parser_->got_some() ? State::Nothing : State::Part;
  }

  Request take_request() {
    auto message = parser_->release();
    Request out;
    out.method = text(message.method_string());
    out.target = text(message.target());
    out.keep_alive = message.keep_alive();
    for (const auto& field : message.base())
      out.fields.push_back({text(field.name_string()), text(field.value())});
    out.body = std::move(message.body());
    begin();
    return out;
  }

  const Response& refusal() const { return refusal_; }

  bool take_expectation() {
    if (state_ != State::Part || !parser_->is_header_done() || expectation_told_) return false;
    expectation_told_ = true;
    auto expects = parser_->get().find(beast::field::expect);
    return expects != parser_->get().end() && boost::beast::iequals(expects->value(), "100-continue");
  }

 private:
  void begin() {
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(limits_.header_bytes));
    header_bytes_ = bytes_ = 0;
    parser_->body_limit(limits_.body_bytes);
    state_ = State::Nothing;
    expectation_told_ = false;
  }

  State refuse(Response why) {
    refusal_ = std::move(why);
    held_.clear();
    return state_ = State::Wrong;
  }

  ReadLimits limits_;
  std::optional<beast::request_parser<beast::string_body>> parser_;
  std::string held_;         // that came and was not used
  size_t header_bytes_ = 0;  // used of it
  size_t bytes_ = 0;         // the same of all of the request
  State state_ = State::Nothing;
  Response refusal_;
  bool expectation_told_ = false;
};

RequestReader::RequestReader(ReadLimits limits) : parsing_(std::make_unique<Parsing>(limits)) {}
RequestReader::~RequestReader() = default;
RequestReader::RequestReader(RequestReader&&) noexcept = default;
RequestReader& RequestReader::operator=(RequestReader&&) noexcept = default;
RequestReader::State RequestReader::take(std::string_view bytes) { return parsing_->take(bytes); }
Request RequestReader::take_request() { return parsing_->take_request(); }
const Response& RequestReader::refusal() const { return parsing_->refusal(); }
bool RequestReader::take_expectation() { return parsing_->take_expectation(); }

class ResponseReader::Parsing {
 public:
  explicit Parsing(ReadLimits limits) : limits_(limits) { begin(); }

  State take(std::string_view bytes) {
    held_ += bytes;
    bytes_ += bytes.size();
    if (bytes_ > limits_.header_bytes + chunked_share * limits_.body_bytes + chunked_bytes)
      return cut_or_wrong();
    while (!held_.empty() && !parser_->is_done()) {
      error_code problem;
      size_t used = parser_->put(boost::asio::buffer(held_), problem);
      held_.erase(0, used);
      if (problem == beast::error::body_limit) return cut_or_wrong();
      if (problem && problem != beast::error::need_more) return State::Wrong;
      if (parser_->is_done() && parser_->get().result_int() < 200) {
        begin();
      } else if (problem || used == 0) {
        break;
      }
    }
    if (parser_->is_done()) return State::Whole;
    return bytes_ == 0 ? State::Nothing : State::Part;
  }

  State end() {
    error_code problem;
    if (parser_->got_some() && !parser_->is_done()) parser_->put_eof(problem);
    if (parser_->is_done() && !problem) return State::Whole;
    return bytes_ == 0 ? State::Nothing : State::Part;
  }

  Response take_response() {
    auto message = parser_->release();
    Response out;
    out.status = message.result_int();
    for (const auto& field : message.base())
      out.fields.push_back({text(field.name_string()), text(field.value())});
    out.body = std::move(message.body());
    return out;
  }

  bool keeps_alive() const { return !cut_ && parser_->keep_alive() && held_.empty(); }

 private:
  // The status counts, whatever is said at length: the rest is not read.
  State cut_or_wrong() {
    cut_ = parser_->is_header_done() && parser_->get().result_int() >= 200;
    return cut_ ? State::Whole : State::Wrong;
  }
  void begin() {
    parser_.emplace();
    parser_->eager(true);
    parser_->header_limit(static_cast<uint32_t>(limits_.header_bytes));
    parser_->body_limit(limits_.body_bytes);
  }

  ReadLimits limits_;
  std::optional<beast::response_parser<beast::string_body>> parser_;
  std::string held_;  // that came and was not used
  size_t bytes_ = 0;  // that came
  bool cut_ = false;  // its body is longer than is read
};

ResponseReader::ResponseReader(ReadLimits limits) : parsing_(std::make_unique<Parsing>(limits)) {}
ResponseReader::~ResponseReader() = default;
ResponseReader::State ResponseReader::take(std::string_view bytes) { return parsing_->take(bytes); }
ResponseReader::State ResponseReader::end() { return parsing_->end(); }
Response ResponseReader::take_response() { return parsing_->take_response(); }
bool ResponseReader::keeps_alive() const { return parsing_->keeps_alive(); }

}  // namespace mut::http

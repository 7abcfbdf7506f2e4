// HTTP beside the suite test/http: requests in any pieces, limits at their bound, who is foreign, which form
// of metrics is wanted, and their text.
#include <gtest/gtest.h>

#include "compiler/session/http/accept.h"
#include "compiler/session/http/metrics_text.h"
#include "runtime/env/loopback.h"
#include "runtime/http/message.h"
#include "runtime/http/origin.h"
#include "runtime/http/token.h"
#include "runtime/http/url.h"

namespace mut::test {
namespace {

using http::RequestReader;
using State = http::RequestReader::State;
using session::MetricsForm;

const std::string post =
    "POST /in?x=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nX-Key:  a b \r\n\r\nhello";

TEST(RequestReader, GivesTheSameRequestInAnyPieces) {
  for (size_t cut = 0; cut <= post.size(); ++cut) {
    RequestReader reader({1024, 5});
    State first = reader.take(post.substr(0, cut));
    EXPECT_EQ(first, cut == 0 ? State::Nothing : cut == post.size() ? State::Whole : State::Part);
    ASSERT_EQ(reader.take(post.substr(cut)), State::Whole) << cut;
    http::Request request = reader.take_request();
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/in?x=1");
    EXPECT_EQ(request.path(), "/in");
    EXPECT_EQ(request.body, "hello");
    EXPECT_TRUE(request.keep_alive);
    ASSERT_NE(request.find("x-KEY"), nullptr);
    EXPECT_EQ(*request.find("x-KEY"), "a b");
    EXPECT_EQ(request.find("x-ke"), nullptr);
    EXPECT_EQ(reader.take(""), State::Nothing);
  }
}

TEST(RequestReader, GivesOneRequestAfterTheOther) {
  RequestReader reader({1024, 5});
  ASSERT_EQ(reader.take(post + post + post.substr(0, 10)), State::Whole);
  EXPECT_EQ(reader.take_request().body, "hello");
  ASSERT_EQ(reader.take(""), State::Whole);
  EXPECT_EQ(reader.take_request().body, "hello");
  EXPECT_EQ(reader.take(""), State::Part);
  ASSERT_EQ(reader.take(post.substr(10)), State::Whole);
  EXPECT_EQ(reader.take_request().body, "hello");
}

TEST(RequestReader, ReadsABodyInChunks) {
  RequestReader reader({1024, 5});
  ASSERT_EQ(reader.take(
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n"),
            State::Whole);
  EXPECT_EQ(reader.take_request().body, "hello");
}

unsigned refused_with(std::string_view bytes, http::ReadLimits limits) {
  RequestReader reader(limits);
  return reader.take(bytes) == State::Wrong ? reader.refusal().status : 200;
}

// The last chunk, whose end comes byte by byte, is looked at again each time.
TEST(RequestReader, ReadsALastChunkInAnyPieces) {
  const std::string bytes = "POST /in HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nMore: b\r\n\r\n";
  for (size_t piece = 1; piece < bytes.size(); ++piece) {
    http::RequestReader reader(http::ReadLimits{1024, 100});
    auto state = http::RequestReader::State::Nothing;
    for (size_t at = 0; at < bytes.size(); at += piece)
      state = reader.take(std::string_view(bytes).substr(at, piece));
    EXPECT_EQ(state, http::RequestReader::State::Whole) << piece;
    EXPECT_EQ(reader.take_request().body, "");
  }
}

TEST(RequestReader, RefusesWhatIsPastALimitAndNotWhatReachesIt) {
  size_t header = post.size() - 5;
  EXPECT_EQ(refused_with(post, {header, 5}), 200u);
  EXPECT_EQ(refused_with(post, {header - 1, 5}), 431u);
  EXPECT_EQ(refused_with(post, {header, 4}), 413u);
  EXPECT_EQ(
      refused_with("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", {1024, 5}),
      200u);
  EXPECT_EQ(refused_with("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello!\r\n0\r\n\r\n",
                         {1024, 5}),
            413u);
  // A header without an end is not waited for past the limit.
  EXPECT_EQ(refused_with("GET / HTTP/1.1\r\nX: " + std::string(2000, 'x'), {1024, 0}), 431u);
}

TEST(RequestReader, BoundsWhatIsBesideTheBody) {
  std::string begin = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::string_view more : {"0\r\n", "1;x=", ""}) {
    RequestReader reader({1024, 5});
    State state = reader.take(begin + std::string(more));
    size_t bytes = 0;
    for (; state == State::Part && bytes < 100'000; bytes += 10)
      state = reader.take(more == "0\r\n" ? "X: 12345\r\n" : "0123456789");
    EXPECT_EQ(state, State::Wrong) << more;
    EXPECT_LT(bytes, 20'000u) << more;
  }
  // Fields that come one by one are as bounded as those that come at once.
  RequestReader reader({1024, 5});
  State state = reader.take("GET / HTTP/1.1\r\n");
  size_t bytes = 16;
  for (; state == State::Part && bytes < 5000; bytes += 10) state = reader.take("X: 12345\r\n");
  EXPECT_EQ(state, State::Wrong);
  EXPECT_EQ(reader.refusal().status, 431u);
  EXPECT_LE(bytes, 1024u + 10);
}

TEST(RequestReader, SaysOnceThatLeaveIsWaitedFor) {
  RequestReader reader({1024, 5});
  EXPECT_EQ(reader.take("POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n"), State::Part);
  EXPECT_FALSE(reader.take_expectation());
  EXPECT_EQ(reader.take("\r\n"), State::Part);
  EXPECT_TRUE(reader.take_expectation());
  EXPECT_FALSE(reader.take_expectation());
  EXPECT_EQ(reader.take("hello"), State::Whole);
}

TEST(Response, IsBytesWithALength) {
  http::Response response = http::refusal(503, "not now");
  response.fields.push_back({"Retry-After", "1"});
  std::string bytes =
      bytes_of(response, http::Connection::Closes, http::Body::Sent, 1'767'225'600'000'000'000);
  EXPECT_TRUE(bytes.starts_with("HTTP/1.1 503 Service Unavailable\r\n")) << bytes;
  for (const char* line : {"Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n", "Content-Length: 8\r\n",
                           "Retry-After: 1\r\n", "Connection: close\r\n"})
    EXPECT_NE(bytes.find(line), std::string::npos) << line << bytes;
  EXPECT_TRUE(bytes.ends_with("\r\n\r\nnot now\n")) << bytes;
  std::string head = bytes_of(response, http::Connection::Stays, http::Body::LeftOut, 0);
  EXPECT_TRUE(head.ends_with("\r\n\r\n") && head.find("Content-Length: 8") != std::string::npos) << head;
}

TEST(Origin, OfThisMachineIsAnAddressOfIt) {
  for (const char* own : {"localhost", "LocalHost", "127.0.0.1", "127.255.0.9", "::1"})
    EXPECT_TRUE(env::is_loopback(own)) << own;
  for (const char* other :
       {"", "localhost.example", "127.0.0.1.example", "127.0.0", "127.0.0.256", "127.0.0.1.1", "128.0.0.1",
        "0.0.0.0", "::", "::2", "1127.0.0.1", "127.0.0.x", "127..0.1"})
    EXPECT_FALSE(env::is_loopback(other)) << other;
}

TEST(Origin, IsOfThisMachineOrOfThePortItself) {
  auto status = [](http::Served served, const std::string& host, const std::string& origin) {
    http::Request request{"GET", "/", {{"Host", host}}, "", true};
    if (!origin.empty()) request.fields.push_back({"Origin", origin});
    auto refused = http::refuse_foreign(request, served);
    return refused ? refused->status : 200U;
  };
  using http::Served;
  EXPECT_EQ(status(Served::ThisMachine, "localhost:1", ""), 200U);
  EXPECT_EQ(status(Served::ThisMachine, "localhost:1", "http://127.0.0.1:3000"), 200U);
  EXPECT_EQ(status(Served::ThisMachine, "shop.example", ""), 421U);
  EXPECT_EQ(status(Served::ThisMachine, "localhost", "https://localhost.example"), 403U);
  EXPECT_EQ(status(Served::Others, "shop.example:8443", ""), 200U);
  EXPECT_EQ(status(Served::Others, "shop.example:8443", "https://shop.example:8443"), 200U);
  for (const char* foreign :
       {"https://shop.example", "https://evil.example", "http://localhost", "null", "x"})
    EXPECT_EQ(status(Served::Others, "shop.example:8443", foreign), 403U) << foreign;
  EXPECT_EQ(http::refuse_foreign({"GET", "/", {}, "", true}, Served::Others)->status, 421U);
}

TEST(Token, IsShownWholeOrNotAtAll) {
  auto status = [](const std::string& field) {
    http::Request request{"GET", "/", {{"authorization", field}}, "", true};
    auto refused = http::refuse_unknown(request, "t0ken");
    return refused ? refused->status : 200U;
  };
  for (const char* right : {"Bearer t0ken", "bearer t0ken", "BEARER   t0ken "})
    EXPECT_EQ(status(right), 200U) << right;
  for (const char* wrong : {"", "Bearer", "Bearer ", "Bearer t0ke", "Bearer t0kent0ken", "Bearer t0kenx",
                            "Bearer xt0ken", "Bearer T0KEN", "t0ken", "Basic t0ken", "Bearert0ken"})
    EXPECT_EQ(status(wrong), 401U) << wrong;
  http::Request none{"GET", "/", {}, "", true};
  auto refused = http::refuse_unknown(none, "t0ken");
  ASSERT_TRUE(refused);
  EXPECT_EQ(*http::find_field(refused->fields, "WWW-Authenticate"), "Bearer realm=\"mutstream\"");
  http::Request empty{"GET", "/", {{"Authorization", "Bearer "}}, "", true};
  EXPECT_TRUE(http::refuse_unknown(empty, ""));  // nothing is known: nobody is let in
  for (const char* right : {"a", "~!-._+/="}) EXPECT_TRUE(http::is_token(right)) << right;
  for (const char* wrong : {"", "a b", "a\n", "\x7f", "\xc3\xbc"})
    EXPECT_FALSE(http::is_token(wrong)) << wrong;
}

TEST(Url, SaysHowOneSpeaksThere) {
  EXPECT_EQ(http::parse_url("https://h/in?x=1").value().text(), "https://h:443/in?x=1");
  EXPECT_EQ(http::parse_url("http://h").value().text(), "h:80/");
  EXPECT_EQ(http::parse_url("https://[::1]:8443").value().place(), "[::1]:8443/");
  EXPECT_TRUE(http::parse_url("https://localhost/").value().is_of_this_machine());
  for (const char* wrong : {"https://", "https:///in", "https://u:p@h/", "https://h/#x", "https://http://h/"})
    EXPECT_FALSE(http::parse_url(wrong)) << wrong;
}

TEST(Accept, IsOpenMetricsWhereThatIsWantedMost) {
  EXPECT_EQ(session::form_wanted("application/openmetrics-text"), MetricsForm::OpenMetrics);
  EXPECT_EQ(session::form_wanted("text/plain;q=0.9, application/openmetrics-text;q=0.9"),
            MetricsForm::OpenMetrics);
  EXPECT_EQ(session::form_wanted("text/plain;q=0.9, application/openmetrics-text;q=0.8"), MetricsForm::Plain);
  EXPECT_EQ(session::form_wanted("application/openmetrics-text;q=0"), MetricsForm::Plain);
  EXPECT_EQ(session::form_wanted("application/openmetrics-text;version=0.0.1"), MetricsForm::Plain);
  EXPECT_EQ(session::form_wanted(""), MetricsForm::Plain);
}

TEST(MetricsText, NamesCountersByTheForm) {
  for (auto [form, wanted] :
       {std::pair(MetricsForm::Plain,
                  "# HELP a_b_total What.\n# TYPE a_b_total counter\n"
                  "a_b_total{x=\"q\\\"\\\\\\n\"} 5\na_b_total{x=\"z\"} 1.5\n"),
        std::pair(MetricsForm::OpenMetrics,
                  "# HELP a_b What.\n# TYPE a_b counter\n# UNIT a_b b\n"
                  "a_b_total{x=\"q\\\"\\\\\\n\"} 5\na_b_total{x=\"z\"} 1.5\n# EOF\n")}) {
    session::MetricsText out(form);
    out.begin({session::MetricFamily::Kind::Gauge, "empty", "", "Nothing."});
    out.begin({session::MetricFamily::Kind::Counter, "a_b", "b", "What."});
    out.add({{"x", "q\"\\\n"}}, 2);
    out.add({{"x", "z"}}, 1.5);
    out.add({{"x", "q\"\\\n"}}, 3);  // the same labels
    EXPECT_EQ(out.take(), wanted);
  }
}

TEST(MetricsText, HoldsABoundedNumberOfSeries) {
  using session::MetricFamily;
  constexpr size_t past = 300;
  for (auto [together, wanted] :
       {std::pair(MetricFamily::Together::Sum, "n{x=\"other\",y=\"other\"} 600\n"),
        std::pair(MetricFamily::Together::Most, "n{x=\"other\",y=\"other\"} 2\n")}) {
    session::MetricsText out(MetricsForm::Plain);
    out.begin({MetricFamily::Kind::Gauge, "n", "", "What.", together});
    for (size_t i = 0; i < session::MetricsText::series_max + past; ++i)
      out.add({{"x", "s" + std::to_string(i)}, {"y", "z"}}, 2);
    std::string text = out.take();
    auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
    EXPECT_EQ(lines, 2 + session::MetricsText::series_max + 1);
    EXPECT_TRUE(text.ends_with(wanted)) << text.substr(text.size() - 100);
  }
}

TEST(MetricsText, CountsAHistogramUpwards) {
  DurationHistogram took;
  for (int64_t ns : {1, 100'000, 100'001, 2'000'000'000}) took.add(ns);
  took.add(int64_t{3600} * 1'000'000'000);
  session::MetricsText out(MetricsForm::Plain);
  out.add_histogram("t_seconds", "How long.", took);
  std::string text = out.take();
  for (const char* line :
       {"t_seconds_bucket{le=\"0.0001\"} 2\n", "t_seconds_bucket{le=\"0.00025\"} 3\n",
        "t_seconds_bucket{le=\"1.0\"} 3\n", "t_seconds_bucket{le=\"2.5\"} 4\n",
        "t_seconds_bucket{le=\"10.0\"} 4\n", "t_seconds_bucket{le=\"+Inf\"} 5\n", "t_seconds_count 5\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

// A receiver that repeats what it took, or says at length why it does not, has answered.
TEST(ResponseReader, JudgesALongAnswerByItsStatus) {
  for (const char* status : {"200 OK", "422 Unprocessable Entity"}) {
    http::ResponseReader reader(http::ReadLimits{1024, 100});
    std::string head = std::string("HTTP/1.1 ") + status + "\r\nContent-Length: 5000\r\n\r\n";
    EXPECT_EQ(reader.take(head + std::string(200, 'x')), http::ResponseReader::State::Whole);
    EXPECT_FALSE(reader.keeps_alive());
    EXPECT_EQ(std::to_string(reader.take_response().status), std::string(status).substr(0, 3));
  }
  http::ResponseReader header(http::ReadLimits{100, 100});
  EXPECT_EQ(header.take("HTTP/1.1 200 OK\r\nLong: " + std::string(5000, 'x')),
            http::ResponseReader::State::Wrong);
}

}  // namespace
}  // namespace mut::test

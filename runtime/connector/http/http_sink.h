// Rows by POST. Each request has an answer or is sent again: at least once as far as the program that
// answers, and once where that program knows the key of a request that came before.
#pragma once
#include <memory>
#include <optional>

#include "runtime/connector/http/record_ends.h"
#include "runtime/connector/outbox.h"
#include "runtime/connector/secret.h"
#include "runtime/connector/tls.h"
#include "runtime/env/env.h"
#include "runtime/http/url.h"

namespace mut::connector {

// Rows of one request, bytes; a record that is longer is sent alone.
constexpr size_t post_bytes_max = 256 * 1024;
// How long an answer may take in which nothing comes, nanoseconds.
constexpr int64_t post_answer_ns = 30'000'000'000;

struct HttpSinkOptions {
  std::string name;  // of the sink
  http::Url url;
  int64_t give_up_ns = give_up_default_ns;  // of one request
  std::string type;                         // of what is sent: "application/x-ndjson"
  LineEnds ends = LineEnds::All;
  Tls tls{};
  std::optional<Secret> token{};  // that is shown with each request
};

// Connects in hold(). `env` and `wake` (may be null) outlive the sink.
std::unique_ptr<SinkWriter> make_http_sink(env::Env& env, const HttpSinkOptions& options,
                                           env::EventCount* wake, std::shared_ptr<Notices> notices);

}  // namespace mut::connector

#include "runtime/connector/http/inbox.h"

#include <functional>
#include <utility>

#include "runtime/http/origin.h"

namespace mut::connector {
namespace {

http::Response later(unsigned status, std::string why) {
  http::Response out = http::refusal(status, std::move(why));
  out.fields.push_back({"Retry-After", "1"});
  return out;
}

http::Response taken(std::string text) {
  http::Response out = http::text_page(200, std::move(text));
  out.type = "application/json";
  return out;
}

bool is_key(const std::string& key) {
  bool plain = true;
  for (char c : key) plain = plain && c > ' ' && c < '\x7f';
  return plain && !key.empty() && key.size() <= key_bytes_max;
}

}  // namespace

HttpInbox::HttpInbox(env::Env& env, HttpInboxOptions options, env::EventCount* wake,
                     std::shared_ptr<Notices> notices)
    : env_(env),
      options_(std::move(options)),
      wake_(wake),
      notices_(std::move(notices)),
      gate_(env, options_.token, [this](const Error& why) {
        notices_->say_seldom("token", "source `" + options_.name + "`: " + why.message, env_.monotonic_ns());
      }) {}

HttpInbox::~HttpInbox() { finish(); }

Status HttpInbox::open() {
  Status read = gate_.open();
  if (!read) return read;
  const std::string about = "source `" + options_.name + "`";
  auto listener = listen_on(env_, options_.url.address, options_.files, about, notices_);
  if (!listener) return listener.error();
  notices_->say(about + " listens on " + listener.value()->address() + options_.url.target +
                (options_.url.is_encrypted() ? " by TLS" : ""));
  http::ServerLimits limits;
  limits.connections = http_connections_max;
  limits.read.body_bytes = body_bytes_max;
  limits.request_ns = 30'000'000'000;
  limits.take_back_ns = untaken_ns;
  server_ = std::make_unique<http::Server>(env_, std::move(listener).value(), limits, *this);
  return Unit{};
}

std::optional<http::Response> HttpInbox::refuse_wrong(const http::Request& request) {
  auto served = options_.url.is_of_this_machine() ? http::Served::ThisMachine : http::Served::Others;
  if (auto foreign = http::refuse_foreign(request, served)) return foreign;
  if (auto unknown = gate_.refuse(request)) return unknown;
  if (request.path() != options_.url.target)
    return http::refusal(404, "records are taken at " + options_.url.target);
  if (request.method != "POST") {
    http::Response out = http::refusal(405, "records come by POST");
    out.fields.push_back({"Allow", "POST"});
    return out;
  }
  if (request.find("Content-Encoding") != nullptr)
    return http::refusal(415, "records are taken as they are, without a Content-Encoding");
  const std::string* key = request.find("Idempotency-Key");
  if (key != nullptr && !is_key(*key)) {
    return http::refusal(400, "an Idempotency-Key has 1 to " + std::to_string(key_bytes_max) +
                                  " characters of ASCII, none of them blank");
  }
  return std::nullopt;
}

std::optional<http::Response> HttpInbox::look_up(const std::string& key, const std::string& body) {
  std::string answer;
  switch (keys_.look(key, std::hash<std::string_view>()(body), env_.monotonic_ns(), answer)) {
    case KeyWindow::Seen::New:
      return std::nullopt;
    case KeyWindow::Seen::Running:
      return later(409, "a request with that Idempotency-Key is being taken");
    case KeyWindow::Seen::Other:
      return http::refusal(422, "that Idempotency-Key came with another body before");
    case KeyWindow::Seen::Taken:
      break;
  }
  http::Response out = taken(std::move(answer));
  out.fields.push_back({"Idempotent-Replayed", "true"});
  return out;
}

std::optional<http::Response> HttpInbox::begin(uint64_t number, http::Request request) {
  if (auto wrong = refuse_wrong(request)) return wrong;
  const std::string* found = request.find("Idempotency-Key");
  std::string key = found != nullptr ? *found : "";
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return later(503, "the program takes no more input");
    if (!key.empty()) {
      if (auto known = look_up(key, request.body)) return known;
    }
    waiting_bytes_ += request.body.size();
    waiting_.push_back({number, std::move(request.body), std::move(request.peer), std::move(key)});
  }
  if (wake_ != nullptr) wake_->notify();
  return std::nullopt;
}

std::optional<http::Response> HttpInbox::take_back(uint64_t number) {
  std::lock_guard lock(mutex_);
  for (auto post = waiting_.begin(); post != waiting_.end(); ++post) {
    if (post->number != number) continue;
    waiting_bytes_ -= post->body.size();
    if (!post->key.empty()) keys_.forget(post->key);
    waiting_.erase(post);
    return later(503, "the program is held up: nothing of this was taken");
  }
  return std::nullopt;
}

std::optional<Post> HttpInbox::take() {
  std::lock_guard lock(mutex_);
  if (waiting_.empty()) return std::nullopt;
  Post out = std::move(waiting_.front());
  waiting_.pop_front();
  waiting_bytes_ -= out.body.size();
  return out;
}

void HttpInbox::accept(const Post& post, uint64_t records, uint64_t failed) {
  std::string text =
      "{\"records\":" + std::to_string(records) + ",\"failed\":" + std::to_string(failed) + "}\n";
  if (!post.key.empty()) {
    std::lock_guard lock(mutex_);
    keys_.note_taken(post.key, text, env_.monotonic_ns());
  }
  server_->answer(post.number, taken(std::move(text)));
}

void HttpInbox::refuse(const Post& post, const std::string& why) {
  if (!post.key.empty()) {
    std::lock_guard lock(mutex_);
    keys_.forget(post.key);
  }
  server_->answer(post.number, http::refusal(400, why));
}

size_t HttpInbox::waiting_bytes() const {
  std::lock_guard lock(mutex_);
  return waiting_bytes_;
}

void HttpInbox::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
}

void HttpInbox::finish() {
  stop();
  server_ = nullptr;
}

}  // namespace mut::connector

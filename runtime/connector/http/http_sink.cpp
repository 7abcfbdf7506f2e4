#include "runtime/connector/http/http_sink.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "runtime/connector/backoff.h"
#include "runtime/connector/encrypted.h"
#include "runtime/connector/http/token.h"
#include "runtime/connector/outbox.h"
#include "runtime/connector/tcp/intake.h"
#include "runtime/http/message.h"

namespace mut::connector {
namespace {

constexpr http::ReadLimits answer_limits{16 * 1024, 64 * 1024};
// Who says how long to wait is believed up to here, nanoseconds.
constexpr int64_t retry_after_max_ns = 60'000'000'000;
// Between two looks at whether the run ends.
constexpr int64_t look_ns = 100'000'000;

std::string hex(uint64_t number) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (int shift = 60; shift >= 0; shift -= 4) out += digits[number >> shift & 15U];
  return out;
}

// Sending again may help.
bool passes(const http::Response& answer) {
  bool asks = answer.status == 409 && http::find_field(answer.fields, "Retry-After") != nullptr;
  return answer.status >= 500 || answer.status == 408 || answer.status == 425 || answer.status == 429 || asks;
}

int64_t retry_after_ns(const http::Response& answer) {
  const std::string* text = http::find_field(answer.fields, "Retry-After");
  int64_t seconds = 0;
  if (text == nullptr) return 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (error != std::errc() || seconds < 0) return 0;
  return std::min(seconds, retry_after_max_ns / 1'000'000'000) * 1'000'000'000;
}

// What an answer says, for people: one line of it.
std::string told(const http::Response& answer) {
  constexpr size_t bytes_max = 200;
  std::string line = answer.body.substr(0, std::min(answer.body.find('\n'), bytes_max));
  for (char& c : line) c = c < ' ' || c == '\x7f' ? ' ' : c;
  return http::status_text(answer.status) + (line.empty() ? "" : ": " + line);
}

class HttpSink final : public Outbox {
 public:
  HttpSink(env::Env& env, const HttpSinkOptions& options, env::EventCount* wake,
           std::shared_ptr<Notices> notices)
      : Outbox(env, {"sink `" + options.name + "`", options.name, options.give_up_ns}, wake,
               std::move(notices)),
        url_(options.url),
        tls_(options.tls),
        token_(options.token),
        type_(options.type),
        ends_(options.ends),
        backoff_(env.random_seed()),
        keys_("mut-" + hex(env.random_seed()) + "-") {}
  ~HttpSink() override { end(); }

 private:
  using Interest = env::Socket::Interest;
  // Again: it may help, after some time. Anew: the connection had been closed meanwhile.
  enum class Sent : uint8_t { Taken, Again, Anew, Refused };

  Status open() override {
    if (token_) {
      auto known = read_bearer(env_, *token_);
      if (!known) return known.error();
    }
    auto connected = connect();
    if (!connected) return connected.error();
    socket_ = std::move(connected).value();
    link_.emplace(notices_->links(), "sink", options_.name);
    return Unit{};
  }
  Result<std::unique_ptr<env::Socket>> connect() {
    return connect_to(env_, url_.address, tls_, connect_wait_ns, given_up_);
  }
  void shut() override {
    socket_ = nullptr;
    link_.reset();
  }

  void run() override {
    offset_ = 0;
    while (true) {
      std::string rows = next_rows();
      if (rows.empty() && finishing()) break;
      if (rows.empty()) {
        set_->wait({}, finishing() ? look_ns : -1);
      } else if (!deliver(*piece(0).header + rows)) {
        return;
      } else {
        forget(rows.size());
      }
    }
    socket_ = nullptr;  // one that begins again connects again
  }

  // Rows of the first pieces, as many whole ones as belong in one request: all below one header.
  std::string next_rows() {
    std::string out;
    for (size_t i = 0; i < piece_count(); ++i) {
      std::string_view left = std::string_view(piece(i).text).substr(i == 0 ? offset_ : 0);
      if (!out.empty() && out.size() + left.size() > post_bytes_max) break;
      if (*piece(i).header != *piece(0).header) break;
      out += left.substr(0, whole_records(left, post_bytes_max, ends_));
      if (out.size() >= post_bytes_max || left.size() > post_bytes_max) break;
    }
    return out;
  }

  void forget(size_t bytes) {
    while (bytes > 0) {
      size_t left = piece(0).text.size() - offset_;
      size_t part = std::min(left, bytes);
      offset_ += part;
      bytes -= part;
      if (part < left) return;
      offset_ = 0;
      forget_first();
    }
  }

  // Until it is taken; false where it cannot be, and the sink has failed.
  bool deliver(std::string body) {
    http::Request request{"POST", url_.target, {}, std::move(body), true};
    request.fields = {{"Host", url_.address.text()},
                      {"Content-Type", type_},
                      {"Idempotency-Key", keys_ + std::to_string(posts_++)}};
    int64_t begun_ns = env_.monotonic_ns();
    while (true) {
      wait_ns_ = 0;
      Sent sent = attempt(request);
      if (sent == Sent::Anew) sent = attempt(request);
      if (sent == Sent::Taken) return note_taken();
      if (sent == Sent::Refused) {
        fail(
            {url_.text() + ": refuses the rows with " + why_ + "; " + bytes_left_text() + " were not taken"});
        return false;
      }
      link_->note_lost(why_);
      notices_->say_seldom("again", options_.about + ": " + url_.text() + ": " + why_ + "; sending again",
                           env_.monotonic_ns());
      if (!may_wait(begun_ns)) return false;
      rest(std::max(wait_ns_, backoff_.next_ns()), begun_ns);
    }
  }

  bool note_taken() {
    note_moved();
    link_->note_made_again();
    backoff_.note_lasted(Backoff::settled_ns);
    return true;
  }

  bool may_wait(int64_t begun_ns) {
    int64_t tried_ns = env_.monotonic_ns() - begun_ns;
    if (tried_ns < options_.give_up_ns && !waited_enough() && !given_up_.load()) return true;
    fail({url_.text() + ": nothing was taken for " + std::to_string(tried_ns / 1'000'000'000) + " s (" +
          why_ + "); " + bytes_left_text() + " are not known to have arrived"});
    return false;
  }

  void rest(int64_t wait_ns, int64_t begun_ns) {
    int64_t until_ns = std::min(env_.monotonic_ns() + wait_ns, begun_ns + options_.give_up_ns);
    while (env_.monotonic_ns() < until_ns && !waited_enough() && !given_up_.load())
      set_->wait({}, std::min(look_ns, std::max<int64_t>(until_ns - env_.monotonic_ns(), 0)));
  }

  // As it is sent now: the token may be another one than before.
  Result<std::string> bytes_with_token(const http::Request& request) {
    if (!token_) return http::bytes_of(request);
    auto field = read_bearer(env_, *token_);
    if (!field) return field.error();
    http::Request shown = request;
    shown.fields.push_back(std::move(field).value());
    return http::bytes_of(shown);
  }

  Sent attempt(const http::Request& request) {
    auto made = bytes_with_token(request);
    if (!made) return again(made.error().message);
    const std::string& bytes = made.value();
    bool reused = socket_ != nullptr;
    if (!reused) {
      auto connected = connect();
      if (!connected) return again(connected.error().message);
      socket_ = std::move(connected).value();
    }
    http::ResponseReader reader(answer_limits);
    std::string_view unsent = bytes;
    int64_t moved_ns = env_.monotonic_ns();
    while (true) {
      std::array<env::SocketSet::Entry, 1> entries{
          {{socket_.get(), unsent.empty() ? Interest::Read : Interest::ReadOrWrite}}};
      set_->wait(entries, look_ns);
      if (waited_enough() || given_up_.load()) return again("there is no answer");
      if (env_.monotonic_ns() - moved_ns >= post_answer_ns)
        return again("no answer in " + std::to_string(post_answer_ns / 1'000'000'000) + " s");
      if (!entries[0].ready) continue;
      auto wrote = socket_->write(unsent);
      if (wrote && wrote.value() > 0) {
        unsent.remove_prefix(wrote.value());
        moved_ns = env_.monotonic_ns();
      }
      auto got = socket_->read(room_.data(), room_.size());
      if (got && got.value() < 0 && wrote) continue;
      bool ended = !got || got.value() <= 0;
      using State = http::ResponseReader::State;
      State state = ended ? reader.end() : reader.take({room_.data(), static_cast<size_t>(got.value())});
      if (state == State::Whole)
        return judge(reader.take_response(), reader.keeps_alive() && !ended && unsent.empty());
      if (state == State::Wrong) return again("what came is no answer of HTTP/1.1");
      if (!ended) {
        moved_ns = env_.monotonic_ns();
        continue;
      }
      std::string why = !got     ? got.error().message
                        : !wrote ? wrote.error().message
                                 : "it has closed the connection";
      // A connection that was idle may have been closed when this was sent.
      bool anew = reused && state == State::Nothing;
      socket_ = nullptr;
      why_ = std::move(why);
      return anew ? Sent::Anew : Sent::Again;
    }
  }

  Sent again(std::string why) {
    socket_ = nullptr;
    why_ = std::move(why);
    return Sent::Again;
  }

  Sent judge(const http::Response& answer, bool stays) {
    if (!stays) socket_ = nullptr;
    if (answer.status >= 200 && answer.status < 300) return Sent::Taken;
    why_ = told(answer);
    if (passes(answer)) {
      wait_ns_ = retry_after_ns(answer);
      return Sent::Again;
    }
    if (answer.status < 400) {
      const std::string* to = http::find_field(answer.fields, "Location");
      why_ += ", and redirections are not followed";
      if (to != nullptr) why_ += ": write " + to->substr(0, 200) + " if that is meant";
    }
    return Sent::Refused;
  }

  http::Url url_;
  Tls tls_;
  std::optional<Secret> token_;
  std::string type_;
  LineEnds ends_;
  Backoff backoff_;
  std::string keys_;  // what keys begin with: no other run has it
  uint64_t posts_ = 0;
  std::unique_ptr<env::Socket> socket_;  // null: none
  std::optional<Link> link_;             // while it is open
  size_t offset_ = 0;                    // of the first piece: that was taken
  std::string why_;                      // the last attempt was in vain
  int64_t wait_ns_ = 0;                  // that it asked for
  std::array<char, 16 * 1024> room_{};
};

}  // namespace

std::unique_ptr<SinkWriter> make_http_sink(env::Env& env, const HttpSinkOptions& options,
                                           env::EventCount* wake, std::shared_ptr<Notices> notices) {
  return std::make_unique<HttpSink>(env, options, wake, std::move(notices));
}

}  // namespace mut::connector

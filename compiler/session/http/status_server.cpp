#include <atomic>
#include <optional>
#include <utility>

#include "compiler/session/http/accept.h"
#include "compiler/session/http/metrics_page.h"
#include "mutstream/status.h"
#include "runtime/connector/http/token.h"
#include "runtime/env/loopback.h"
#include "runtime/env/real_env.h"
#include "runtime/http/origin.h"
#include "runtime/http/server.h"
#include "runtime/tls/listen.h"

namespace mut {
namespace {

constexpr uint16_t usual_port = 9464;
// The engine is asked no more often than this, however often the page is; a page may be so old.
constexpr int64_t figures_age_ns = 100'000'000;
// For a batch that takes longer nobody waits: the page comes without what it knows.
constexpr int64_t boundary_wait_ns = 1'000'000'000;

constexpr std::string_view index_text =
    "/metrics  figures for Prometheus\n"
    "/livez    200 while rows run or wait for input\n"
    "/readyz   200 while the program runs and is connected\n";

Outcome<env::TcpAddress> parse_address(const std::string& text, const StatusAccess& access) {
  auto wrong = [&](const std::string& why) { return Failure{Failure::Kind::Usage, text + ": " + why}; };
  bool has_port = text.ends_with(']') ? false : text.find(':') != std::string::npos;
  auto address = env::parse_tcp_address(has_port ? text : text + ":" + std::to_string(usual_port));
  if (!address) return wrong(address.error().message);
  if ((access.certificate.empty()) != (access.certificate_key.empty()))
    return wrong("a certificate and its key go together: --http-cert and --http-key");
  bool protects = !access.certificate.empty() && !access.token_file.empty();
  if (protects || env::is_loopback(address.value().host)) return std::move(address).value();
  return wrong(
      "only this machine is served (127.0.0.1, localhost, [::1]), unless the port is encrypted and who asks "
      "shows a token: --http-cert, --http-key and --http-token-file");
}

// Once in thirty seconds.
class Complaints {
 public:
  Complaints(env::Env& env, std::function<void(const std::string&)> told)
      : env_(env), told_(std::move(told)) {}
  void say(const Error& why) {
    constexpr int64_t seldom_ns = 30'000'000'000;
    int64_t now_ns = env_.monotonic_ns();
    if (!told_ || (said_ns_ && now_ns - *said_ns_ < seldom_ns)) return;
    said_ns_ = now_ns;
    told_(why.message);
  }

 private:
  env::Env& env_;
  std::function<void(const std::string&)> told_;
  std::optional<int64_t> said_ns_;
};

// What is answered. Threads: answer() by one, serve() by any.
class StatusPages final : public http::Service {
 public:
  StatusPages(env::Env& env, http::Served served, std::optional<connector::Secret> token,
              connector::TokenGate::Told told)
      : env_(env),
        served_(served),
        gate_(env, std::move(token), std::move(told)),
        started_ns_(env.wall_ns()) {}

  Status open() { return gate_.open(); }

  void serve(const Engine& engine) { engine_.store(&engine); }

  std::optional<http::Response> begin(uint64_t, http::Request request) override { return answer(request); }

 private:
  http::Response answer(const http::Request& request) {
    if (auto foreign = http::refuse_foreign(request, served_)) return *foreign;
    std::string_view path = request.path();
    // Whoever starts and stops programs has no token: it tells that there is one, and no more.
    if (path != "/livez") {
      if (auto unknown = gate_.refuse(request)) return *unknown;
    }
    bool known = path == "/" || path == "/metrics" || path == "/livez" || path == "/readyz";
    if (!known) return http::text_page(404, "there is nothing here; there are:\n" + std::string(index_text));
    if (request.method != "GET" && request.method != "HEAD") {
      http::Response out = http::refusal(405, "ask by GET or HEAD");
      out.fields.push_back({"Allow", "GET, HEAD"});
      return out;
    }
    if (path == "/") return http::text_page(200, std::string(index_text));
    if (path == "/metrics") return metrics(request);
    std::string why = path == "/livez" ? session::why_not_live(health()) : session::why_not_ready(health());
    return why.empty() ? http::text_page(200, "ok\n") : http::refusal(503, why);
  }

  Health health() const {
    const Engine* engine = engine_.load();
    return engine != nullptr ? engine->health() : Health{};
  }

  http::Response metrics(const http::Request& request) {
    const std::string* accept = request.find("Accept");
    session::MetricsForm form =
        accept != nullptr ? session::form_wanted(*accept) : session::MetricsForm::Plain;
    Health now = health();
    http::Response out;
    out.type = form == session::MetricsForm::OpenMetrics
                   ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                   : "text/plain; version=0.0.4; charset=utf-8";
    look(now);
    out.body = session::metrics_text({std::move(now), figures_, started_ns_}, form);
    return out;
  }

  // Takes new figures where the last ones are old.
  void look(const Health& now) {
    const Engine* engine = engine_.load();
    int64_t now_ns = env_.monotonic_ns();
    if (engine == nullptr || now.phase == Health::Phase::Starting) return;
    if (looked_ns_ != 0 && now_ns - looked_ns_ < figures_age_ns) return;
    // Who would wait holds up the other pages.
    figures_ = now.busy_ns < boundary_wait_ns ? engine->inspect_within(boundary_wait_ns) : std::nullopt;
    looked_ns_ = env_.monotonic_ns();
  }

  env::Env& env_;
  http::Served served_;
  connector::TokenGate gate_;
  int64_t started_ns_;
  std::atomic<const Engine*> engine_{nullptr};
  std::optional<EngineFigures> figures_;  // of the thread that answers
  int64_t looked_ns_ = 0;
};

}  // namespace

class StatusServer::State {
 public:
  std::unique_ptr<env::Env> env;
  std::unique_ptr<StatusPages> pages;
  std::unique_ptr<Complaints> complaints;
  std::unique_ptr<http::Server> server;  // goes first
};

StatusServer::StatusServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
StatusServer::~StatusServer() = default;

Outcome<std::unique_ptr<StatusServer>> StatusServer::listen(const std::string& text,
                                                            const StatusAccess& access) {
  auto address = parse_address(text, access);
  if (!address) return address.failure();
  auto state = std::make_unique<State>();
  auto machine = env::make_real_env();
  if (!machine) return Failure{Failure::Kind::Usage, machine.error().message};
  state->env = std::move(machine).value();
  auto served = env::is_loopback(address.value().host) ? http::Served::ThisMachine : http::Served::Others;
  std::optional<connector::Secret> token;
  if (!access.token_file.empty()) token = {connector::Secret::From::File, access.token_file};
  state->complaints = std::make_unique<Complaints>(*state->env, access.refused);
  auto complain = [complaints = state->complaints.get()](const Error& why) { complaints->say(why); };
  state->pages = std::make_unique<StatusPages>(*state->env, served, std::move(token), complain);
  Status read = state->pages->open();
  if (!read) return Failure{Failure::Kind::Io, read.error().message};
  auto listener = state->env->listen_tcp(address.value());
  if (listener && !access.certificate.empty()) {
    tls::Listening listening{{access.certificate, access.certificate_key, ""}};
    listening.refused = complain;
    listener = tls::encrypt(*state->env, std::move(listener).value(), std::move(listening));
  }
  if (!listener) return Failure{Failure::Kind::Io, listener.error().message};
  state->server = std::make_unique<http::Server>(*state->env, std::move(listener).value(),
                                                 http::ServerLimits{}, *state->pages);
  return std::unique_ptr<StatusServer>(new StatusServer(std::move(state)));
}

void StatusServer::serve(const Engine& engine) { state_->pages->serve(engine); }
const std::string& StatusServer::address() const { return state_->server->address(); }

}  // namespace mut

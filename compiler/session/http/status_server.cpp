#include <atomic>
#include <optional>
#include <utility>

#include "compiler/session/http/accept.h"
#include "compiler/session/http/metrics_page.h"
#include "mutstream/status.h"
#include "runtime/env/loopback.h"
#include "runtime/env/real_env.h"
#include "runtime/http/origin.h"
#include "runtime/http/server.h"

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

Outcome<env::TcpAddress> parse_address(const std::string& text) {
  auto wrong = [&](const std::string& why) { return Failure{Failure::Kind::Usage, text + ": " + why}; };
  bool has_port = text.ends_with(']') ? false : text.find(':') != std::string::npos;
  auto address = env::parse_tcp_address(has_port ? text : text + ":" + std::to_string(usual_port));
  if (!address) return wrong(address.error().message);
  if (env::is_loopback(address.value().host)) return std::move(address).value();
  return wrong(
      "only this machine is served, since there is neither encryption nor a password yet: take 127.0.0.1, "
      "localhost or [::1], and where others are to see it, put a proxy that knows them or an SSH tunnel "
      "before it");
}

// What is answered. Threads: answer() by one, serve() by any.
class StatusPages final : public http::Service {
 public:
  explicit StatusPages(env::Env& env) : env_(env), started_ns_(env.wall_ns()) {}

  void serve(const Engine& engine) { engine_.store(&engine); }

  std::optional<http::Response> begin(uint64_t, http::Request request) override { return answer(request); }

 private:
  http::Response answer(const http::Request& request) {
    if (auto foreign = http::refuse_foreign(request)) return *foreign;
    std::string_view path = request.path();
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
  std::unique_ptr<http::Server> server;  // goes first
};

StatusServer::StatusServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
StatusServer::~StatusServer() = default;

Outcome<std::unique_ptr<StatusServer>> StatusServer::listen(const std::string& text) {
  auto address = parse_address(text);
  if (!address) return address.failure();
  auto state = std::make_unique<State>();
  auto machine = env::make_real_env();
  if (!machine) return Failure{Failure::Kind::Usage, machine.error().message};
  state->env = std::move(machine).value();
  auto listener = state->env->listen_tcp(address.value());
  if (!listener) return Failure{Failure::Kind::Io, listener.error().message};
  state->pages = std::make_unique<StatusPages>(*state->env);
  state->server = std::make_unique<http::Server>(*state->env, std::move(listener).value(),
                                                 http::ServerLimits{}, *state->pages);
  return std::unique_ptr<StatusServer>(new StatusServer(std::move(state)));
}

void StatusServer::serve(const Engine& engine) { state_->pages->serve(engine); }
const std::string& StatusServer::address() const { return state_->server->address(); }

}  // namespace mut

#include "runtime/connector/nats/nats_dial.h"

#include <atomic>
#include <utility>

#include "runtime/connector/tls_trouble.h"

namespace mut::connector {
namespace {

// Milliseconds.
constexpr int64_t connect_wait_ms = line_wait_ns / 1'000'000;
// A server that stands still is one that is lost.
constexpr int64_t ping_every_ms = 10'000;
constexpr int pings_unanswered_max = 2;
constexpr int64_t write_wait_ms = 5'000;
// Nanoseconds; behind what the library itself waits for.
constexpr int64_t attempt_wait_ns = line_wait_ns + 1'000'000'000;

using OptionsPtr = std::unique_ptr<natsOptions, NatsGone<&NatsLibrary::natsOptions_Destroy>>;

// The library's own prints.
void say_nothing(natsConnection*, natsSubscription*, natsStatus, void*) {}

Status status_of(const NatsLibrary& nats, natsStatus status, const std::string& tried) {
  return status == NATS_OK ? Status(Unit{}) : Status(nats_error(nats, status, tried));
}

// Passwords are read each time: they may have been changed.
Status introduce(env::Env& env, const NatsLibrary& nats, const NatsTarget& target, natsOptions& options) {
  if (!target.credentials.empty()) {
    auto there = env.open_input(target.credentials);
    if (!there) return there.error();
    return status_of(
        nats, nats.natsOptions_SetUserCredentialsFromFiles(&options, target.credentials.c_str(), nullptr),
        target.credentials);
  }
  const std::optional<Secret>& secret = target.token ? target.token : target.password;
  if (!secret) return Unit{};
  auto text = secret->read(env);
  if (!text) return text.error();
  const char* word = text.value().c_str();
  natsStatus status = target.token ? nats.natsOptions_SetToken(&options, word)
                                   : nats.natsOptions_SetUserInfo(&options, target.user.c_str(), word);
  return status == NATS_OK ? Status(Unit{}) : Status(Error{nats.natsStatus_GetText(status)});
}

// The same of files.
Status encrypt(env::Env& env, const NatsLibrary& nats, const NatsTarget& target, natsOptions& options) {
  const Tls& tls = target.tls;
  if (tls.check == Tls::Check::Off) return Unit{};
  if (Status there = check_tls_files(env, tls); !there) return there;
  Status out = status_of(nats, nats.natsOptions_SetSecure(&options, true), "TLS");
  if (out && tls.check == Tls::Check::Require)
    out = status_of(nats, nats.natsOptions_SkipServerVerification(&options, true), "TLS");
  if (out && tls.check == Tls::Check::Verify) {
    const std::string& file = tls.authorities;
    out = status_of(nats, nats.natsOptions_LoadCATrustedCertificates(&options, file.c_str()), file);
    if (!out) return out;
    out = status_of(nats, nats.natsOptions_SetExpectedHostname(&options, target.server.host.c_str()), "TLS");
  }
  if (!out || tls.certificate.empty()) return out;
  natsStatus loaded =
      nats.natsOptions_LoadCertificatesChain(&options, tls.certificate.c_str(), tls.certificate_key.c_str());
  return status_of(nats, loaded, tls.certificate + " with " + tls.certificate_key);
}

// A server that has ended the connection behind the handshake: the library does not say why.
bool has_ended(const std::string& why) {
  for (const char* text : {"got ''", "SSL_write error", "SSL_read error"}) {
    if (why.find(text) != std::string::npos) return true;
  }
  return false;
}

Error refused(const NatsLibrary& nats, natsStatus status, const Tls& tls) {
  if (status == NATS_NO_SERVER) return Error{"no server takes connections there"};
  if (status == NATS_CONNECTION_AUTH_FAILED)
    return Error{"the server lets nobody in without the right user and password, token or credentials"};
  if (status == NATS_SECURE_CONNECTION_WANTED)
    return Error{"the server there speaks no TLS: another port, or `tls: off`"};
  std::string why = nats_error(nats, status, "it cannot be connected to").message;
  if (tls.check == Tls::Check::Off || !has_ended(why)) return {with_tls_fix(std::move(why), tls)};
  why = "the server has ended the connection behind the TLS handshake; ";
  if (tls.certificate.empty()) return {why + "it may want to see a certificate: give `cert` and `cert_key`"};
  return {why + "it may not take the certificate `" + tls.certificate + "`"};
}

}  // namespace

struct NatsDial::Attempt {
  std::shared_ptr<const NatsLibrary> nats;
  Tls tls;
  OptionsPtr options;
  std::unique_ptr<env::EventCount> bell;
  std::atomic<bool> over{false};
  Result<NatsConnectionPtr> made = Error{};  // when it is over

  void run() {
    natsConnection* connection = nullptr;
    natsStatus status = nats->natsConnection_Connect(&connection, options.get());
    if (status == NATS_OK) {
      made = NatsConnectionPtr(connection, {nats.get()});
    } else {
      made = refused(*nats, status, tls);
    }
    over.store(true);
    bell->notify();
  }
};

NatsDial::NatsDial(env::Env& env, std::shared_ptr<const NatsLibrary> nats, const NatsTarget& target)
    : env_(env), nats_(std::move(nats)), target_(target) {}

// A thread that stands still ends when the other side does, and takes its attempt with it.
NatsDial::~NatsDial() {
  if (thread_ && !attempt_->over.load()) (void)thread_.release();
}

Result<NatsConnectionPtr> NatsDial::connect() {
  if (attempt_ && !attempt_->over.load()) return Error{"the server does not finish what it has begun"};
  thread_ = nullptr;
  auto prepared = prepare();
  if (!prepared) return prepared.error();
  attempt_ = std::move(prepared).value();
  thread_ = env_.start_thread("mut-nats", [attempt = attempt_] { attempt->run(); });
  if (!await(*attempt_)) return Error{"the server does not finish the TLS handshake"};
  thread_ = nullptr;
  auto attempt = std::exchange(attempt_, nullptr);
  return std::move(attempt->made);
}

Result<std::shared_ptr<NatsDial::Attempt>> NatsDial::prepare() const {
  natsOptions* made = nullptr;
  if (natsStatus status = nats_->natsOptions_Create(&made); status != NATS_OK)
    return nats_error(*nats_, status, "libnats");
  auto out = std::make_shared<Attempt>();
  out->nats = nats_;
  out->tls = target_.tls;
  out->options = OptionsPtr(made, {nats_.get()});
  out->bell = env_.make_event_count();
  std::string url = "nats://" + target_.server.text();
  (void)nats_->natsOptions_SetURL(made, url.c_str());
  (void)nats_->natsOptions_SetName(made, "mutstream");
  (void)nats_->natsOptions_SetTimeout(made, connect_wait_ms);
  (void)nats_->natsOptions_SetAllowReconnect(made, false);
  (void)nats_->natsOptions_SetPingInterval(made, ping_every_ms);
  (void)nats_->natsOptions_SetMaxPingsOut(made, pings_unanswered_max);
  (void)nats_->natsOptions_SetWriteDeadline(made, write_wait_ms);
  (void)nats_->natsOptions_SetErrorHandler(made, say_nothing, nullptr);
  Status fine = introduce(env_, *nats_, target_, *made);
  if (fine) fine = encrypt(env_, *nats_, target_, *made);
  if (!fine) return fine.error();
  return out;
}

bool NatsDial::await(Attempt& attempt) const {
  const int64_t until_ns = env_.monotonic_ns() + attempt_wait_ns;
  while (true) {
    uint64_t seen = attempt.bell->current();
    if (attempt.over.load()) return true;
    int64_t left_ns = until_ns - env_.monotonic_ns();
    if (left_ns <= 0) return false;
    attempt.bell->wait(seen, left_ns);
  }
}

}  // namespace mut::connector

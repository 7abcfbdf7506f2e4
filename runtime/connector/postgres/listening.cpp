#include <utility>

#include "runtime/connector/postgres/reconnecting.h"
#include "runtime/connector/postgres/source.h"
#include "runtime/connector/postgres/sql.h"

namespace mut::connector {
namespace {

using Failed = PostgresConnection::Failed;

class PostgresChannel final : public Subscription {
 public:
  PostgresChannel(env::Env& env, PostgresListenOptions options, env::EventCount* wake,
                  std::shared_ptr<Notices> notices)
      : env_(env),
        options_(std::move(options)),
        link_(env, options_.server, options_.name, std::move(notices)),
        waiting_(env, wake) {}
  ~PostgresChannel() override {
    stop();
    thread_ = nullptr;
  }

  Status open() {
    Failed failed = link_.connection().connect();
    if (!failed) failed = listen();
    if (failed) return Error{failed->message}.within(link_.about());
    link_.note_open();
    return Unit{};
  }

  Poll take(MessageGroup& to) override {
    if (!thread_) thread_ = env_.start_thread("mut-in", [this] { run(); });
    to.begin(link_.about() + " " + options_.channel);
    return waiting_.take(to, place_);
  }
  const Error& error() const override { return waiting_.error(); }
  void stop() override {
    waiting_.stop();
    link_.connection().interrupt();
  }
  size_t waiting_bytes() const override { return waiting_.bytes(); }

 private:
  Failed listen() { return link_.connection().run("LISTEN " + quoted_name(options_.channel)); }

  void run() {
    while (!waiting_.stopped()) {
      if (!link_.connection().connected() && !link_.connect_again(waiting_)) continue;
      Failed failed = listen();
      std::optional<std::string> payload;
      while (!failed) {
        failed = link_.connection().next_notification(payload, -1);
        if (payload && !waiting_.put(std::move(*payload), "")) return;
      }
      if (waiting_.stopped()) return;
      if (!failed->passes()) return waiting_.fail(Error{failed->message}.within(link_.about()));
      link_.note_lasted();
      link_.lose(failed->message, "; what is sent meanwhile is lost");
      waiting_.rest(Backoff::first_ns);
    }
  }

  env::Env& env_;
  PostgresListenOptions options_;
  Reconnecting link_;
  WaitingRows waiting_;
  std::string place_;                    // it has none
  std::unique_ptr<env::Thread> thread_;  // last: it ends before the rest goes
};

}  // namespace

Result<std::unique_ptr<Subscription>> open_postgres_channel(env::Env& env, PostgresListenOptions options,
                                                            env::EventCount* wake,
                                                            std::shared_ptr<Notices> notices) {
  auto out = std::make_unique<PostgresChannel>(env, std::move(options), wake, std::move(notices));
  Status opened = out->open();
  if (!opened) return opened.error();
  return std::unique_ptr<Subscription>(std::move(out));
}

}  // namespace mut::connector

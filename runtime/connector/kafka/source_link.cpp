#include "runtime/connector/kafka/source_link.h"

#include <utility>

namespace mut::connector {

SourceLink::SourceLink(env::Env& env, const KafkaApi& api, std::string name, const KafkaAddress& address,
                       std::shared_ptr<Notices> notices)
    : env_(env),
      api_(api),
      about_("source `" + name + "`"),
      address_(address),
      notices_(std::move(notices)),
      link_(notices_->links(), "source", std::move(name)) {}

void SourceLink::note_error(rd_kafka_t* client, int code, const std::string& reason) {
  if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION) renew_password(client);
  std::string why = address_.brokers + ": " + reason;
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) link_.note_lost(why);
  lost_ = true;
  // Who is refused learns of it, also where the connection was lost just before.
  bool refused = code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL;
  notices_->say_seldom(refused ? "refused" : "lost", about_ + ": " + why + "; connecting again",
                       env_.monotonic_ns());
}

// It may have been changed; the next attempt has the new one.
void SourceLink::renew_password(rd_kafka_t* client) {
  const KafkaLogin& login = address_.login;
  if (!login.password) return;
  auto password = login.password->read(env_);
  if (!password) return;
  rd_kafka_error_t* failed = api_.sasl_set_credentials(client, login.user.c_str(), password.value().c_str());
  if (failed != nullptr) api_.error_destroy(failed);
}

void SourceLink::note_message() {
  if (!std::exchange(lost_, false)) return;
  link_.note_made_again();
  notices_->say_seldom("again", about_ + " is connected to " + address_.brokers + " again",
                       env_.monotonic_ns());
}

}  // namespace mut::connector

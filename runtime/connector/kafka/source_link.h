// Whether a source of Kafka is connected, as people are told.
#pragma once
#include <memory>
#include <string>

#include "runtime/connector/kafka/settings.h"
#include "runtime/connector/notices.h"
#include "runtime/env/env.h"

namespace mut::connector {

// Threads: one. What it is made of outlives it.
class SourceLink {
 public:
  SourceLink(env::Env& env, const KafkaApi& api, std::string name, const KafkaAddress& address,
             std::shared_ptr<Notices> notices);
  // "source `payments`"
  const std::string& about() const { return about_; }
  // The library says so: the connection is lost, or was refused. `client` may get a new password.
  void note_error(rd_kafka_t* client, int code, const std::string& reason);
  void note_message();

 private:
  void renew_password(rd_kafka_t* client);

  env::Env& env_;
  const KafkaApi& api_;
  std::string about_;
  const KafkaAddress& address_;
  std::shared_ptr<Notices> notices_;
  Link link_;
  bool lost_ = false;
};

}  // namespace mut::connector

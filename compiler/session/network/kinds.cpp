#include <algorithm>
#include <array>
#include <utility>

#include "compiler/session/network/kind.h"
#include "runtime/connector/carried/carried_sink.h"
#include "runtime/connector/message/message_source.h"
#include "runtime/env/loopback.h"

namespace mut::session {
namespace {

class AbsentSink final : public connector::SinkWriter {
 public:
  explicit AbsentSink(Error why) : why_(std::move(why)) {}
  Status hold() override { return why_; }
  Status write(std::string_view) override { return why_; }
  Status flush() override { return why_; }
  Status close() override { return Unit{}; }

 private:
  Error why_;
};

}  // namespace

std::shared_ptr<connector::SinkWriter> make_absent_writer(Error why) {
  return std::make_shared<AbsentSink>(std::move(why));
}

const NetworkKind* find_network_kind(std::string_view connector) {
  static const std::array kinds = {&tcp_kind(),  &http_kind(),     &kafka_kind(),    &mqtt_kind(),
                                   &nats_kind(), &postgres_kind(), &websocket_kind()};
  auto found = std::find_if(kinds.begin(), kinds.end(),
                            [&](const NetworkKind* kind) { return kind->connector == connector; });
  return found == kinds.end() ? nullptr : *found;
}

int64_t give_up_ns(const typed::Connector& connector) {
  const typed::Option* option = connector.find("give_up");
  return option != nullptr ? option->value.as_int() : connector::give_up_default_ns;
}

std::string text_option(const typed::Connector& connector, std::string_view name, std::string otherwise) {
  const typed::Option* option = connector.find(name);
  return option != nullptr ? option->value.as_text() : std::move(otherwise);
}

std::optional<connector::Secret> secret_option(const typed::Connector& connector, std::string_view name) {
  const typed::Option* option = connector.find(name);
  if (option == nullptr) return std::nullopt;
  using From = connector::Secret::From;
  const typed::Const::Parts& parts = option->value.parts();
  return connector::Secret{parts[0].as_text() == "env" ? From::Variable : From::File, parts[1].as_text()};
}

connector::Tls tls_option(const typed::Connector& connector, std::string_view host) {
  bool in_the_clear =
      env::is_loopback(host) && connector.find("cert") == nullptr && connector.find("ca") == nullptr;
  return tls_said(connector, in_the_clear ? "off" : "verify");
}

connector::Tls tls_said(const typed::Connector& connector, std::string otherwise) {
  using Check = connector::Tls::Check;
  connector::Tls out;
  out.certificate = text_option(connector, "cert");
  out.certificate_key = text_option(connector, "cert_key");
  std::string said = text_option(connector, "tls", std::move(otherwise));
  if (said == "require") out.check = Check::Require;
  if (said == "verify") out.check = Check::Verify;
  if (out.check == Check::Verify)
    out.authorities = text_option(connector, "ca", connector::system_authorities);
  return out;
}

tls::Files listening_files(const typed::Connector& connector) {
  return {text_option(connector, "cert"), text_option(connector, "cert_key"), text_option(connector, "ca")};
}

Result<std::unique_ptr<connector::SourceReader>> open_messages(
    const Surroundings& around, NetworkReading reading,
    Result<std::unique_ptr<connector::Subscription>> subscription) {
  if (!subscription) return subscription.error();
  return connector::make_message_source(around.env, std::move(subscription).value(), reading.format,
                                        std::move(reading.record), reading.decode);
}

Result<std::unique_ptr<connector::SourceReader>> open_line(
    const Surroundings& around, NetworkReading reading, Result<std::unique_ptr<connector::BrokerLine>> line) {
  if (!line) return line.error();
  auto subscription = connector::open_broker_subscription(
      around.env, reading.source.name, std::move(line).value(), around.wake, around.notices);
  return open_messages(around, std::move(reading), std::move(subscription));
}

std::shared_ptr<connector::SinkWriter> make_carried_writer(
    const Surroundings& around, const NetworkWriting& writing,
    Result<std::unique_ptr<connector::Carrier>> carrier) {
  if (!carrier) return make_absent_writer(carrier.error());
  const typed::Emit& emit = writing.emit;
  return connector::make_carried_sink(around.env,
                                      {"sink `" + emit.name + "`", emit.name, give_up_ns(emit.connector)},
                                      std::move(carrier).value(), around.wake, around.notices);
}

}  // namespace mut::session

#include <utility>

#include "compiler/session/network/kind.h"
#include "runtime/connector/kafka/brokers.h"
#include "runtime/connector/kafka/kafka_sink.h"
#include "runtime/connector/kafka/kafka_source.h"
#include "runtime/connector/kafka/shared_source.h"

namespace mut::session {
namespace {

connector::KafkaLogin login_of(const typed::Connector& connector) {
  using Way = connector::KafkaLogin::Way;
  std::string said = text_option(connector, "sasl");
  if (said.empty()) return {};
  Way way = said == "plain" ? Way::Plain : said == "scram_sha_256" ? Way::ScramSha256 : Way::ScramSha512;
  return {way, text_option(connector, "user"), secret_option(connector, "password")};
}

connector::KafkaAddress address_of(const typed::Connector& connector) {
  connector::KafkaAddress out{text_option(connector, "brokers"), text_option(connector, "topic")};
  out.login = login_of(connector);
  auto brokers = connector::parse_brokers(out.brokers).value();  // it was checked
  out.tls = tls_option(connector, connector::farthest_host(brokers));
  return out;
}

bool writes_transactions(const typed::Connector& connector) {
  const typed::Option* option = connector.find("transactions");
  return option != nullptr && option->value.as_bool();
}

bool shares_partitions(const typed::Connector& connector) {
  return text_option(connector, "partitions") == "shared";
}

std::string target_text(const typed::Connector& connector) { return address_of(connector).text(); }

Result<std::unique_ptr<connector::SourceReader>> open_source(const Surroundings& around,
                                                             NetworkReading reading) {
  using Options = connector::KafkaSourceOptions;
  const typed::Connector& script = reading.source.connector;
  Options options{reading.source.name, address_of(script)};
  options.group = text_option(script, "group");
  const bool shared = shares_partitions(script);
  if (shared) options.partitions = Options::Partitions::Shared;
  if (const typed::Option* timeout = script.find("member_timeout"))
    options.member_timeout_ns = timeout->value.as_int();
  std::string start = text_option(script, "start", options.group.empty() || shared ? "earliest" : "group");
  if (start == "new") options.start = Options::Start::New;
  if (start == "group") options.start = Options::Start::Group;
  const typed::Option* envelope = script.find("envelope");
  if (envelope != nullptr && envelope->value.as_bool()) options.record = connector::KafkaRecord::Envelope;
  auto open = shared ? connector::open_shared_kafka_source : connector::open_kafka_source;
  return open_messages(around, std::move(reading),
                       open(around.env, std::move(options), around.wake, around.notices));
}

std::shared_ptr<connector::SinkWriter> make_writer(const Surroundings& around,
                                                   const NetworkWriting& writing) {
  using Options = connector::KafkaSinkOptions;
  const typed::Connector& script = writing.emit.connector;
  Options options{address_of(script), text_option(script, "key"), text_option(script, "headers")};
  if (writes_transactions(script)) options.writes = Options::Writes::Transactions;
  return make_carried_writer(around, writing, connector::make_kafka_carrier(around.env, std::move(options)));
}

}  // namespace

const NetworkKind& kafka_kind() {
  static const NetworkKind kind{"kafka",
                                target_text,
                                open_source,
                                make_writer,
                                codec::Format::Json,
                                [](const typed::Connector& source) {
                                  using Crash = connector::SourceReader::AfterCrash;
                                  return shares_partitions(source) ? Crash::GivenAgain : Crash::ReadAgain;
                                },
                                [](const typed::Connector& sink) {
                                  return writes_transactions(sink)
                                             ? connector::SinkWriter::AfterCrash::Commits
                                             : connector::SinkWriter::AfterCrash::Stays;
                                }};
  return kind;
}

}  // namespace mut::session

#include "runtime/connector/nats/nats.h"

#include <utility>

#include "compiler/session/network/kind.h"
#include "runtime/connector/nats/nats_url.h"

namespace mut::session {
namespace {

connector::NatsTarget target_of_options(const typed::Connector& nats) {
  connector::NatsTarget out;
  out.server = connector::parse_nats_url(text_option(nats, "url")).value();  // it was checked
  out.subject = text_option(nats, "subject");
  out.stream = text_option(nats, "stream");
  out.queue = text_option(nats, "queue");
  out.durable = text_option(nats, "durable");
  if (text_option(nats, "start") == "new") out.start = connector::NatsTarget::Start::New;
  out.user = text_option(nats, "user");
  out.password = secret_option(nats, "password");
  out.token = secret_option(nats, "token");
  out.credentials = text_option(nats, "creds");
  // By its url one on this machine is encrypted, too.
  out.tls = tls_option(nats, connector::is_tls_url(text_option(nats, "url")) ? "" : out.server.host);
  const typed::Option* envelope = nats.find("envelope");
  if (envelope != nullptr && envelope->value.as_bool()) out.record = connector::NatsTarget::Record::Envelope;
  return out;
}

std::string target_text(const typed::Connector& nats) { return target_of_options(nats).text(); }

Result<std::unique_ptr<connector::SourceReader>> open_source(const Surroundings& around,
                                                             NetworkReading reading) {
  auto line =
      connector::make_nats_line(around.env, target_of_options(reading.source.connector), around.notices);
  return open_line(around, std::move(reading), std::move(line));
}

std::shared_ptr<connector::SinkWriter> make_writer(const Surroundings& around,
                                                   const NetworkWriting& writing) {
  return make_carried_writer(
      around, writing, connector::make_nats_carrier(around.env, target_of_options(writing.emit.connector)));
}

}  // namespace

const NetworkKind& nats_kind() {
  static const NetworkKind kind{
      "nats", target_text, open_source, make_writer, codec::Format::Json, [](const typed::Connector& nats) {
        using Crash = connector::SourceReader::AfterCrash;
        return nats.find("stream") != nullptr ? Crash::ReadAgain : Crash::Lost;
      }};
  return kind;
}

}  // namespace mut::session

// Connectors that reach other programs: what each is made of. One file a connector; a table of all.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "compiler/session/connect.h"
#include "runtime/codec/decoder.h"
#include "runtime/connector/carried/carrier.h"
#include "runtime/connector/message/broker_line.h"
#include "runtime/connector/message/subscription.h"
#include "runtime/connector/secret.h"
#include "runtime/connector/sink_writer.h"
#include "runtime/connector/source_reader.h"
#include "runtime/connector/tls.h"
#include "runtime/tls/files.h"

namespace mut::session {

// What a source of a script reads, and how.
struct NetworkReading {
  const typed::Source& source;
  codec::Format format;
  codec::DecodeOptions decode;
  abi::TypeDescRef record;
  std::shared_ptr<connector::DecodeThreads> threads;  // may be null
};

struct NetworkWriting {
  const typed::Emit& emit;
  codec::Format format;
};

// Functions of one connector, whose options have been checked.
struct NetworkKind {
  std::string_view connector;  // its name in scripts
  // Where it listens, connects to or writes, for people, without passwords: "tcp listen 127.0.0.1:9000".
  // Equal texts, equal inputs and targets.
  std::string (*target_text)(const typed::Connector&);
  // Null: it has no sources, or no sinks.
  Result<std::unique_ptr<connector::SourceReader>> (*open_source)(const Surroundings&,
                                                                  NetworkReading) = nullptr;
  std::shared_ptr<connector::SinkWriter> (*make_writer)(const Surroundings&, const NetworkWriting&) = nullptr;
  // Of its sinks, whatever the script says; none: as the script says, else JSON.
  std::optional<codec::Format> sink_format{};
  // What a crash does, where checkpoints are taken, to records of a source and to rows of a sink.
  connector::SourceReader::AfterCrash (*source_crash)(const typed::Connector&) = nullptr;  // null: Lost
  connector::SinkWriter::AfterCrash (*sink_crash)(const typed::Connector&) = nullptr;      // null: Stays
};

// Null: that connector reaches no other program.
const NetworkKind* find_network_kind(std::string_view connector);

// `give_up`, else what holds where nobody says; nanoseconds.
int64_t give_up_ns(const typed::Connector& connector);
// Of an option that may be missing.
std::string text_option(const typed::Connector& connector, std::string_view name, std::string otherwise = "");
// Of one of kind Secret; nothing where it is missing.
std::optional<connector::Secret> secret_option(const typed::Connector& connector, std::string_view name);
// Of who connects to `host`: `tls`, `ca`, `cert`, `cert_key`. Where `tls` is not said: off on this machine,
// unless one of the others is there; verify for others.
connector::Tls tls_option(const typed::Connector& connector, std::string_view host);
// The same where `otherwise` holds when `tls` is not said: "off" or "verify".
connector::Tls tls_said(const typed::Connector& connector, std::string otherwise);
// Of who listens: `cert`, `cert_key`, `ca`.
tls::Files listening_files(const typed::Connector& connector);
// Messages of a broker.
Result<std::unique_ptr<connector::SourceReader>> open_messages(
    const Surroundings& around, NetworkReading reading,
    Result<std::unique_ptr<connector::Subscription>> subscription);
// The same of a line that is served by a thread.
Result<std::unique_ptr<connector::SourceReader>> open_line(
    const Surroundings& around, NetworkReading reading, Result<std::unique_ptr<connector::BrokerLine>> line);
// Rows to whatever has a carrier. Without one the sink cannot be opened, and says why.
std::shared_ptr<connector::SinkWriter> make_carried_writer(
    const Surroundings& around, const NetworkWriting& writing,
    Result<std::unique_ptr<connector::Carrier>> carrier);

// A sink that cannot be opened.
std::shared_ptr<connector::SinkWriter> make_absent_writer(Error why);

// One for each: a missing one does not link.
const NetworkKind& tcp_kind();
const NetworkKind& http_kind();
const NetworkKind& kafka_kind();
const NetworkKind& mqtt_kind();
const NetworkKind& nats_kind();
const NetworkKind& postgres_kind();
const NetworkKind& websocket_kind();

}  // namespace mut::session

#include <utility>

#include "compiler/session/network/kind.h"
#include "runtime/connector/postgres/carrier.h"
#include "runtime/connector/postgres/source.h"

namespace mut::session {
namespace {

connector::PostgresServer server_of(const typed::Connector& connector) {
  connector::PostgresServer out;
  out.address = env::parse_tcp_address(text_option(connector, "host")).value();  // it was checked
  out.database = text_option(connector, "database");
  out.user = text_option(connector, "user");
  out.password = secret_option(connector, "password");
  out.tls = tls_option(connector, out.address.host);
  return out;
}

std::vector<std::string> keys_of(const typed::Connector& connector) {
  std::vector<std::string> out;
  if (const typed::Option* key = connector.find("key")) out.push_back(key->value.as_text());
  if (const typed::Option* keys = connector.find("keys")) {
    for (const typed::Const& column : keys->value.parts()) out.push_back(column.as_text());
  }
  return out;
}

std::string target_text(const typed::Connector& connector) {
  connector::PostgresServer server = server_of(connector);
  std::string out = "postgres " + server.text();
  for (const char* option : {"table", "listen", "query", "cursor"}) {
    const typed::Option* found = connector.find(option);
    if (found == nullptr) continue;
    out += std::string(option) == "table" ? " " : std::string(" ") + option + " ";
    out += found->value.as_text();
  }
  std::string keys;
  for (const std::string& key : keys_of(connector)) keys += (keys.empty() ? " by " : ", ") + key;
  out += keys + " as " + server.user;
  if (server.password) out += " with " + server.password->text();
  return out + server.tls.text();
}

Result<std::unique_ptr<connector::SourceReader>> open_source(const Surroundings& around,
                                                             NetworkReading reading) {
  const typed::Source& source = reading.source;
  Result<std::unique_ptr<connector::Subscription>> opened = Error{};
  if (source.connector.find("listen") != nullptr) {
    connector::PostgresListenOptions options{source.name, server_of(source.connector),
                                             text_option(source.connector, "listen")};
    opened = connector::open_postgres_channel(around.env, std::move(options), around.wake, around.notices);
  } else {
    connector::PostgresQueryOptions options;
    options.name = source.name;
    options.server = server_of(source.connector);
    options.query = text_option(source.connector, "query");
    options.cursor = text_option(source.connector, "cursor");
    if (const typed::Option* every = source.connector.find("every")) options.every_ns = every->value.as_int();
    opened = connector::open_postgres_query(around.env, std::move(options), around.wake, around.notices);
  }
  return open_messages(around, std::move(reading), std::move(opened));
}

std::shared_ptr<connector::SinkWriter> make_writer(const Surroundings& around,
                                                   const NetworkWriting& writing) {
  const typed::Connector& connector = writing.emit.connector;
  connector::PostgresSinkOptions options{server_of(connector), text_option(connector, "table"),
                                         keys_of(connector)};
  return make_carried_writer(around, writing,
                             connector::make_postgres_carrier(around.env, std::move(options)));
}

}  // namespace

const NetworkKind& postgres_kind() {
  static const NetworkKind kind{
      "postgres",
      target_text,
      open_source,
      make_writer,
      codec::Format::Csv,
      [](const typed::Connector& postgres) {
        using Crash = connector::SourceReader::AfterCrash;
        return postgres.find("cursor") != nullptr ? Crash::ReadAgain : Crash::Lost;
      },
      [](const typed::Connector&) { return connector::SinkWriter::AfterCrash::Commits; }};
  return kind;
}

}  // namespace mut::session

#include <utility>

#include "compiler/session/network/addresses.h"
#include "compiler/session/network/kind.h"
#include "runtime/connector/http/http_sink.h"
#include "runtime/connector/http/http_source.h"

namespace mut::session {
namespace {

connector::Tls tls_of(const typed::Connector& http) {
  return tls_said(http, http_url(http).is_encrypted() ? "verify" : "off");
}

std::string target_text(const typed::Connector& http) {
  std::string url = http_url(http).text();
  auto token = secret_option(http, "token");
  std::string known = token ? ", token " + token->text() : "";
  if (http.find("listen") == nullptr) return "http post " + url + tls_of(http).text() + known;
  return "http listen " + url + connector::text_of(listening_files(http)) + known;
}

Result<std::unique_ptr<connector::SourceReader>> open_source(const Surroundings& around,
                                                             NetworkReading reading) {
  connector::HttpSourceOptions options;
  const typed::Connector& http = reading.source.connector;
  options.inbox = {reading.source.name, http_url(http), listening_files(http), secret_option(http, "token")};
  options.format = reading.format;
  options.decode = std::move(reading.decode);
  return connector::open_http_source(around.env, std::move(options), std::move(reading.record), around.wake,
                                     around.notices);
}

std::shared_ptr<connector::SinkWriter> make_writer(const Surroundings& around,
                                                   const NetworkWriting& writing) {
  const typed::Emit& emit = writing.emit;
  connector::HttpSinkOptions options{emit.name, http_url(emit.connector), give_up_ns(emit.connector),
                                     "application/x-ndjson"};
  options.tls = tls_of(emit.connector);
  options.token = secret_option(emit.connector, "token");
  if (writing.format == codec::Format::Csv) options.type = "text/csv";
  if (writing.format == codec::Format::Tsv) options.type = "text/tab-separated-values";
  if (writing.format != codec::Format::Json) options.ends = connector::LineEnds::Unquoted;
  return connector::make_http_sink(around.env, options, around.wake, around.notices);
}

}  // namespace

const NetworkKind& http_kind() {
  static const NetworkKind kind{
      "http",      target_text,
      open_source, make_writer,
      {},          [](const typed::Connector&) {
        return connector::SourceReader::AfterCrash::SentAgain; }};
  return kind;
}

}  // namespace mut::session

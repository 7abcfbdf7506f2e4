#include "compiler/session/http/connect.h"

#include <utility>

#include "runtime/connector/http/http_sink.h"
#include "runtime/connector/http/http_source.h"

namespace mut::session {

Result<std::unique_ptr<connector::SourceReader>> open_http_reader(const Surroundings& around,
                                                                  HttpReading reading,
                                                                  abi::TypeDescRef record) {
  connector::HttpSourceOptions options;
  options.inbox = {std::move(reading.name), std::move(reading.url)};
  options.format = reading.format;
  options.decode = std::move(reading.decode);
  return connector::open_http_source(around.env, std::move(options), std::move(record), around.wake,
                                     around.notices);
}

std::shared_ptr<connector::SinkWriter> make_http_writer(const Surroundings& around, HttpWriting writing) {
  connector::HttpSinkOptions options{std::move(writing.name), std::move(writing.url), writing.give_up_ns,
                                     "application/x-ndjson"};
  if (writing.format == codec::Format::Csv) options.type = "text/csv";
  if (writing.format == codec::Format::Tsv) options.type = "text/tab-separated-values";
  if (writing.format != codec::Format::Json) options.ends = connector::LineEnds::Unquoted;
  return connector::make_http_sink(around.env, options, around.wake, around.notices);
}

}  // namespace mut::session

// Sources and sinks of HTTP, in a build that has it.
#pragma once
#include <memory>
#include <string>

#include "compiler/session/connect.h"
#include "runtime/abi/type_desc.h"
#include "runtime/codec/decoder.h"
#include "runtime/connector/sink_writer.h"
#include "runtime/connector/source_reader.h"
#include "runtime/http/url.h"

namespace mut::session {

// Of a connector of the script: where it listens or sends to.
http::Url http_url(const typed::Connector& connector);
// "http listen 127.0.0.1:8080/in": equal texts, equal targets.
std::string http_target_text(const typed::Connector& connector);

struct HttpReading {
  std::string name;  // of the source
  http::Url url;
  codec::Format format;
  codec::DecodeOptions decode;
};
Result<std::unique_ptr<connector::SourceReader>> open_http_reader(const Surroundings& around,
                                                                  HttpReading reading,
                                                                  abi::TypeDescRef record);

struct HttpWriting {
  std::string name;  // of the sink
  http::Url url;
  int64_t give_up_ns = 0;
  codec::Format format;
};
// Of a build without HTTP: one that cannot be opened.
std::shared_ptr<connector::SinkWriter> make_http_writer(const Surroundings& around, HttpWriting writing);

}  // namespace mut::session

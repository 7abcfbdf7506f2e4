// Records by POST: a request has its answer when all its rows have run. At least once, as far as the engine:
// who gets no answer sends again; with an Idempotency-Key once, while the key is remembered.
#pragma once
#include <memory>

#include "runtime/abi/type_desc.h"
#include "runtime/codec/decoder.h"
#include "runtime/connector/http/inbox.h"
#include "runtime/connector/source_reader.h"

namespace mut::connector {

struct HttpSourceOptions {
  HttpInboxOptions inbox;
  codec::Format format = codec::Format::Json;
  codec::DecodeOptions decode;
};

// Has the port. Each request is an input of its own: CSV has a header in each, the last record needs no line
// end. It ends at stop() only. `env` and `wake` (may be null) outlive the source.
Result<std::unique_ptr<SourceReader>> open_http_source(env::Env& env, HttpSourceOptions options,
                                                       abi::TypeDescRef record, env::EventCount* wake,
                                                       std::shared_ptr<Notices> notices);

}  // namespace mut::connector

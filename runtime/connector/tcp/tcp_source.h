// Records over TCP, from whoever connects or from one that is connected to. At most once: what a connection
// had not delivered when it broke is the sender's.
#pragma once
#include <memory>

#include "runtime/abi/type_desc.h"
#include "runtime/codec/decoder.h"
#include "runtime/connector/ahead/decode_threads.h"
#include "runtime/connector/source_reader.h"
#include "runtime/connector/tcp/intake.h"

namespace mut::connector {

// Unfinished records of all connections together, bytes: past that the largest is given up, with its
// connection.
constexpr size_t unfinished_bytes_max = 64 * 1024 * 1024;

struct TcpSourceOptions {
  TcpIntakeOptions intake;
  codec::Format format = codec::Format::Json;
  codec::DecodeOptions decode;
  std::shared_ptr<DecodeThreads> threads;  // null: text is decoded by who polls
};

// Has the port, or its first connection. Each connection is an input of its own: its records are decoded by
// themselves, CSV with a header of its own, and the last one needs no line end. What cannot be decoded
// because the connection broke inside of it is a bad row. It ends at stop() only. `env` and `wake` (may be
// null) outlive the source.
Result<std::unique_ptr<SourceReader>> open_tcp_source(env::Env& env, TcpSourceOptions options,
                                                      abi::TypeDescRef record, env::EventCount* wake,
                                                      std::shared_ptr<Notices> notices);

}  // namespace mut::connector

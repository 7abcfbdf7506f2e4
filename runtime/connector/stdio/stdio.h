// Standard input. Standard output is in file/file_sink.h.
#pragma once
#include <memory>

#include "runtime/abi/type_desc.h"
#include "runtime/codec/decoder.h"
#include "runtime/connector/ahead/decode_threads.h"
#include "runtime/connector/source_reader.h"
#include "runtime/env/env.h"

namespace mut::connector {

// Reads on a thread of its own, because a terminal or pipe blocks; rings `wake` (may be null) when there
// is something. `env` and `wake` must outlive the source. `threads`: null: its text is decoded by who polls
// it.
std::unique_ptr<SourceReader> open_stdin_source(env::Env& env, codec::Format format,
                                                const codec::DecodeOptions& options, abi::TypeDescRef record,
                                                env::EventCount* wake,
                                                std::shared_ptr<DecodeThreads> threads);
// The same over any file that may block, such as a named pipe.
std::unique_ptr<SourceReader> make_live_source(env::Env& env, std::unique_ptr<env::InputFile> file,
                                               std::string name, codec::Format format,
                                               const codec::DecodeOptions& options, abi::TypeDescRef record,
                                               env::EventCount* wake, std::shared_ptr<DecodeThreads> threads);

}  // namespace mut::connector

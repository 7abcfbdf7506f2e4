// Files as a source: one, those of a pattern, or those of a directory, in order of names (rule 6.24).
#pragma once
#include <memory>
#include <string>

#include "runtime/abi/type_desc.h"
#include "runtime/codec/decoder.h"
#include "runtime/connector/ahead/decode_threads.h"
#include "runtime/connector/source_reader.h"
#include "runtime/env/env.h"

namespace mut::connector {

struct FileSourceOptions {
  std::string path;  // a file, a directory, or a pattern with `*`, `?`, `[…]`; `.gz` and `.zst` are unpacked
  codec::Format format = codec::Format::Json;
  codec::DecodeOptions decode;
  // Stays at the end and waits for more; notices when the file is replaced or cut, and new files of a
  // pattern or directory.
  bool follow = false;
  std::shared_ptr<DecodeThreads> threads;  // null: its text is decoded by who polls it
};

// Opens the first file and checks its header. `env` must outlive the source.
Result<std::unique_ptr<SourceReader>> open_file_source(env::Env& env, const FileSourceOptions& options,
                                                       abi::TypeDescRef record);

}  // namespace mut::connector

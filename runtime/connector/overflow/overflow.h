// What becomes of records that come faster than they are run, where the script does not want the other side
// to wait.
#pragma once
#include <memory>
#include <string>

#include "runtime/codec/decoder.h"
#include "runtime/connector/notices.h"
#include "runtime/connector/source_reader.h"
#include "runtime/env/env.h"

namespace mut::connector {

// Records that wait in memory, bytes; what comes then overflows.
constexpr size_t overflow_bytes = 16 * 1024 * 1024;

enum class OverflowPolicy : uint8_t {
  DropOldest,  // those that have waited longest go
  DropNewest,  // those that come go
  Spill        // those that come wait on disk, in order
};

struct OverflowOptions {
  std::string about;  // "source `x`"
  OverflowPolicy policy = OverflowPolicy::DropNewest;
  codec::Format format = codec::Format::Json;  // a record a line
  codec::DecodeOptions decode;
  std::string spill_folder;  // for files without a name: what a crash leaves is nothing
};

// The record that `lines` has to hand over: one text, without its line end.
abi::TypeDescRef overflow_line();

// Reads `lines` on a thread of its own, whatever the rows do, and decodes what it gave. `bell` is what
// `lines` rings, `wake` (may be null) is rung when records have come; both, and `env`, outlive the source.
// Records go in pieces of at most 1024; SourceReader::dropped_records() counts them. A disk that takes
// nothing holds the other side up instead.
std::unique_ptr<SourceReader> make_overflow_source(env::Env& env, OverflowOptions options,
                                                   std::unique_ptr<SourceReader> lines,
                                                   std::shared_ptr<env::EventCount> bell,
                                                   abi::TypeDescRef record, env::EventCount* wake,
                                                   std::shared_ptr<Notices> notices);

}  // namespace mut::connector

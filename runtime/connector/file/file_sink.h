// A file as a sink (rule 6.21).
#pragma once
#include <memory>
#include <string>

#include "runtime/connector/sink_writer.h"
#include "runtime/env/env.h"

namespace mut::connector {

struct FileSinkOptions {
  std::string path;  // packed when it ends in `.gz`
  bool append = false;
};

// Replaces what was there, and says so in notice(), unless `append`. `env` must outlive the sink.
Result<std::unique_ptr<SinkWriter>> open_file_sink(env::Env& env, const FileSinkOptions& options);

// Text to an open file, gathered into large writes. For stdout and stderr too.
std::unique_ptr<SinkWriter> make_stream_sink(env::Env& env, std::unique_ptr<env::OutputFile> file);

}  // namespace mut::connector

// A file as a sink (rule 6.21).
#pragma once
#include <memory>
#include <string>

#include "runtime/connector/notices.h"
#include "runtime/connector/sink_writer.h"
#include "runtime/env/env.h"

namespace mut::connector {

// Not open yet: hold() opens, begin() takes away what an earlier run left unless it appends. Packed when
// the path ends in `.gz` or `.zst`. `env` must outlive the sink.
// A disk that is full holds the rows up until there is room again, which `notices` (may be null) tell.
std::unique_ptr<SinkWriter> make_file_sink(env::Env& env, std::string path,
                                           std::shared_ptr<Notices> notices = nullptr);
// Text to standard output, gathered into large writes.
std::unique_ptr<SinkWriter> make_stdout_sink(env::Env& env);

}  // namespace mut::connector

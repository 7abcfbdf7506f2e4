// Several inputs in order of preference: one that is lost is stood in for by the next, until it is there
// again.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/connector/notices.h"
#include "runtime/connector/source_reader.h"
#include "runtime/env/env.h"

namespace mut::connector {

// One input. Opened by any thread, may block.
struct FailoverInput {
  std::string name;   // as Links know it: one that is not connected there is lost
  std::string about;  // "tcp connect db:5432"
  std::function<Result<std::unique_ptr<SourceReader>>()> open;
  int64_t after_ns = 0;  // how long those before have to be lost until this one is read
};

// Reads the first input that is there. One that is lost for as long as the next one says is left; it keeps
// trying to connect, and what it had received is read first when it is there again. Then the one that stood
// in is stopped: what it had received is read to its end. One that cannot be opened, or fails for good, is
// opened anew about once in a second. The records have no places: another run begins with what comes then.
// `record`: what open() makes. `env` and `wake` (may be null) outlive the source. Fails where none can be
// opened.
Result<std::unique_ptr<SourceReader>> make_failover_source(env::Env& env, std::string about,
                                                           std::vector<FailoverInput> inputs,
                                                           env::EventCount* wake,
                                                           std::shared_ptr<Notices> notices);

}  // namespace mut::connector

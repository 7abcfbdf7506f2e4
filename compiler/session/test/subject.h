// What a test runs: one program that is given rows, a clock and edits, and whose streams are read.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "compiler/diagnostics/diagnostics.h"
#include "mutstream/engine.h"
#include "runtime/abi/result.h"

namespace mut::session {

struct SwapOutcome {
  enum class Kind : uint8_t { Taken, Unchanged, Undecided, Refused, Broken } kind = Kind::Taken;
  std::string text;                // the plan; of a script that does not check its diagnostics
  std::vector<std::string> codes;  // of refusals and diagnostics
  std::vector<CellVerdict> cells;
};

// One thread. Nothing outside is opened and no clock is read: equal calls give equal rows.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual Status give(const std::string& source, TextRows rows) = 0;
  virtual Status advance(int64_t time_ns) = 0;
  virtual Status end() = 0;
  // Between the rows before and after it.
  virtual Result<SwapOutcome> swap(const std::string& text, const std::vector<Consent>& accept) = 0;
  // Rows of a stream since the last call, as JSON.
  virtual std::vector<std::string> take(const std::string& stream) = 0;
};

// `streams`: what take() will be asked for.
Result<std::unique_ptr<Subject>> make_engine_subject(const std::string& text, const std::string& name,
                                                     const std::vector<std::string>& streams);
Result<std::unique_ptr<Subject>> make_reference_subject(const std::string& text, const std::string& name,
                                                        const std::vector<std::string>& streams);

}  // namespace mut::session

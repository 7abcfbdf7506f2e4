// What a run says on standard error while it goes on: lines for people, or a JSON object a line for a
// collector of logs (`--log json`, docs/logs.md).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mutstream/engine.h"

namespace mut::tools {

// Threads: any, all methods; a line is written as a whole.
class RunLog {
 public:
  enum class Form : uint8_t { Text, Json };
  // Quiet: information is left out.
  enum class Much : uint8_t { All, Quiet };
  enum class Level : uint8_t { Info, Warning, Error };
  // A member of the object, whose value is JSON already.
  struct Field {
    std::string_view name;
    std::string json;
  };

  RunLog(Form form, Much much) : form_(form), much_(much) {}

  // `text` as people read it, which may have several lines; in JSON it is the `message`, without "mutc: ".
  void say(Level level, std::string_view event, const std::string& text,
           const std::vector<Field>& fields = {}) const;
  // What is of use to a collector alone.
  void note(std::string_view event, const std::vector<Field>& fields) const;

  // ---- what has more to say than a text
  // `wanted`: the cut that was asked for; the input may have ended before it.
  void swap(const SwapReport& report, const std::vector<SourceCut>& wanted) const;
  // Of the end of a run.
  void losses(const EngineStats& stats) const;

 private:
  void write(Level level, std::string_view event, std::string_view message,
             const std::vector<Field>& fields) const;
  Form form_;
  Much much_;
};

}  // namespace mut::tools

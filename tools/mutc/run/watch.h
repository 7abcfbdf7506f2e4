// `run --watch`: every save of the script or of a file that it imports becomes a candidate; what is not
// applicable is told and the running version stays.
#pragma once
#include <atomic>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tools/mutc/run/run_log.h"
#include "tools/mutc/run/session.h"

namespace mut::tools {

class ScriptWatch {
 public:
  // Watches on a thread of its own; each save is prepared on another, so that data keeps flowing. `running`:
  // the text that was loaded; a file that says something else by now is a save. Of imported files the first
  // look counts.
  ScriptWatch(std::string file, std::string running, Engine& engine, std::optional<Guard> guard,
              const RunLog& log);
  ~ScriptWatch();
  ScriptWatch(const ScriptWatch&) = delete;
  ScriptWatch& operator=(const ScriptWatch&) = delete;

 private:
  void watch();
  void offer();
  // What imported files say, by path; those of the last text that parsed.
  std::map<std::string, std::string> read_imported(const std::string& script);
  void prepare(const std::string& text);
  std::string file_;
  Engine& engine_;
  const RunLog& log_;
  std::optional<Guard> guard_;
  std::string last_text_;
  std::map<std::string, std::string> last_imported_;  // text by path
  std::vector<std::future<void>> offers_;             // running ones and some that are over
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace mut::tools

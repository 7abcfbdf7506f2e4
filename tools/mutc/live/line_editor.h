// Lines from a terminal: editing, history, completion, and what comes by itself above the line that is typed.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mut::tools {

struct LineEditorOptions {
  std::string history_path;  // empty: none is kept
  // Words that the text, up to the cursor, may end with, and what each is.
  std::function<std::vector<std::pair<std::string, std::string>>(std::string_view text)> complete;
  int descriptor = -1;  // readable when show() has something to print
  std::function<void()> show;
};

// One in a process: it takes SIGINT while it reads.
class LineEditor {
 public:
  explicit LineEditor(LineEditorOptions options);
  ~LineEditor();
  enum class Read : uint8_t { Line, Cancelled, End };
  // Without its end.
  Read read(const std::string& prompt, std::string& line);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace mut::tools

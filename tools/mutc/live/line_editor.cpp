#include "tools/mutc/live/line_editor.h"

#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <cwchar>
#include <filesystem>

namespace mut::tools {
namespace {

constexpr int history_lines = 1000;

std::atomic<bool> interrupted{false};  // the handler may touch nothing else

void on_interrupt(int) { interrupted = true; }

}  // namespace

class LineEditor::State {
 public:
  explicit State(LineEditorOptions given) : options(std::move(given)) {
    std::setlocale(LC_CTYPE, "");
    editor = el_init("mutc", stdin, stdout, stderr);
    past = history_init();
    HistEvent event;
    history(past, &event, H_SETSIZE, history_lines);
    history(past, &event, H_SETUNIQUE, 1);
    if (!options.history_path.empty()) history(past, &event, H_LOAD, options.history_path.c_str());
    el_set(editor, EL_CLIENTDATA, this);
    el_set(editor, EL_PROMPT, &State::prompt_of);
    el_set(editor, EL_EDITOR, "emacs");
    el_set(editor, EL_HIST, history, past);
    el_set(editor, EL_ADDFN, "mut-complete", "complete a name", &State::complete);
    el_set(editor, EL_BIND, "\t", "mut-complete", nullptr);
    el_set(editor, EL_GETCFN, &State::get);
  }
  ~State() {
    if (!options.history_path.empty()) {
      std::error_code problem;
      std::filesystem::create_directories(std::filesystem::path(options.history_path).parent_path(), problem);
      HistEvent event;
      history(past, &event, H_SAVE, options.history_path.c_str());
    }
    history_end(past);
    el_end(editor);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  static State& of(EditLine* editor) {
    void* self = nullptr;
    el_get(editor, EL_CLIENTDATA, &self);
    return *static_cast<State*>(self);
  }

  static char* prompt_of(EditLine* editor) { return of(editor).prompt.data(); }

  // Prints what came above the line that is being typed.
  void show() {
    std::fputs("\r\033[K", stdout);
    options.show();
    std::fflush(stdout);
    el_set(editor, EL_REFRESH);
  }

  // The next character; meanwhile what comes is shown.
  static int get(EditLine* editor, wchar_t* out) {
    State& self = of(editor);
    std::mbstate_t conversion{};
    while (true) {
      if (interrupted.exchange(false)) {
        self.cancelled = true;
        *out = L'\n';
        return 1;
      }
      pollfd polled[2] = {{STDIN_FILENO, POLLIN, 0}, {self.options.descriptor, POLLIN, 0}};
      if (::poll(polled, 2, -1) < 0) continue;
      if (polled[1].revents != 0) self.show();
      if ((polled[1].revents & POLLHUP) != 0) self.options.descriptor = -1;
      if (polled[0].revents == 0) continue;
      char byte;
      ssize_t got = ::read(STDIN_FILENO, &byte, 1);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return 0;
      size_t used = std::mbrtowc(out, &byte, 1, &conversion);
      if (used == static_cast<size_t>(-1)) {
        conversion = {};
      } else if (used != static_cast<size_t>(-2)) {
        return 1;
      }
    }
  }

  static unsigned char complete(EditLine* editor, int) {
    State& self = of(editor);
    const LineInfo* line = el_line(editor);
    std::string_view text(line->buffer, static_cast<size_t>(line->cursor - line->buffer));
    auto words = self.options.complete(text);
    if (words.empty()) return CC_ERROR;
    std::string common = words[0].first;
    for (const auto& [word, what] : words) {
      auto ends = std::mismatch(common.begin(), common.end(), word.begin(), word.end());
      common.erase(ends.first, common.end());
    }
    // As much of it stands there as is a beginning of it.
    size_t typed = std::min(common.size(), text.size());
    while (typed > 0 && text.substr(text.size() - typed) != std::string_view(common).substr(0, typed))
      --typed;
    std::string rest = common.substr(typed) + (words.size() == 1 ? " " : "");
    if (!rest.empty()) {
      el_insertstr(editor, rest.c_str());
      return CC_REFRESH;
    }
    std::fputc('\n', stdout);
    for (const auto& [word, what] : words) {
      if (what.empty()) {
        std::printf("  %s\n", word.c_str());
      } else {
        std::printf("  %-20s %s\n", word.c_str(), what.c_str());
      }
    }
    std::fflush(stdout);
    return CC_REDISPLAY;
  }

  LineEditorOptions options;
  EditLine* editor;
  History* past;
  std::string prompt;
  bool cancelled = false;
};

LineEditor::LineEditor(LineEditorOptions options) : state_(std::make_unique<State>(std::move(options))) {}
LineEditor::~LineEditor() = default;

LineEditor::Read LineEditor::read(const std::string& prompt, std::string& line) {
  struct sigaction action{};
  struct sigaction before;
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, &before);
  state_->prompt = prompt;
  state_->cancelled = false;
  int count = 0;
  const char* text = el_gets(state_->editor, &count);
  sigaction(SIGINT, &before, nullptr);
  if (text == nullptr || count <= 0) return Read::End;
  if (state_->cancelled) return Read::Cancelled;
  line.assign(text, static_cast<size_t>(count));
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  if (!line.empty()) {
    HistEvent event;
    history(state_->past, &event, H_ENTER, line.c_str());
  }
  return Read::Line;
}

}  // namespace mut::tools

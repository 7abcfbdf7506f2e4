#include "tools/mutc/live/dialogue.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "tools/mutc/console.h"
#include "tools/mutc/live/entries.h"
#include "tools/mutc/live/line_editor.h"
#include "tools/mutc/live/shell.h"

namespace mut::tools {
namespace {

std::string history_path() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state != '\0') return std::string(state) + "/mutstream/history";
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? "" : std::string(home) + "/.local/state/mutstream/history";
}

int at_terminal(Link& link, const std::string& greeting) {
  LineEditor* editor = nullptr;
  Shell shell(link, [&](const std::string& question) -> std::optional<std::string> {
    std::string answer;
    if (editor->read(question, answer) != LineEditor::Read::Line) return std::nullopt;
    return answer;
  });
  LineEditorOptions options;
  options.history_path = history_path();
  options.complete = [&](std::string_view text) { return shell.complete(text); };
  options.descriptor = link.descriptor();
  options.show = [&] { shell.show_events(); };
  LineEditor made(std::move(options));
  editor = &made;
  std::printf("%s\n", greeting.c_str());
  Entries entries;
  while (!link.gone()) {
    shell.show_events();
    std::string line;
    std::string prompt = entries.open() ? "... " : "v" + std::to_string(shell.version()) + "> ";
    LineEditor::Read read = made.read(prompt, line);
    if (read == LineEditor::Read::Cancelled) {
      entries.forget();
      continue;
    }
    bool end = read == LineEditor::Read::End;
    if (end) std::fputc('\n', stdout);
    for (const std::string& entry : end ? entries.finish() : entries.add(line)) {
      if (shell.enter(entry) == Shell::Then::Quit) return 0;
    }
    if (end) return 0;
  }
  print_error("mutc: " + link.why_gone());
  return exit_io;
}

// Lines of standard input; while none is there, what the program sends is shown.
class LineInput {
 public:
  LineInput(Link& link, Shell& shell) : link_(link), shell_(shell) {}

  // Without its end. False at the end of the input, or when the program is gone.
  bool next(std::string& line) {
    while (true) {
      size_t end = held_.find('\n');
      if (end != std::string::npos) {
        line = held_.substr(0, end);
        held_.erase(0, end + 1);
        return true;
      }
      if (ended_) {
        line = std::exchange(held_, "");
        return !line.empty();
      }
      pollfd polled[2] = {{STDIN_FILENO, POLLIN, 0}, {link_.descriptor(), POLLIN, 0}};
      if (::poll(polled, 2, -1) < 0) continue;
      if (polled[1].revents != 0) {
        shell_.show_events();
        if (link_.gone()) return false;
      }
      if (polled[0].revents == 0) continue;
      char room[16 * 1024];
      ssize_t got = ::read(STDIN_FILENO, room, sizeof(room));
      if (got < 0 && errno == EINTR) continue;
      ended_ = got <= 0;
      if (got > 0) held_.append(room, static_cast<size_t>(got));
    }
  }

 private:
  Link& link_;
  Shell& shell_;
  std::string held_;
  bool ended_ = false;
};

int by_lines(Link& link) {
  Shell shell(link, [](const std::string&) { return std::nullopt; });
  Entries entries;
  LineInput input(link, shell);
  auto enter = [&](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      if (shell.enter(text) == Shell::Then::Quit) return false;
      shell.show_events();
    }
    return true;
  };
  std::string line;
  while (input.next(line)) {
    if (!enter(entries.add(line))) return shell.exit_code();
  }
  if (!enter(entries.finish())) return shell.exit_code();
  while (!link.gone() && shell.limited_taps() > 0) {
    pollfd polled{link.descriptor(), POLLIN, 0};
    (void)::poll(&polled, 1, -1);
    shell.show_events();
  }
  if (!link.gone()) return shell.exit_code();
  print_error("mutc: " + link.why_gone());
  return exit_io;
}

}  // namespace

int hold_dialogue(Link& link, const std::string& greeting) {
  return ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0 ? at_terminal(link, greeting)
                                                                     : by_lines(link);
}

}  // namespace mut::tools

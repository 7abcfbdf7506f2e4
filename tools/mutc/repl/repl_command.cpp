#include "tools/mutc/repl/repl_command.h"

#include <atomic>
#include <csignal>
#include <memory>
#include <string>
#include <thread>

#include "tools/mutc/live/dialogue.h"

namespace mut::tools {
namespace {

struct ReplOptions {
  std::string file;
  std::string policy = "live";
  uint64_t memory = uint64_t{256} * 1024 * 1024;
};

// Runs an engine on a thread of its own until it is destroyed.
class Runner {
 public:
  explicit Runner(Engine& engine) : engine_(engine), thread_([this] { run(); }) {}
  ~Runner() {
    engine_.stop();
    thread_.join();
  }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

 private:
  void run() {
    while (true) {
      RunState state = engine_.run();
      while (engine_.swap_done()) {
      }
      if (state == RunState::Done) return;
      if (state == RunState::Failed) {
        print_error("mutc: the program failed: " + engine_.failure().text);
        return;
      }
      for (const std::string& message : engine_.messages()) print_error("mutc: " + message);
      if (state != RunState::Idle) continue;
      (void)engine_.flush();
      engine_.wait(20'000'000);
    }
  }
  Engine& engine_;
  std::thread thread_;
};

int run_repl(const ReplOptions& options, const ConsoleOptions& console) {
  std::signal(SIGPIPE, SIG_IGN);
  std::string text;
  if (!options.file.empty()) {
    auto script = read_script(options.file);
    if (!script) return exit_io;
    text = std::move(*script);
  }
  EngineOptions engine_options;
  engine_options.policy = options.policy == "strict" ? SwapPolicy::Strict
                          : options.policy == "ask"  ? SwapPolicy::Ask
                                                     : SwapPolicy::Live;
  engine_options.memory_bytes = options.memory;
  engine_options.color = use_color(console);
  engine_options.kernel_cache = kernel_cache_folder();
  engine_options.at_end = EngineOptions::AtEnd::Stay;
  auto loaded = Engine::load(text, options.file.empty() ? "repl" : options.file, engine_options);
  if (!loaded) {
    print_error(loaded.failure().text);
    return exit_code_of(loaded.failure().kind);
  }
  Engine& engine = *loaded.value();
  auto started = engine.start();
  if (!started) {
    print_error("mutc: " + started.failure().text);
    return exit_code_of(started.failure().kind);
  }
  int exit_code = 0;
  {
    Runner runner(engine);
    std::unique_ptr<Link> link = connect_to(engine);
    exit_code = hold_dialogue(
        *link, std::string(version_text()) + "; type declarations, `:help` says what else goes");
  }
  auto closed = engine.close();
  if (!closed && exit_code == 0) {
    print_error("mutc: " + closed.failure().text);
    exit_code = exit_io;
  }
  return exit_code;
}

}  // namespace

void add_repl(CLI::App& app, const ConsoleOptions& console, int& exit_code) {
  auto options = std::make_shared<ReplOptions>();
  CLI::App* command = app.add_subcommand("repl", "Type a program while it runs");
  command->add_option("FILE", options->file, "Script to begin with");
  command->add_option("--policy", options->policy, "strict, ask or live")
      ->check(CLI::IsMember({"strict", "ask", "live"}));
  command->add_option("--memory", options->memory, "Bytes of state at most")
      ->transform(CLI::AsSizeValue(false));
  command->callback([&console, &exit_code, options] { exit_code = run_repl(*options, console); });
}

}  // namespace mut::tools

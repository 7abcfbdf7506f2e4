#include "tools/mutc/run/watch.h"

#include <sys/stat.h>

#include <chrono>

namespace mut::tools {
namespace {

constexpr auto look_interval = std::chrono::milliseconds(10);
// Editors write a file in several steps: a save counts once it has been quiet for this long.
constexpr auto debounce = std::chrono::milliseconds(20);

struct Stamp {
  int64_t modified_ns = 0;
  int64_t size = -1;
  uint64_t inode = 0;
  friend bool operator==(const Stamp&, const Stamp&) = default;
};

Stamp stamp_of(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return {};
  return {info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec, info.st_size, info.st_ino};
}

}  // namespace

ScriptWatch::ScriptWatch(std::string file, std::string running, Engine& engine, std::optional<Guard> guard,
                         const ConsoleOptions& console)
    : file_(std::move(file)),
      engine_(engine),
      console_(console),
      guard_(guard),
      last_text_(std::move(running)) {
  thread_ = std::thread([this] { watch(); });
}

ScriptWatch::~ScriptWatch() {
  stop_ = true;
  thread_.join();
  offers_.clear();  // waits for each
}

void ScriptWatch::watch() {
  Stamp known;  // none: a save between the start of the run and the first look is seen by its text
  while (!stop_) {
    std::this_thread::sleep_for(look_interval);
    Stamp now = stamp_of(file_);
    if (now == known || now.size < 0) continue;
    while (!stop_) {
      std::this_thread::sleep_for(debounce);
      Stamp later = stamp_of(file_);
      if (later == now) break;
      now = later;
    }
    known = now;
    offer();
  }
}

void ScriptWatch::offer() {
  auto text = read_script(file_);
  if (!text || *text == last_text_) return;
  // What an editor leaves for a moment, or a slip: no edit that would close every stream.
  if (is_blank_script(*text)) {
    print_error("mutc: " + file_ + " is empty: the running version stays");
    return;
  }
  last_text_ = *text;
  std::erase_if(offers_, [](const std::future<void>& offer) {
    return offer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  });
  // A thread of its own: the next save must not wait for this one's build, it takes its place.
  offers_.push_back(std::async(std::launch::async, [this, script = std::move(*text)] { prepare(script); }));
}

void ScriptWatch::prepare(const std::string& text) {
  auto report = engine_.swap({.text = text, .name = file_, .guard = guard_});
  if (report) {
    if (!console_.quiet) print_error(report.value().plan);
    return;
  }
  bool replaced = report.failure().kind == Failure::Kind::Superseded;
  print_error((replaced ? "mutc: " : "") + report.failure().text);
  if (!replaced && report.failure().kind != Failure::Kind::NoChange)
    print_error("mutc: the running version stays");
}

}  // namespace mut::tools

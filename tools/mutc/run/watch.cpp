#include "tools/mutc/run/watch.h"

#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <iterator>

namespace mut::tools {
namespace {

constexpr auto look_interval = std::chrono::milliseconds(10);
// Editors write a file in several steps: a save counts once it has been quiet for this long.
constexpr auto debounce = std::chrono::milliseconds(20);
// What is larger is no script.
constexpr int64_t imported_bytes_max = 16 << 20;

struct Stamp {
  int64_t modified_ns = 0;
  int64_t size = -1;
  bool regular = false;
  uint64_t inode = 0;
  friend bool operator==(const Stamp&, const Stamp&) = default;
};

Stamp stamp_of(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return {};
  return {info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec, info.st_size, S_ISREG(info.st_mode),
          info.st_ino};
}

}  // namespace

ScriptWatch::ScriptWatch(std::string file, std::string running, Engine& engine, std::optional<Guard> guard,
                         const RunLog& log)
    : file_(std::move(file)), engine_(engine), log_(log), guard_(guard), last_text_(std::move(running)) {
  last_imported_ = read_imported(last_text_);
  thread_ = std::thread([this] { watch(); });
}

ScriptWatch::~ScriptWatch() {
  stop_ = true;
  thread_.join();
  offers_.clear();  // waits for each
}

void ScriptWatch::watch() {
  auto stamps = [this] {
    std::vector<Stamp> out{stamp_of(file_)};
    for (const auto& [path, text] : last_imported_) out.push_back(stamp_of(path));
    return out;
  };
  std::vector<Stamp>
      known;  // none: a save between the start of the run and the first look is seen by its text
  while (!stop_) {
    std::this_thread::sleep_for(look_interval);
    std::vector<Stamp> now = stamps();
    if (now == known || now[0].size < 0) continue;
    while (!stop_) {
      std::this_thread::sleep_for(debounce);
      std::vector<Stamp> later = stamps();
      if (later == now) break;
      now = later;
    }
    offer();
    // With other imports the next look sees a change, and finds by the texts that there is none.
    known = std::move(now);
  }
}

std::map<std::string, std::string> ScriptWatch::read_imported(const std::string& script) {
  std::vector<std::string> paths;
  if (auto found = imported_files(script, file_)) {
    paths = *found;
  } else {
    for (const auto& [path, text] : last_imported_) paths.push_back(path);
  }
  std::map<std::string, std::string> out;
  for (const std::string& path : paths) {
    out[path];
    // Others are no modules: a pipe would be waited for, a device has no end.
    if (Stamp stamp = stamp_of(path); !stamp.regular || stamp.size > imported_bytes_max) continue;
    std::ifstream file(path, std::ios::binary);
    out[path] = std::string(std::istreambuf_iterator<char>(file), {});
  }
  return out;
}

void ScriptWatch::offer() {
  auto text = read_script(file_);
  if (!text) return;
  auto imported = read_imported(*text);
  if (*text == last_text_ && imported == last_imported_) return;
  // What an editor leaves for a moment, or a slip: no edit that would close every stream.
  if (is_blank_script(*text)) {
    log_.say(RunLog::Level::Warning, "edit_refused",
             "mutc: " + file_ + " is empty: the running version stays");
    return;
  }
  last_text_ = *text;
  last_imported_ = std::move(imported);
  std::erase_if(offers_, [](const std::future<void>& offer) {
    return offer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  });
  // A thread of its own: the next save must not wait for this one's build, it takes its place.
  offers_.push_back(std::async(std::launch::async, [this, script = std::move(*text)] { prepare(script); }));
}

void ScriptWatch::prepare(const std::string& text) {
  auto report = engine_.swap({.text = text, .name = file_, .guard = guard_});
  if (report) {
    log_.say(RunLog::Level::Info, "plan", report.value().plan,
             {{"version", std::to_string(report.value().version)}});
    return;
  }
  bool replaced = report.failure().kind == Failure::Kind::Superseded;
  std::string told = (replaced ? "mutc: " : "") + report.failure().text;
  if (!replaced && report.failure().kind != Failure::Kind::NoChange) {
    if (!told.ends_with('\n')) told += "\n";
    told += "mutc: the running version stays";
  }
  log_.say(RunLog::Level::Warning, "edit_refused", told);
}

}  // namespace mut::tools

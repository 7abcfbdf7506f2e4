#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <thread>

#include "mutstream/engine.h"
#include "tools/mutc/console.h"
#include "tools/mutc/doctor/finding.h"

namespace mut::tools {
namespace {

constexpr double mebibyte = 1024.0 * 1024.0;
// LLVM, a script of some twenty stages and its edits take 160 MB.
constexpr double memory_least_mib = 512;
constexpr double disk_least_mib = 256;
constexpr rlim_t files_least = 1024;
// A first row comes within 25 ms on the machines of docs/benchmarks.md.
constexpr double first_row_slow_ms = 500;

std::string first_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

Finding processors() {
  const unsigned count = std::max(1U, std::thread::hardware_concurrency());
  Finding out{Verdict::Fine, "processors", std::to_string(count), ""};
  // "max 100000" or "50000 100000": microseconds of processor time in each period.
  const std::string limit = first_line("/sys/fs/cgroup/cpu.max");
  const size_t blank = limit.find(' ');
  if (blank == std::string::npos || limit.starts_with("max")) return out;
  const double share = std::strtod(limit.c_str(), nullptr) / std::strtod(limit.c_str() + blank, nullptr);
  out.text += fmt::format(", of which this container may use {:.1f}", share);
  if (share >= 2) return out;
  out.verdict = Verdict::Note;
  out.fix = "rows, and the compiler of an edit beside them, want two; with less an edit waits for its turn";
  return out;
}

Finding memory() {
  struct sysinfo machine{};
  ::sysinfo(&machine);
  double mib = static_cast<double>(machine.totalram) * machine.mem_unit / mebibyte;
  Finding out{Verdict::Fine, "memory", fmt::format("{:.0f} MiB", mib), ""};
  const std::string limit = first_line("/sys/fs/cgroup/memory.max");
  if (!limit.empty() && limit != "max") {
    mib = std::min(mib, std::strtod(limit.c_str(), nullptr) / mebibyte);
    out.text += fmt::format(", of which this container may use {:.0f}", mib);
  }
  rlimit space{};
  if (::getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY) {
    mib = std::min(mib, static_cast<double>(space.rlim_cur) / mebibyte);
    out.text += fmt::format("; `ulimit -v` allows {:.0f}", static_cast<double>(space.rlim_cur) / mebibyte);
  }
  if (mib >= memory_least_mib) return out;
  out.verdict = Verdict::Note;
  out.fix =
      fmt::format("a program takes 100 to 200 MiB before it keeps anything; allow {:.0f}", memory_least_mib);
  return out;
}

Finding open_files() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  Finding out{Verdict::Fine, "open files", std::to_string(files.rlim_cur) + " at most", ""};
  if (files.rlim_cur >= files_least) return out;
  out.verdict = Verdict::Note;
  out.fix = fmt::format("a source that listens keeps one for each client: `ulimit -n {}`", files_least);
  return out;
}

// The whole way from text to a row, with code that is made and executed here.
Finding compiler() {
  const auto begin = std::chrono::steady_clock::now();
  const std::string script =
      "type R = { n: int, at: time }\nsource r: R = generate(count: 10, step: 1s) { n = n } time at\n"
      "stream s = r | where n % 2 == 1 | aggregate c = count(), total = sum(n) ttl none\nemit s to host()\n";
  Finding out{Verdict::Problem, "compiler", "",
              "is executable memory allowed here (SELinux, seccomp, systemd's "
              "MemoryDenyWriteExecute)?"};
  std::string last;
  auto failed = [&](const Failure& failure) {
    out.text = failure.text;
    return out;
  };
  auto loaded = Engine::load(script, "doctor.mut", {});
  if (!loaded) return failed(loaded.failure());
  auto bound = loaded.value()->bind_host_sink("s", [&](const RowView& row) {
    last = fmt::format("{}/{}", std::get<int64_t>(row.field(0)), std::get<int64_t>(row.field(1)));
  });
  if (!bound) return failed(bound.failure());
  auto started = loaded.value()->start();
  if (!started) return failed(started.failure());
  RunState state = RunState::More;
  while (state == RunState::More || state == RunState::Idle) state = loaded.value()->run();
  if (state == RunState::Failed) return failed(loaded.value()->failure());
  const double ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  if (last != "5/25") {
    out.text = "a script that counts to five and 25 gave `" + last + "`";
    out.fix = "please report it, with the processor's name";
    return out;
  }
  out.verdict = ms > first_row_slow_ms ? Verdict::Note : Verdict::Fine;
  out.text = fmt::format("a small script has run after {:.0f} ms", ms);
  out.fix = ms > first_row_slow_ms ? "the machine is busy, or its disk is" : "";
  return out;
}

std::optional<double> free_mib(const std::string& path) {
  struct statvfs disk{};
  if (::statvfs(path.c_str(), &disk) != 0) return std::nullopt;
  return static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize) / mebibyte;
}

Finding kernel_cache() {
  const std::string folder = kernel_cache_folder();
  if (folder.empty())
    return {Verdict::Note, "compiled code", "is kept nowhere: each start compiles anew",
            "let MUT_KERNEL_CACHE name a folder"};
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || ::access(folder.c_str(), W_OK) != 0)
    return {Verdict::Note, "compiled code", folder + " cannot be written: each start compiles anew",
            "let MUT_KERNEL_CACHE name a folder of your own"};
  return {Verdict::Fine, "compiled code", "is kept in " + folder, ""};
}

Finding disk() {
  const auto free = free_mib(".");
  if (!free) return {Verdict::Note, "disk", "nothing is known of this folder", ""};
  Finding out{Verdict::Fine, "disk", fmt::format("{:.0f} MiB free here", *free), ""};
  if (*free >= disk_least_mib) return out;
  out.verdict = Verdict::Note;
  out.fix = "a sink that finds the disk full ends the run";
  return out;
}

Finding zones() {
  constexpr const char* folder = "/usr/share/zoneinfo";
  std::error_code error;
  if (std::filesystem::exists(std::string(folder) + "/Europe/Berlin", error))
    return {Verdict::Fine, "time zones", std::string("of ") + folder, ""};
  return {Verdict::Note, "time zones", std::string("none in ") + folder + ": scripts know UTC alone",
          "install the package tzdata"};
}

Finding clock_of_the_wall() {
  constexpr std::time_t known = 1767225600;  // 2026-01-01, when this was written
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::tm parts{};
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", ::gmtime_r(&now, &parts));
  if (now >= known) return {Verdict::Fine, "clock", text, ""};
  return {Verdict::Problem, "clock", std::string(text) + " is in the past",
          "set it; `now` and late events go by it"};
}

}  // namespace

std::vector<Finding> examine_machine() {
  return {processors(), memory(),     compiler(), kernel_cache(),
          disk(),       open_files(), zones(),    clock_of_the_wall()};
}

}  // namespace mut::tools

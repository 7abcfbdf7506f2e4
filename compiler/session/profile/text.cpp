// A profile for people: the script with shares beside its lines, then the kinds of work.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "mutstream/profile.h"

namespace mut {
namespace {

constexpr std::string_view work_names[work_count] = {"lines", "state",  "decode", "sink",  "edit", "engine",
                                                     "host",  "beside", "unseen", "waits", "idle"};
constexpr std::string_view work_texts[work_count] = {"what the lines compute",
                                                     "the stores of the lines",
                                                     "reading and decoding",
                                                     "encoding and writing",
                                                     "edits: checking, compiling, state that goes over",
                                                     "the engine, and whoever asks it",
                                                     "the host, between two batches",
                                                     "code without lines: a shadow, a canary, or just taken",
                                                     "threads that no sample fell into",
                                                     "threads of rows that had no processor",
                                                     "threads of rows that had nothing to do"};

std::string percent(double part, double whole) {
  if (part <= 0 || whole <= 0) return "";
  double share = part / whole * 100;
  return share < 0.05 ? "<0.1%" : fmt::format("{:.1f}%", share);
}

std::string grouped(uint64_t number) {
  std::string out = std::to_string(number);
  for (size_t at = out.size(); at > 3;) out.insert(at -= 3, ",");
  return out;
}

struct LineFigures {
  double time_ns = 0;
  double state_ns = 0;
  std::string rows;
};

std::string rows_text(const ProfileCount& count) {
  constexpr std::string_view of[] = {"in", "out", "dropped"};
  return grouped(count.rows) + " " + std::string(of[static_cast<size_t>(count.of)]);
}

void add_line(const LineFigures& figures, double total, std::string_view label, std::string_view text,
              std::string& out) {
  std::string line = fmt::format("{:>6} {:>6} {:>20} {:>5} | {}", percent(figures.time_ns, total),
                                 percent(figures.state_ns, total), figures.rows, label, text);
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + "\n";
}

void add_script(const ProfileReport& report, const ProfileVersion& version, double total, std::string& out) {
  std::map<uint32_t, LineFigures> lines;
  std::map<std::string, LineFigures> elsewhere;  // what the script imports, taps
  for (const ProfilePlace& place : report.places) {
    if (place.version != version.version) continue;
    LineFigures& at = place.file == version.name
                          ? lines[place.line]
                          : elsewhere[fmt::format("{}:{} {}", place.file, place.line, place.name)];
    at.time_ns += place.lines_ns + place.state_ns + place.io_ns;
    at.state_ns += place.state_ns;
  }
  bool newest = version.version == report.versions.back().version;
  for (const ProfileCount& count : report.counts) {
    if (!newest || count.file != version.name) continue;
    std::string& rows = lines[count.line].rows;
    rows += (rows.empty() ? "" : ", ") + rows_text(count);
  }
  out += fmt::format("\nv{} of {}\n", version.version, version.name);
  out += fmt::format("{:>6} {:>6} {:>20} {:>5} |\n", "time", "state", "rows", "line");
  uint32_t number = 0;
  for (size_t begin = 0; begin < version.text.size();) {
    size_t end = std::min(version.text.find('\n', begin), version.text.size());
    ++number;
    add_line(lines[number], total, std::to_string(number),
             std::string_view(version.text).substr(begin, end - begin), out);
    begin = end + 1;
  }
  for (const auto& [where, figures] : elsewhere) add_line(figures, total, "", where, out);
}

}  // namespace

std::string_view work_name(Work work) { return work_names[static_cast<size_t>(work)]; }

double ProfileReport::total_ns() const { return std::accumulate(work_ns.begin(), work_ns.end(), 0.0); }

std::string profile_text(const ProfileReport& report) {
  if (report.life == ProfileReport::Life::Waits)
    return "nothing was counted: the code with lines was not ready, or no row has come since\n";
  double total = report.total_ns();
  double seconds = static_cast<double>(report.elapsed_ns) / 1e9;
  std::string out =
      fmt::format("{} samples in {:.2f} s, {} of rows\n", grouped(report.samples), seconds,
                  report.row_threads == 1 ? "1 thread" : fmt::format("{} threads", report.row_threads));
  if (report.samples < profile_samples_few) {
    out +=
        report.samples == 0
            ? "no sample: how the time divides among lines is not known\n"
            : fmt::format("few samples: shares of lines are rough, by {:.0f} in a hundred of all of them\n",
                          100 / std::sqrt(static_cast<double>(report.samples)));
  }
  if (report.lost > 0) out += grouped(report.lost) + " samples were lost\n";
  for (const ProfileVersion& version : report.versions) add_script(report, version, total, out);
  out += "\n";
  for (size_t i = 0; i < work_count; ++i) {
    if (report.work_ns[i] <= 0) continue;
    out += fmt::format("{:>6}  {:<7} {}\n", percent(report.work_ns[i], total), work_names[i], work_texts[i]);
  }
  return out;
}

}  // namespace mut

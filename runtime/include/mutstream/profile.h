// Where a running program spends the time of its processors: by line of its scripts, and by kind of work.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mut {

// What a moment of a thread was spent on.
enum class Work : uint8_t {
  Lines,   // what stages, sources and emits of the script compute
  State,   // stores of their state
  Decode,  // records to rows, and reading them
  Sink,    // rows to text, and writing it
  Edit,    // checking and compiling of edits, better code, state that goes over
  Engine,  // everything else of the engine: what is due, clients, the samples themselves
  Host,    // of a thread that runs the engine, between two calls
  Beside,  // code without lines: of a shadow or a canary
  Unseen,  // spent by threads that no sample fell into
  Waits,   // a thread of rows could run, and the machine had no processor for it
  Idle,    // a thread of rows had nothing to do
};
constexpr size_t work_count = 11;
// "lines", "state", …: as the JSON of a profile names it.
std::string_view work_name(Work work);

struct ProfileVersion {
  uint64_t version = 0;
  std::string name;  // of the script
  std::string text;
};

// One place of one version: a stage, the head or the end of a stream, a source, an emit, a route, a set.
struct ProfilePlace {
  uint64_t version = 0;
  std::string name;   // "spend/where", "payments" of a source, "emit spend"
  std::string file;   // where it is written, as diagnostics name it
  uint32_t line = 0;  // the first is 1
  uint64_t samples = 0;
  double lines_ns = 0;  // of a processor: what it computes, rows for its sinks included
  double state_ns = 0;  // its stores
  double io_ns = 0;     // of a source or emit: decoding and reading, encoding and writing
};

// What is counted anyway, since the profile began, and of which line.
struct ProfileCount {
  std::string file;
  uint32_t line = 0;
  enum class Of : uint8_t { RowsIn, RowsOut, Dropped } of = Of::RowsIn;
  uint64_t rows = 0;
};

struct ProfileReport {
  // Waits: for code with lines, which is compiled when a profile is asked for; nothing is counted before.
  enum class Life : uint8_t { Waits, Runs, Ended } life = Life::Waits;
  int64_t elapsed_ns = 0;    // since it began to count
  uint32_t row_threads = 1;  // threads that run rows: one a shard
  uint64_t samples = 0;
  uint64_t lost = 0;  // samples that nobody took in time
  // Nanoseconds of threads by Work. The sum is `elapsed_ns` of each thread of rows, and what other threads
  // have used of processors.
  std::array<double, work_count> work_ns{};
  double total_ns() const;
  std::vector<ProfileVersion> versions;  // that ran meanwhile, oldest first
  std::vector<ProfilePlace> places;      // with a sample, in order of version, file and line
  std::vector<ProfileCount> counts;      // of the version that runs now
};

// Fewer samples than this say little: of a share of a tenth the error is then above a fifth of it.
constexpr uint64_t profile_samples_few = 250;

// For people: the script with shares beside its lines, then the kinds of work.
std::string profile_text(const ProfileReport& report);
// The same as one JSON object; docs/profile.md.
std::string profile_json(const ProfileReport& report);

}  // namespace mut

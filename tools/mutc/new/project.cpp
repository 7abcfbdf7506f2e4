#include "tools/mutc/new/project.h"

namespace mut::tools {
namespace {

constexpr const char* script =
    R"mut(/// Temperatures of rooms: the mean of each hour, and readings that are far above what is usual.
type Reading = { room: string, temp: float, at: time }

/// How much warmer than usual is told, in degrees.
param rise: float in 0.0..50.0 = 3.0

source readings: Reading = file("readings.csv")
  time at

stream hours = readings
  | @hourly aggregate mean = avg(temp), n = count() by room window tumbling 1h
  | select room, mean = round(mean, 1), n, hour = window_start

stream warm = readings
  | @usual with usual = avg(temp) over last 2h by room excluding current
  | where usual is some mean and temp > mean + rise
  | select room, temp, at

emit hours to file("hours.jsonl")
emit warm to stdout()

test "a room that gets warm is told" {
  given readings [
    { room: "hall", temp: 20.0, at: @2026-01-01T10:00:00Z },
    { room: "attic", temp: 30.0, at: @2026-01-01T10:01:00Z },
    { room: "hall", temp: 22.0, at: @2026-01-01T10:30:00Z },
    { room: "hall", temp: 24.5, at: @2026-01-01T10:59:00Z },
  ]
  expect warm [{ room: "hall", temp: 24.5 }]
  expect hours [{ room: "hall", mean: 22.2, n: 3 }, { room: "attic", mean: 30.0, n: 1 }]
}
test "an edit keeps what is usual" {
  given readings [{ room: "hall", temp: 20.0, at: @2026-01-01T10:00:00Z }]
  swap { param rise: float in 0.0..50.0 = 1.0 }
  given readings [{ room: "hall", temp: 22.0, at: @2026-01-01T10:30:00Z }]
  expect warm [{ room: "hall", temp: 22.0 }]
}
)mut";

constexpr const char* data = R"(room,temp,at
hall,19.5,2026-01-01T08:00:00Z
attic,17.0,2026-01-01T08:05:00Z
hall,20.0,2026-01-01T08:30:00Z
attic,17.5,2026-01-01T08:35:00Z
hall,20.5,2026-01-01T09:00:00Z
attic,21.5,2026-01-01T09:05:00Z
hall,24.5,2026-01-01T09:30:00Z
attic,22.0,2026-01-01T09:35:00Z
hall,21.0,2026-01-01T10:00:00Z
)";

constexpr const char* page = R"(
`main.mut` reads temperatures from `readings.csv`, writes the mean of each hour to `hours.jsonl`, and prints readings
that are far above what is usual in their room.

    mutc check main.mut
    mutc test main.mut
    mutc run main.mut

Other data, and the script as it should look:

    mutc run main.mut --bind readings=readings.csv
    mutc fmt main.mut

Edit the script while it runs: `mutc run main.mut --watch` takes each save over, with what was learnt from past events.
`mutc plan old.mut new.mut` says beforehand what an edit would do to it.
)";

}  // namespace

std::vector<ProjectFile> project_files(const std::string& title) {
  return {{"main.mut", script}, {"readings.csv", data}, {"README.md", "# " + title + "\n" + page}};
}

}  // namespace mut::tools

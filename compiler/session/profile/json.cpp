// A profile as JSON: docs/profile.md.
#include "mutstream/json.h"

#include <fmt/format.h>

#include "mutstream/profile.h"

namespace mut {

std::string profile_json(const ProfileReport& report) {
  constexpr std::string_view lives[] = {"waits", "runs", "ended"};
  constexpr std::string_view counted[] = {"in", "out", "dropped"};
  std::string work;
  for (size_t i = 0; i < work_count; ++i)
    work += fmt::format(R"({}"{}":{:.0f})", i == 0 ? "" : ",", work_name(static_cast<Work>(i)),
                        report.work_ns[i]);
  return fmt::format(
      R"({{"life":"{}","elapsed_ns":{},"row_threads":{},"samples":{},"lost":{},"few":{},"total_ns":{:.0f},)"
      R"("work_ns":{{{}}},"versions":{},"places":{},"counts":{}}})",
      lives[static_cast<size_t>(report.life)], report.elapsed_ns, report.row_threads, report.samples,
      report.lost, report.samples < profile_samples_few, report.total_ns(), work,
      json_list(
          report.versions,
          [](const ProfileVersion& version) {
            return fmt::format(R"({{"version":{},"name":{},"text":{}}})", version.version,
                               json_quoted(version.name), json_quoted(version.text));
          }),
      json_list(
          report.places,
          [](const ProfilePlace& place) {
            return fmt::format(
                R"({{"version":{},"name":{},"file":{},"line":{},"samples":{},"lines_ns":{:.0f},"state_ns":{:.0f},"io_ns":{:.0f}}})",
                place.version, json_quoted(place.name), json_quoted(place.file), place.line, place.samples,
                place.lines_ns, place.state_ns, place.io_ns);
          }),
      json_list(
          report.counts,
          [&](const ProfileCount& count) {
            return fmt::format(R"({{"file":{},"line":{},"of":"{}","rows":{}}})", json_quoted(count.file),
                               count.line, counted[static_cast<size_t>(count.of)], count.rows);
          }));
}

}  // namespace mut

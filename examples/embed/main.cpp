// A host: pushes rows into a script, gets rows back, and edits the script while it runs.
#include <cstdio>
#include <string>

#include "mutstream/engine.h"

namespace {

constexpr const char* script = R"(
  type Reading = { room: string, temp: float, at: time }
  source readings: Reading = host() time at
  stream warm = readings | where temp > 20.0
    | with n = count() over all by room ttl 1d | select room, temp, n
  emit warm to host()
)";

int fail(const mut::Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.text.c_str());
  return 1;
}

}  // namespace

int main() {
  auto loaded = mut::Engine::load(script, "warm.mut", {});
  if (!loaded) return fail(loaded.failure());
  mut::Engine& engine = *loaded.value();
  auto bound = engine.bind_host_source("readings");
  if (bound) {
    bound = engine.bind_host_sink("warm", [](const mut::RowView& row) {
      std::printf("%s is warm: %.1f, n = %lld\n", std::get<std::string>(row.field(0)).c_str(),
                  std::get<double>(row.field(1)), static_cast<long long>(std::get<int64_t>(row.field(2))));
    });
  }
  if (bound) bound = engine.start();
  if (!bound) return fail(bound.failure());
  for (int64_t i = 0; i < 6; ++i)
    (void)engine.push_row("readings", {std::string(i % 2 ? "attic" : "hall"), 18.0 + 2.0 * double(i), i});
  // The edit keeps the counts; it takes effect behind the third reading.
  std::string edited = script;
  edited.replace(edited.find("20.0"), 4, "23.0");
  auto swap = engine.swap({edited, "warm.mut", {{"readings", 3}}, {}});
  if (!swap) return fail(swap.failure());
  for (const mut::CellVerdict& cell : swap.value().cells)
    std::printf("%s: %s\n", cell.cell.c_str(), cell.verdict.c_str());
  (void)engine.finish("readings");
  auto done = engine.run_to_end();
  if (!done) return fail(done.failure());
  mut::EngineStats stats = engine.stats();
  std::printf("version %d: %d in, %d out, %d swap\n", int(stats.version), int(stats.records_in),
              int(stats.rows_out), int(stats.swaps));
}

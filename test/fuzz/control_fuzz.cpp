// Any lines as a client sends them to a program that runs: no crash, one reply a line, which reads as JSON,
// and the program goes on.
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "mutstream/control.h"
#include "mutstream/json.h"

using namespace mut;

namespace {

constexpr const char* script =
    "type R = { user: string, n: int, at: time }\n"
    "param low: int in 0..100 = 1\n"
    "source r: R = stdin() time at\n"
    "stream big = r | where n > low\n"
    "stream sums = big | @s aggregate total = sum(n) by user ttl none\n"
    "emit sums to stdout()\n";

// Of one input, so that inputs do not depend on those before.
std::unique_ptr<Engine> running() {
  EngineOptions options;
  options.world = EngineOptions::World::Closed;  // what is defined opens nothing
  options.at_end = EngineOptions::AtEnd::Stay;
  options.tier = TierChoice::Quick;
  auto engine = Engine::load(script, "f.mut", options);
  if (!engine || !engine.value()->start()) std::abort();
  (void)engine.value()->push_text("r", "{\"user\":\"a\",\"n\":7,\"at\":\"2026-01-01T00:00:00Z\"}\n");
  engine.value()->run();
  return std::move(engine).value();
}

void must(bool fine) {
  if (!fine) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::unique_ptr<Engine> engine = running();
  {
    ControlDialog dialog(*engine, [] {});
    while (!text.empty()) {
      size_t end = std::min(text.find('\n'), text.size());
      std::string problem;
      // Nobody runs the program meanwhile: an edit is not waited for.
      std::string line(text.substr(0, end));
      if (size_t op = line.find("\"op\""); op != std::string::npos) line.insert(op, "\"wait_ms\":0,");
      std::string answer = dialog.answer(line);
      must(answer.find('\n') == std::string::npos && parse_json(answer, problem).has_value());
      engine->run();
      engine->run();
      std::string events = dialog.events(1 << 16U);
      must(events.empty() || events.back() == '\n');
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }
  must(engine->run() != RunState::Failed && engine->inspect().version >= 1);
  return 0;
}

#include "test/bench/workload/options.h"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace mut::bench {

std::optional<Options> parse_options(int argc, char** argv) {
  const auto refuse = [argv](std::string_view what) {
    std::fprintf(stderr,
                 "%s: %.*s\nusage: %s WORKLOAD [--size small|full] [--seconds S | --once] [--input DIR] "
                 "[--shards N]\n",
                 argv[0], static_cast<int>(what.size()), what.data(), argv[0]);
    return std::nullopt;
  };
  if (argc < 2) return refuse("no workload");
  Options options;
  options.workload = argv[1];
  for (int i = 2; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--once") {
      options.seconds = 0;
      --i;
      continue;
    }
    if (i + 1 == argc) return refuse("an option without its value");
    const std::string_view value = argv[i + 1];
    if (name == "--size" && value == "small")
      options.size = Size::Small;
    else if (name == "--size" && value == "full")
      options.size = Size::Full;
    else if (name == "--seconds" && std::atof(argv[i + 1]) > 0)
      options.seconds = std::atof(argv[i + 1]);
    else if (name == "--shards" && std::atoi(argv[i + 1]) > 0)
      options.shards = static_cast<uint32_t>(std::atoi(argv[i + 1]));
    else if (name == "--input")
      options.input = value;
    else
      return refuse("unknown option or value");
  }
  return options;
}

}  // namespace mut::bench

// bench_input ndjson EVENTS: the NEXMark lines on stdout, for digests and for other programs.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "test/bench/input/nexmark.h"

int main(int argc, char** argv) {
  if (argc != 3 || std::string_view(argv[1]) != "ndjson") {
    std::fputs("usage: bench_input ndjson EVENTS\n", stderr);
    return 2;
  }
  mut::bench::write_ndjson(std::strtoull(argv[2], nullptr, 10), [](std::string_view block) {
    if (std::fwrite(block.data(), 1, block.size(), stdout) != block.size()) std::exit(1);
  });
  return std::fflush(stdout) == 0 ? 0 : 1;
}

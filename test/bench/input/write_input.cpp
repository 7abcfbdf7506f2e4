// Inputs on stdout, for digests and for other programs:
//   bench_input ndjson EVENTS      the NEXMark lines
//   bench_input pairs COUNT KEYS   key,value lines of the keyed pairs
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "test/bench/input/keyed_pairs.h"
#include "test/bench/input/nexmark.h"

namespace {

uint64_t number(const char* text) { return std::strtoull(text, nullptr, 10); }

void write_pairs(uint64_t pair_count, uint64_t key_count) {
  const auto pairs = mut::bench::make_keyed_pairs(pair_count, key_count);
  for (size_t i = 0; i < pairs.row_count(); ++i)
    std::printf("%lld,%lld\n", static_cast<long long>(pairs.key[i]), static_cast<long long>(pairs.value[i]));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "ndjson" && argc == 3) {
    mut::bench::write_ndjson(number(argv[2]), [](std::string_view block) {
      if (std::fwrite(block.data(), 1, block.size(), stdout) != block.size()) std::exit(1);
    });
  } else if (what == "pairs" && argc == 4 && number(argv[3]) > 0) {
    write_pairs(number(argv[2]), number(argv[3]));
  } else {
    std::fputs("usage: bench_input ndjson EVENTS\n       bench_input pairs COUNT KEYS\n", stderr);
    return 2;
  }
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0 ? 0 : 1;
}

#include "test/bench/input/text_file.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "test/bench/input/nexmark.h"

namespace mut::bench {
namespace {

std::nullopt_t refuse(const std::filesystem::path& path, const char* what) {
  std::fprintf(stderr, "%s: %s\n", path.c_str(), what);
  return std::nullopt;
}

}  // namespace

std::optional<std::filesystem::path> nexmark_file(const std::filesystem::path& dir, uint64_t event_count) {
  auto path = dir / ("nexmark-" + std::to_string(event_count) + ".ndjson");
  std::error_code error;
  if (std::filesystem::exists(path, error)) return path;
  std::filesystem::create_directories(dir, error);
  // Two programs may make it at once; the last rename wins and both files are the same.
  const auto unfinished = path.string() + ".part" + std::to_string(getpid());
  std::ofstream out(unfinished, std::ios::binary);
  write_ndjson(event_count, [&out](std::string_view block) {
    out.write(block.data(), static_cast<std::streamsize>(block.size()));
  });
  out.close();
  if (!out) return refuse(unfinished, "cannot be written");
  std::filesystem::rename(unfinished, path, error);
  if (error) return refuse(path, "cannot be put in place");
  return path;
}

std::optional<HugeArray<char>> read_padded(const std::filesystem::path& path, size_t padding_bytes) {
  std::error_code error;
  const auto file_bytes = std::filesystem::file_size(path, error);
  if (error) return refuse(path, "cannot be read");
  HugeArray<char> bytes(file_bytes + padding_bytes);
  std::ifstream in(path, std::ios::binary);
  if (!in.read(bytes.data(), static_cast<std::streamsize>(file_bytes)))
    return refuse(path, "cannot be read whole");
  return bytes;
}

}  // namespace mut::bench

// A checkpoint of a hundred megabytes of which the disk gives something else than was written: a bit, many
// bits, a page of zeros, another page, its begin alone. Refused by name each time, and the one before used.
//
// MUT_DAMAGES: how many of them, MUT_SEED: which.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>

#include "runtime/checkpoint/crc32c.h"
#include "runtime/checkpoint/state_dir.h"
#include "runtime/env/real_env.h"

namespace mut::checkpoint {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr size_t blocks_count = 1600;
constexpr size_t block_bytes = 65'536;
constexpr size_t page_bytes = 4096;

uint64_t number_of(const char* variable, uint64_t usual) {
  const char* text = std::getenv(variable);
  return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Bytes of a file, and what they were.
class Patched {
 public:
  explicit Patched(const fs::path& path) : file_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
    bytes_ = fs::file_size(path);
  }
  ~Patched() { ::close(file_); }

  size_t bytes() const { return bytes_; }
  std::string read(size_t at, size_t count) const {
    std::string out(std::min(count, bytes_ - at), '\0');
    EXPECT_EQ(::pread(file_, out.data(), out.size(), static_cast<off_t>(at)),
              static_cast<ssize_t>(out.size()));
    return out;
  }
  void write(size_t at, const std::string& text) const {
    EXPECT_EQ(::pwrite(file_, text.data(), text.size(), static_cast<off_t>(at)),
              static_cast<ssize_t>(text.size()));
  }
  void cut(size_t at) const { EXPECT_EQ(::ftruncate(file_, static_cast<off_t>(at)), 0); }

 private:
  int file_;
  size_t bytes_ = 0;
};

class LargeCheckpoint : public testing::Test {
 protected:
  void SetUp() override {
    env_ = std::move(env::make_real_env()).value();
    folder_ = fs::temp_directory_path() / ("mut_checkpoint_damage_" + std::to_string(getpid()));
    fs::remove_all(folder_);
    for (size_t i = 0; i < blocks_count; ++i) {
      std::string& block = blocks_.emplace_back(block_bytes, '\0');
      for (size_t at = 0; at < block.size(); at += 8) {
        uint64_t word = random_();
        memcpy(block.data() + at, &word, 8);
      }
    }
  }
  void TearDown() override { fs::remove_all(folder_); }

  static Contents contents(uint64_t number, const std::vector<std::string>& blocks) {
    Contents out;
    out.number = number;
    out.sections.push_back({"blocks", {blocks.begin(), blocks.end()}});
    return out;
  }

  // What is there in place of the bytes behind `at`; another text than that.
  std::string damaged(const Patched& file, size_t at, size_t kind) {
    std::string was = file.read(at, kind == 0 ? 1 : kind == 1 ? 64 : page_bytes);
    std::string out = was;
    while (out == was) {
      if (kind == 0) {
        out[0] = static_cast<char>(out[0] ^ (1 << (random_() % 8)));
      } else if (kind == 1) {
        for (char& byte : out) byte = static_cast<char>(random_());
      } else if (kind == 2) {
        std::fill(out.begin(), out.end(), '\0');
      } else {
        out = file.read(random_() % (file.bytes() - page_bytes), out.size());
      }
      if (out == was) out[random_() % out.size()] ^= 1;
    }
    return out;
  }

  std::mt19937_64 random_{number_of("MUT_SEED", 1)};
  std::unique_ptr<env::Env> env_;
  fs::path folder_;
  std::vector<std::string> blocks_;
};

TEST_F(LargeCheckpoint, AnyDamageIsRefusedAndTheOneBeforeUsed) {
  auto opened = StateDir::open(*env_, folder_.string());
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  StateDir& dir = *opened.value();
  ASSERT_TRUE(dir.load_newest().ok());
  const std::vector<std::string> before = {"before"};
  ASSERT_TRUE(dir.write(contents(1, before)).ok());
  Clock::time_point begin = Clock::now();
  ASSERT_TRUE(dir.write(contents(2, blocks_)).ok());
  const double wrote_s = seconds_since(begin);

  begin = Clock::now();
  uint32_t digest = 0;
  for (const std::string& block : blocks_) digest = crc32c(block, digest);
  const double digest_s = seconds_since(begin);
  ASSERT_NE(digest, 0U);

  const uint64_t damages = number_of("MUT_DAMAGES", 40);
  const char* kinds[] = {"a bit", "a line", "a page of zeros", "another page", "its begin alone"};
  for (uint64_t i = 0; i < damages; ++i) {
    const std::string name = i % 8 == 7 ? "manifest-0000000002" : "data-0000000002";
    const Patched file(folder_ / name);
    const size_t kind = random_() % 5;
    const size_t at = random_() % file.bytes();
    const std::string what = name + ", " + kinds[kind] + " at " + std::to_string(at);
    const std::string was = file.read(at, kind == 4 ? file.bytes() : page_bytes);
    if (kind == 4) {
      file.cut(at);
    } else {
      file.write(at, damaged(file, at, kind));
    }
    auto newest = dir.load_newest();
    ASSERT_TRUE(newest.ok()) << what << ": " << newest.error().message;
    ASSERT_EQ(newest.value().refused.size(), 1U) << what;
    ASSERT_NE(newest.value().refused[0].find("-0000000002"), std::string::npos) << newest.value().refused[0];
    ASSERT_NE(newest.value().checkpoint, nullptr) << what;
    ASSERT_EQ(newest.value().checkpoint->number(), 1U) << what;
    ASSERT_EQ(newest.value().checkpoint->blocks("blocks").at(0), "before") << what;
    file.write(at, was);
  }
  // What was put back is whole.
  auto newest = dir.load_newest();
  ASSERT_TRUE(newest.ok());
  EXPECT_EQ(newest.value().checkpoint->number(), 2U);
  EXPECT_EQ(newest.value().checkpoint->blocks("blocks").size(), blocks_count);
  // Each byte has two digests: of its block and of its file.
  RecordProperty("damages", std::to_string(damages));
  if (std::getenv("MUT_TIMES") != nullptr) {
    std::printf("%llu of %llu damages refused; written in %.3f s, of which both digests are %.3f s\n",
                static_cast<unsigned long long>(damages), static_cast<unsigned long long>(damages), wrote_s,
                2 * digest_s);
  }
}

}  // namespace
}  // namespace mut::checkpoint

// Checkpoints on disk: what is written is read, what is damaged is refused by name, and the one before is
// used.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "runtime/checkpoint/crc32c.h"
#include "runtime/checkpoint/state_dir.h"
#include "runtime/env/real_env.h"

namespace mut::checkpoint {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class Checkpoint : public testing::Test {
 protected:
  void SetUp() override {
    env_ = std::move(env::make_real_env()).value();
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / ("mut_checkpoint_" + std::to_string(getpid()) + test->name());
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<StateDir> open() {
    auto opened = StateDir::open(*env_, folder_.string());
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return opened ? std::move(opened).value() : nullptr;
  }
  static Contents contents(uint64_t number, const std::vector<std::string>& blocks) {
    Contents out;
    out.number = number;
    out.sections.push_back({"blocks", {blocks.begin(), blocks.end()}});
    out.sections.push_back({"empty", {}});
    return out;
  }
  static std::string text_of(const Loaded& loaded) {
    std::string out;
    for (std::string_view block : loaded.blocks("blocks")) out += std::string(block) + "|";
    return out;
  }
  // Two checkpoints of other words, and of a block of which one line changed.
  void write_two() {
    auto dir = open();
    ASSERT_TRUE(dir->load_newest().ok());
    const std::vector<std::string> first = {"one", "first", std::string(500, 'x')};
    const std::vector<std::string> second = {"two", "second and longer", std::string(499, 'x') + "y"};
    ASSERT_TRUE(dir->write(contents(1, first)).ok());
    ASSERT_TRUE(dir->write(contents(2, second)).ok());
  }
  fs::path file(const std::string& name) const { return folder_ / name; }

  std::unique_ptr<env::Env> env_;
  fs::path folder_;
};

TEST_F(Checkpoint, IsReadAsItWasWritten) {
  write_two();
  auto dir = open();
  auto newest = dir->load_newest();
  ASSERT_TRUE(newest.ok());
  ASSERT_NE(newest.value().checkpoint, nullptr);
  EXPECT_EQ(newest.value().checkpoint->number(), 2U);
  EXPECT_EQ(text_of(*newest.value().checkpoint), "two|second and longer|" + std::string(499, 'x') + "y|");
  EXPECT_TRUE(newest.value().checkpoint->blocks("empty").empty());
  EXPECT_TRUE(newest.value().checkpoint->blocks("nothing").empty());
  EXPECT_TRUE(newest.value().refused.empty());
  EXPECT_EQ(dir->next_number(), 3U);
}

// Each bit of each file of the newest checkpoint, and each length.
TEST_F(Checkpoint, AnyFlippedBitAndAnyTruncationIsRefusedAndTheOneBeforeUsed) {
  write_two();
  auto dir = open();
  uint64_t refused = 0;
  auto expect_refused = [&](const std::string& what) {
    auto newest = dir->load_newest();
    ASSERT_TRUE(newest.ok()) << what << ": " << newest.error().message;
    ASSERT_EQ(newest.value().refused.size(), 1U) << what;
    EXPECT_NE(newest.value().refused[0].find("-0000000002"), std::string::npos) << newest.value().refused[0];
    ASSERT_NE(newest.value().checkpoint, nullptr) << what;
    ASSERT_EQ(text_of(*newest.value().checkpoint), "one|first|" + std::string(500, 'x') + "|") << what;
    ++refused;
  };
  for (const std::string name : {"manifest-0000000002", "data-0000000002"}) {
    const std::string whole = read_file(file(name));
    ASSERT_GT(whole.size(), 60U);
    for (size_t at = 0; at < whole.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
        write_file(file(name), damaged);
        expect_refused(name + " bit " + std::to_string(at * 8 + static_cast<size_t>(bit)));
      }
    }
    for (size_t length = 0; length < whole.size(); ++length) {
      write_file(file(name), whole.substr(0, length));
      expect_refused(name + " cut to " + std::to_string(length));
    }
    write_file(file(name), whole + "x");
    expect_refused(name + " and a byte");
    fs::remove(file(name));
    if (name.starts_with("data")) expect_refused(name + " is gone");
    write_file(file(name), whole);
  }
  auto newest = dir->load_newest();
  ASSERT_TRUE(newest.ok());
  EXPECT_EQ(newest.value().checkpoint->number(), 2U);
  EXPECT_GT(refused, 3000U);
}

TEST_F(Checkpoint, WithoutAnyThatCanBeReadNothingBegins) {
  write_two();
  auto dir = open();
  for (const std::string name : {"manifest-0000000001", "manifest-0000000002"})
    write_file(file(name), "garbage");
  auto newest = dir->load_newest();
  ASSERT_FALSE(newest.ok());
  EXPECT_NE(newest.error().message.find("no checkpoint of it can be read"), std::string::npos);
}

TEST_F(Checkpoint, ANewerFormatIsRefusedByItsNumber) {
  write_two();
  auto dir = open();
  std::string bytes = read_file(file("manifest-0000000002"));
  bytes[24] = 9;  // the format; the CRC behind it is of what is before, and of all behind
  uint32_t crc = crc32c(std::string_view(bytes).substr(32), crc32c(std::string_view(bytes).substr(0, 28)));
  memcpy(bytes.data() + 28, &crc, 4);
  write_file(file("manifest-0000000002"), bytes);
  auto newest = dir->load_newest();
  ASSERT_TRUE(newest.ok());
  ASSERT_EQ(newest.value().refused.size(), 1U);
  EXPECT_NE(newest.value().refused[0].find("it has format 9, this mutc reads format 3"), std::string::npos)
      << newest.value().refused[0];
}

TEST_F(Checkpoint, ADirectoryBelongsToOneRun) {
  auto dir = open();
  auto other = StateDir::open(*env_, folder_.string());
  ASSERT_FALSE(other.ok());
  EXPECT_NE(other.error().message.find("another run has it"), std::string::npos);
}

// One that was killed has it until the system has taken back what it had.
TEST_F(Checkpoint, ARunThatIsAboutToBeGoneIsWaitedFor) {
  auto dir = open();
  std::thread goes([&] {
    env_->sleep(200'000'000);
    dir = nullptr;
  });
  auto next = StateDir::open(*env_, folder_.string());
  goes.join();
  EXPECT_TRUE(next.ok());
}

TEST_F(Checkpoint, ADirectoryOfOtherThingsIsLeftAlone) {
  fs::create_directories(folder_);
  write_file(file("letter.txt"), "dear");
  auto opened = StateDir::open(*env_, folder_.string());
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message.find("letter.txt"), std::string::npos);
  EXPECT_FALSE(fs::exists(file("lock")));
}

TEST_F(Checkpoint, BlocksThatStayAreNotWrittenAgainAndTwoCheckpointsAreKept) {
  auto dir = open();
  ASSERT_TRUE(dir->load_newest().ok());
  std::vector<std::string> blocks;
  for (char letter = 'a'; letter < 'k'; ++letter) blocks.emplace_back(20000, letter);
  for (uint64_t number = 1; number <= 40; ++number) {
    blocks[number % blocks.size()] = std::string(20000, static_cast<char>('A' + number));
    ASSERT_TRUE(dir->write(contents(number, blocks)).ok());
    if (number > 1) EXPECT_LE(dir->written_bytes(), 120000U) << number;
    EXPECT_GT(dir->named_bytes(), 200000U);
    size_t manifests = 0;
    uintmax_t bytes = 0;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      if (entry.path().filename().string().starts_with("manifest")) ++manifests;
      bytes += entry.file_size();
    }
    EXPECT_LE(manifests, 2U);
    EXPECT_LE(bytes, 800000U) << number;  // what no one names goes
  }
  std::string expected;
  for (const std::string& block : blocks) expected += block + "|";
  dir.reset();
  auto again = open();
  auto newest = again->load_newest();
  ASSERT_TRUE(newest.ok());
  EXPECT_EQ(newest.value().checkpoint->number(), 40U);
  EXPECT_EQ(text_of(*newest.value().checkpoint), expected);
}

TEST_F(Checkpoint, OfABlockTheLinesThatChangedAreWritten) {
  std::mt19937_64 random(1);
  auto dir = open();
  ASSERT_TRUE(dir->load_newest().ok());
  std::vector<std::string> blocks;
  for (size_t bytes : {1, 63, 64, 65, 1000, 65536, 100'001, 300'000}) blocks.emplace_back(bytes, '-');
  for (uint64_t number = 1; number <= 60; ++number) {
    // A line of a thousand in each; now and then all of a block, or another length.
    for (std::string& block : blocks) {
      for (size_t i = 0; i < block.size(); i += 64'000)
        block[random() % block.size()] = static_cast<char>(random());
    }
    std::string& some = blocks[random() % blocks.size()];
    if (random() % 8 == 0) some.assign(some.size(), static_cast<char>(random()));
    if (random() % 8 == 0) some.resize(random() % 70'000 + 1, 'n');
    ASSERT_TRUE(dir->write(contents(number, blocks)).ok());
    uintmax_t bytes = 0;
    for (const auto& entry : fs::directory_iterator(folder_)) bytes += entry.file_size();
    EXPECT_LE(bytes, 4 * dir->named_bytes() + 100'000) << number;
    if (number % 3 == 0) {
      dir.reset();
      auto again = open();
      auto newest = again->load_newest();
      ASSERT_TRUE(newest.ok()) << newest.error().message;
      EXPECT_TRUE(newest.value().refused.empty()) << newest.value().refused.front();
      std::string expected;
      for (const std::string& block : blocks) expected += block + "|";
      ASSERT_EQ(text_of(*newest.value().checkpoint), expected) << number;
      dir = std::move(again);
    }
  }
}

TEST_F(Checkpoint, WithoutRoomForWhatTellsLinesWholeBlocksAreWritten) {
  auto dir = std::move(StateDir::open(*env_, folder_.string(), 300)).value();
  ASSERT_TRUE(dir->load_newest().ok());
  // The lines of the first one have room: 16 of 64 bytes, of which 128 bytes tell.
  std::vector<std::string> blocks = {std::string(1024, 'a'), std::string(4096, 'b')};
  ASSERT_TRUE(dir->write(contents(1, blocks)).ok());
  blocks[0][0] = blocks[1][0] = 'c';
  ASSERT_TRUE(dir->write(contents(2, blocks)).ok());
  EXPECT_GT(dir->written_bytes(), 4096U);
  EXPECT_LT(dir->written_bytes(), 4096U + 512U);
  dir = nullptr;
  dir = open();
  EXPECT_EQ(text_of(*dir->load_newest().value().checkpoint), blocks[0] + "|" + blocks[1] + "|");
}

TEST_F(Checkpoint, FewLinesAreFewBytes) {
  std::mt19937_64 random(2);
  auto dir = open();
  ASSERT_TRUE(dir->load_newest().ok());
  std::vector<std::string> blocks(40, std::string(64'000, '-'));
  uint64_t written = 0;
  for (uint64_t number = 1; number <= 80; ++number) {
    for (std::string& block : blocks) block[random() % block.size()] = static_cast<char>(random());
    ASSERT_TRUE(dir->write(contents(number, blocks)).ok());
    if (number > 1) written += dir->written_bytes();
  }
  // Each block as a whole once in nine to sixteen times.
  EXPECT_LE(written / 79, 40U * 64'000 / 8);
  EXPECT_GE(written / 79, 40U * 64'000 / 20);
}

TEST_F(Checkpoint, AfterAFailureTheOneBeforeCounts) {
  for (const std::string point : {"write", "data_sync", "manifest_sync"}) {
    fs::remove_all(folder_);
    env_ = std::move(env::make_real_env()).value();
    write_two();
    if (!env_->fail_points().configure("checkpoint." + point + ":error@1").ok())
      GTEST_SKIP() << "no fail points";
    {
      auto dir = open();
      ASSERT_TRUE(dir->load_newest().ok());
      const std::vector<std::string> third = {"three"};
      EXPECT_FALSE(dir->write(contents(3, third)).ok()) << point;
      EXPECT_FALSE(dir->is_broken());
      auto newest = dir->load_newest();
      ASSERT_TRUE(newest.ok());
      EXPECT_EQ(newest.value().checkpoint->number(), 2U) << point;
      EXPECT_TRUE(newest.value().refused.empty()) << point;
      const std::vector<std::string> fourth = {"four"};
      EXPECT_TRUE(dir->write(contents(4, fourth)).ok());
      newest = dir->load_newest();
      ASSERT_TRUE(newest.ok());
      EXPECT_EQ(text_of(*newest.value().checkpoint), "four|");
    }
  }
}

// What failed to be synced may be lost although a later sync succeeds.
TEST_F(Checkpoint, AnOutputThatCannotBeSyncedEndsThem) {
  if (!env_->fail_points().configure("checkpoint.sink_sync:error@1").ok()) GTEST_SKIP() << "no fail points";
  write_two();
  fs::path output = folder_.string() + ".out";
  write_file(output, "rows\n");
  auto dir = open();
  ASSERT_TRUE(dir->load_newest().ok());
  const std::vector<std::string> third = {"three"};
  Contents with_sink = contents(3, third);
  with_sink.sinks.push_back({output.string(), "", 5});
  EXPECT_FALSE(dir->write(with_sink).ok());
  EXPECT_TRUE(dir->is_broken());
  EXPECT_FALSE(dir->write(with_sink).ok());
  EXPECT_EQ(dir->load_newest().value().checkpoint->number(), 2U);
  fs::remove(output);
}

TEST(Crc32c, IsThatOfTheStandardByEitherWay) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);  // RFC 3720, B.4: the check value of CRC-32C
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  std::string bytes;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(crc32c(bytes), crc32c_portable(bytes));
    EXPECT_EQ(crc32c(bytes.substr(bytes.size() / 3), crc32c(bytes.substr(0, bytes.size() / 3))),
              crc32c(bytes));
    bytes += static_cast<char>(i * 7 + 3);
  }
}

TEST(Crc32c, LongTextsAndTextsBehindEachOther) {
  std::mt19937_64 chance(7);
  std::string bytes(100'000, '\0');
  for (char& byte : bytes) byte = static_cast<char>(chance());
  for (size_t size : {12'287, 12'288, 12'289, 24'576, 40'003, 99'999, 100'000}) {
    std::string_view text(bytes.data(), size);
    EXPECT_EQ(crc32c(text), crc32c_portable(text)) << size;
    for (size_t first : {size_t{0}, size_t{1}, size / 3, size - 1, size}) {
      EXPECT_EQ(crc32c_of_both(crc32c(text.substr(0, first)), crc32c(text.substr(first)), size - first),
                crc32c_portable(text))
          << size << " from " << first;
    }
  }
}

}  // namespace
}  // namespace mut::checkpoint

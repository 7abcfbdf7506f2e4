// Whatever a crash leaves of a disk, a start finds the last checkpoint that was said to be durable, or the
// one that was being written, each bit as it was, and outputs as far as it says.
//
// MUT_DISK_IMAGES: how many images are looked at; MUT_SEED: another course of all.
#include <gtest/gtest.h>

#include <iostream>
#include <set>

#include "remembered_disk.h"
#include "runtime/checkpoint/state_dir.h"

namespace mut::checkpoint {
namespace {

using test::Chance;
using test::Disk;
using test::DiskEnv;
using test::one_of;

const std::string folder = "/disk/st";
const std::string output = "/out/rows.jsonl";

uint64_t number_of(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// What a program would have: blocks of two sections, and the rows of an output.
struct World {
  std::vector<std::vector<std::string>> sections = {{}, {}};
  std::string rows;
};

std::string noise(Chance& chance, size_t bytes) {
  std::string out(bytes, '\0');
  for (char& byte : out) byte = static_cast<char>(chance());
  return out;
}

// Some lines of some blocks become others; blocks come, go, grow and are exchanged.
void live_on(World& world, Chance& chance) {
  for (std::vector<std::string>& blocks : world.sections) {
    if (blocks.size() < 2 || one_of(chance, 4)) blocks.push_back(noise(chance, chance() % 1500));
    if (blocks.size() > 5) blocks.erase(blocks.begin() + static_cast<int64_t>(chance() % blocks.size()));
    if (one_of(chance, 6)) std::swap(blocks.front(), blocks.back());
    for (std::string& block : blocks) {
      if (one_of(chance, 3) && !block.empty()) block[chance() % block.size()] = static_cast<char>(chance());
      if (one_of(chance, 10)) block += noise(chance, chance() % 200);
    }
  }
  world.rows += noise(chance, chance() % 1200);
}

Contents contents_of(const World& world, uint64_t number) {
  Contents out;
  out.number = number;
  for (size_t i = 0; i < world.sections.size(); ++i) {
    const auto& blocks = world.sections[i];
    out.sections.push_back({"section " + std::to_string(i), {blocks.begin(), blocks.end()}});
  }
  out.sinks.push_back({output, "", world.rows.size(), {}});
  return out;
}

// A machine that runs, crashes and starts again: what its disk has, and what each checkpoint was to hold.
struct Course {
  Disk disk;
  std::map<uint64_t, World> written;
  uint64_t acknowledged = 0;     // the newest that was; 0: none
  std::set<uint64_t> attempted;  // behind it
};

// What is wrong with a start on that image; empty: nothing. `found`: the number of the checkpoint, 0: none.
std::string start_on(const Disk& image, const Course& course, uint64_t& found) {
  DiskEnv env(image, DiskEnv::Kind::Honest, 1);
  auto opened = StateDir::open(env, folder);
  if (!opened) return "open: " + opened.error().message;
  auto newest = opened.value()->load_newest();
  if (!newest) return "load: " + newest.error().message;
  const auto& checkpoint = newest.value().checkpoint;
  found = checkpoint ? checkpoint->number() : 0;
  if (found != course.acknowledged && !course.attempted.contains(found))
    return "checkpoint " + std::to_string(found) + ", not " + std::to_string(course.acknowledged);
  if (found == 0) return "";
  const World& world = course.written.at(found);
  for (size_t i = 0; i < world.sections.size(); ++i) {
    auto blocks = checkpoint->blocks("section " + std::to_string(i));
    if (std::vector<std::string>(blocks.begin(), blocks.end()) != world.sections[i])
      return "checkpoint " + std::to_string(found) + " has other blocks";
  }
  auto rows = image.names.find(output);
  if (rows == image.names.end()) return "the output is gone";
  if (!image.files.at(rows->second).now.starts_with(world.rows)) return "rows of the output are lost";
  return "";
}

// Goes on from the disk of the course until the machine is gone, which is its state then.
void run_until_gone(Course& course, DiskEnv::Kind kind, Chance& chance, uint64_t& syncs_again) {
  DiskEnv env(course.disk, kind, chance());
  env.ends_at = 1 + chance() % (one_of(chance, 2) ? 60 : 600);
  if (one_of(chance, 3)) env.fails_at = 1 + chance() % 40;
  auto opened = StateDir::open(env, folder);
  auto newest = opened ? opened.value()->load_newest() : Result<StateDir::Newest>(opened.error());
  auto rows = env.open_output(output, env::OpenMode::Append);
  World world;
  if (newest && newest.value().checkpoint) world = course.written.at(newest.value().checkpoint->number());
  Status alive = rows && newest ? rows.value()->truncate(world.rows.size()) : Status(Error{"gone"});
  while (alive && !env.is_over()) {
    std::string before = world.rows;
    live_on(world, chance);
    alive = rows.value()->write(world.rows.substr(before.size()));
    if (!alive) break;
    uint64_t number = opened.value()->next_number();
    course.written[number] = world;
    course.attempted.insert(number);
    if (opened.value()->write(contents_of(world, number))) {
      course.acknowledged = number;
      course.attempted.clear();
    }
    if (opened.value()->is_broken()) break;
  }
  syncs_again += env.syncs_again;
  course.disk = std::move(env.disk);
}

struct Seen {
  uint64_t images = 0;
  uint64_t in_flight = 0;  // those whose start found a checkpoint that had not been acknowledged
  uint64_t syncs_again = 0;
  std::string wrong;
};

Seen look_at(uint64_t images, DiskEnv::Kind kind, uint64_t seed) {
  Chance chance(seed);
  Seen out;
  while (out.images < images && out.wrong.empty()) {
    Course course;
    for (int crash = 0; crash < 8 && out.wrong.empty(); ++crash) {
      run_until_gone(course, kind, chance, out.syncs_again);
      uint64_t found = 0;
      for (int i = 0; i < 12 && out.wrong.empty(); ++i, ++out.images) {
        Disk image = course.disk.after_crash(chance);
        out.wrong = start_on(image, course, found);
        if (found != course.acknowledged) ++out.in_flight;
        if (i != 11) continue;
        // The machine goes on from the last of them.
        course.disk = std::move(image);
        course.acknowledged = found;
        course.attempted.clear();
      }
    }
  }
  return out;
}

TEST(DiskImages, AStartFindsTheLastCheckpointOrTheOneBehindIt) {
  uint64_t seed = number_of("MUT_SEED", 1);
  Seen seen = look_at(number_of("MUT_DISK_IMAGES", 100'000), DiskEnv::Kind::Honest, seed);
  EXPECT_EQ(seen.wrong, "") << "seed " << seed << ", image " << seen.images;
  EXPECT_EQ(seen.syncs_again, 0U);
  EXPECT_GT(seen.in_flight, seen.images / 100);
  std::cout << seen.images << " images, " << seen.in_flight << " with a checkpoint that was being written\n";
}

// What looks at images would notice a checkpoint that is not durable when it is said to be.
TEST(DiskImages, ADiskThatDoesNotSyncIsNoticed) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    EXPECT_NE(look_at(5'000, DiskEnv::Kind::KeepsNoContent, seed).wrong, "") << seed;
    EXPECT_NE(look_at(5'000, DiskEnv::Kind::KeepsNoName, seed).wrong, "") << seed;
  }
}

}  // namespace
}  // namespace mut::checkpoint

#include <gtest/gtest.h>

#include <atomic>

#include "runtime/env/real_env.h"

namespace mut::env {
namespace {

std::unique_ptr<Env> real_env() {
  auto env = make_real_env();
  EXPECT_TRUE(env.ok());
  return std::move(env).value();
}

struct Folder {
  explicit Folder(Env& env) : path(testing::TempDir() + "mut-env-" + std::to_string(env.random_seed())) {
    EXPECT_TRUE(env.create_directories(path).ok());
  }
  std::string path;
};

void write_file(Env& env, const std::string& path, std::string_view text, OpenMode mode = OpenMode::Replace) {
  auto file = env.open_output(path, mode);
  ASSERT_TRUE(file.ok()) << file.error().message;
  ASSERT_TRUE(file.value()->write(text).ok());
  ASSERT_TRUE(file.value()->close().ok());
}

std::string read_file(Env& env, const std::string& path) {
  auto file = env.open_input(path);
  if (!file) return file.error().message;
  std::string text;
  char chunk[16];
  for (;;) {
    auto got = file.value()->read(chunk, sizeof chunk);
    if (!got || got.value() == 0) return text;
    text.append(chunk, got.value());
  }
}

TEST(Env, ReplacesAppendsAndRefusesToCreateTwice) {
  auto env = real_env();
  Folder folder(*env);
  std::string path = folder.path + "/a.txt";
  write_file(*env, path, "one two three, longer than a chunk");
  write_file(*env, path, "one");
  write_file(*env, path, " two", OpenMode::Append);
  EXPECT_EQ(read_file(*env, path), "one two");
  auto again = env->open_output(path, OpenMode::CreateNew);
  ASSERT_FALSE(again.ok());
  EXPECT_NE(again.error().message.find("a.txt"), std::string::npos);
}

TEST(Env, ListsAndGlobsInOrderOfNames) {
  auto env = real_env();
  Folder folder(*env);
  for (const char* name : {"b.csv", "a.csv", "c.txt", ".hidden"})
    write_file(*env, folder.path + "/" + name, "x");
  auto listed = env->list_directory(folder.path);
  ASSERT_TRUE(listed.ok());
  ASSERT_EQ(listed.value().size(), 3u);
  EXPECT_EQ(listed.value()[0], folder.path + "/a.csv");
  auto found = env->glob(folder.path + "/*.csv");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found.value().size(), 2u);
  EXPECT_TRUE(env->glob(folder.path + "/*.none").value().empty());
  EXPECT_FALSE(env->list_directory(folder.path + "/missing").ok());
}

TEST(Env, IdentityTellsARenamedFileFromItsSuccessor) {
  auto env = real_env();
  Folder folder(*env);
  std::string path = folder.path + "/log";
  write_file(*env, path, "old");
  auto file = env->open_input(path);
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file.value()->identity().value().same_file(env->identify(path).value()));
  ASSERT_TRUE(env->rename(path, path + ".1").ok());
  write_file(*env, path, "new");
  EXPECT_FALSE(file.value()->identity().value().same_file(env->identify(path).value()));
}

TEST(EventCount, NoRingIsLostBetweenLookingAndSleeping) {
  auto env = real_env();
  auto bell = env->make_event_count();
  std::atomic<int> work{0};
  auto thread = env->start_thread("ringer", [&] {
    for (int i = 0; i < 10'000; ++i) {
      work.fetch_add(1);
      bell->notify();
    }
  });
  int done = 0;
  while (done < 10'000) {
    uint64_t seen = bell->current();
    int available = work.load();
    if (available == done) bell->wait(seen, -1);
    done = available;
  }
  thread->join();
  uint64_t seen = bell->current();
  bell->wait(seen, 1'000'000);  // nobody rings: the timeout ends it
  EXPECT_EQ(bell->current(), seen);
}

#ifdef MUT_FAIL_POINTS
TEST(FailPoints, FireAtTheNamedPassageOnly) {
  FailPoints points;
  ASSERT_TRUE(points.configure("sink.write:error@2,source.read:drop").ok());
  EXPECT_EQ(points.at("sink.write"), Fault::None);
  EXPECT_EQ(points.at("sink.write"), Fault::Error);
  EXPECT_EQ(points.at("sink.write"), Fault::None);
  EXPECT_EQ(points.at("source.read"), Fault::Drop);
  EXPECT_EQ(points.at("elsewhere"), Fault::None);
  EXPECT_EQ(points.passages("sink.write"), 3u);
}

TEST(FailPoints, RefuseWhatTheyDoNotUnderstandAndThenAddNothing) {
  FailPoints points;
  EXPECT_FALSE(points.configure("a:drop,b:explode").ok());
  EXPECT_FALSE(points.configure("a:drop@0").ok());
  EXPECT_FALSE(points.configure("nonsense").ok());
  EXPECT_EQ(points.at("a"), Fault::None);
}

TEST(FailPoints, HoldUntilReleased) {
  auto env = real_env();
  FailPoints points;
  ASSERT_TRUE(points.configure("swap.marker:hold").ok());
  std::atomic<bool> through{false};
  auto thread = env->start_thread("held", [&] {
    points.at("swap.marker");
    through = true;
  });
  while (points.passages("swap.marker") == 0) env->sleep(100'000);
  EXPECT_FALSE(through);
  points.release("swap.marker");
  thread->join();
  EXPECT_TRUE(through);
}

TEST(FailPointsDeathTest, CrashEndsTheProcessAtOnce) {
  FailPoints points;
  ASSERT_TRUE(points.configure("here:crash").ok());
  EXPECT_EXIT(points.at("here"), testing::ExitedWithCode(137), "");
}

TEST(FailPoints, CrashAtKnowsTheStepsOfASwap) {
  FailPoints points;
  EXPECT_TRUE(points.crash_at(""));
  EXPECT_TRUE(points.crash_at("cut@2"));
  auto unknown = points.crash_at("lunch");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("recorded, cut, migrating"), std::string::npos);
  EXPECT_FALSE(points.crash_at("cut@no"));
  EXPECT_EQ(points.at("swap.cut"), Fault::None);  // the second passage would end the process
}
#endif

}  // namespace
}  // namespace mut::env

// A host whose engine keeps checkpoints: what a later engine goes on with.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "test/unit/embed_fixture.h"

namespace mut::embed_test {
namespace {

namespace fs = std::filesystem;

constexpr const char* counts_script = R"(
param least: int = 0
source hits: { id: int, at: time } = host() time at
stream counts = hits | where id >= least | @c with n = count() over all ttl none | select id, n
emit counts to host()
)";

class EmbeddedState : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / ("mut_embed_state_" + std::to_string(getpid()) + test->name());
    fs::remove_all(folder_);
    options_.state_dir = folder_.string();
    options_.checkpoint_every_ns = 0;
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Runs `ids` through an engine that then goes without a word, as in a crash. Its rows.
  std::vector<std::string> run(const std::vector<int64_t>& ids, std::string_view script = counts_script,
                               const std::string& least = "") {
    Rows rows;
    auto engine = load(script, options_);
    if (!engine) return {};
    EXPECT_DONE(engine->bind_host_source("hits"));
    rows.bind(*engine, "counts");
    EXPECT_DONE(engine->start());
    if (!least.empty()) EXPECT_DONE(engine->set_param("least", least, {}));
    for (int64_t id : ids) EXPECT_DONE(engine->push_row("hits", {id, id}));
    for (int i = 0; i < 100 && engine->run() != RunState::Idle; ++i) {
    }
    checkpoints_ = engine->stats().checkpoints;
    version_ = engine->stats().version;
    messages_ = engine->messages();
    return rows.rows;
  }

  EngineOptions options_;
  fs::path folder_;
  EngineStats::Checkpoints checkpoints_;
  uint64_t version_ = 0;
  std::vector<std::string> messages_;
};

TEST_F(EmbeddedState, GoesOnWhereTheOneBeforeWas) {
  EXPECT_EQ(run({1, 2, 3}), (std::vector<std::string>{"id=1 n=1", "id=2 n=2", "id=3 n=3"}));
  EXPECT_GE(checkpoints_.taken, 1U);
  EXPECT_EQ(run({4, 5}), (std::vector<std::string>{"id=4 n=4", "id=5 n=5"}));
  for (const char* wanted : {"goes on from checkpoint", "hits → counts  at most once"}) {
    bool told = false;
    for (const std::string& message : messages_) told = told || message.find(wanted) != std::string::npos;
    EXPECT_TRUE(told) << wanted;
  }
}

TEST_F(EmbeddedState, ParamsAndVersionsGoOn) {
  EXPECT_EQ(run({1, 2}, counts_script, "2"), std::vector<std::string>{"id=2 n=1"});
  EXPECT_EQ(version_, 2U);
  EXPECT_EQ(run({1, 2, 3}), (std::vector<std::string>{"id=2 n=2", "id=3 n=3"}));
  EXPECT_EQ(version_, 2U);
}

TEST_F(EmbeddedState, AnotherScriptIsAnEditAndNeedsItsConsents) {
  run({1, 2, 3});
  constexpr std::string_view counted = "| @c with n = count() over all ttl none ";
  std::string more = counts_script;
  more.replace(more.find(counted), counted.size(),
               "| @c with n = count() over all ttl none, all = sum(id) over all ttl none ");
  EXPECT_EQ(run({4}, more), std::vector<std::string>{"id=4 n=4"});
  std::string without = counts_script;
  without.replace(without.find(counted), counted.size(), "| with n = 0 ");
  auto engine = load(without, options_);
  ASSERT_TRUE(engine);
  EXPECT_DONE(engine->bind_host_source("hits"));
  Rows rows;
  rows.bind(*engine, "counts");
  Failure asked = failure_of(engine->start());
  EXPECT_EQ(asked.kind, Failure::Kind::NeedsDecision) << asked.text;
  EXPECT_EQ(failure_of(engine->start()).kind, Failure::Kind::Usage);
  engine.reset();
  options_.state_accept = {{"drop", "counts/c/"}};
  EXPECT_EQ(run({5}, without), std::vector<std::string>{"id=5 n=0"});
}

TEST_F(EmbeddedState, IsRefusedWhereTimeOrTheWorldIsGiven) {
  options_.clock = EngineOptions::Clock::Virtual;
  auto engine = load(counts_script, options_);
  ASSERT_TRUE(engine);
  EXPECT_DONE(engine->bind_host_source("hits"));
  EXPECT_EQ(failure_of(engine->start()).kind, Failure::Kind::Usage);
  EXPECT_FALSE(fs::exists(folder_));
}

}  // namespace
}  // namespace mut::embed_test

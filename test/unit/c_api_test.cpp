// The C interface: what it does with wrong calls, who owns what, older and newer structs. examples/embed_c
// shows it in C.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "mutstream/mutstream.h"

namespace {

const char* const script =
    "type Row = { u: string, x: int }\nparam lift: int = 0\nsource rows: Row = host()\n"
    "stream out = rows | @g aggregate n = count(), t = sum(x + lift) by u ttl none\nemit out to host()\n";
const char* const fewer =
    "type Row = { u: string, x: int }\nparam lift: int = 0\nsource rows: Row = host()\n"
    "stream out = rows | @g aggregate n = count() by u ttl none\nemit out to host()\n";

void collect(void* user, const char* lines, size_t bytes) {
  static_cast<std::string*>(user)->append(lines, bytes);
}

class CApi : public testing::Test {
 protected:
  ~CApi() override {
    mut_free(engine);
    mut_error_clear(&error);
  }
  mut_status load(const mut_options* options = nullptr) {
    return mut_load(script, strlen(script), "c.mut", options, &engine, &error);
  }
  void start() {
    ASSERT_EQ(load(), MUT_OK) << error.text;
    ASSERT_EQ(mut_bind_json_source(engine, "rows", &error), MUT_OK) << error.text;
    ASSERT_EQ(mut_bind_json_sink(engine, "out", collect, &out, &error), MUT_OK) << error.text;
    ASSERT_EQ(mut_start(engine, &error), MUT_OK) << error.text;
  }
  void push(const std::string& lines) {
    ASSERT_EQ(mut_push_json(engine, "rows", lines.data(), lines.size(), &error), MUT_OK) << error.text;
    turn();
  }
  void turn() {
    for (int i = 0; i < 4; ++i) {
      mut_run_state state = MUT_RUN_MORE;
      ASSERT_EQ(mut_run(engine, &state, &error), MUT_OK) << error.text;
    }
    ASSERT_EQ(mut_flush(engine, &error), MUT_OK);
  }
  mut_edit edit_to(const char* text) {
    mut_edit edit = MUT_EDIT_INIT;
    edit.text = text;
    edit.text_bytes = strlen(text);
    return edit;
  }

  mut_engine* engine = nullptr;
  mut_error error = MUT_ERROR_INIT;
  std::string out;
};

TEST_F(CApi, TellsItsVersion) {
  EXPECT_EQ(mut_abi_version(), uint32_t{MUT_ABI_VERSION});
  EXPECT_EQ(strncmp(mut_version_text(), "mutc ", 5), 0);
}

TEST_F(CApi, NullIsAWrongCallEverywhere) {
  mut_run_state state = MUT_RUN_MORE;
  mut_report* report = nullptr;
  mut_history* history = nullptr;
  mut_stats stats = MUT_STATS_INIT;
  mut_edit edit = edit_to(script);
  EXPECT_EQ(mut_load(script, strlen(script), "x", nullptr, nullptr, &error), MUT_USAGE);
  EXPECT_EQ(mut_load(nullptr, 5, "x", nullptr, &engine, &error), MUT_USAGE);
  EXPECT_EQ(mut_bind(nullptr, "a", "b", &error), MUT_USAGE);
  EXPECT_STREQ(error.text, "the engine is NULL");
  EXPECT_EQ(mut_bind_json_source(nullptr, "a", &error), MUT_USAGE);
  EXPECT_EQ(mut_bind_arrow_source(nullptr, "a", &error), MUT_USAGE);
  EXPECT_EQ(mut_bind_json_sink(nullptr, "a", collect, nullptr, &error), MUT_USAGE);
  EXPECT_EQ(mut_bind_arrow_sink(nullptr, "a", nullptr, nullptr, &error), MUT_USAGE);
  EXPECT_EQ(mut_push_json(nullptr, "a", "", 0, &error), MUT_USAGE);
  EXPECT_EQ(mut_push_arrow(nullptr, "a", nullptr, nullptr, &error), MUT_USAGE);
  EXPECT_EQ(mut_finish(nullptr, "a", &error), MUT_USAGE);
  EXPECT_EQ(mut_start(nullptr, &error), MUT_USAGE);
  EXPECT_EQ(mut_run(nullptr, &state, &error), MUT_USAGE);
  EXPECT_EQ(state, MUT_RUN_FAILED);
  EXPECT_EQ(mut_run_to_end(nullptr, nullptr), MUT_USAGE);
  EXPECT_EQ(mut_advance(nullptr, 0, nullptr), MUT_USAGE);
  EXPECT_EQ(mut_flush(nullptr, nullptr), MUT_USAGE);
  EXPECT_EQ(mut_close(nullptr, nullptr), MUT_USAGE);
  EXPECT_EQ(mut_swap(nullptr, &edit, &report, &error), MUT_USAGE);
  EXPECT_EQ(mut_swap_done(nullptr, &report, &error), MUT_USAGE);
  EXPECT_EQ(mut_set_param(nullptr, "a", "1", nullptr, 0, &error), MUT_USAGE);
  EXPECT_EQ(mut_undo(nullptr, nullptr, 0, &report, &error), MUT_USAGE);
  EXPECT_EQ(mut_redo(nullptr, nullptr, 0, &report, &error), MUT_USAGE);
  EXPECT_EQ(mut_get_history(nullptr, &history, &error), MUT_USAGE);
  EXPECT_EQ(mut_get_stats(nullptr, &stats, &error), MUT_USAGE);
  EXPECT_STREQ(mut_warnings(nullptr), "");
  mut_wait(nullptr, 0);
  mut_stop(nullptr);
  mut_free(nullptr);
  mut_report_free(nullptr);
  mut_history_free(nullptr);
  mut_error_clear(nullptr);
  EXPECT_EQ(mut_history_count(nullptr), 0U);
  mut_report_info info = MUT_REPORT_INFO_INIT;
  mut_report_get(nullptr, &info);
  EXPECT_STREQ(info.plan, "");
  mut_cell cell = MUT_CELL_INIT;
  mut_report_cell(nullptr, 3, &cell);
  EXPECT_STREQ(cell.verdict, "");
  mut_version version = MUT_VERSION_INIT;
  mut_history_version(nullptr, 3, &version);
  EXPECT_STREQ(version.json, "");
  EXPECT_STREQ(mut_report_cut(nullptr, 0).source, "");
  ASSERT_EQ(load(), MUT_OK);
  EXPECT_EQ(mut_bind(engine, nullptr, "b", &error), MUT_USAGE);
  EXPECT_EQ(mut_bind_json_source(engine, nullptr, &error), MUT_USAGE);
  EXPECT_EQ(mut_bind_json_sink(engine, "out", nullptr, nullptr, &error), MUT_USAGE);
  EXPECT_EQ(mut_push_json(engine, "rows", nullptr, 3, &error), MUT_USAGE);
  EXPECT_EQ(mut_push_arrow(engine, "rows", nullptr, nullptr, &error), MUT_USAGE);
  EXPECT_EQ(mut_swap(engine, nullptr, &report, &error), MUT_USAGE);
  EXPECT_EQ(mut_set_param(engine, nullptr, "1", nullptr, 0, &error), MUT_USAGE);
  const char* accept[] = {nullptr};
  EXPECT_EQ(mut_undo(engine, accept, 1, &report, &error), MUT_USAGE);
  EXPECT_EQ(mut_undo(engine, nullptr, 1, &report, &error), MUT_USAGE);
  EXPECT_EQ(mut_get_history(engine, nullptr, &error), MUT_USAGE);
}

TEST_F(CApi, TheWrongOrderIsRefusedAndChangesNothing) {
  ASSERT_EQ(load(), MUT_OK);
  mut_run_state state = MUT_RUN_MORE;
  EXPECT_EQ(mut_run(engine, &state, &error), MUT_USAGE);
  EXPECT_STREQ(error.text, "the engine was not started");
  mut_edit edit = edit_to(fewer);
  EXPECT_EQ(mut_swap(engine, &edit, nullptr, &error), MUT_USAGE);
  EXPECT_EQ(mut_undo(engine, nullptr, 0, nullptr, &error), MUT_USAGE);
  EXPECT_EQ(mut_set_param(engine, "lift", "1", nullptr, 0, &error), MUT_USAGE);
  EXPECT_EQ(mut_advance(engine, 5, &error), MUT_USAGE);
  EXPECT_EQ(mut_push_json(engine, "rows", "{}\n", 3, &error), MUT_USAGE);  // not bound
  EXPECT_EQ(mut_finish(engine, "rows", &error), MUT_USAGE);
  EXPECT_EQ(mut_bind_json_source(engine, "nothing", &error), MUT_USAGE);
  EXPECT_EQ(mut_flush(engine, &error), MUT_OK);
  EXPECT_EQ(mut_close(engine, &error), MUT_OK);
  mut_stop(engine);
  mut_wait(engine, 1);
  mut_free(engine);
  engine = nullptr;
  start();
  EXPECT_EQ(mut_start(engine, &error), MUT_USAGE);
  EXPECT_EQ(mut_bind(engine, "rows", "x.jsonl", &error), MUT_USAGE);
  EXPECT_EQ(mut_bind_json_sink(engine, "out", collect, &out, &error), MUT_USAGE);
  push("{\"u\":\"a\",\"x\":1}\n");
  EXPECT_EQ(out, "{\"u\":\"a\",\"n\":1,\"t\":1}\n");
}

TEST_F(CApi, AnErrorKeepsItsTextUntilTheNextCallWithIt) {
  mut_error other = MUT_ERROR_INIT;
  const char* bad = "stream = \n";
  EXPECT_EQ(mut_load(bad, strlen(bad), "bad.mut", nullptr, &engine, &error), MUT_SCRIPT);
  EXPECT_EQ(engine, nullptr);
  EXPECT_EQ(error.status, MUT_SCRIPT);
  std::string text = error.text;
  EXPECT_NE(text.find("bad.mut:1:"), std::string::npos) << text;
  EXPECT_EQ(strncmp(error.codes, "MUT1", 4), 0);
  EXPECT_EQ(mut_start(nullptr, &other), MUT_USAGE);
  EXPECT_EQ(text, error.text);
  EXPECT_EQ(load(), MUT_OK);  // a call that succeeds empties it
  EXPECT_STREQ(error.text, "");
  EXPECT_EQ(error.status, MUT_OK);
  mut_error_clear(&other);
  mut_error_clear(&other);
  EXPECT_STREQ(other.text, "");
}

TEST_F(CApi, AStructWithoutItsSizeOrWithUnknownValuesIsRefused) {
  mut_options options = MUT_OPTIONS_INIT;
  options.struct_size = 0;
  EXPECT_EQ(load(&options), MUT_USAGE);
  options.struct_size = sizeof options;
  options.tier = 17;
  EXPECT_EQ(load(&options), MUT_USAGE);
  // Longer, as of a newer header: zeros say nothing, anything else is not known here.
  struct {
    mut_options options = MUT_OPTIONS_INIT;
    uint64_t later = 0;
  } newer;
  newer.options.struct_size = sizeof newer;
  newer.later = 1;
  EXPECT_EQ(load(&newer.options), MUT_USAGE);
  newer.later = 0;
  EXPECT_EQ(load(&newer.options), MUT_OK) << error.text;
  // Shorter, as of an older one.
  mut_free(engine);
  mut_options older = MUT_OPTIONS_INIT;
  older.struct_size = offsetof(mut_options, memory_bytes);
  older.memory_bytes = 1;  // not read
  EXPECT_EQ(load(&older), MUT_OK) << error.text;
  mut_stats stats = MUT_STATS_INIT;
  stats.struct_size = 0;
  EXPECT_EQ(mut_get_stats(engine, &stats, &error), MUT_USAGE);
  // An error that is not initialised is not touched.
  mut_error raw;
  memset(&raw, 0xee, sizeof raw);
  raw.struct_size = 0;
  EXPECT_EQ(mut_start(nullptr, &raw), MUT_USAGE);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(raw.owned) & 0xff, 0xeeU);
}

TEST_F(CApi, StatsFillNoMoreThanTheCallerHas) {
  start();
  push("{\"u\":\"a\",\"x\":1}\n");
  struct {
    mut_stats stats = MUT_STATS_INIT;
  } older;
  older.stats.struct_size = offsetof(mut_stats, rows_out);
  older.stats.rows_out = 77;
  ASSERT_EQ(mut_get_stats(engine, &older.stats, &error), MUT_OK);
  EXPECT_EQ(older.stats.records_in, 1U);
  EXPECT_EQ(older.stats.rows_out, 77U);
}

TEST_F(CApi, CompiledCodeIsKeptWhereItIsTold) {
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("mut_c_api_" + std::to_string(getpid()));
  std::string name = folder.string();
  std::vector<uint64_t> compiled;
  for (int i = 0; i < 2; ++i) {
    mut_options options = MUT_OPTIONS_INIT;
    options.tier = MUT_TIER_QUICK;
    options.kernel_cache = name.c_str();
    ASSERT_EQ(load(&options), MUT_OK) << error.text;
    ASSERT_EQ(mut_bind_json_source(engine, "rows", &error), MUT_OK) << error.text;
    ASSERT_EQ(mut_bind_json_sink(engine, "out", collect, &out, &error), MUT_OK) << error.text;
    ASSERT_EQ(mut_start(engine, &error), MUT_OK) << error.text;
    mut_stats stats = MUT_STATS_INIT;
    ASSERT_EQ(mut_get_stats(engine, &stats, &error), MUT_OK);
    compiled.push_back(stats.kernels_compiled);
    mut_free(engine);
    engine = nullptr;
  }
  std::filesystem::remove_all(folder);
  EXPECT_EQ(compiled, (std::vector<uint64_t>{1, 0}));
}

TEST_F(CApi, AnEditIsDecidedTakenUndoneAndRecorded) {
  start();
  push("{\"u\":\"a\",\"x\":5}\n");
  mut_edit edit = edit_to(fewer);
  mut_report* report = nullptr;
  ASSERT_EQ(mut_swap(engine, &edit, &report, &error), MUT_NEEDS_DECISION);
  ASSERT_NE(report, nullptr);
  mut_report_info info = MUT_REPORT_INFO_INIT;
  mut_report_get(report, &info);
  ASSERT_EQ(info.cell_count, 2U);
  mut_cell cell = MUT_CELL_INIT;
  mut_report_cell(report, 1, &cell);
  EXPECT_STREQ(cell.cell, "out/g/t/sum");
  EXPECT_STREQ(cell.verdict, "drop");
  EXPECT_STREQ(cell.choices, "drop");
  EXPECT_EQ(cell.undecided, 1U);
  mut_report_free(report);
  const char* drop[] = {"drop:out/g/t"};
  edit.accept = drop;
  edit.accept_count = 1;
  mut_cut cut = {"rows", 2};
  edit.cuts = &cut;
  edit.cut_count = 1;
  ASSERT_EQ(mut_swap(engine, &edit, nullptr, &error), MUT_OK) << error.text;
  push("{\"u\":\"a\",\"x\":7}\n{\"u\":\"a\",\"x\":8}\n");
  ASSERT_EQ(mut_swap_done(engine, &report, &error), MUT_OK);
  ASSERT_NE(report, nullptr);
  mut_report_get(report, &info);
  EXPECT_EQ(info.version, 3U);
  ASSERT_EQ(info.cut_count, 1U);
  EXPECT_STREQ(mut_report_cut(report, 0).source, "rows");
  EXPECT_EQ(mut_report_cut(report, 0).records, 2U);
  mut_report_free(report);
  ASSERT_EQ(mut_swap_done(engine, &report, &error), MUT_OK);
  EXPECT_EQ(report, nullptr);
  const char* back[] = {"restore-gap:out/g/t"};
  ASSERT_EQ(mut_undo(engine, back, 1, nullptr, &error), MUT_OK) << error.text;
  turn();
  ASSERT_EQ(mut_set_param(engine, "lift", "100", nullptr, 0, &error), MUT_OK) << error.text;
  push("{\"u\":\"a\",\"x\":1}\n");
  EXPECT_EQ(out,
            "{\"u\":\"a\",\"n\":1,\"t\":5}\n{\"u\":\"a\",\"n\":2,\"t\":12}\n{\"u\":\"a\",\"n\":3}\n"
            "{\"u\":\"a\",\"n\":4,\"t\":113}\n");
  mut_history* history = nullptr;
  ASSERT_EQ(mut_get_history(engine, &history, &error), MUT_OK);
  ASSERT_EQ(mut_history_count(history), 5U);
  mut_version version = MUT_VERSION_INIT;
  mut_history_version(history, 1, &version);
  EXPECT_EQ(version.outcome, MUT_OUTCOME_NEEDS_DECISION);
  mut_history_version(history, 3, &version);
  EXPECT_EQ(version.restores, 1U);
  EXPECT_EQ(version.outcome, MUT_OUTCOME_RETIRED);
  EXPECT_STREQ(version.text, script);
  EXPECT_EQ(strlen(version.hash), 64U);
  EXPECT_NE(strstr(version.json, "\"accepted\":[\"restore-gap:out/g/t\"]"), nullptr) << version.json;
  // A history outlives its engine.
  mut_free(engine);
  engine = nullptr;
  EXPECT_STREQ(version.text, script);
  mut_history_free(history);
}

TEST_F(CApi, AGuardTakesAnEditBack) {
  start();
  const char* failing =
      "type Row = { u: string, x: int }\nparam lift: int = 0\nsource rows: Row = host()\n"
      "stream out = rows | @g aggregate n = count(), t = sum(x + lift) by u ttl none | with y = 1 / (n - n)\n"
      "emit out to host()\n";
  mut_edit edit = edit_to(failing);
  edit.guard_error_share = 2;
  EXPECT_EQ(mut_swap(engine, &edit, nullptr, &error), MUT_USAGE);
  edit.guard_error_share = 0.1;
  ASSERT_EQ(mut_swap(engine, &edit, nullptr, &error), MUT_OK) << error.text;
  std::string cause;
  auto begin = std::chrono::steady_clock::now();
  while (cause.empty() && std::chrono::steady_clock::now() - begin < std::chrono::seconds(20)) {
    push("{\"u\":\"a\",\"x\":1}\n");
    mut_report* report = nullptr;
    ASSERT_EQ(mut_swap_done(engine, &report, &error), MUT_OK);
    mut_report_info info = MUT_REPORT_INFO_INIT;
    mut_report_get(report, &info);
    cause = info.cause;
    mut_report_free(report);
  }
  EXPECT_EQ(cause, "v2 is taken back: 100 errors in 100 records, guard errors < 10 %");
}

TEST_F(CApi, RowsGoInAndOutAsArrow) {
  // What one engine gives as Arrow another takes.
  struct Taken {
    ArrowArray rows{};
    ArrowSchema schema{};
  } taken;
  ASSERT_EQ(load(), MUT_OK);
  ASSERT_EQ(mut_bind_json_source(engine, "rows", &error), MUT_OK);
  ASSERT_EQ(mut_bind_arrow_sink(
                engine, "out",
                [](void* user, ArrowArray* rows, ArrowSchema* schema) {
                  auto* to = static_cast<Taken*>(user);
                  if (to->rows.release != nullptr) return;
                  to->rows = *rows;
                  to->schema = *schema;
                  rows->release = nullptr;
                  schema->release = nullptr;
                },
                &taken, &error),
            MUT_OK);
  ASSERT_EQ(mut_start(engine, &error), MUT_OK);
  push("{\"u\":\"a\",\"x\":5}\n{\"u\":\"b\",\"x\":6}\n");
  ASSERT_NE(taken.rows.release, nullptr);
  EXPECT_EQ(taken.rows.length, 2);
  const char* next =
      "type Row = { u: string, n: int, t: int }\nsource rows: Row = host()\n"
      "emit rows to host()\n";
  mut_engine* second = nullptr;
  ASSERT_EQ(mut_load(next, strlen(next), "next.mut", nullptr, &second, &error), MUT_OK) << error.text;
  ASSERT_EQ(mut_bind_arrow_source(second, "rows", &error), MUT_OK);
  ASSERT_EQ(mut_bind_json_sink(second, "rows", collect, &out, &error), MUT_OK) << error.text;
  ASSERT_EQ(mut_start(second, &error), MUT_OK) << error.text;
  EXPECT_EQ(mut_push_json(second, "rows", "{}\n", 3, &error), MUT_USAGE);  // it takes rows
  ASSERT_EQ(mut_push_arrow(second, "rows", &taken.rows, &taken.schema, &error), MUT_OK) << error.text;
  EXPECT_EQ(taken.rows.release, nullptr);
  taken.schema.release(&taken.schema);
  ASSERT_EQ(mut_finish(second, "rows", &error), MUT_OK);
  ASSERT_EQ(mut_run_to_end(second, &error), MUT_OK) << error.text;
  EXPECT_EQ(out, "{\"u\":\"a\",\"n\":1,\"t\":5}\n{\"u\":\"b\",\"n\":1,\"t\":6}\n");
  mut_free(second);
}

TEST_F(CApi, EditsAndRowsComeFromOtherThreads) {
  start();
  std::thread pusher([&] {
    mut_error mine = MUT_ERROR_INIT;
    for (int i = 0; i < 1000; ++i)
      EXPECT_EQ(mut_push_json(engine, "rows", "{\"u\":\"a\",\"x\":1}\n", 16, &mine), MUT_OK);
    EXPECT_EQ(mut_finish(engine, "rows", &mine), MUT_OK);
    mut_error_clear(&mine);
  });
  std::thread editor([&] {
    mut_error mine = MUT_ERROR_INIT;
    for (int i = 1; i <= 20; ++i) {
      EXPECT_EQ(mut_set_param(engine, "lift", std::to_string(i).c_str(), nullptr, 0, &mine), MUT_OK)
          << mine.text;
      mut_history* history = nullptr;
      EXPECT_EQ(mut_get_history(engine, &history, &mine), MUT_OK);
      mut_history_free(history);
    }
    mut_error_clear(&mine);
  });
  EXPECT_EQ(mut_run_to_end(engine, &error), MUT_OK) << error.text;
  pusher.join();
  editor.join();
  mut_stats stats = MUT_STATS_INIT;
  ASSERT_EQ(mut_get_stats(engine, &stats, &error), MUT_OK);
  EXPECT_EQ(stats.records_in, 1000U);
  EXPECT_EQ(stats.rows_out, 1000U);
}

}  // namespace

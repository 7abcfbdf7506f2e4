// An engine with host sources and sinks, for tests of the public header.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mutstream/engine.h"

namespace mut::embed_test {

inline std::unique_ptr<Engine> load(std::string_view text, const EngineOptions& options = {}) {
  auto loaded = Engine::load(text, "script.mut", options);
  if (!loaded) {
    ADD_FAILURE() << loaded.failure().text;
    return nullptr;
  }
  return std::move(loaded).value();
}

#define EXPECT_DONE(expression)                                                      \
  do {                                                                               \
    auto outcome_of_expression = (expression);                                       \
    EXPECT_TRUE(outcome_of_expression.ok()) << outcome_of_expression.failure().text; \
  } while (false)

// The failure's kind; a success is a failure of the test.
template <typename T>
Failure failure_of(const Outcome<T>& outcome) {
  if (!outcome) return outcome.failure();
  ADD_FAILURE() << "succeeded";
  return {};
}

inline std::string text_of(const FieldValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return "none";
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  if (const auto* whole = std::get_if<int64_t>(&value)) return std::to_string(*whole);
  if (const auto* real = std::get_if<double>(&value)) {
    char text[32];
    snprintf(text, sizeof(text), "%g", *real);
    return text;
  }
  return std::get<std::string>(value);
}

// Collects rows of a host sink as "a=1 b=x".
struct Rows {
  std::vector<std::string> rows;
  void bind(Engine& engine, const std::string& sink) {
    EXPECT_DONE(engine.bind_host_sink(sink, [this](const RowView& row) {
      std::string text;
      for (size_t i = 0; i < row.field_count(); ++i)
        text += (i > 0 ? " " : "") + std::string(row.field_name(i)) + "=" + text_of(row.field(i));
      rows.push_back(text);
    }));
  }
};

inline void run_until_idle(Engine& engine) {
  while (true) {
    RunState state = engine.run();
    ASSERT_NE(state, RunState::Failed) << engine.failure().text;
    if (state == RunState::Idle || state == RunState::Done) return;
  }
}

}  // namespace mut::embed_test

// A seeded row of edits of the payments script: what a person at an editor would try, as data, so that the
// account knows what each version must give without asking the engine.
#pragma once
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace mut::swap_test {

enum class EditKind : uint8_t { Constant, Expression, Filter, WindowLength, AddedAggregate };
constexpr size_t edit_kind_count = 5;
const char* name_of(EditKind kind);

// How z becomes the score's argument.
enum class Form : uint8_t { Linear, Square, Absolute, Steps };
enum class FilterForm : uint8_t { Above, NotBelow, Between };

// What one version of the script says.
struct Rules {
  int number = 0;  // of the edit; 0: as first written
  double offset = -4.0;
  double slope = 0.9;
  Form form = Form::Linear;
  FilterForm filter = FilterForm::Above;
  double least = 0.0;
  int usual_minutes = 30;   // of history
  int volume_seconds = 60;  // of the tumbling window
  int aggregates = 0;       // added ones, 0..3

  bool keeps(double amount) const;
  // The stateless script's score.
  double score(double amount) const;
};

enum class Script : uint8_t {
  Stateless,  // filter, expressions, route: each row can be computed from its payment alone
  Stages,     // the tour and other stages that keep state, more than twenty in all
  Tour,       // section 1 of the language, and totals that no edit touches
};

// Whole text of a version. `events`: payments generated; `rate`: of them a second, 0: as fast as they go.
std::string text_of(Script script, const Rules& rules, uint64_t events, double rate = 0);

class EditGenerator {
 public:
  EditGenerator(Script script, uint64_t seed) : script_(script), random_(seed) {}
  // The next version: differs from the one before by one edit and by its number.
  const Rules& next();
  const Rules& rules() const { return rules_; }
  EditKind last_kind() const { return last_kind_; }
  const std::array<int, edit_kind_count>& histogram() const { return histogram_; }

 private:
  double uniform(double low, double high);
  int pick(int count);  // 0..count-1

  Script script_;
  std::mt19937_64 random_;
  Rules rules_;
  EditKind last_kind_ = EditKind::Constant;
  std::array<int, edit_kind_count> histogram_{};
};

}  // namespace mut::swap_test

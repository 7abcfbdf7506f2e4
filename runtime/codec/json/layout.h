// What records of a source looked like, so that the next one that looks the same is read without asking what
// its keys are: the text between two values is compared as a whole, and the values are converted in place.
//
// The layouts seen are the paths of a tree: a step is a stretch of text and what is done with the value
// behind it; where records differ, a step has others to try. A record that fits no path is read by the
// general parser, which decides what it means and, if need be, what is wrong with it; then its layout is
// learned.
//
// The idea is Mison's speculation on the structure of records (Li et al., PVLDB 10(10), 2017), on whole
// stretches of text instead of on positions.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace mut::json {

struct Node;
struct Field;
struct RecordPlan;

enum class Slot : uint8_t {
  Nothing,   // the text goes on in the next step
  End,       // of the record
  Int,       // of 64 bits
  Time,      // or a duration
  Text,      // behind its opening quote; the last two too
  AnyText,   // one that nobody declared
  Value,     // of any other declared type
  AnyValue,  // one that nobody declared
};

struct LayoutStep {
  static constexpr size_t text_bytes = 64;
  alignas(64) char text[text_bytes] = {};
  uint64_t mask = 0;  // a bit for each byte of the text
  uint8_t size = 0;   // of the text
  uint8_t depth = 0;  // of the value
  Slot slot = Slot::Nothing;
  uint32_t next = 0;    // behind the value; 0: none
  uint32_t other = 0;   // to try where the text differs; 0: none
  uint32_t field = 0;   // of the top level
  uint32_t offset = 0;  // of the value in that field's
  Node* node = nullptr;
  // End: of `effects`.
  uint32_t effects = 0;
  uint32_t effects_end = 0;
};

// What is done for a field whose value says nothing more than that it is there, or that it is not.
struct LayoutEffect {
  Field* field = nullptr;
  uint32_t top = 0;
  uint32_t offset = 0;
  bool nested = false;
  bool absent = false;
};

class Layouts {
 public:
  bool any() const { return first_ != 0; }
  uint32_t first() const { return first_; }
  const LayoutStep& step(uint32_t index) const { return steps_[index]; }
  const std::vector<LayoutEffect>& effects() const { return effects_; }

  // A record was read by its layout.
  void hit() { ++hits_; }
  // `record` was not, and the general parser took it. Learns it unless there are enough; those that have
  // become useless are forgotten. `plan` is the owner.
  void miss(RecordPlan& plan, std::string_view record);

 private:
  friend class LayoutLearner;
  void learn(RecordPlan& plan, std::string_view record);
  void forget();

  static constexpr uint64_t judged_after = 512;  // misses
  static constexpr uint64_t period_least = 1024;
  static constexpr uint64_t period_most = uint64_t{1} << 16;
  static constexpr uint32_t attempts_most = 128;

  std::vector<LayoutStep> steps_;  // the first is none
  std::vector<LayoutEffect> effects_;
  uint32_t first_ = 0;
  // Of the period, which lasts so many misses.
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
  uint64_t period_ = period_least;
  uint32_t attempts_ = attempts_most;  // to learn, that are left
};

}  // namespace mut::json

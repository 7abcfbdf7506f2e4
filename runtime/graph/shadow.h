// A candidate for the next version that runs beside the one that runs: on the same rows, with a state of its
// own, and its rows go into a comparison and nowhere else. See docs/design/0011-shadow.md.
#pragma once
#include <memory>
#include <span>

#include "runtime/graph/fleet.h"

namespace mut::runtime {

// What looks at the rows of both. Called on the running thread.
class ShadowRows {
 public:
  enum class Side : uint8_t { Live, Candidate };
  virtual ~ShadowRows() = default;
  // Rows by emit of that version's plan; they are gone after the call. Of one side they come in the order in
  // which they are made; what one event brings about may come in several calls.
  virtual void take(Side side, const Plan& plan, std::span<const MutSink> sinks) = 0;
  // Both sides have given all rows of the events so far.
  virtual void settle() = 0;
};

// Threads: that of the runner. Ownership: its fleet, with a budget of its own, as large as the live one's.
class Shadow {
 public:
  Shadow(Crew& crew, Fleet::Makeup makeup, std::shared_ptr<ShadowRows> rows);

  Fleet& fleet() { return fleet_; }
  const Fleet& fleet() const { return fleet_; }
  ShadowRows& rows() { return *rows_; }

  // Rows [row, row_end) of a batch that the live version has run, to their end.
  void run(size_t source, const MutBatch& rows, uint32_t row, uint32_t row_end);
  void fire_due();
  void finish_input(const std::vector<char>& over, Fleet::End end);

 private:
  void take_output(Merge by);
  std::shared_ptr<ShadowRows> rows_;
  Fleet fleet_;
};

}  // namespace mut::runtime

// What state means to the next version, by names: the right side of the swap equation
// (live-change.md 2.2). Lists of cells are kept, emptied, or read by two rules; nothing is computed.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compiler/reference/flow.h"

namespace mut::reference {

// Given by whoever asks for the swap: "reset:stream/stage/cell"; a path that ends at a `/` means all
// below it. Verdicts: reset, drop, carry. `live` allows resets and drops without naming them.
struct Consents {
  std::vector<std::string> given;
  bool live = false;
  // What `migrate` of the next version says of a stage, checked over a record with the one field `old`, whose
  // fields these are; the last stage of the last stream selects it. Null: nothing, or nothing new.
  std::function<std::shared_ptr<const typed::Program>(const std::string& stream, const std::string& stage,
                                                      const std::vector<typed::Field>& old)>
      migrate{};
};

// Moves the state of `old` into `next`, whose state is empty. Returns what still needs a decision, as
// consents that would allow it ("refuse:…": none would); then `next` is not to be used.
std::vector<std::string> migrate(Flow& old, Flow& next, const Consents& consents);

}  // namespace mut::reference

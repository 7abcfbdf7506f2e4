// Shared libraries that are looked for when something needs them: what nobody uses is neither needed nor
// loaded.
#pragma once
#include <string>

#include "runtime/abi/result.h"

namespace mut::env {

// One that is loaded; it stays so until the process ends. Threads: any.
class Library {
 public:
  virtual ~Library() = default;
  // Null where it has none of that name.
  virtual void* find(const char* function) const = 0;
  virtual const std::string& name() const = 0;
};

// `to` becomes its function of that name.
template <typename Function>
Status bind(const Library& library, const char* name, Function& to) {
  to = reinterpret_cast<Function>(library.find(name));
  return to != nullptr ? Status(Unit{}) : Status(Error{library.name() + " has no function " + name});
}

}  // namespace mut::env

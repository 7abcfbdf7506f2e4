// Keys of an old store as those of a new one: by a small program that was compiled with the edit.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/graph/instance.h"
#include "runtime/state/store.h"

namespace mut::runtime {

// A key as JSON, by the names of the description.
std::string key_text(const state::StoreDesc& of, const uint64_t* key);

// Immutable; one for all shards.
struct KeyConversion {
  // One source, whose records have the one field `old`: a record of old keys. One sink: of the values that
  // are made of it. A row that fails gives none.
  std::shared_ptr<const Plan> plan;
  Kernels kernels;
  std::vector<int> inputs;  // by field of `old`: which key of the old store it is
  struct Part {
    int old = -1;   // the words of that old key, or …
    int made = -1;  // … the value that the sink has at this place
  };
  std::vector<Part> parts;  // by key of the new store
  bool merges = false;      // several old keys may become one
  std::string path;         // of the stage, for reports
};

// On one thread, for one store. Remembers the first key that cannot go over.
class KeyConverter final : public state::KeyChange {
 public:
  // `next`: whose params hold.
  KeyConverter(const KeyConversion& conversion, const Instance& next);
  ~KeyConverter() override;
  void apply(const state::StoreDesc& old, const state::StoreDesc& next, uint64_t* key) override;
  // Empty: every key went over.
  const std::string& problem() const { return problem_; }

 private:
  // The row that the program makes of a key, or null.
  const char* run(const state::StoreDesc& old, const uint64_t* key);
  void note(const state::StoreDesc& old, const uint64_t* key, const std::string& why);
  void check_alone(const state::StoreDesc& old, const uint64_t* from, const state::StoreDesc& next,
                   const uint64_t* to);

  const KeyConversion& conversion_;
  ErrorLog errors_;
  state::Budget budget_;
  Instance instance_;
  std::vector<char> record_;  // of old keys, in memory layout
  std::vector<uint64_t> from_;
  std::map<std::string, std::string> taken_;  // key made → of which, where they must not become one
  std::string problem_;
};

}  // namespace mut::runtime

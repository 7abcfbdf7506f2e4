// Keys made anew of the rows that a store keeps whole, by a small program that was compiled with the edit.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "runtime/swap/key_conversion.h"

namespace mut::runtime {

// On one thread, for one store. Remembers the first row that cannot go over.
class RowConverter final : public state::RowKeys {
 public:
  // `conversion`: of rows; its program has a source for each side, whose records have the one field `row`,
  // and a sink for each, of the keys that are made. Outlives this. `next`: whose params hold.
  RowConverter(const KeyConversion& conversion, const Instance& next);
  ~RowConverter() override;
  Made apply(const state::StoreDesc& old, const state::StoreDesc& next, size_t side, const char* row,
             uint64_t* key) override;
  void refuse(const abi::TypeDesc& record, const char* row, const std::string& why) override;
  // Empty: every row went over.
  const std::string& problem() const { return problem_; }

 private:
  // The keys that the program makes of a row, or null.
  const char* run(int source, const char* row);

  const KeyConversion& conversion_;
  ErrorLog errors_;
  state::Budget budget_;
  std::unique_ptr<Instance> instance_;  // null: no key is computed
  std::vector<uint64_t> from_;
  std::string problem_;
};

}  // namespace mut::runtime

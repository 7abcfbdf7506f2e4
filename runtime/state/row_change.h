// Rows that are kept whole, as an edited script wants them: its record may have got fields, lost some,
// renamed some and made some wider.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/abi/type_desc.h"

namespace mut::state {

// What becomes of the rows as a whole, from mild to grave.
enum class RowFit : uint8_t {
  Alike,     // the same at each place
  Fewer,     // fields went, moved or have another name
  Widened,   // a field holds more than it did
  Filled,    // a field is new, and rows get its default or none
  Narrowed,  // a field holds less than it did: some rows may not fit
};

class RowChange {
 public:
  // How rows of `from` become rows of `to`; nullopt where a field is of a type that they do not convert to,
  // or is new and has neither a default nor none. Shares both descriptions.
  static std::optional<RowChange> between(const abi::TypeDescRef& from, const abi::TypeDescRef& to);

  RowFit fit() const { return fit_; }
  // By field of `to`: the field of `from` that it was, or -1.
  int source_of(size_t field) const { return parts_[field].from; }

  // A row of `from` in memory layout as one of `to`. Texts and lists are those of the row; those of defaults
  // live as long as this. Of one that does not fit any, and what misfit() says.
  std::vector<char> apply(const char* row) const;
  // Why a row does not fit; empty: it does.
  std::string misfit(const char* row) const;

 private:
  struct Part {
    int from = -1;
    std::shared_ptr<const abi::OwnedValue> filler;  // where there is no such field; null: none
  };
  RowChange(abi::TypeDescRef from, abi::TypeDescRef to) : from_(std::move(from)), to_(std::move(to)) {}

  abi::TypeDescRef from_;
  abi::TypeDescRef to_;
  std::vector<Part> parts_;
  RowFit fit_ = RowFit::Alike;
};

}  // namespace mut::state

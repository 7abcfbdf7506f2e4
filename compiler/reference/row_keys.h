// Keys of the rows that joins and tables keep, made anew of those rows: they are whole.
#pragma once
#include <optional>
#include <vector>

#include "compiler/reference/stage_views.h"

namespace mut::reference {

class RowKeys {
 public:
  // Of the rows of one side of a join (0 left, 1 right), or of a table (0). Nothing: the rows do not say
  // them. `next` outlives it, and so does the program of `now`.
  static std::optional<RowKeys> between(const Flow& old, const StageView& before, const Flow& next,
                                        const StageView& now, size_t side);
  // Of a row that had that key, with its fields as `now` has them. Throws EventFailure.
  Key operator()(const Key& key, const Value::Parts& fields) const;

 private:
  struct Part {
    std::optional<size_t> old;          // that key, …
    const typed::Expr* made = nullptr;  // … or this over the fields of the row
  };
  const Flow* next_ = nullptr;
  std::vector<Part> parts_;
};

}  // namespace mut::reference

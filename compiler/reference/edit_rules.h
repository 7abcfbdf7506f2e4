// What of a stage the next version can take as it is, and how rows and values become those of other types.
#pragma once
#include <vector>

#include "compiler/reference/stage_views.h"
#include "compiler/reference/state.h"

namespace mut::reference {

// Whether values would have to be looked at, and are not.
bool holds_less(const typed::Stage& before, size_t known, const typed::Stage& now, size_t cell);
// Throws where what a key keeps is no value of the new type.
void check_values(const typed::Stage& before, size_t known, const typed::Stage& now, size_t cell,
                  const std::vector<Entry>& entries, size_t place);
// Whether groups of events can become one group: what the aggregate makes of them knows no order.
bool merges(const typed::Stage& stage, size_t cell);
// Whether values of the one type can be those of the other; some may not fit.
bool goes_over(typed::TypeRef from, typed::TypeRef to);
// Whether keys of rows that are kept whole can stay as they are: none is of a narrower type. `order`: where
// each of the new ones stood.
bool keys_hold(const std::vector<typed::ExprPtr>& before, const std::vector<typed::ExprPtr>& now,
               const std::vector<size_t>& order);
// Windows of a number of events that overlap hold in parts what they hold: more of it cannot be had.
bool wants_more(const StageView& before, size_t known, const StageView& view, size_t cell);
// They go over only as they are, and with the same need of all of the events of each.
bool counts_agree(const typed::Stage& before, const typed::Stage& now);
// Whether the rows kept by one version have all fields that the next wants, or can be given them.
bool has_rows_for(const typed::Stage& before, const typed::Stage& now, size_t side);
// Fields of such a row as the next version has them. Throws where a value does not fit.
Value::Parts fields_for(const typed::Stage& before, const typed::Stage& now, const Value::Parts& fields,
                        size_t side);

}  // namespace mut::reference

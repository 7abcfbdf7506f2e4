// One reader behind another: a source whose address an edit has changed.
#pragma once
#include <memory>

#include "runtime/connector/source_reader.h"

namespace mut::connector {

// `first` is stopped: what it has already is handed over, then the rows of `next` come, by their own numbers.
// A failure of `first` is that of the whole. `handed_over`: records that `first` has handed over already.
std::unique_ptr<SourceReader> make_follow_up(std::unique_ptr<SourceReader> first,
                                             std::unique_ptr<SourceReader> next, uint64_t handed_over);

}  // namespace mut::connector

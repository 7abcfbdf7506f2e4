// What stores keep of one event: its time, some words of their own, then a word or two for each column. Texts
// are MutStr on the way in, MutStoredStr while they are kept.
#pragma once
#include <memory>
#include <vector>

#include "runtime/state/heap.h"
#include "runtime/state/store_desc.h"

namespace mut::state {

using Sample = std::unique_ptr<uint64_t[]>;  // StoreDesc::sample_words

// A copy whose texts lie in `heap`, until free_sample().
Sample keep_sample(const StoreDesc& desc, const uint64_t* sample, Heap& heap);
void free_sample(const StoreDesc& desc, const uint64_t* kept, Heap& heap);
// A kept one with its texts as MutStr, valid as long as it is kept.
std::vector<uint64_t> load_sample(const StoreDesc& desc, const uint64_t* kept, const Heap& heap);

// As they are kept, both ways; the texts are saved with their heap.
template <typename Io>
void pass_sample(Io& io, const StoreDesc& desc, Sample& sample) {
  if constexpr (Io::loads) sample.reset(new uint64_t[desc.sample_words]);
  io.bytes(sample.get(), desc.sample_words * size_t{8});
}
template <typename Io>
void pass_sample(Io& io, const StoreDesc& desc, const Sample& sample) {
  io.bytes(sample.get(), desc.sample_words * size_t{8});
}

}  // namespace mut::state

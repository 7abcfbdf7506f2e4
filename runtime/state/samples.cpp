#include "runtime/state/samples.h"

#include <cstring>

namespace mut::state {

Sample keep_sample(const StoreDesc& desc, const uint64_t* sample, Heap& heap) {
  Sample out(new uint64_t[desc.sample_words]);
  memcpy(out.get(), sample, desc.sample_words * size_t{8});
  for (const ColumnDesc& column : desc.columns) {
    if (column.kind != WordKind::Text) continue;
    MutStr text;
    memcpy(&text, sample + column.word, sizeof(text));
    MutStoredStr stored = heap.store(abi::view(text));
    memcpy(out.get() + column.word, &stored, sizeof(stored));
  }
  return out;
}

void free_sample(const StoreDesc& desc, const uint64_t* kept, Heap& heap) {
  for (const ColumnDesc& column : desc.columns) {
    if (column.kind != WordKind::Text) continue;
    MutStoredStr stored;
    memcpy(&stored, kept + column.word, sizeof(stored));
    heap.free(stored);
  }
}

std::vector<uint64_t> load_sample(const StoreDesc& desc, const uint64_t* kept, const Heap& heap) {
  std::vector<uint64_t> out(kept, kept + desc.sample_words);
  for (const ColumnDesc& column : desc.columns) {
    if (column.kind != WordKind::Text) continue;
    MutStoredStr stored;
    memcpy(&stored, out.data() + column.word, sizeof(stored));
    MutStr text = heap.load(stored);
    memcpy(out.data() + column.word, &text, sizeof(text));
  }
  return out;
}

}  // namespace mut::state

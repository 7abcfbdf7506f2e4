// Readers of a stream that let most events go by one value: they are looked up by it.
#pragma once
#include <optional>
#include <vector>

#include "compiler/typed/program.h"

namespace mut::graph {

struct Graph;

// Some readers of a stream begin with `where field == constant`. Which of them are to see an event is looked
// up by the value of the field, so that an event costs what the readers do that it concerns, however many
// there are. What a reader does and in which order is as without: the look-up leaves out those whose first
// stage would let the event go.
struct ReaderIndex {
  int stream = -1;
  int field = -1;  // of what leaves the stream: an integer, enum, time, duration or text
  std::vector<std::vector<int>>
      slots;  // by consumer: literals of which the field is one; empty: sees every event
};

// Fewer than these are asked one after the other.
constexpr size_t indexed_readers_min = 32;

// Of a stream; none where that many of its readers do not ask for one field. Needs Graph::literal_slots.
std::optional<ReaderIndex> index_readers(const Graph& graph, int stream);

}  // namespace mut::graph

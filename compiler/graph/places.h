// Places of a script that code is there for: those of error sites (graph.h), and behind them one an `emit`.
// Equal shapes have equal places, whatever the lines are that they are written on.
#pragma once
#include <string>

#include "compiler/graph/graph.h"

namespace mut::graph {

int stage_place(const Graph& graph, int stream, int stage);
int head_place(const Graph& graph, int stream);  // decoding, event time, generated fields
int end_place(const Graph& graph, int stream);   // what hands a row to those who read the stream
int emit_place(const Graph& graph, int emit);
int place_count(const Graph& graph);

struct Place {
  std::string name;   // "spend/where", "payments" of a head or an end, "emit spend"
  std::string label;  // of the last part alone: "where", "source", "emit"
  source::Span span;
};
// `place` is one of the graph.
Place describe_place(const Graph& graph, int place);

}  // namespace mut::graph

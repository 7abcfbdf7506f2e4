#include "compiler/graph/places.h"

namespace mut::graph {

int stage_place(const Graph& graph, int stream, int stage) { return error_site(graph, stream, stage); }

int end_place(const Graph& graph, int stream) {
  size_t stages = graph.program->streams[static_cast<size_t>(stream)].stages.size();
  return error_site(graph, stream, static_cast<int>(stages));
}

int head_place(const Graph& graph, int stream) { return end_place(graph, stream) + 1; }

int emit_place(const Graph& graph, int emit) { return error_site_count(graph) + emit; }

int place_count(const Graph& graph) {
  return error_site_count(graph) + static_cast<int>(graph.program->emits.size());
}

namespace {

Place of_stage(const typed::Stream& stream, const typed::Stage& stage) {
  return {stream.name + "/" + stage.name, stage.keyword, stage.span};
}

Place of_stream(const typed::Program& program, const typed::Stream& stream) {
  if (stream.source < 0) return {stream.name, "stream", stream.span};
  return {stream.name, "source", program.sources[static_cast<size_t>(stream.source)].span};
}

}  // namespace

Place describe_place(const Graph& graph, int place) {
  const typed::Program& program = *graph.program;
  auto streams = static_cast<int>(program.streams.size());
  if (place >= error_site_count(graph)) {
    const typed::Emit& emit = program.emits[static_cast<size_t>(place - error_site_count(graph))];
    return {"emit " + emit.name, "emit", emit.span};
  }
  if (place >= join_error_site(graph, 0, 0)) {
    for (int i = 0; i < streams; ++i) {
      const typed::Stream& stream = program.streams[static_cast<size_t>(i)];
      for (size_t k = 0; k < stream.stages.size(); ++k) {
        bool joins = stream.stages[k].join != nullptr;
        if (joins && join_error_site(graph, i, static_cast<int>(k)) == place)
          return of_stage(stream, stream.stages[k]);
      }
    }
  }
  if (place >= set_error_site(graph, 0)) {
    const typed::Set& set = program.sets[static_cast<size_t>(place - set_error_site(graph, 0))];
    return {"set " + program.params[static_cast<size_t>(set.param)].name, "set", set.span};
  }
  if (place >= route_error_site(graph, 0)) {
    const typed::Route& route = program.routes[static_cast<size_t>(place - route_error_site(graph, 0))];
    return {"route " + program.streams[static_cast<size_t>(route.input)].name, "route", route.span};
  }
  int stream = 0;
  while (stream + 1 < streams && error_site(graph, stream + 1, 0) <= place) ++stream;
  const typed::Stream& of = program.streams[static_cast<size_t>(stream)];
  auto stage = static_cast<size_t>(place - error_site(graph, stream, 0));
  return stage < of.stages.size() ? of_stage(of, of.stages[stage]) : of_stream(program, of);
}

}  // namespace mut::graph

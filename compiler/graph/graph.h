// A checked program as a graph: who reads whom, which fields are needed where, what state is kept.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/graph/parts.h"
#include "compiler/graph/reader_index.h"
#include "compiler/typed/program.h"
#include "runtime/state/home.h"
#include "runtime/state/store_desc.h"

namespace mut::graph {

// What an event that reaches the end of a stream does next, in order of declaration.
struct Consumer {
  enum class Kind : uint8_t { Stream, Route, Emit, Set, Join };
  Kind kind = Kind::Stream;
  int index = -1;  // of the stream, route, emit or set; Join: of the stream that joins
  int input = 0;   // Stream: which of its inputs; Join: which of its stages
};

using state::Home;

// What is asked of an event that every shard has before it goes on: whether this shard is its own.
enum class Asks : uint8_t { Nothing, Key, First };

struct Spread {
  struct StageSpread {
    Home home = Home::Everywhere;
    int key = -1;  // ByKey: which of the keys of the stage, or of its first history
    Asks asks = Asks::Nothing;
    Asks asks_right = Asks::Nothing;  // of the second input of a join
  };
  std::vector<std::vector<StageSpread>> stages;  // by stream and stage
  std::vector<std::vector<Asks>> inputs;         // by stream and input: where rows of both kinds meet
  std::vector<Asks> error_inputs;                // by stream: the same of what fails before state begins
  std::vector<char> everywhere_at;               // by error site: every shard comes by with the same event
  std::vector<char> emits_everywhere;            // by emit: every shard has the rows; the first gives them
  std::optional<Parts> parts;                    // rows are dealt out; else each shard sees them all
};

// A store and the calls of its stage that live in it.
struct StoreNode {
  state::StoreDesc desc;
  Home home = Home::Everywhere;
  int home_key = -1;    // ByKey: index into desc.keys
  bool parted = false;  // First: the others have a part of it until a window ends
  int stream = -1;
  int stage = -1;
  std::vector<int> histories;  // Where, Project: indices into Stage::histories, one per cell
  std::vector<int> columns;    // Ring: column of each cell; Match: the measure that fills each, -1: its order
  int table = -1;              // Follow: the store of the table
  std::vector<int> fields;     // Match: what conditions that look back read of the event, behind the measures
};

// A stretch of a stream that runs as one: stages [first, last); what follows `last` is reached by
// results of a window or by elements of a list.
struct Section {
  int stream = -1;
  int first = 0;
  int last = 0;
};

using Needs = std::vector<char>;  // by field

struct Graph {
  std::shared_ptr<const typed::Program> program;
  std::vector<std::vector<Consumer>> consumers;  // by stream
  std::vector<std::vector<int>> followers;       // by stream that is a table: stores that follow its rows
  std::vector<int> errors_of;                    // by stream: its `.errors` stream when that is read, or -1
  std::vector<StoreNode> stores;
  std::vector<std::vector<std::vector<int>>> stage_stores;  // stream, stage → stores
  std::vector<std::vector<Needs>>
      needs;                          // stream, stage → fields needed of what enters it; one more for the end
  std::vector<uint64_t> source_mask;  // by stream: sources it comes from
  std::vector<char> live;             // by stream: reaches a sink or set
  std::vector<int> first_site;        // by stream: see error_site(); one more for what is behind all
  std::map<const typed::Expr*, int> literal_slots;
  std::vector<typed::Const> literals;  // by slot
  std::vector<typed::TypeRef> literal_types;
  std::vector<ReaderIndex> reader_indexes;    // by the index that kernels pass
  std::vector<std::string> regexes;           // patterns, by the index that kernels pass
  std::vector<std::string> zones;             // names, by the index that kernels pass
  std::vector<typed::TypeRef> runtime_types;  // of casts and formats, by the index that kernels pass
  enum class Shards : uint8_t { One, Several };
  Shards shards = Shards::One;
  Spread spread;      // Several
  std::string shape;  // all that machine code depends on; equal shapes share kernels
};

// Place of an error: every stage of every stream has one, then the end of the stream and its head
// (decoding, event time); behind those of all streams every route, every set and every join has one.
int error_site(const Graph& graph, int stream, int stage);
int route_error_site(const Graph& graph, int route);
int set_error_site(const Graph& graph, int set);
// Of what comes from the right side of a join.
int join_error_site(const Graph& graph, int stream, int stage);
int error_site_count(const Graph& graph);
int runtime_type(const Graph& graph, typed::TypeRef type);

// `observed`: streams that a host or test reads besides the sinks.
Graph build_graph(std::shared_ptr<const typed::Program> program, const std::vector<int>& observed = {},
                  Graph::Shards shards = Graph::Shards::One);

// Whether evaluating it can end in an event error.
bool can_fail(const typed::Expr& expr);
// A type as the runtime knows it.
abi::TypeDescRef describe(typed::TypeRef type);
// Fields of the record that enters the stage which an expression reads.
void add_needs(const typed::Expr& expr, Needs& needs);
// All expressions of a stage, in a fixed order.
void for_each_expr(const typed::Stage& stage, const std::function<void(const typed::Expr&)>& visit);
bool is_breaker(const typed::Stage& stage);  // a window: what follows runs when it closes
// Whether events of a stage come out of what waits for the watermark.
bool waits_above(const typed::Program& program, int stream, size_t stage);

// For `mutc explain --emit=graph` and `--emit=pipelines`.
std::string dump(const Graph& graph);
std::string dump_pipelines(const Graph& graph);
// Of a graph for several shards: where the state of each stage is. For `mutc explain --emit=shards`.
std::string dump_shards(const Graph& graph);

}  // namespace mut::graph

// Stages as code: what one event does to the state of its stage and what it becomes.
#pragma once
#include "compiler/codegen/module_emitter.h"
#include "runtime/abi/kernel.h"

namespace mut::codegen {

class StageEmitter {
 public:
  StageEmitter(ModuleEmitter& module, FunctionEmitter& at, int stream, int stage)
      : module_(module),
        at_(at),
        stream_(stream),
        index_(stage),
        stage_(module.program().streams[static_cast<size_t>(stream)].stages[static_cast<size_t>(stage)]) {}

  // Emits the stage; afterwards FunctionEmitter::fields are those that leave it. False when nothing
  // follows here: what comes after runs elsewhere (results of a window, elements of a list).
  bool emit();

  // A cell whose words are all of its state.
  static bool is_simple(const state::CellDesc& desc);
  // Whether windows of the stage tell of each event, be it for the next tick.
  static bool gives_at_events(const typed::Stage& stage, const state::StoreDesc& desc);
  // Which of an empty group is the word that none is worse than, while a block of calm rows runs.
  static bool is_calm_extreme(const state::CellDesc& desc);
  // Of inl::CountLayout, by member.
  static std::vector<llvm::Value*> count_layout(llvm::IRBuilder<>& builder, const state::StoreDesc& desc);

 private:
  friend class JoinEmitter;
  friend class ProcessEmitter;
  using B = llvm::IRBuilder<>;
  // State that is changed only once the whole stage has succeeded (rule 4.4).
  using Commit = std::function<void()>;

  void emit_histories();
  // Each evaluates keys and arguments, and gives what is left to do once all of the stage are.
  std::function<void()> emit_group_history(const graph::StoreNode& node, int store);
  StageResult emit_previous(llvm::Value* table, llvm::Value* row, const typed::History& history,
                            const Value& now);
  std::function<void()> emit_rings(const graph::StoreNode& node, int store);
  void emit_where();
  void emit_project();
  void emit_dedupe();
  bool emit_flatten();
  void emit_running();
  void emit_table();
  void emit_lookup();
  void emit_windowed();
  // `known` where that `holds`, as it does for nearly all events; else what `look` finds.
  llvm::Value* known_or(llvm::Value* known, llvm::Value* holds, const std::function<llvm::Value*()>& look);
  llvm::Value* pane_table(int store, llvm::Value* view, llvm::Value* key);
  void emit_match();
  void emit_hold();
  void emit_top_gate(int store_index, llvm::Value* first);
  void emit_follow();
  void leave_unless(llvm::Value* condition);
  // Ends the event here where another shard has it: shard_emitter.cpp.
  void ask_shard(state::JoinSide side);
  void leave_other_shards(graph::Asks asks, const typed::Expr* key);
  void commit();

  // Argument of an aggregate, evaluated; `counts` is whether the event adds to it.
  struct Argument {
    Value value;  // without T?
    Value order;
    llvm::Value* counts = nullptr;  // null: always
    std::vector<Value> own;         // of an aggregate of the script
    const typed::AggregateCall* call = nullptr;
  };
  Argument emit_argument(const typed::AggregateCall& call);
  void query_rings(const graph::StoreNode& node, int store, llvm::Value* key, llvm::Value* sample,
                   const std::vector<Argument>& arguments);
  void query_group(const graph::StoreNode& node, int store, llvm::Value* key, const Argument& argument);
  // Memory with the words of a key.
  llvm::Value* emit_key(const std::vector<typed::ExprPtr>& keys, const state::StoreDesc& desc,
                        std::vector<Value>* values);
  // The same without T?; `present`: whether no key is none. Appends them to `values`.
  llvm::Value* emit_plain_key(const std::vector<typed::ExprPtr>& keys, const state::StoreDesc& desc,
                              llvm::Value*& present, std::vector<Value>& values);
  llvm::Value* find_row(llvm::Value* table, llvm::Value* key, const state::StoreDesc& desc);
  // The same; while a block of calm rows runs that of a store without keys lies in the frame.
  llvm::Value* row_of(int store, llvm::Value* table, llvm::Value* key);
  bool is_in_frame(int store) const;
  // The same of a store of groups: one that is past its `ttl` starts anew.
  llvm::Value* group_row(int store, llvm::Value* key);
  void add_to_cell(const state::CellDesc& desc, uint32_t index, llvm::Value* table, llvm::Value* row,
                   llvm::Value* cell, const Argument& argument);
  // To one of a window's row in the frame.
  void add_in_frame(const state::CellDesc& desc, uint32_t index, llvm::Value* table, llvm::Value* row,
                    const Argument& argument);
  void late_unless(llvm::Value* in_time);
  // Aggregates of the script: own_emitter.cpp.
  void emit_overlaps(int store, llvm::Value* key, const std::vector<Argument>& arguments);
  void emit_apart(int store, llvm::Value* key, const std::vector<Argument>& arguments, llvm::Value* windows);
  std::vector<Value> own_state(const typed::OwnAggregate& own, llvm::Value* cell);
  // A cell into memory of the kernel, and back. Texts of the copy are in the arena.
  void copy_cell(const state::CellDesc& desc, uint32_t index, llvm::Value* table, llvm::Value* row,
                 llvm::Value* copy);
  void keep_cell(const state::CellDesc& desc, uint32_t index, llvm::Value* table, llvm::Value* row,
                 llvm::Value* copy);
  // Bytes by which the state would grow with the copy in place of what the row has. `table` and `row` may be
  // null.
  llvm::Value* own_growth(int store, llvm::Value* table, llvm::Value* row, uint32_t index, llvm::Value* copy);
  // The event fails where so much does not fit. `growth` may be null.
  void need_own_room(int store, llvm::Value* growth);
  void add_own(const typed::OwnAggregate& own, const std::vector<Value>& event, llvm::Value* from,
               llvm::Value* to);
  Value own_over_ring(const graph::StoreNode& node, uint32_t cell, llvm::Value* row, llvm::Value* owner,
                      llvm::Value* sample, const Argument& argument);
  // The state at `into` joined with the one at `other`. Nothing is written when it fails.
  void merge_own(const typed::OwnAggregate& own, llvm::Value* into, llvm::Value* other);
  // What cells will hold with the event, and the bytes by which that grows; null: none of them owns memory.
  struct OwnAhead {
    std::vector<llvm::Value*> copies;  // by cell; null: of an aggregate of the language
    llvm::Value* growth = nullptr;
  };
  OwnAhead own_ahead(int store, llvm::Value* table, llvm::Value* key, const std::vector<Argument>& arguments);
  // The same of the sessions that an event falls into, joined; leaves when it is late.
  std::pair<llvm::Value*, llvm::Value*> session_row(int store, llvm::Value* key);
  // Of windows of a number of events that are made of panes: count_emitter.cpp. What the event fills, an i32
  // of inl::CountStep; the store has the room for it.
  llvm::Value* step_of_count(int store, llvm::Value* row, llvm::Value* key,
                             const std::vector<Argument>& arguments);
  // Whether each event fills a narrow pane, which is made without the cells of the row.
  bool fills_at_each(int store);
  // Once it is in the cells, or before where fills_at_each(): ends there, but for an event that the store is
  // to be given.
  void emit_count_step(int store, llvm::Value* row, llvm::Value* step, const std::vector<Value>& keys,
                       const std::vector<Argument>& arguments);
  void emit_calm_count(int store, llvm::Value* row, const std::vector<Argument>& arguments);
  std::vector<llvm::Value*> cells_of_pane(int store, llvm::Value* row,
                                          const std::vector<Argument>& arguments);
  void emit_filled_pane(int store, llvm::Value* row, const std::vector<Value>& keys,
                        const std::vector<Argument>& arguments);
  OwnAhead own_of_sessions(int store, llvm::Value* key, const std::vector<Argument>& arguments);
  void add_growth(int store, llvm::Value* table, llvm::Value* row, OwnAhead& own);
  // The result of a cell that owns no text, at `cell`.
  StageResult number_result(const state::CellDesc& desc, const typed::AggregateCall& call, llvm::Value* cell);
  StageResult result_from(llvm::Value* status, llvm::Value* memory, typed::TypeRef type);
  StageResult list_from(llvm::Value* status, llvm::Value* memory, typed::TypeRef type);
  // Of a cell that is not simple: its result, and the one that it would have with the event.
  StageResult kept_result(const state::CellDesc& cell, uint32_t index, llvm::Value* table, llvm::Value* row,
                          const typed::AggregateCall& call);
  StageResult result_with(const state::CellDesc& cell, uint32_t index, llvm::Value* table, llvm::Value* row,
                          const Argument& argument);
  void need_room(int store, llvm::Value* table, llvm::Value* key, const std::vector<Argument>& arguments);
  StageResult choose_result(llvm::Value* condition, const std::function<StageResult()>& then_result,
                            const std::function<StageResult()>& else_result);
  llvm::Value* words_of(const Value& value, bool canonical);
  void when(llvm::Value* condition, const std::function<void()>& body);
  llvm::Value* offset(llvm::Value* pointer, uint64_t bytes);
  llvm::Value* store_view(int store);
  void touch(const state::StoreDesc& desc, llvm::Value* row);  // ttl
  // Of values that are equal one is enough: they are given in the form of keys.
  static bool counts_different(const state::CellDesc& desc);
  static state::CellDesc in_row_of(uint32_t key_words, const state::StoreDesc& desc,
                                   const state::CellDesc& cell);

  ModuleEmitter& module_;
  FunctionEmitter& at_;
  int stream_;
  int index_;
  const typed::Stage& stage_;
  std::vector<Commit> commits_;
};

// Aggregates of the script, where they are read.
uint64_t own_bytes(const typed::OwnAggregate& own);
std::vector<Value> own_or_initial(FunctionEmitter& at, const typed::OwnAggregate& own, llvm::Value* events,
                                  const std::function<std::vector<Value>()>& loaded);
// A value of the copy of a cell, and back: see state/own_cells.
Value own_word(FunctionEmitter& at, typed::TypeRef type, llvm::Value* memory);
void store_own_word(FunctionEmitter& at, const Value& value, llvm::Value* memory);
std::vector<Value> own_state_at(FunctionEmitter& at, const typed::OwnAggregate& own, llvm::Value* cell);
// The state at `from` after one more event, to `to`; both may be one. Nothing is written when it fails.
void own_add(FunctionEmitter& at, const typed::OwnAggregate& own, const std::vector<Value>& event,
             llvm::Value* from, llvm::Value* to);
Value own_result(FunctionEmitter& at, const typed::OwnAggregate& own, const std::vector<Value>& states);

// What they are passed, where samples keep it: packed_emitter.cpp. How many columns a parameter has.
uint32_t kept_columns(typed::TypeRef type);
// Its words, one column after the other. `counts` may be null: the event counts.
std::vector<llvm::Value*> kept_words(FunctionEmitter& at, const Value& value, llvm::Value* counts);
// A list, record or map of the text that it is kept as, in memory of the arena.
Value unpacked(FunctionEmitter& at, typed::TypeRef type, llvm::Value* text);
// Whether its states are words, which hold nothing of what they were made of: then that can be let go.
bool keeps_no_arguments(const typed::OwnAggregate& own);
// The arena as it is now, and back to that: for what nobody reads any more.
llvm::Value* arena_mark(FunctionEmitter& at);
void rewind_arena(FunctionEmitter& at, llvm::Value* mark);

}  // namespace mut::codegen

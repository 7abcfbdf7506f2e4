// The functions of a module and how streams call each other.
#pragma once
#include <llvm/IR/Module.h>

#include <map>

#include "compiler/codegen/function_emitter.h"
#include "compiler/codegen/place_writer.h"
#include "compiler/codegen/tally.h"

namespace mut::codegen {

// Rows that a store gives by itself, as MutResultRows names them.
struct GivenRows {
  llvm::Value* rows;
  llvm::Value* times;
  llvm::Value* count;
};
struct GivenRow {
  llvm::Value* index;
  llvm::Value* address;  // null: it lies nowhere, and no aggregate is one of the script
  std::function<Value(size_t place, typed::TypeRef type)> field;  // place: in state::result_record
};

class ModuleEmitter {
 public:
  ModuleEmitter(const graph::Graph& graph, llvm::Module& module, Literals literals, SourceRows rows,
                Places places);
  void run();

  const graph::Graph& graph() const { return graph_; }
  const typed::Program& program() const { return *graph_.program; }
  llvm::Module& module() { return module_; }
  Literals literals() const { return literals_; }
  SourceRows source_rows() const { return source_rows_; }
  const Tally& tally() const { return tally_; }
  // How often a branch goes each way, as metadata. Null where no pass reads it.
  llvm::MDNode* weights(uint32_t taken, uint32_t other) const;
  PlaceWriter* places() const { return places_.get(); }  // null: instructions say nothing of places
  // A helper by name; declared at first use.
  llvm::FunctionCallee helper(const char* name, llvm::Type* result, std::vector<llvm::Type*> params);
  const abi::TypeDesc& layout(typed::TypeRef type);
  const abi::TypeDesc& params_layout() const { return *params_layout_; }

  // Stages from `stage` on of a stream, as a function of one event. Made when first called.
  llvm::Function* section(int stream, size_t stage, Known known);
  // What an event of the right side of a join calls. Made when first called.
  llvm::Function* right_side(int stream, int stage);

 private:
  friend class StageEmitter;
  friend class SourceLoop;
  friend class LooksAhead;
  friend class JoinEmitter;
  friend class ProcessEmitter;
  friend class CalmRows;
  // `more`: parameters behind those of an event.
  llvm::Function* make_section(int stream, size_t stage, const std::string& name,
                               const std::vector<llvm::Type*>& more = {});
  // Takes the arguments of such a function as the event that enters the stage.
  void enter_section(FunctionEmitter& at, int stream, size_t stage);
  void emit_section(int stream, size_t stage, Known known, llvm::Function* function);
  void emit_source_kernel(int source);
  void emit_times_kernel(int source);
  void emit_result_kernel(int store);
  // Over rows that a store gives by itself (state::result_record): sets the event time, which is put back
  // behind the loop.
  void for_each_result(FunctionEmitter& at, const state::StoreDesc& desc, const GivenRows& given,
                       const std::function<void(const GivenRow& row)>& body);
  // The loop over rows that windows of a store give: each through the stages behind. `at` stands behind the
  // loop then.
  void emit_result_rows(FunctionEmitter& at, int store, llvm::Value* rows, llvm::Value* times,
                        llvm::Value* count);
  // The same of one row, wherever its fields are.
  void emit_result_row(FunctionEmitter& at, int store, const GivenRow& row);
  // The first parameter of every function is the whole context.
  void mark_context(llvm::Function& function);
  // Calls the section of a stream with the fields it needs.
  llvm::CallInst* call_section(FunctionEmitter& at, int of, size_t from, const std::vector<Value>& fields);
  std::pair<int, size_t> first_at_work(int stream, size_t stage) const;
  // Follow: follow_emitter.cpp.
  void settle_followers(FunctionEmitter& at, int stream);
  Value own_of_group(FunctionEmitter& at, int store, size_t measure, llvm::Value* group);
  void finish_stream(FunctionEmitter& at, int stream);
  // Many readers: fan_emitter.cpp. A function gives an event to some of them; bits of `always` are those that
  // see every event.
  struct Fan {
    llvm::Function* function;
    uint32_t always;
  };
  void emit_fans(FunctionEmitter& at, int stream);
  llvm::Function* make_fan(int stream, Known known, size_t first, size_t last,
                           const graph::ReaderIndex* index);
  void emit_wanted_fans(FunctionEmitter& at, const graph::ReaderIndex& index, const std::vector<Fan>& fans,
                        std::vector<llvm::Value*> args);
  llvm::Value* look_up_readers(FunctionEmitter& at, const graph::ReaderIndex& index);
  void emit_consumer(FunctionEmitter& at, int stream, const graph::Consumer& consumer);
  void emit_row(FunctionEmitter& at, int emit);
  void emit_right_event(FunctionEmitter& at, const graph::Consumer& consumer);
  void emit_route(FunctionEmitter& at, int route);
  void emit_set(FunctionEmitter& at, int stream, int set);
  // What happens in the handler of a site: the error is told, and its event given to `.errors`.
  void emit_failure(FunctionEmitter& at, int site, int stream, int stage, const std::vector<Value>& fields,
                    typed::TypeRef record);
  // The same of a row that a store gives: `shown` has the fields of state::shown_record.
  void emit_result_failure(FunctionEmitter& at, int store, const std::vector<Value>& shown);
  void send_error_event(FunctionEmitter& at, int stream, int site, llvm::Value* event);
  // Several shards: `body` where this one is to go on, and control behind it.
  llvm::Value* is_first_shard(FunctionEmitter& at) const;
  void when_asked(FunctionEmitter& at, graph::Asks asks, const std::function<void()>& body) const;
  void emit_pattern_condition(int store);
  // Rows that a store of whole rows lets go, through what follows it.
  void emit_held_rows(FunctionEmitter& at, int index, llvm::Value* rows, llvm::Value* times,
                      llvm::Value* count);
  // Whether stages of the source ask for the watermark, and whether something can fire because of it.
  bool reads_watermark(int source) const;
  bool can_fire(int source) const;
  // Whether its events may set a timer that is due already.
  bool sets_timers(int source) const;
  // Whether its events reach variables of the script that lie in the heap of a store.
  bool keeps_variables(int source) const;
  std::vector<Value> generated_fields(FunctionEmitter& at, const typed::Source& source, llvm::Value* number);
  std::vector<Value> column_fields(FunctionEmitter& at, const typed::Source& source, llvm::Value* columns,
                                   llvm::Value* row);

  const graph::Graph& graph_;
  llvm::Module& module_;
  Literals literals_;
  SourceRows source_rows_;
  Tally tally_;
  std::unique_ptr<PlaceWriter> places_;
  std::map<std::string, abi::TypeDescRef> layouts_;
  abi::TypeDescRef params_layout_;
  using SectionOf = std::tuple<int, size_t, Known>;  // stream, stage
  std::map<SectionOf, llvm::Function*> sections_;
  std::vector<SectionOf> pending_;
  std::map<std::pair<int, int>, llvm::Function*> right_sides_;  // by stream and stage
  std::vector<std::pair<int, int>> pending_right_sides_;
};

// Fields that are needed, described as a record: what errors and functions get.
typed::TypeRef needed_record(const graph::Needs& needs, typed::TypeRef record, typed::TypeTable& types);

}  // namespace mut::codegen

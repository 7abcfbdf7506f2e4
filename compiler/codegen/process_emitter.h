// `process` as code: the body of an event or of a timer over copies of the state, which go back when nothing
// of it has failed; then the timers are set and the rows leave.
#pragma once
#include "compiler/codegen/stage_emitter.h"

namespace mut::codegen {

class ProcessEmitter {
 public:
  ProcessEmitter(ModuleEmitter& module, FunctionEmitter& at, int stream, int stage);

  // FunctionEmitter::fields are those of an event. Ends with a return.
  void emit_event();
  // The loop over timers that have fired.
  static void emit_timers(ModuleEmitter& module, FunctionEmitter& at, int store, const GivenRows& given);

 private:
  using B = llvm::IRBuilder<>;
  using Statements = std::vector<typed::Statement>;

  // What a timer is to do: 0 go on, 1 be set, 2 be cancelled.
  struct Timer {
    llvm::Value* change;
    llvm::Value* due;
  };
  struct Row {
    llvm::Value* given;  // whether its `emit` was reached
    Value value;
  };
  // The state while statements are emitted: what they have made so far.
  struct Progress {
    std::vector<Value> states;
    std::vector<llvm::Value*> written;  // by state: whether the row is to get it
    std::vector<Timer> timers;
    std::vector<Row> rows;  // one an `emit`, in order of the text
    size_t next_row = 0;
  };
  enum class Cause : uint8_t { Event, Timer };

  void emit_timer(size_t timer, const std::vector<Value>& keys);
  void bind_keys(const std::vector<Value>& keys);
  void load_states(llvm::Value* table, llvm::Value* row);
  void run(const Statements& body, Cause cause);
  void run_statements(const Statements& body, Cause cause);
  void run_if(const typed::Statement& statement, Cause cause);
  void bind_states();
  void commit(llvm::Value* table, llvm::Value* row, const Statements& body, Cause cause);
  void give_rows();
  static size_t count_rows(const Statements& body);
  static void find_timers(const Statements& body, std::vector<char>& timers);

  ModuleEmitter& module_;
  FunctionEmitter& at_;
  StageEmitter stages_;
  int stream_;
  int index_;
  const typed::Stage& stage_;
  const typed::Process& process_;
  int store_ = -1;  // -1: it keeps nothing
  const state::StoreDesc* desc_ = nullptr;
  Progress now_;
};

}  // namespace mut::codegen

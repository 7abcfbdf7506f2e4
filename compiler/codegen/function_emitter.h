// Code for one event at one place: the state that expressions and stages share while a function is made.
#pragma once
#include <functional>
#include <map>
#include <optional>

#include "compiler/codegen/emit.h"
#include "compiler/codegen/value.h"

namespace mut::codegen {

// Where an event error goes: `code` gets the EventError, then control goes to `block`.
struct Handler {
  llvm::BasicBlock* block = nullptr;
  llvm::AllocaInst* code = nullptr;
};

// A result of a stage's state. One that does not fit is an error of the expression that reads it, and of no
// other: what is not needed does not fail.
struct StageResult {
  Value value;
  llvm::Value* overflow = nullptr;  // i1; null: it always fits
};

// Results of a stage's state, as its expressions read them.
struct StageValues {
  std::vector<StageResult> histories;
  std::vector<Value> keys;
  std::vector<StageResult> aggregates;
  Value window_start;
  Value window_end;
};

// What is known of the rows that code is made for.
enum class Known : uint8_t {
  Nothing,
  Calm,         // nothing fires before or among them, and each lies in the panes that its windows used last
                // (calm_rows.h)
  CalmInOrder,  // and none is before the one before it
  CalmQuiet,    // and none fills a pane of a number of events
};
inline bool is_calm(Known known) { return known != Known::Nothing; }

class ModuleEmitter;

class FunctionEmitter {
 public:
  // `place`: what it is there for, but for what an AtPlace says (graph/places.h).
  FunctionEmitter(ModuleEmitter& module, llvm::Function* function, int place);

  llvm::IRBuilder<>& builder() { return builder_; }
  ModuleEmitter& module() { return module_; }
  llvm::Function* function() { return function_; }
  llvm::Value* context() const { return context_; }
  void set_context(llvm::Value* context) { context_ = context; }

  // Fields of the event; an empty Value for one that nobody needs.
  std::vector<Value> fields;
  StageValues stage;
  llvm::Value* counts = nullptr;    // of the Tally
  llvm::Value* time = nullptr;      // i64
  llvm::Value* position = nullptr;  // i64
  Handler handler;
  Known known_rows = Known::Nothing;
  llvm::Value* draw_number = nullptr;  // `n` of generate
  int draw_source = 0;
  int draw_count = 0;

  Value emit(const typed::Expr& expr);
  llvm::Value* emit_condition(const typed::Expr& expr) { return emit(expr).part(); }

  void bind(int local, Value value) { locals_[local] = std::move(value); }

  // An alloca in the entry block.
  llvm::AllocaInst* temporary(uint64_t bytes);
  // Memory that holds the value in memory layout.
  llvm::Value* spill(const Value& value);
  llvm::BasicBlock* block(const char* name);
  // Goes to the handler with `error` unless `fine`.
  void check(llvm::Value* fine, typed::EventError error);
  // The same where `wrong`. Of an overflow the quick tier makes one jump, as nothing turns it.
  void refuse(llvm::Value* wrong, typed::EventError error);
  void fail(typed::EventError error);
  // Widened to a word of keys, cells and samples; texts have two.
  std::vector<llvm::Value*> words(const Value& value);
  Value from_words(typed::TypeRef type, llvm::Value* memory);
  Value convert(const Value& value, typed::TypeRef target);
  llvm::Value* equal(const Value& a, const Value& b);
  // Two decimals of one scale: the difference to `out`; not 0 when it does not fit.
  llvm::Value* subtract_decimals(const Value& a, const Value& b, llvm::Value* out);
  llvm::Value* context_field(unsigned offset, llvm::Type* type);
  // One that does not change while a kernel runs. `bytes`: how many it points at, of a pointer; known, so
  // that reading them can leave a loop.
  llvm::Value* context_constant(unsigned offset, llvm::Type* type, uint64_t bytes = 0);
  // Marks a load whose memory does not change while a kernel runs.
  llvm::LoadInst* constant(llvm::LoadInst* load, uint64_t bytes = 0);
  // Chooses between two ways of computing a value of one type.
  Value choose(llvm::Value* condition, const std::function<Value()>& then_value,
               const std::function<Value()>& else_value);
  // A loop over [begin, end), unsigned. `body` may branch; where it ends the next round begins.
  void for_each(llvm::Value* begin, llvm::Value* end, const std::function<void(llvm::Value* index)>& body);

 private:
  Value read(const StageResult& result);
  llvm::Value* literals();
  llvm::BasicBlock* failing(typed::EventError error);
  Value emit_literal(const typed::Expr& expr);
  Value emit_param(const typed::Expr& expr);
  Value emit_unary(const typed::Expr& expr);
  Value emit_binary(const typed::Expr& expr);
  Value emit_arithmetic(const typed::Expr& expr, const Value& left, const Value& right);
  Value emit_int_arithmetic(typed::Op op, typed::TypeRef type, llvm::Value* left, llvm::Value* right,
                            bool is_signed);
  Value emit_comparison(const typed::Expr& expr, const Value& left, const Value& right);
  llvm::Value* less(const Value& a, const Value& b);
  // Decimals: decimal_emitter.cpp.
  Value emit_decimal_arithmetic(const typed::Expr& expr, const Value& left, const Value& right);
  // Below, at or above zero, whatever the scales.
  llvm::Value* compare_decimals(const Value& a, const Value& b);
  Value to_decimal(const Value& value, typed::TypeRef target);
  Value round_decimal(const typed::Expr& expr, const Value& value);
  // The two halves, low first.
  std::pair<llvm::Value*, llvm::Value*> halves(llvm::Value* units);
  void check_decimal(llvm::Value* error);
  Value call_decimal(const char* name, typed::TypeRef result, const Value& left, const Value& right);
  Value emit_call(const typed::Expr& expr);
  Value emit_float_call(const typed::Expr& expr, const std::vector<Value>& args);
  Value emit_extreme(const typed::Expr& expr, const std::vector<Value>& args);
  Value emit_draw(const typed::Expr& expr);
  Value emit_runtime_call(const typed::Expr& expr, const std::vector<Value>& args);
  Value emit_cast(const typed::Expr& expr);
  Value emit_text(const typed::Expr& expr);
  Value emit_json_walk(const typed::Expr& expr, const std::vector<Value>& args);
  Value emit_json_of(const typed::Expr& expr, const Value& value);
  Value emit_regex(const typed::Expr& expr, const std::vector<Value>& args);
  Value emit_list(const typed::Expr& expr);
  // Lists, an element at a time: list_emitter.cpp.
  Value emit_each(const typed::Expr& expr);
  std::vector<llvm::Value*> for_each_element(
      const Value& list, int local, std::vector<llvm::Value*> carried,
      const std::function<std::vector<llvm::Value*>(llvm::Value* index, const Value& element,
                                                    const std::vector<llvm::Value*>& carried)>& body,
      const std::function<llvm::Value*(const std::vector<llvm::Value*>& carried)>& ends = {});
  Value emit_zip(const typed::Expr& expr);
  llvm::Value* element_at(const abi::TypeDesc& layout, llvm::Value* data, llvm::Value* index);
  llvm::Value* list_memory(const abi::TypeDesc& layout, llvm::Value* count);
  Value emit_map(const typed::Expr& expr);
  // `m[k]`.
  Value emit_map_value(const typed::Expr& expr);
  Value emit_element(const typed::Expr& expr);
  Value emit_try(const typed::Expr& expr);
  Value bool_value(llvm::Value* value) const;

  ModuleEmitter& module_;
  llvm::Function* function_;
  llvm::IRBuilder<> builder_;
  llvm::Value* context_ = nullptr;
  llvm::Value* literals_ = nullptr;  // the table, once a literal was read
  // Where a check fails, by the handler and the error: they are shared.
  std::map<std::pair<llvm::BasicBlock*, typed::EventError>, llvm::BasicBlock*> wrong_;
  std::map<int, Value> locals_;
};

// What is emitted while it lives is there for that place.
class AtPlace {
 public:
  AtPlace(FunctionEmitter& at, int place);
  ~AtPlace() { builder_.SetCurrentDebugLocation(before_); }
  AtPlace(const AtPlace&) = delete;
  AtPlace& operator=(const AtPlace&) = delete;

 private:
  llvm::IRBuilder<>& builder_;
  llvm::DebugLoc before_;
};

}  // namespace mut::codegen

#include "compiler/codegen/process_emitter.h"

#include <llvm/IR/CFG.h>

namespace mut::codegen {

using typed::EventError;
using typed::Kind;
using typed::Statement;

ProcessEmitter::ProcessEmitter(ModuleEmitter& module, FunctionEmitter& at, int stream, int stage)
    : module_(module),
      at_(at),
      stages_(module, at, stream, stage),
      stream_(stream),
      index_(stage),
      stage_(module.program().streams[static_cast<size_t>(stream)].stages[static_cast<size_t>(stage)]),
      process_(*stage_.process) {
  const auto& stores = module.graph().stage_stores[static_cast<size_t>(stream)][static_cast<size_t>(stage)];
  if (stores.empty()) return;
  store_ = stores[0];
  desc_ = &module.graph().stores[static_cast<size_t>(store_)].desc;
}

size_t ProcessEmitter::count_rows(const Statements& body) {
  size_t out = 0;
  for (const Statement& statement : body) {
    out += statement.kind == Statement::Kind::Emit ? 1 : 0;
    out += count_rows(statement.then_body) + count_rows(statement.else_body);
  }
  return out;
}

void ProcessEmitter::find_timers(const Statements& body, std::vector<char>& timers) {
  for (const Statement& statement : body) {
    if (statement.kind == Statement::Kind::SetTimer || statement.kind == Statement::Kind::CancelTimer)
      timers[static_cast<size_t>(statement.index)] = 1;
    find_timers(statement.then_body, timers);
    find_timers(statement.else_body, timers);
  }
}

void ProcessEmitter::emit_event() {
  at_.stage = {};
  std::vector<Value> keys;
  llvm::Value* table = nullptr;
  llvm::Value* row = nullptr;
  if (store_ >= 0) {
    llvm::Value* key = stages_.emit_key(stage_.keys, *desc_, &keys);
    table = stages_.store_view(store_);
    row = stages_.group_row(store_, key);
  } else {
    for (const typed::ExprPtr& key : stage_.keys) keys.push_back(at_.emit(*key));
  }
  bind_keys(keys);
  load_states(table, row);
  run(process_.on_event, Cause::Event);
  commit(table, row, process_.on_event, Cause::Event);
  give_rows();
  at_.builder().CreateRetVoid();
}

void ProcessEmitter::emit_timers(ModuleEmitter& module, FunctionEmitter& at, int store,
                                 const GivenRows& given) {
  B& b = at.builder();
  const graph::StoreNode& node = module.graph().stores[static_cast<size_t>(store)];
  const typed::Stage& stage =
      module.program().streams[static_cast<size_t>(node.stream)].stages[static_cast<size_t>(node.stage)];
  module.for_each_result(at, node.desc, given, [&](const GivenRow& fired) {
    llvm::BasicBlock* next = at.block("next");
    at.handler = {at.block("failed"), at.temporary(4)};
    llvm::BasicBlock* failed = at.handler.block;
    std::vector<Value> keys;
    for (size_t i = 0; i < stage.keys.size(); ++i) keys.push_back(fired.field(i + 1, stage.keys[i]->type));
    llvm::Value* which = fired.field(0, module.program().types->scalar(Kind::I32)).part();
    llvm::SwitchInst* choice = b.CreateSwitch(which, next);
    for (size_t i = 0; i < stage.process->timers.size(); ++i) {
      llvm::BasicBlock* block = at.block("timer");
      choice->addCase(b.getInt32(static_cast<uint32_t>(i)), block);
      b.SetInsertPoint(block);
      ProcessEmitter(module, at, node.stream, node.stage).emit_timer(i, keys);
      b.CreateBr(next);
    }
    if (llvm::pred_empty(failed)) {
      failed->eraseFromParent();
    } else {
      b.SetInsertPoint(failed);
      module.emit_result_failure(at, store, keys);
      b.CreateBr(next);
    }
    b.SetInsertPoint(next);
  });
}

void ProcessEmitter::emit_timer(size_t timer, const std::vector<Value>& keys) {
  B& b = at_.builder();
  const Statements& body = process_.timers[timer].body;
  bind_keys(keys);
  llvm::Value* table = stages_.store_view(store_);
  llvm::Value* row =
      b.CreateCall(module_.helper("mut_process_row", b.getPtrTy(), {b.getPtrTy(), b.getInt32Ty()}),
                   {at_.context(), b.getInt32(static_cast<uint32_t>(store_))});
  load_states(table, row);
  run(body, Cause::Timer);
  commit(table, row, body, Cause::Timer);
  give_rows();
}

void ProcessEmitter::bind_keys(const std::vector<Value>& keys) {
  for (size_t i = 0; i < keys.size(); ++i) at_.bind(process_.key_locals[i], keys[i]);
}

// Of a key that no event has come for the initial state.
void ProcessEmitter::load_states(llvm::Value* table, llvm::Value* row) {
  B& b = at_.builder();
  for (uint32_t i = 0; i < process_.states.size(); ++i) {
    const typed::ProcessState& state = process_.states[i];
    const state::CellDesc& cell = desc_->cells[i];
    llvm::AllocaInst* copy = at_.temporary(cell.size);
    stages_.copy_cell(cell, i, table, row, copy);
    llvm::Value* set = b.CreateAlignedLoad(b.getInt64Ty(), copy, llvm::Align(8));
    llvm::Value* known = b.CreateICmpNE(set, b.getInt64(0));
    now_.written.push_back(b.CreateNot(known));
    now_.states.push_back(at_.choose(
        known, [&] { return own_word(at_, state.type, stages_.offset(copy, 8)); },
        [&] { return at_.emit(*state.initial); }));
    now_.states.back().type = state.type;
  }
  now_.timers.assign(process_.timers.size(), {b.getInt32(0), b.getInt64(0)});
  bind_states();
}

void ProcessEmitter::bind_states() {
  for (size_t i = 0; i < process_.states.size(); ++i) at_.bind(process_.states[i].local, now_.states[i]);
}

void ProcessEmitter::run(const Statements& body, Cause cause) {
  Row none{at_.builder().getFalse(), zero(stage_.output, at_.function()->getContext())};
  now_.rows.assign(count_rows(body), none);
  now_.next_row = 0;
  run_statements(body, cause);
}

void ProcessEmitter::run_statements(const Statements& body, Cause cause) {
  B& b = at_.builder();
  for (const Statement& statement : body) {
    auto index = static_cast<size_t>(statement.index);
    switch (statement.kind) {
      case Statement::Kind::Let:
        at_.bind(statement.index, at_.emit(*statement.value));
        break;
      case Statement::Kind::Assign:
        now_.states[index] = at_.emit(*statement.value);
        now_.written[index] = b.getTrue();
        at_.bind(process_.states[index].local, now_.states[index]);
        break;
      case Statement::Kind::If:
        run_if(statement, cause);
        break;
      case Statement::Kind::Emit:
        now_.rows[now_.next_row++] = {b.getTrue(), at_.emit(*statement.value)};
        break;
      case Statement::Kind::SetTimer: {
        llvm::Value* due = at_.emit(*statement.value).part();
        if (cause == Cause::Timer) at_.check(b.CreateICmpSGT(due, at_.time), EventError::Timer);
        now_.timers[index] = {b.getInt32(1), due};
        break;
      }
      case Statement::Kind::CancelTimer:
        now_.timers[index] = {b.getInt32(2), b.getInt64(0)};
        break;
    }
  }
}

void ProcessEmitter::run_if(const Statement& statement, Cause cause) {
  B& b = at_.builder();
  llvm::Value* condition = at_.emit_condition(*statement.value);
  llvm::BasicBlock* then_block = at_.block("then");
  llvm::BasicBlock* else_block = at_.block("else");
  llvm::BasicBlock* end = at_.block("joined");
  b.CreateCondBr(condition, then_block, else_block);
  Progress before = now_;
  b.SetInsertPoint(then_block);
  run_statements(statement.then_body, cause);
  then_block = b.GetInsertBlock();
  b.CreateBr(end);
  Progress then = std::exchange(now_, std::move(before));
  now_.next_row = then.next_row;
  bind_states();
  b.SetInsertPoint(else_block);
  run_statements(statement.else_body, cause);
  else_block = b.GetInsertBlock();
  b.CreateBr(end);
  b.SetInsertPoint(end);
  auto join = [&](llvm::Value* of_then, llvm::Value*& of_else) {
    if (of_then == of_else) return;
    llvm::PHINode* phi = b.CreatePHI(of_then->getType(), 2);
    phi->addIncoming(of_then, then_block);
    phi->addIncoming(of_else, else_block);
    of_else = phi;
  };
  auto join_values = [&](const Value& of_then, Value& of_else) {
    for (size_t i = 0; i < of_then.parts.size(); ++i) join(of_then.parts[i], of_else.parts[i]);
  };
  for (size_t i = 0; i < now_.states.size(); ++i) {
    join_values(then.states[i], now_.states[i]);
    join(then.written[i], now_.written[i]);
  }
  for (size_t i = 0; i < now_.timers.size(); ++i) {
    join(then.timers[i].change, now_.timers[i].change);
    join(then.timers[i].due, now_.timers[i].due);
  }
  for (size_t i = 0; i < now_.rows.size(); ++i) {
    join(then.rows[i].given, now_.rows[i].given);
    join_values(then.rows[i].value, now_.rows[i].value);
  }
  bind_states();
}

// Nothing has changed until here, and nothing fails behind the question for room.
void ProcessEmitter::commit(llvm::Value* table, llvm::Value* row, const Statements& body, Cause cause) {
  if (store_ < 0) return;
  B& b = at_.builder();
  llvm::Type* pointer = b.getPtrTy();
  llvm::Type* half = b.getInt32Ty();
  llvm::Type* word = b.getInt64Ty();
  llvm::Value* number = b.getInt32(static_cast<uint32_t>(store_));
  std::vector<char> timed(process_.timers.size(), 0);
  find_timers(body, timed);
  llvm::Value* growth = b.getInt64(0);
  llvm::Value* timers = b.getInt32(0);
  bool asks = std::any_of(timed.begin(), timed.end(), [](char any) { return any != 0; });
  std::vector<llvm::AllocaInst*> copies;
  for (uint32_t i = 0; i < now_.states.size(); ++i) {
    const state::CellDesc& cell = desc_->cells[i];
    copies.push_back(at_.temporary(cell.size));
    auto copy = [&] {
      b.CreateAlignedStore(b.getInt64(1), copies[i], llvm::Align(8));
      store_own_word(at_, now_.states[i], stages_.offset(copies[i], 8));
    };
    if (!state::owns_memory(cell)) {
      copy();
      continue;
    }
    asks = true;
    Value grown = at_.choose(
        now_.written[i],
        [&] {
          copy();
          return Value{nullptr, {stages_.own_growth(store_, table, row, i, copies[i])}};
        },
        [&] { return Value{nullptr, {b.getInt64(0)}}; });
    growth = b.CreateAdd(growth, grown.part());
  }
  for (const Timer& timer : now_.timers)
    timers = b.CreateAdd(timers, b.CreateZExt(b.CreateICmpEQ(timer.change, b.getInt32(1)), half));
  if (asks) {
    llvm::Value* room = b.CreateCall(module_.helper("mut_process_room", half, {pointer, half, word, half}),
                                     {at_.context(), number, growth, timers});
    at_.check(b.CreateICmpNE(room, b.getInt32(0)), EventError::Memory);
  }
  for (uint32_t i = 0; i < now_.states.size(); ++i) {
    const state::CellDesc& cell = desc_->cells[i];
    // Numbers are written whether they have changed or not: that costs less than to ask.
    stages_.when(state::owns_memory(cell) ? now_.written[i] : nullptr,
                 [&] { stages_.keep_cell(cell, i, table, row, copies[i]); });
  }
  for (uint32_t i = 0; i < now_.timers.size(); ++i) {
    if (timed[i] == 0) continue;
    const Timer& timer = now_.timers[i];
    stages_.when(b.CreateICmpNE(timer.change, b.getInt32(0)), [&] {
      b.CreateCall(module_.helper("mut_process_timer", b.getVoidTy(),
                                  {pointer, half, pointer, half, half, word, half}),
                   {at_.context(), number, row, b.getInt32(i), timer.change, timer.due,
                    b.getInt32(cause == Cause::Timer ? 1 : 0)});
    });
  }
  stages_.touch(*desc_, row);
}

void ProcessEmitter::give_rows() {
  for (const Row& row : now_.rows) {
    stages_.when(row.given, [&] {
      std::vector<Value> fields;
      size_t first = 0;
      for (const typed::Field& field : stage_.output->fields) {
        fields.push_back(slice(row.value, first, field.type));
        first += part_count(field.type);
      }
      module_.call_section(at_, stream_, static_cast<size_t>(index_) + 1, fields);
    });
  }
}

}  // namespace mut::codegen

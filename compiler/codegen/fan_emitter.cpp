// Streams with many readers: functions of some readers each, and which of them an event is given to.
#include <algorithm>

#include "compiler/codegen/module_emitter.h"
#include "compiler/graph/places.h"
#include "runtime/abi/kernel.h"

namespace mut::codegen {

using graph::Consumer;
using typed::Kind;

namespace {

constexpr size_t group_size = MUT_READERS_OF_GROUP;

bool has_sign(Kind kind) {
  return kind != Kind::Enum && kind != Kind::U8 && kind != Kind::U16 && kind != Kind::U32;
}

const graph::ReaderIndex* find_index(const graph::Graph& graph, int stream) {
  for (const graph::ReaderIndex& index : graph.reader_indexes) {
    if (index.stream == stream) return &index;
  }
  return nullptr;
}

// Readers [first, last) of the group, by bit: those that see every event.
uint32_t always_wanted(const graph::ReaderIndex& index, size_t first, size_t last) {
  uint32_t out = 0;
  for (size_t i = first; i < last; ++i) {
    if (index.slots[i].empty()) out |= uint32_t{1} << (i - first);
  }
  return out;
}

}  // namespace

// What the optimiser does to a function costs more than its length: of thousands of readers some each are
// one.
void ModuleEmitter::emit_fans(FunctionEmitter& at, int stream) {
  const std::vector<Consumer>& consumers = graph_.consumers[static_cast<size_t>(stream)];
  const size_t end = program().streams[static_cast<size_t>(stream)].stages.size();
  const graph::ReaderIndex* index = find_index(graph_, stream);
  std::vector<llvm::Value*> args = {at.context(), at.counts, at.time, at.position};
  const graph::Needs& needs = graph_.needs[static_cast<size_t>(stream)][end];
  for (size_t i = 0; i < at.fields.size(); ++i) {
    if (needs[i]) args.insert(args.end(), at.fields[i].parts.begin(), at.fields[i].parts.end());
  }
  std::vector<Fan> fans;
  for (size_t first = 0; first < consumers.size(); first += group_size) {
    size_t last = std::min(first + group_size, consumers.size());
    uint32_t always = index != nullptr ? always_wanted(*index, first, last) : ~uint32_t{0};
    fans.push_back({make_fan(stream, at.known_rows, first, last, index), always});
  }
  if (index != nullptr) return emit_wanted_fans(at, *index, fans, args);
  for (const Fan& fan : fans) at.builder().CreateCall(fan.function, args);
}

// With an index it is told which of its readers are wanted, and asks so of those that do not see every event.
llvm::Function* ModuleEmitter::make_fan(int stream, Known known, size_t first, size_t last,
                                        const graph::ReaderIndex* index) {
  const size_t end = program().streams[static_cast<size_t>(stream)].stages.size();
  const char* kind = known == Known::CalmQuiet ? "quiet_fan_" : is_calm(known) ? "calm_fan_" : "fan_";
  std::vector<llvm::Type*> more;
  if (index != nullptr) more.push_back(llvm::Type::getInt32Ty(module_.getContext()));
  llvm::Function* fan = make_section(stream, end, kind + std::to_string(first) + "_", more);
  fan->addFnAttr(llvm::Attribute::NoInline);
  FunctionEmitter inside(*this, fan, graph::end_place(graph_, stream));
  inside.known_rows = known;
  enter_section(inside, stream, end);
  llvm::IRBuilder<>& b = inside.builder();
  const std::vector<Consumer>& consumers = graph_.consumers[static_cast<size_t>(stream)];
  for (size_t i = first; i < last; ++i) {
    if (index == nullptr || index->slots[i].empty()) {
      emit_consumer(inside, stream, consumers[i]);
      continue;
    }
    llvm::BasicBlock* wanted = inside.block("wanted");
    llvm::BasicBlock* next = inside.block("next");
    llvm::Value* bit = b.CreateAnd(fan->getArg(static_cast<unsigned>(fan->arg_size()) - 1),
                                   b.getInt32(uint32_t{1} << (i - first)));
    b.CreateCondBr(b.CreateICmpNE(bit, b.getInt32(0)), wanted, next, weights(1, group_size));
    b.SetInsertPoint(wanted);
    // The instance counts each event as let go by all readers that are looked up.
    llvm::Value* dropped = tally_.dropped(b, inside.counts, graph::error_site(graph_, consumers[i].index, 0));
    b.CreateStore(b.CreateSub(b.CreateLoad(b.getInt64Ty(), dropped), b.getInt64(1)), dropped);
    emit_consumer(inside, stream, consumers[i]);
    b.CreateBr(next);
    b.SetInsertPoint(next);
  }
  b.CreateRetVoid();
  return fan;
}

namespace {

// The groups of readers that one event is given to, in their order, as the look-up left them.
class WantedGroups {
 public:
  WantedGroups(FunctionEmitter& at, llvm::Value* first) : b_(at.builder()), next_(at.temporary(8)) {
    b_.CreateStore(first, next_);
  }

  llvm::Value* group() { return b_.CreateLoad(b_.getInt32Ty(), now()); }
  llvm::Value* wanted() {
    return b_.CreateLoad(b_.getInt32Ty(), offset_by(b_, now(), offsetof(MutReaders, wanted)));
  }
  void step() { b_.CreateStore(offset_by(b_, now(), sizeof(MutReaders)), next_); }
  // Goes on to the next one where the one now is that.
  void step_if(llvm::Value* condition) {
    llvm::Value* at = now();
    b_.CreateStore(b_.CreateSelect(condition, offset_by(b_, at, sizeof(MutReaders)), at), next_);
  }

 private:
  llvm::Value* now() { return b_.CreateLoad(b_.getPtrTy(), next_); }

  llvm::IRBuilder<>& b_;
  llvm::Value* next_;
};

}  // namespace

llvm::Value* ModuleEmitter::look_up_readers(FunctionEmitter& at, const graph::ReaderIndex& index) {
  llvm::IRBuilder<>& b = at.builder();
  const Value& value = at.fields[static_cast<size_t>(index.field)];
  llvm::Value* number = b.getInt32(static_cast<uint32_t>(&index - graph_.reader_indexes.data()));
  if (value.type->kind == Kind::String) {
    auto by_text = helper("mut_readers_by_text", b.getPtrTy(),
                          {b.getPtrTy(), b.getInt32Ty(), b.getInt64Ty(), b.getPtrTy()});
    return b.CreateCall(by_text, {at.context(), number, value.parts[0], value.parts[1]});
  }
  llvm::Value* wide = b.CreateIntCast(value.part(), b.getInt64Ty(), has_sign(value.type->kind));
  auto by_number =
      helper("mut_readers_by_number", b.getPtrTy(), {b.getPtrTy(), b.getInt32Ty(), b.getInt64Ty()});
  return b.CreateCall(by_number, {at.context(), number, wide});
}

// Groups with readers that see every event are called for each; between them those that the look-up names.
void ModuleEmitter::emit_wanted_fans(FunctionEmitter& at, const graph::ReaderIndex& index,
                                     const std::vector<Fan>& fans, std::vector<llvm::Value*> args) {
  llvm::IRBuilder<>& b = at.builder();
  WantedGroups groups(at, look_up_readers(at, index));
  args.push_back(nullptr);
  auto call = [&](const Fan& fan, llvm::Value* wanted) {
    args.back() = wanted;
    b.CreateCall(fan.function, args);
  };
  // Those of [from, to) that are named.
  auto call_named = [&](size_t from, size_t to) {
    if (from == to) return;
    llvm::BasicBlock* look = at.block("look");
    llvm::BasicBlock* done = at.block("looked");
    b.CreateBr(look);
    b.SetInsertPoint(look);
    llvm::SwitchInst* choice = b.CreateSwitch(groups.group(), done, static_cast<unsigned>(to - from));
    for (size_t i = from; i < to; ++i) {
      llvm::BasicBlock* named = at.block("named");
      choice->addCase(b.getInt32(static_cast<uint32_t>(i)), named);
      b.SetInsertPoint(named);
      llvm::Value* wanted = groups.wanted();
      groups.step();
      call(fans[i], wanted);
      b.CreateBr(look);
    }
    b.SetInsertPoint(done);
  };
  size_t first = 0;
  for (size_t i = 0; i < fans.size(); ++i) {
    if (fans[i].always == 0) continue;
    call_named(first, i);
    first = i + 1;
    llvm::Value* named = b.CreateICmpEQ(groups.group(), b.getInt32(static_cast<uint32_t>(i)));
    llvm::Value* wanted = b.CreateSelect(named, groups.wanted(), b.getInt32(0));
    groups.step_if(named);
    call(fans[i], wanted);
  }
  call_named(first, fans.size());
}

}  // namespace mut::codegen

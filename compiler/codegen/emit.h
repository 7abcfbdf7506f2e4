// Graph to LLVM IR: one function a stream, one kernel a source, one a window's results. Everything a
// kernel calls is listed in runtime/inline/kernel_calls.cpp, runtime/state and runtime/graph/calls.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"

namespace llvm {
class LLVMContext;
class Module;
}  // namespace llvm

namespace mut::codegen {

// How literals reach the code: from the table beside it, so that a changed one compiles nothing, or
// compiled in, for a version that has settled.
enum class Literals : uint8_t { Table, Constant };

// How a source's loop runs: a row at a time, which is half the code and compiles in half the time, or in
// blocks behind a leading filter (source_loop.h).
enum class SourceRows : uint8_t { OneByOne, InBlocks };

// Whether instructions say for which place of the graph they are there: a debug location, whose line is
// graph::place() + 1 and whose column is 0. Instructions are the same with and without.
enum class Places : uint8_t { Without, With };

// Whether values have names, for who reads the module.
enum class Names : uint8_t { Discarded, Kept };

struct EmittedModule {
  std::shared_ptr<llvm::LLVMContext> context;
  std::shared_ptr<llvm::Module> module;  // not verified
};

EmittedModule emit(const graph::Graph& graph, Literals literals, SourceRows rows,
                   Places places = Places::Without, Names names = Names::Kept);

// Names in the module. A kernel exists for every live source, for every store with results.
std::string source_kernel_name(int source);
std::string times_kernel_name(int source);
std::string result_kernel_name(int store);
std::string condition_name(int store);  // of a match whose conditions look back
// Whether the event time of a source is more than a column of its batches.
bool computes_times(const typed::Source& source);

}  // namespace mut::codegen

#include "compiler/codegen/place_writer.h"

namespace mut::codegen {

PlaceWriter::PlaceWriter(llvm::Module& module)
    : builder_(module),
      file_(builder_.createFile("places", "")),
      type_(builder_.createSubroutineType(builder_.getOrCreateTypeArray({}))) {
  module.addModuleFlag(llvm::Module::Warning, "Debug Info Version", llvm::DEBUG_METADATA_VERSION);
  module.addModuleFlag(llvm::Module::Warning, "Dwarf Version", 4);
  builder_.createCompileUnit(llvm::dwarf::DW_LANG_C, file_, "mut", true, "", 0, "",
                             llvm::DICompileUnit::LineTablesOnly);
}

void PlaceWriter::begin(llvm::Function& function, int place) {
  auto line = static_cast<unsigned>(place) + 1;
  function.setSubprogram(builder_.createFunction(file_, function.getName(), function.getName(), file_, line,
                                                 type_, line, llvm::DINode::FlagZero,
                                                 llvm::DISubprogram::SPFlagDefinition));
}

llvm::DebugLoc PlaceWriter::at(const llvm::Function& function, int place) {
  return llvm::DILocation::get(function.getContext(), static_cast<unsigned>(place) + 1, 0,
                               function.getSubprogram());
}

void PlaceWriter::finish() { builder_.finalize(); }

}  // namespace mut::codegen

# LLVM 19 as distributed. Headers are SYSTEM so that their warnings are not ours.
find_package(LLVM 19.1 REQUIRED CONFIG PATHS /usr/lib/llvm-19/lib/cmake/llvm NO_DEFAULT_PATH)
add_library(mut_llvm INTERFACE)
target_include_directories(mut_llvm SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS})
target_link_directories(mut_llvm INTERFACE ${LLVM_LIBRARY_DIRS})

# A program with the property MUT_STATIC_LLVM has the parts of LLVM that it uses inside: the shared library is
# 120 MB for all machines, with 350,000 relocations at each start, and brings a dozen more libraries along. Programs
# without the property share it.
llvm_map_components_to_libnames(mut_llvm_parts bitreader bitwriter core debuginfodwarf instrumentation ipo linker native object orcjit passes)
set(mut_static_llvm "$<BOOL:$<TARGET_PROPERTY:MUT_STATIC_LLVM>>")
target_link_libraries(mut_llvm INTERFACE "$<IF:${mut_static_llvm},${mut_llvm_parts},LLVM>")
target_link_options(mut_llvm INTERFACE "$<${mut_static_llvm}:-Wl,--gc-sections;-Wl,--as-needed>")

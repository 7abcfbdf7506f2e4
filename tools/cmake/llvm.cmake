# LLVM 19 as distributed. Headers are SYSTEM so that their warnings are not ours.
find_package(LLVM 19.1 REQUIRED CONFIG PATHS /usr/lib/llvm-19/lib/cmake/llvm NO_DEFAULT_PATH)
add_library(mut_llvm INTERFACE)
target_include_directories(mut_llvm SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS})
target_link_libraries(mut_llvm INTERFACE LLVM)
target_link_directories(mut_llvm INTERFACE ${LLVM_LIBRARY_DIRS})

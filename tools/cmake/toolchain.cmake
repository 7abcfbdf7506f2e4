# One compiler, one set of flags. Targets link mut_flags; nothing is set globally.
find_program(CCACHE ccache)
if(CCACHE)
  # Precompiled headers need the sloppiness settings and clang's flag below; a base folder lets a second
  # checkout find what the first has compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()

add_library(mut_flags INTERFACE)
target_include_directories(mut_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/runtime/include)
target_compile_options(mut_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wno-deprecated-declarations -Wno-missing-field-initializers -Werror
  -ffp-contract=off -fno-strict-aliasing -Xclang -fno-pch-timestamp)
if(MUT_FAIL_POINTS)
  target_compile_definitions(mut_flags INTERFACE MUT_FAIL_POINTS=1)
endif()
if(MUT_SANITIZE STREQUAL "address")
  target_compile_options(mut_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(mut_flags INTERFACE -fsanitize=address,undefined)
  target_compile_definitions(mut_flags INTERFACE MUT_SANITIZE_ADDRESS=1)
elseif(MUT_SANITIZE STREQUAL "thread")
  target_compile_options(mut_flags INTERFACE -fsanitize=thread)
  target_link_options(mut_flags INTERFACE -fsanitize=thread)
  target_compile_definitions(mut_flags INTERFACE MUT_SANITIZE_THREAD=1)
endif()
# Objects on disk are for the build that made them, which is told by its id.
add_link_options(-fuse-ld=lld -Wl,--build-id -Wl,-z,pack-relative-relocs)

# What nearly every file includes, read once for all of them: a third of the time of a small file.
if(NOT EXISTS ${CMAKE_BINARY_DIR}/standard.cpp)
  file(WRITE ${CMAKE_BINARY_DIR}/standard.cpp "")
endif()
add_library(mut_standard STATIC ${CMAKE_BINARY_DIR}/standard.cpp)
target_link_libraries(mut_standard PRIVATE mut_flags)
target_precompile_headers(mut_standard PRIVATE
  <algorithm> <array> <atomic> <charconv> <cmath> <cstdint> <cstring> <deque> <functional> <limits> <map> <memory>
  <mutex> <numeric> <optional> <set> <string> <string_view> <utility> <variant> <vector> <fmt/format.h>)

# mut_library(name SOURCES … LINKS …): a static library with the house's flags. HEADERS: what is precompiled for it
# instead, where its files share more.
function(mut_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;PRIVATE_LINKS;HEADERS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC mut_flags ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
  if(ARG_HEADERS)
    target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
  else()
    target_precompile_headers(${name} REUSE_FROM mut_standard)
  endif()
endfunction()

# mut_fuzzed(target …): what the fuzz programs steer by: under AddressSanitizer these count which ways their code goes.
function(mut_fuzzed)
  if(MUT_SANITIZE STREQUAL "address")
    foreach(target ${ARGV})
      target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
      get_target_property(shared ${target} PRECOMPILE_HEADERS_REUSE_FROM)
      if(shared)  # what is shared has other options
        set_target_properties(${target} PROPERTIES DISABLE_PRECOMPILE_HEADERS ON)
      endif()
    endforeach()
  endif()
endfunction()

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

# mut_library(name SOURCES … LINKS …): a static library with the house's flags.
function(mut_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC mut_flags ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
endfunction()

# mut_fuzzed(target …): what the fuzz programs steer by: under AddressSanitizer these count which ways their code goes.
function(mut_fuzzed)
  if(MUT_SANITIZE STREQUAL "address")
    foreach(target ${ARGV})
      target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
    endforeach()
  endif()
endfunction()

# SPDX-License-Identifier: Apache-2.0
#
# GNU compilers below 14 miscompile ordinary co_await expressions (destroying temporaries twice) at every optimisation level.
# docs/decisions/0002-clang-16.md has the details.
if(NOT DEFINED CMAKE_CXX_COMPILER AND NOT DEFINED ENV{CXX})
  find_program(WRIT_CLANG NAMES clang++-16 clang++-17 clang++-18 clang++-19)
  if(WRIT_CLANG)
    set(CMAKE_CXX_COMPILER "${WRIT_CLANG}")
  endif()
endif()

function(writ_refuse_old_gnu)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
    message(FATAL_ERROR
      "GNU C++ ${CMAKE_CXX_COMPILER_VERSION} miscompiles coroutines; Writ would crash. Install clang 16 and configure again:\n"
      "  apt-get install clang-16 libclang-rt-16-dev\n"
      "  cmake --preset release        (it picks clang++-16 by itself; unset CXX if you set it)")
  endif()
endfunction()

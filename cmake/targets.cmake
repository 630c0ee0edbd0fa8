# SPDX-License-Identifier: Apache-2.0
#
# One static library per folder of src/, one unit-test program per folder. A new .cpp or _test.cpp is picked up by itself.

# writ_folder(tlog DEPENDS base crypto [LINK sqlite …] [FOLDERS extra/subfolder …])
#   library writ_tlog from src/tlog/*.cpp and its subfolders, without *_test.cpp, *_fuzz.cpp and *_bench.cpp;
#   program tests/tlog_test from the *_test.cpp files.
function(writ_folder name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK;TEST_LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_(test|fuzz|bench)\\.cpp|/main/[^/]*)$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  writ_headers_of(${name} "${ARG_DEPENDS}" kind)
  list(TRANSFORM ARG_DEPENDS PREPEND writ_)

  if(NOT sources) # headers only
    add_library(writ_${name} INTERFACE)
    target_include_directories(writ_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(writ_${name} INTERFACE ${ARG_DEPENDS} ${ARG_LINK})
    return()
  endif()
  add_library(writ_${name} STATIC ${sources})
  target_include_directories(writ_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(writ_${name} PUBLIC ${ARG_DEPENDS} ${ARG_LINK})
  writ_share_headers(writ_${name} ${kind})

  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE writ_${name} GTest::gtest GTest::gmock GTest::gtest_main ${ARG_TEST_LINK})
    target_compile_options(${name}_test PRIVATE -Wno-global-constructors)
    writ_share_headers(${name}_test ${kind} test)
    set_target_properties(${name}_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    add_test(NAME unit.${name} COMMAND ${name}_test)
    # LIMIT: the longest takes a minute without sanitizers, some minutes with them on a busy machine.
    set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 600)
    add_dependencies(unit_tests ${name}_test)
  endif()
endfunction()

# writ_conformance(wycheproof LINK writ_crypto [SOURCES more.cpp]): tests/conformance/wycheproof_conformance from tests/conformance/wycheproof_conformance.cpp,
# and a test that runs it over its corpus (tests/conformance/run.py).
function(writ_conformance name)
  cmake_parse_arguments(ARG "" "" "LINK;SOURCES" ${ARGN})
  add_executable(${name}_conformance ${CMAKE_SOURCE_DIR}/tests/conformance/${name}_conformance.cpp ${ARG_SOURCES})
  target_link_libraries(${name}_conformance PRIVATE ${ARG_LINK})
  set_target_properties(${name}_conformance PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/conformance)
  add_dependencies(conformance_tests ${name}_conformance)
  add_test(NAME conformance.${name}
    COMMAND ${CMAKE_SOURCE_DIR}/tests/conformance/run.py $<TARGET_FILE:${name}_conformance> ${CMAKE_BINARY_DIR}/corpora)
  set_tests_properties(conformance.${name} PROPERTIES LABELS conformance TIMEOUT 300 SKIP_RETURN_CODE 77)
endfunction()

# writ_fuzzer(jws src/crypto/jws_fuzz.cpp LINK writ_crypto): only in the fuzz preset.
function(writ_fuzzer name source)
  if(NOT WRIT_FUZZ)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name}_fuzz ${CMAKE_SOURCE_DIR}/${source})
  target_link_libraries(${name}_fuzz PRIVATE ${ARG_LINK})
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  set_target_properties(${name}_fuzz PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  add_dependencies(fuzzers ${name}_fuzz)
endfunction()

# writ_bench(cedar_decide LINK writ_cedar): bench/cedar_decide from bench/cedar_decide.cpp.
function(writ_bench name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${CMAKE_SOURCE_DIR}/bench/${name}.cpp)
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
  add_dependencies(benchmarks ${name})
endfunction()

add_custom_target(unit_tests)
add_custom_target(conformance_tests)
add_custom_target(fuzzers)
add_custom_target(benchmarks)

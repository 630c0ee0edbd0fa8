# SPDX-License-Identifier: Apache-2.0
#
# Precompiled headers: three quarters of what a file takes to compile is reading other people's headers, which are the same for all. Only such headers are in them, never the
# project's own, so that a change here rebuilds what includes it and nothing else. Each kind of target has one that all of its kind share.
set(writ_core_headers algorithm array atomic charconv chrono condition_variable cstring deque functional map memory mutex optional set span string string_view thread
  unordered_map variant vector boost/json/array.hpp boost/json/object.hpp boost/json/serialize.hpp boost/json/value.hpp)
set(writ_net_headers boost/asio/as_tuple.hpp boost/asio/awaitable.hpp boost/asio/basic_waitable_timer.hpp boost/asio/io_context.hpp boost/asio/this_coro.hpp boost/asio/use_awaitable.hpp)
set(writ_cli_headers CLI/CLI.hpp)
set(writ_test_headers gtest/gtest.h)

# What is in them is told by this text instead of by their bytes, in which paths stand: so that the compiler's cache is good for every checkout.
execute_process(COMMAND dpkg-query --show --showformat "\${Package} \${Version}\n" libboost1.81-dev libstdc++-12-dev libcli11-dev libgtest-dev libc6-dev clang-16
  OUTPUT_VARIABLE writ_header_versions ERROR_QUIET)

# writ_shared_headers(net HEADERS algorithm … LINK Boost::json …): target writ_headers_net, for others to share.
function(writ_shared_headers name)
  cmake_parse_arguments(ARG "" "" "HEADERS;LINK;DEFINITIONS" ${ARGN})
  set(headers ${ARG_HEADERS})
  list(TRANSFORM headers PREPEND "<")
  list(TRANSFORM headers APPEND ">")
  set(source ${CMAKE_BINARY_DIR}/headers/${name}.cpp)
  if(NOT EXISTS ${source})
    file(WRITE ${source} "")
  endif()
  add_library(writ_headers_${name} OBJECT ${source})
  target_link_libraries(writ_headers_${name} PRIVATE ${ARG_LINK})
  target_compile_definitions(writ_headers_${name} PRIVATE ${ARG_DEFINITIONS})
  target_precompile_headers(writ_headers_${name} PRIVATE ${headers})
  if(name MATCHES "_test$") # for programs
    set_target_properties(writ_headers_${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(writ_headers_${name} PRIVATE -fPIE)
  endif()
  string(SHA256 sum "${ARG_HEADERS} ${ARG_DEFINITIONS} ${writ_header_versions} ${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${WRIT_BUILD_TYPE}} ${WRIT_SANITIZE} ${CMAKE_BUILD_TYPE}")
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/CMakeFiles/writ_headers_${name}.dir/cmake_pch.hxx.pch.sum CONTENT "${sum}\n")
endfunction()

string(TOUPPER "${CMAKE_BUILD_TYPE}" WRIT_BUILD_TYPE)
set(writ_net_link Boost::json Boost::headers Threads::Threads)
set(writ_net_definitions BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
writ_shared_headers(core HEADERS ${writ_core_headers} LINK Boost::json Threads::Threads)
writ_shared_headers(core_test HEADERS ${writ_core_headers} ${writ_test_headers} LINK Boost::json Threads::Threads GTest::gtest)
writ_shared_headers(net HEADERS ${writ_core_headers} ${writ_net_headers} LINK ${writ_net_link} DEFINITIONS ${writ_net_definitions})
writ_shared_headers(net_test HEADERS ${writ_core_headers} ${writ_net_headers} ${writ_test_headers} LINK ${writ_net_link} GTest::gtest DEFINITIONS ${writ_net_definitions})
writ_shared_headers(cli HEADERS ${writ_core_headers} ${writ_net_headers} ${writ_cli_headers} LINK ${writ_net_link} CLI11::CLI11 DEFINITIONS ${writ_net_definitions})

# writ_share_headers(TARGET KIND [test]): KIND is core, net or cli.
function(writ_share_headers target kind)
  if("test" IN_LIST ARGN)
    string(REPLACE cli net kind ${kind})
    set(kind ${kind}_test)
  endif()
  # Named from the build folder, where commands run: CMake's own way (REUSE_FROM) names it by its whole path, which makes every checkout another one to the compiler's cache.
  set(header CMakeFiles/writ_headers_${kind}.dir/cmake_pch.hxx.pch)
  target_compile_options(${target} PRIVATE "SHELL:-include-pch ${header}")
  get_target_property(sources ${target} SOURCES)
  set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS ${CMAKE_BINARY_DIR}/${header})
endfunction()

# The kind that a folder's targets are of.
function(writ_headers_of name depends result)
  set(kind core)
  if(name STREQUAL cli OR name STREQUAL programs)
    set(kind cli)
  elseif(name STREQUAL net OR net IN_LIST depends OR audit IN_LIST depends)
    set(kind net)
  endif()
  set(${result} ${kind} PARENT_SCOPE)
endfunction()

# SPDX-License-Identifier: Apache-2.0
#
# What comes from Debian's packages. OpenSSL, glibc and libpq stay shared (security updates reach them); the rest is linked in.
set(Boost_USE_STATIC_LIBS ON)
set(Protobuf_USE_STATIC_LIBS ON)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Protobuf REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)

find_library(WRIT_NGHTTP2 NAMES libnghttp2.a REQUIRED)
find_library(WRIT_SQLITE NAMES libsqlite3.a REQUIRED)
# Headers alone: the library is loaded when it is needed.
find_path(WRIT_KAFKA_INCLUDE librdkafka/rdkafka.h REQUIRED)
find_library(WRIT_RAPIDCHECK NAMES rapidcheck REQUIRED)

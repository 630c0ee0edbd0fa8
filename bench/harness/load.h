// SPDX-License-Identifier: Apache-2.0
//
// Closed loop load: each connection sends its next request when the last one is answered. All connections on one thread, which is not the
// server's: the machine has a core for each.
#pragma once

#include "harness/server.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace writ::bench {

struct Load {
    Sample microseconds; // of each answer
    double elapsed = 0; // seconds
    std::uint64_t operations = 0;
    CpuTime server;
    double client_cpu = 0; // seconds

    [[nodiscard]] double rate() const { return static_cast<double>(operations) / elapsed; }
    // What one core of the server would do.
    [[nodiscard]] double per_cpu_second() const { return static_cast<double>(operations) / server.total(); }
    [[nodiscard]] double cpu_microseconds() const { return server.total() * 1e6 / static_cast<double>(operations); }
    [[nodiscard]] double loop_microseconds() const { return server.loop * 1e6 / static_cast<double>(operations); }
};

// One operation on connection number N; false: it went wrong, and the program ends.
using Operation = std::function<net::Task<bool>(std::size_t)>;

// What the servers have been charged so far.
using CpuMeter = std::function<CpuTime()>;

// A second to warm up, then `duration`.
Load run_load(net::EventLoop&, CpuMeter const&, std::size_t connections, std::chrono::seconds duration, Operation const&);
Load run_load(net::EventLoop&, Server const&, std::size_t connections, std::chrono::seconds duration, Operation const&);

inline constexpr char const* load_header = "                                      per second   p50 us   p99 us    CPU us  (loop)   client   per CPU second";
void print(char const* name, Load&);

// CPU seconds that the server spends after a load, until it rests: the audit index follows the log when nobody appends.
double settle(net::EventLoop&, Server const&);

// What follows the folder on the command line; 1, 16 and 64 if nothing does.
std::vector<std::size_t> connection_counts(int count, char** arguments);

// POST of the same JSON body each time over `client`, which is kept open; answered with 200.
net::Task<bool> post_once(net::HttpClient* client, std::string path, std::string body);
net::Task<bool> get_once(net::HttpClient* client, std::string path);

// A client for each connection.
std::vector<std::unique_ptr<net::HttpClient>> connect_clients(net::Address const&, std::size_t connections, net::HttpClientOptions const& = {});

} // namespace writ::bench

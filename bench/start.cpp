// SPDX-License-Identifier: Apache-2.0
//
// start [FOLDER]: how long `writ authority`, `writ agent` and `writ dev` take from fork to their first answer, what CPU time they spend on
// it, and what memory they hold a second later with nothing to do. Median of ten starts.
#include "harness/server.h"

#include <cstdio>
#include <memory>

namespace {

using namespace writ;
using namespace writ::bench;

constexpr int starts = 10;

struct Measured {
    Sample milliseconds, cpu_milliseconds, resident, proportional, own;
};

struct Start {
    std::string socket, path, expected;
};

std::unique_ptr<Server> start(net::EventLoop& loop, std::vector<std::string> arguments, Path const& log, Start const& ready, Measured& measured)
{
    auto const begin = now();
    auto server = std::make_unique<Server>(std::move(arguments), log);
    wait_until_answered(loop, *server, ready.socket, ready.path, ready.expected);
    measured.milliseconds.add(seconds(now() - begin) * 1e3);
    measured.cpu_milliseconds.add(server->cpu_time().total() * 1e3);
    return server;
}

void measure_memory(net::EventLoop& loop, Server const& server, Measured& measured)
{
    loop.run(net::delay(std::chrono::seconds(1)));
    auto const memory = server.memory();
    measured.resident.add(memory.resident);
    measured.proportional.add(memory.proportional);
    measured.own.add(memory.own);
}

void print(char const* name, Measured& measured, double budget_milliseconds, double budget_megabytes)
{
    std::printf("%-36s %8.1f ms %8.1f ms", name, measured.milliseconds.median(), measured.cpu_milliseconds.median());
    if (measured.resident.size() > 0)
        std::printf(" %8.1f MB %8.1f MB %8.1f MB", measured.resident.median(), measured.proportional.median(), measured.own.median());
    if (budget_milliseconds > 0)
        std::printf("   %.2f of the time", measured.milliseconds.median() / budget_milliseconds);
    if (budget_megabytes > 0)
        std::printf(", %.2f of the memory", measured.proportional.median() / budget_megabytes);
    std::printf("\n");
}

// What starting any program costs here.
void measure_floor(net::EventLoop& loop, Path const& log, Measured& measured)
{
    auto const begin = now();
    Server const server({ "--version" }, log);
    while (server.is_running())
        loop.run(net::delay(std::chrono::microseconds(100)));
    measured.milliseconds.add(seconds(now() - begin) * 1e3);
}

struct Results {
    Measured floor, first_authority, authority, agent, first_dev, dev;
};

void measure_roles(net::EventLoop& loop, Path const& parent, Results& results)
{
    Installation const installation(parent);
    Start const authority_ready { installation.admin_socket(), "/readyz", "" };
    Start const agent_ready { installation.run_socket(), "/v1/status", "\"joined\":true" };
    measure_floor(loop, installation.log(), results.floor);
    start(loop, installation.authority_arguments(), installation.log(), authority_ready, results.first_authority);
    auto const authority = start(loop, installation.authority_arguments(), installation.log(), authority_ready, results.authority);
    measure_memory(loop, *authority, results.authority);
    auto const issuer = std::string(string_or(ask(loop, installation.admin_socket(), "GET", "/v1/status"), "issuer", ""));
    auto const token = ask(loop, installation.admin_socket(), "POST", "/v1/join-tokens", { { "agent", "bench" } });
    Measured joining;
    start(loop, installation.agent_arguments(issuer, std::string(string_or(token, "token", ""))), installation.log(), agent_ready, joining);
    auto const agent = start(loop, installation.agent_arguments(issuer, ""), installation.log(), agent_ready, results.agent);
    measure_memory(loop, *agent, results.agent);
}

void measure_dev(net::EventLoop& loop, Path const& parent, Results& results)
{
    Installation const installation(parent);
    Start const ready { installation.run_socket(), "/v1/status", "\"joined\":true" };
    start(loop, installation.dev_arguments(), installation.log(), ready, results.first_dev);
    auto const dev = start(loop, installation.dev_arguments(), installation.log(), ready, results.dev);
    measure_memory(loop, *dev, results.dev);
}

} // namespace

int main(int count, char** arguments)
{
    Path const parent = count > 1 ? arguments[1] : "";
    net::EventLoop loop;
    Results results;
    for (int i = 0; i < starts; ++i) {
        measure_roles(loop, parent, results);
        measure_dev(loop, parent, results);
    }
    std::printf("%-36s %11s %11s %11s %11s %11s   share of the budget\n", "", "to answer", "CPU", "resident", "prop.", "own");
    print("floor: writ --version, to its end", results.floor, 0, 0);
    print("authority, new data folder", results.first_authority, 0, 0);
    print("authority", results.authority, 50, 20);
    print("agent, until joined", results.agent, 50, 8);
    print("dev, new data folder", results.first_dev, 0, 0);
    print("dev, until its agent has joined", results.dev, 50, 0);
}

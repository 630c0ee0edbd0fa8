// SPDX-License-Identifier: Apache-2.0
#include "harness/load.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace writ::bench {

namespace {

constexpr std::chrono::seconds warm_up { 1 };

double own_cpu_seconds()
{
    timespec time {};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

net::Task<> keep_asking(Operation const* operation, std::size_t connection, Instant begin, Instant end, Load* load, std::size_t* running)
{
    for (auto start = now(); start < end;) {
        auto const worked = co_await (*operation)(connection);
        if (!worked)
            give_up("the server refused");
        auto const finished = now();
        if (start >= begin && finished <= end) {
            load->microseconds.add(seconds(finished - start) * 1e6);
            ++load->operations;
        }
        start = finished;
    }
    --*running;
}

net::Task<> run_all(net::EventLoop* loop, CpuMeter const* meter, std::size_t connections, std::chrono::seconds duration, Operation const* operation, Load* load)
{
    auto const begin = now() + warm_up;
    auto running = connections;
    for (std::size_t connection = 0; connection < connections; ++connection)
        loop->spawn(keep_asking(operation, connection, begin, begin + duration, load, &running));
    co_await net::delay(warm_up);
    auto const server_before = (*meter)();
    auto const client_before = own_cpu_seconds();
    auto const before = now();
    co_await net::delay(duration);
    load->elapsed = seconds(now() - before);
    load->server = (*meter)() - server_before;
    load->client_cpu = own_cpu_seconds() - client_before;
    while (running > 0)
        co_await net::delay(std::chrono::milliseconds(1));
}

} // namespace

Load run_load(net::EventLoop& loop, Server const& server, std::size_t connections, std::chrono::seconds duration, Operation const& operation)
{
    return run_load(loop, [&server] { return server.cpu_time(); }, connections, duration, operation);
}

Load run_load(net::EventLoop& loop, CpuMeter const& meter, std::size_t connections, std::chrono::seconds duration, Operation const& operation)
{
    Load load;
    loop.run(run_all(&loop, &meter, connections, duration, &operation, &load));
    return load;
}

double settle(net::EventLoop& loop, Server const& server)
{
    constexpr std::chrono::milliseconds look { 1200 }; // longer than the index waits before it begins
    auto const before = server.cpu_time().total();
    for (auto seen = before;;) {
        loop.run(net::delay(look));
        auto const spent = server.cpu_time().total();
        if (spent - seen < 0.005)
            return spent - before;
        seen = spent;
    }
}

void print(char const* name, Load& load)
{
    std::printf("%-36s %11.0f %8.0f %8.0f %9.1f %7.1f %8.1f %16.0f\n", name, load.rate(), load.microseconds.percentile(0.50), load.microseconds.percentile(0.99),
        load.cpu_microseconds(), load.loop_microseconds(), load.client_cpu * 1e6 / static_cast<double>(load.operations), load.per_cpu_second());
    std::fflush(stdout);
}

namespace {

net::Task<bool> send_once(net::HttpClient* client, net::Request request)
{
    auto const path = request.path;
    auto const response = co_await client->send(std::move(request));
    if (response.is_ok() && response->status == 200)
        co_return true;
    std::fprintf(stderr, "%s: %s\n", path.c_str(), response.is_error() ? response.error().message.c_str() : response->body.c_str());
    co_return false;
}

} // namespace

net::Task<bool> post_once(net::HttpClient* client, std::string path, std::string body)
{
    net::Request request;
    request.method = "POST";
    request.path = std::move(path);
    request.headers.set("content-type", "application/json");
    request.body = std::move(body);
    return send_once(client, std::move(request));
}

net::Task<bool> get_once(net::HttpClient* client, std::string path)
{
    net::Request request;
    request.path = std::move(path);
    return send_once(client, std::move(request));
}

std::vector<std::size_t> connection_counts(int count, char** arguments)
{
    std::vector<std::size_t> counts;
    for (int i = 2; i < count; ++i)
        counts.push_back(std::clamp<std::size_t>(std::strtoul(arguments[i], nullptr, 10), 1, 1000));
    return counts.empty() ? std::vector<std::size_t> { 1, 16, 64 } : counts;
}

std::vector<std::unique_ptr<net::HttpClient>> connect_clients(net::Address const& address, std::size_t connections, net::HttpClientOptions const& options)
{
    std::vector<std::unique_ptr<net::HttpClient>> clients;
    for (std::size_t i = 0; i < connections; ++i)
        clients.push_back(std::make_unique<net::HttpClient>(address, options));
    return clients;
}

} // namespace writ::bench

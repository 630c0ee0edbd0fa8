// SPDX-License-Identifier: Apache-2.0
//
// workload_api: FetchX509SVID of the SPIFFE Workload API (gRPC) and POST /v1/svids/x509 (HTTP) by a real `writ agent`, one after another on
// one connection, and with a connection for each; beside a bare ping-pong of the same bytes over a unix socket, in turns.
#include "harness/declarations.h"
#include "harness/grpc_client.h"

#include <cstdio>
#include <cstring>
#include <functional>

namespace {

using namespace writ;
using namespace writ::bench;

constexpr int turns = 5;
constexpr std::chrono::milliseconds turn_time { 1000 };
constexpr double budget = 2;

struct Measured {
    Sample microseconds;
    double elapsed = 0, server_cpu = 0;
    std::uint64_t question_bytes = 0, answer_bytes = 0;

    [[nodiscard]] double cpu_microseconds() const { return server_cpu * 1e6 / static_cast<double>(microseconds.size()); }
};

void repeat(Measured& measured, std::function<void()> const& operation, std::function<double()> const& server_cpu)
{
    for (int i = 0; i < 200; ++i)
        operation();
    auto const cpu = server_cpu();
    auto const begin = now();
    for (auto start = begin; start - begin < turn_time;) {
        operation();
        auto const end = now();
        measured.microseconds.add(seconds(end - start) * 1e6);
        start = end;
    }
    measured.elapsed += seconds(now() - begin);
    measured.server_cpu += server_cpu() - cpu;
}

// ---- HTTP by hand: one question as bytes, one answer up to its length

std::string http_question(std::string const& method, std::string const& path)
{
    return method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " + (method == "POST" ? "2\r\n\r\n{}" : "0\r\n\r\n");
}

std::size_t content_length(std::string const& head)
{
    auto const at = ::strcasestr(head.c_str(), "content-length:");
    return at == nullptr ? 0 : static_cast<std::size_t>(std::strtoul(at + std::strlen("content-length:"), nullptr, 10));
}

void ask_http(RawSocket& socket, std::string const& question, Bytes& buffer)
{
    socket.write(as_bytes(question));
    std::string answer;
    for (;;) {
        auto const size = socket.read(buffer);
        answer.append(reinterpret_cast<char const*>(buffer.data()), size);
        auto const end = answer.find("\r\n\r\n");
        if (end != std::string::npos && answer.size() >= end + 4 + content_length(answer.substr(0, end)))
            break;
    }
    if (!answer.starts_with("HTTP/1.1 200"))
        give_up(answer);
}

// ---- what is compared

struct Sockets {
    std::string agent, run;
};

class Bench {
public:
    Bench(Sockets sockets, Server const& agent)
        : sockets_(std::move(sockets))
        , agent_(agent)
        , http_(sockets_.run)
    {
    }

    void grpc() { measure_grpc("gRPC FetchX509SVID", "/SpiffeWorkloadAPI/FetchX509SVID"); }
    void http() { measure_http("HTTP POST /v1/svids/x509", http_question("POST", "/v1/svids/x509")); }
    void status() { measure_http("HTTP GET /v1/status, no attestation", http_question("GET", "/v1/status")); }
    void grpc_connections()
    {
        run("gRPC FetchX509SVID, new connection", [&] { GrpcClient(sockets_.agent).first_message("/SpiffeWorkloadAPI/FetchX509SVID"); }, 0, 0);
    }

private:
    std::function<double()> agent_cpu() const
    {
        return [&] { return agent_.cpu_time().total(); };
    }

    // A stream of news is left by cancelling it, and who cancels hundreds of streams on a connection is taken for an attacker.
    void fetch(std::string const& path)
    {
        if (calls_++ % 150 == 0)
            grpc_ = std::make_unique<GrpcClient>(sockets_.agent);
        grpc_->first_message(path);
    }

    void measure_grpc(char const* name, std::string const& path)
    {
        fetch(path);
        auto const written = grpc_->socket().written, received = grpc_->socket().received;
        for (int i = 0; i < 10; ++i)
            fetch(path);
        run(name, [&] { fetch(path); }, (grpc_->socket().written - written) / 10, (grpc_->socket().received - received) / 10);
    }

    void measure_http(char const* name, std::string const& question)
    {
        auto const received = http_.received;
        ask_http(http_, question, buffer_);
        run(name, [&] { ask_http(http_, question, buffer_); }, question.size(), http_.received - received);
    }

    void run(char const* name, std::function<void()> const& operation, std::uint64_t question_bytes, std::uint64_t answer_bytes)
    {
        Measured bare, measured;
        PingPong ping_pong(std::max<std::uint64_t>(question_bytes, 1), std::max<std::uint64_t>(answer_bytes, 1));
        for (int turn = 0; turn < turns; ++turn) {
            repeat(measured, operation, agent_cpu());
            repeat(bare, [&] { ping_pong.ask(); }, [&] { return ping_pong.cpu_seconds(); });
        }
        std::printf("%-36s %6llu %6llu %9.0f %8.1f %8.1f %8.1f", name, static_cast<unsigned long long>(question_bytes), static_cast<unsigned long long>(answer_bytes),
            static_cast<double>(measured.microseconds.size()) / measured.elapsed, measured.microseconds.percentile(0.5), measured.microseconds.percentile(0.99),
            measured.cpu_microseconds());
        std::printf(" %10.1f %8.1f %8.2f %8.2f (budget %.0f)\n", bare.microseconds.percentile(0.5), bare.cpu_microseconds(),
            measured.microseconds.percentile(0.5) / bare.microseconds.percentile(0.5), measured.cpu_microseconds() / bare.cpu_microseconds(), budget);
        std::fflush(stdout);
    }

    Sockets sockets_;
    Server const& agent_;
    std::unique_ptr<GrpcClient> grpc_;
    int calls_ = 0;
    RawSocket http_;
    Bytes buffer_ = Bytes(64U << 10U);
};

} // namespace

int main()
{
    Installation const installation({});
    net::EventLoop loop;
    Server const authority(installation.authority_arguments(), installation.log());
    wait_until_answered(loop, authority, installation.admin_socket(), "/readyz");
    declare(loop, installation.admin_socket(), declarations(std::filesystem::read_symlink("/proc/self/exe").string()));
    auto const issuer = std::string(string_or(ask(loop, installation.admin_socket(), "GET", "/v1/status"), "issuer", ""));
    auto const token = ask(loop, installation.admin_socket(), "POST", "/v1/join-tokens", { { "agent", "bench" } });
    Server const agent(installation.agent_arguments(issuer, std::string(string_or(token, "token", ""))), installation.log());
    wait_until_answered(loop, agent, installation.run_socket(), "/v1/status", "\"joined\":true");

    std::printf("%-36s %6s %6s %9s %8s %8s %8s %10s %8s %8s %8s\n", "", "asked", "got", "per s", "p50 us", "p99 us", "CPU us", "bare p50", "CPU us", "p50", "CPU ratio");
    Bench bench({ installation.agent_socket(), installation.run_socket() }, agent);
    bench.status();
    bench.http();
    bench.grpc();
    bench.grpc_connections();
}

// SPDX-License-Identifier: Apache-2.0
//
// issue [FOLDER [CONNECTIONS …]]: X.509-SVIDs and JWT-SVIDs from a real `writ authority` to a joined agent (this program) over mutual TLS, each with a
// durable record, at 1, 16 and 64 connections; beside them the bare signatures that they contain, in turns. Rates are per CPU second of
// the authority's process: what one core does.
#include "harness/declarations.h"
#include "harness/joined_agent.h"
#include "harness/load.h"

#include "crypto/jwt.h"
#include "crypto/x509.h"

#include <cstdio>
#include <ctime>

namespace {

using namespace writ;
using namespace writ::bench;

constexpr std::chrono::seconds duration { 4 };
constexpr double x509_budget = 0.6;
constexpr double jwt_budget = 0.7;

// ---- the floor: one core of this program

double thread_seconds()
{
    timespec time {};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double per_cpu_second(std::function<void()> const& operation)
{
    constexpr int operations = 20'000;
    auto const begin = thread_seconds();
    for (int i = 0; i < operations; ++i)
        operation();
    return operations / (thread_seconds() - begin);
}

struct Floor {
    double signature = 0; // ECDSA P-256 over 300 bytes
    double leaf = 0; // a certificate, the workload's key given
    double token = 0; // an ES256 JWT
};

Floor measure_floor()
{
    auto const key = crypto::PrivateKey::generate(crypto::KeyType::p256).value();
    auto const begin = from_unix_seconds(1'800'000'000);
    auto const end = from_unix_seconds(1'800'086'400);
    auto const root = crypto::create_root(
        { .common_name = "bench.example", .uri = "spiffe://bench.example", .not_before = begin, .not_after = end, .serial = Bytes(16, 1) }, key);
    auto const issuer = crypto::CertificateIssuer::create(root.value(), key).value();
    auto const spki = crypto::PrivateKey::generate(crypto::KeyType::p256).value().public_key().to_spki();
    crypto::LeafRequest const leaf { .uri = "spiffe://bench.example/research/root/train", .dns_names = {}, .ip_addresses = {}, .not_before = begin,
        .not_after = from_unix_seconds(1'800'003'600), .serial = Bytes(16, 2) };
    JsonObject const claims { { "iss", "https://127.0.0.1:8443" }, { "sub", leaf.uri }, { "aud", "storage" }, { "iat", 1'800'000'000 }, { "exp", 1'800'000'300 } };
    Bytes const message(300, 'x');
    Floor floor;
    floor.signature = per_cpu_second([&] { (void)crypto::sign(key, crypto::Algorithm::es256, message).value(); });
    floor.leaf = per_cpu_second([&] { (void)issuer.issue(leaf, spki).value(); });
    floor.token = per_cpu_second([&] { (void)crypto::sign_jwt(claims, "k1", "JWT", key, crypto::Algorithm::es256).value(); });
    return floor;
}

// ---- the agent

struct Bodies {
    std::string x509 = to_text(JsonValue(JsonObject { { "claims", unix_claims() },
        { "public_key", to_base64(crypto::PrivateKey::generate(crypto::KeyType::p256).value().public_key().to_spki()) } }));
    std::string jwt = to_text(JsonValue(JsonObject { { "claims", unix_claims() }, { "audience", JsonArray { "storage" } } }));
};

void compare(char const* name, Load const& load, double floor, double signature, double budget)
{
    std::printf("%-36s %.2f of the bare %.0f/s (budget %.2f); %.2f of bare signatures\n", name, load.per_cpu_second() / floor, floor, budget, load.per_cpu_second() / signature);
}

void measure(net::EventLoop& loop, Server const& authority, net::Address const& address, net::HttpClientOptions const& options, std::size_t connections)
{
    auto const clients = connect_clients(address, connections, options);
    Bodies const bodies;
    auto nothing = run_load(loop, authority, connections, duration, [&](std::size_t at) { return get_once(clients[at].get(), "/healthz"); });
    auto x509 = run_load(loop, authority, connections, duration, [&](std::size_t at) { return post_once(clients[at].get(), "/v1/agent/svids/x509", bodies.x509); });
    auto jwt = run_load(loop, authority, connections, duration, [&](std::size_t at) { return post_once(clients[at].get(), "/v1/agent/svids/jwt", bodies.jwt); });
    settle(loop, authority);
    auto const floor = measure_floor();
    std::printf("\n%zu connections\n%s\n", connections, load_header);
    print("GET /healthz over TLS, no SVID", nothing);
    print("X.509-SVID, durable record", x509);
    print("JWT-SVID, durable record", jwt);
    std::printf("bare: %.0f signatures, %.0f leaves, %.0f tokens per CPU second\n", floor.signature, floor.leaf, floor.token);
    compare("X.509-SVID", x509, floor.leaf, floor.signature, x509_budget);
    compare("JWT-SVID", jwt, floor.token, floor.signature, jwt_budget);
}

} // namespace

int main(int count, char** arguments)
{
    Installation const installation(count > 1 ? Path(arguments[1]) : Path());
    SystemClock const clock;
    net::EventLoop loop;
    Server const authority(installation.authority_arguments(), installation.log());
    wait_until_answered(loop, authority, installation.admin_socket(), "/readyz");
    declare(loop, installation.admin_socket(), declarations("/usr/bin/python3.11"));
    auto const agent = join_agent(loop, installation, clock);
    for (auto const connections : connection_counts(count, arguments))
        measure(loop, authority, agent.authority, agent.options, connections);
}

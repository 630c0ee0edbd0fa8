// SPDX-License-Identifier: Apache-2.0
//
// What one core signs, verifies and hashes: leaves for P-256 keys, tokens, Merkle nodes.
#include "crypto/digest.h"
#include "crypto/jwt.h"
#include "crypto/x509.h"

#include <benchmark/benchmark.h>

namespace {

using namespace writ;
using namespace writ::crypto;

constexpr std::int64_t now = 1'800'000'000;
constexpr std::array es256 = { Algorithm::es256 };

JsonObject claims()
{
    return { { "iss", "https://writ.example.org" }, { "sub", "spiffe://example.org/trainer" }, { "aud", "storage" }, { "iat", now },
        { "exp", now + 300 } };
}

void issue_leaf(benchmark::State& state)
{
    auto const key = PrivateKey::generate(KeyType::p256).value();
    auto const root = create_root({ .common_name = "example.org",
                                      .uri = "spiffe://example.org",
                                      .not_before = from_unix_seconds(now),
                                      .not_after = from_unix_seconds(now + 86'400),
                                      .serial = Bytes(16, 1) },
        key);
    auto const issuer = CertificateIssuer::create(root.value(), key).value();
    auto const spki = PrivateKey::generate(KeyType::p256).value().public_key().to_spki();
    LeafRequest const request { .uri = "spiffe://example.org/trainer",
        .dns_names = {},
        .ip_addresses = {},
        .not_before = from_unix_seconds(now),
        .not_after = from_unix_seconds(now + 3600),
        .serial = Bytes(16, 2) };
    for (auto _ : state)
        benchmark::DoNotOptimize(issuer.issue(request, spki).value());
    state.SetItemsProcessed(state.iterations());
}

void parse_p256_key(benchmark::State& state)
{
    auto const spki = PrivateKey::generate(KeyType::p256).value().public_key().to_spki();
    for (auto _ : state)
        benchmark::DoNotOptimize(PublicKey::parse_spki(spki).value());
    state.SetItemsProcessed(state.iterations());
}

void sign_token(benchmark::State& state)
{
    auto const key = PrivateKey::generate(KeyType::p256).value();
    for (auto _ : state)
        benchmark::DoNotOptimize(sign_jwt(claims(), "k1", "JWT", key, Algorithm::es256).value());
    state.SetItemsProcessed(state.iterations());
}

void verify_token(benchmark::State& state)
{
    auto const key = PrivateKey::generate(KeyType::p256).value();
    auto const public_key = key.public_key();
    auto const token = sign_jwt(claims(), "k1", "JWT", key, Algorithm::es256).value();
    ManualClock const clock(from_unix_seconds(now));
    JwtExpectation const expected { .accepted = es256, .audience = "storage", .issuer = "https://writ.example.org" };
    for (auto _ : state)
        benchmark::DoNotOptimize(UnverifiedJwt::parse(token).value().verify(public_key, expected, clock).value());
    state.SetItemsProcessed(state.iterations());
}

void hash_merkle_node(benchmark::State& state)
{
    Bytes const node(65, 1);
    for (auto _ : state)
        benchmark::DoNotOptimize(sha256(node));
    state.SetItemsProcessed(state.iterations());
}

} // namespace

BENCHMARK(issue_leaf);
BENCHMARK(parse_p256_key);
BENCHMARK(sign_token);
BENCHMARK(verify_token);
BENCHMARK(hash_merkle_node);
BENCHMARK_MAIN();

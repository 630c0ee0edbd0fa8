// SPDX-License-Identifier: Apache-2.0
#include "agent/loopback.h"

#include "agent/aws_endpoint.h"

#include <cstdlib>
#include <gtest/gtest.h>

using namespace writ;
using namespace writ::agent;
using namespace std::chrono_literals;

namespace {

net::Request request_with(std::initializer_list<net::Headers::Field> headers)
{
    net::Request request;
    request.headers = net::Headers(headers);
    return request;
}

WatchedRun run_with_sessions()
{
    WatchedRun run;
    run.id = "run-aaaaaaaaaaaaaaaaaaaa";
    run.sessions = { { "store", "read", "Dataset", "genomes" }, { "store", "write", "Dataset", "checkpoints" }, { "archive", "read", "Dataset", "old" } };
    return run;
}

} // namespace

TEST(Loopback, takes_requests_that_are_meant_for_it_and_that_nobody_forwarded)
{
    EXPECT_TRUE(check_loopback_request(request_with({ { "host", "127.0.0.1:8471" } }), 8471).is_ok());
    EXPECT_TRUE(check_loopback_request(request_with({ { "host", "localhost:8471" }, { "accept", "application/json" } }), 8471).is_ok());
    for (auto const* host : { "127.0.0.1", "127.0.0.1:8472", "127.0.0.2:8471", "rebound.example:8471", "127.0.0.1:8471.rebound.example", "" })
        EXPECT_TRUE(check_loopback_request(request_with({ { "host", host } }), 8471).is_error()) << host;
    EXPECT_TRUE(check_loopback_request(request_with({}), 8471).is_error());
    for (auto const* mark : { "X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "Origin", "Sec-Fetch-Site" })
        EXPECT_TRUE(check_loopback_request(request_with({ { "host", "127.0.0.1:8471" }, { mark, "x" } }), 8471).is_error()) << mark;
}

TEST(Loopback, knows_callers_by_a_socket_of_this_machine_alone)
{
    EXPECT_EQ(loopback_client_port(net::AddressPeer { "127.0.0.1:5000" }), std::optional<std::uint16_t>(5000));
    EXPECT_FALSE(loopback_client_port(net::AddressPeer { "10.0.0.1:5000" }) || loopback_client_port(net::AddressPeer { "" }) || loopback_client_port(net::UnixPeer {}));
}

TEST(Sessions, are_renewed_while_clients_still_have_more_than_a_quarter_of_an_hour)
{
    auto const now = from_unix_seconds(1'800'000'000);
    EXPECT_EQ(session_renewal(now, now + 1h), now + 40min);
    EXPECT_EQ(session_renewal(now, now + 12h), now + 12h - 20min);
    EXPECT_EQ(session_renewal(now, now + 15min), now + 7min + 30s);
}

TEST(Sessions, of_a_run_are_found_by_provider_or_resource)
{
    auto const run = run_with_sessions();
    EXPECT_EQ(run.uses_of("").size(), 2U);
    EXPECT_EQ(run.uses_of("store").size(), 2U);
    ASSERT_EQ(run.uses_of("checkpoints").size(), 1U);
    EXPECT_EQ(run.uses_of("checkpoints").front().action, "write");
    EXPECT_TRUE(run.uses_of("another").empty());
    EXPECT_TRUE(WatchedRun().uses_of("").empty());
}

TEST(Sessions, of_a_run_outlive_the_agent)
{
    std::string name = (std::filesystem::temp_directory_path() / "writ-agent-XXXXXX").string();
    Path const folder = ::mkdtemp(name.data());
    auto run = run_with_sessions();
    run.handle_digest = "ab";
    ASSERT_TRUE(save_runs(folder, { run }).is_ok());
    auto const loaded = load_runs(folder).value();
    ASSERT_EQ(loaded.size(), 1U);
    EXPECT_EQ(loaded.front().handle_digest, "ab");
    EXPECT_EQ(loaded.front().uses_of("archive").front().resource_id, "old");
    EXPECT_EQ(load_loopback_port(folder / "port").error().code, ErrorCode::not_found);
    ASSERT_TRUE(save_loopback_port(folder / "port", 8471).is_ok());
    EXPECT_EQ(load_loopback_port(folder / "port").value(), 8471);
    std::filesystem::remove_all(folder);
}

TEST(Aws, tells_clients_addresses_and_a_handle_and_no_key)
{
    auto const told = aws_environment(8471, "store", SecretText("handle"));
    EXPECT_EQ(told.at("AWS_CONTAINER_CREDENTIALS_FULL_URI"), "http://127.0.0.1:8471/aws/v1/credentials/store");
    EXPECT_EQ(told.at("AWS_SHARED_CREDENTIALS_FILE"), "/dev/null");
    EXPECT_FALSE(told.contains("AWS_SECRET_ACCESS_KEY"));
}

TEST(Aws, a_credential_process_prints_the_other_words_for_the_same)
{
    SecretText const document(R"({"AccessKeyId":"A","SecretAccessKey":"B","Token":"C","Expiration":"2026-11-26T18:00:00Z"})");
    EXPECT_EQ(credential_process_output(document).value(),
        R"({"Version":1,"AccessKeyId":"A","SecretAccessKey":"B","SessionToken":"C","Expiration":"2026-11-26T18:00:00Z"})");
    EXPECT_TRUE(credential_process_output(SecretText("{}")).is_error());
}

TEST(Aws, a_metadata_token_is_of_one_run_and_ends)
{
    SystemRandom random;
    ManualClock clock(from_unix_seconds(1'800'000'000));
    ImdsTokens tokens(random, clock);
    auto const token = tokens.issue("run-a", 60s);
    EXPECT_TRUE(tokens.is_of(token, "run-a"));
    EXPECT_FALSE(tokens.is_of(token, "run-b") || tokens.is_of("", "run-a") || tokens.is_of(token + "x", "run-a"));
    clock.advance(61s);
    EXPECT_FALSE(tokens.is_of(token, "run-a"));
}

// SPDX-License-Identifier: Apache-2.0
#include "agent/loopback.h"

#include "agent/aws_endpoint.h"
#include "agent/azure_endpoint.h"
#include "agent/databricks_endpoint.h"
#include "agent/google_endpoint.h"
#include "base/logger.h"
#include "crypto/digest.h"

namespace writ::agent {

namespace {

constexpr std::string_view imds_prefix = "/latest/";

// The shape that AWS's clients show to their users.
net::Response problem(int status, std::string_view code, std::string_view message)
{
    return { status, { { "content-type", "application/json" }, { "cache-control", "no-store" } },
        to_text(JsonValue(JsonObject { { "code", code }, { "message", message } })) };
}

// Which client asks, by the path; and what it shows of its run, where its kind shows anything.
struct Asked {
    enum class Client : std::uint8_t { aws_container, aws_imds, google, google_exchange, azure, databricks };
    Client client;
    std::optional<std::string> handle;
    AzureShape azure_shape = AzureShape::app_service;
};

std::optional<Asked> recognise(net::Request const& request)
{
    if (request.path.starts_with(imds_prefix))
        return Asked { Asked::Client::aws_imds, std::nullopt };
    if (request.path.starts_with(aws_credentials_path) && request.method == "GET")
        return Asked { Asked::Client::aws_container, std::string(request.headers.get("authorization").value_or("")) };
    if (is_google_path(request.path))
        return Asked { Asked::Client::google, std::nullopt };
    if (request.path.starts_with(databricks_path))
        return Asked { Asked::Client::databricks, request.path.substr(databricks_path.size()) };
    if (request.path == google_exchange_path)
        return Asked { Asked::Client::google_exchange, google_subject_token(request) };
    if (auto const shape = azure_shape_of(request.path)) {
        auto const shown = azure_handle(*shape, request);
        return Asked { Asked::Client::azure, shown ? std::optional(std::string(*shown)) : std::nullopt, *shape };
    }
    return std::nullopt;
}

net::Task<net::Response> route(LoopbackDesk& desk, net::Request request)
{
    auto const asked = recognise(request);
    if (!asked)
        co_return problem(404, "NotFound", "no such path");
    auto const caller = identify_caller(desk, request, asked->handle);
    if (caller.is_error()) {
        log_refusal(desk, request.peer, caller.error());
        co_return problem(401, "Unauthorized", "this endpoint serves the processes of runs");
    }
    switch (asked->client) {
    case Asked::Client::aws_imds: co_return co_await answer_imds(desk, *caller, std::move(request));
    case Asked::Client::google: co_return co_await answer_google(desk, *caller, std::move(request));
    case Asked::Client::google_exchange: co_return co_await exchange_google_token(desk, *caller);
    case Asked::Client::azure: co_return co_await answer_azure(desk, *caller, asked->azure_shape, std::move(request));
    case Asked::Client::databricks: co_return co_await answer_databricks(desk, *caller, std::move(request));
    case Asked::Client::aws_container: break;
    }
    auto name = request.path.substr(aws_credentials_path.size());
    co_return co_await answer_aws_container(desk, *caller, std::move(name));
}

} // namespace

std::optional<std::uint16_t> loopback_client_port(net::Peer const& peer)
{
    auto const* address = std::get_if<net::AddressPeer>(&peer);
    auto const parsed = address == nullptr ? Result<net::Address>(not_found("")) : net::parse_address(address->address);
    auto const* tcp = parsed.is_ok() ? std::get_if<net::TcpAddress>(&*parsed) : nullptr;
    if (tcp == nullptr || tcp->host != "127.0.0.1")
        return std::nullopt;
    return tcp->port;
}

Result<> check_loopback_request(net::Request const& request, std::uint16_t port)
{
    auto const host = request.headers.get("host").value_or("");
    auto const suffix = ":" + std::to_string(port);
    if (request.headers.count("host") != 1 || (host != "127.0.0.1" + suffix && host != "localhost" + suffix))
        return permission_denied("`Host` is another's");
    for (auto const* mark : { "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip" }) {
        if (request.headers.count(mark) != 0)
            return permission_denied("the request was forwarded");
    }
    // A browser says where a page is from; no SDK does.
    if (request.headers.count("origin") != 0 || request.headers.count("sec-fetch-site") != 0)
        return permission_denied("the request is of a web page");
    return {};
}

bool is_handle_of(WatchedRun const& run, std::string_view handle)
{
    auto const digest = to_hex(crypto::sha256(as_bytes(handle)));
    return !run.handle_digest.empty() && constant_time_equal(as_bytes(digest), as_bytes(run.handle_digest));
}

Result<LoopbackCaller> identify_caller(LoopbackDesk& desk, net::Request const& request, std::optional<std::string_view> handle)
{
    auto const client = loopback_client_port(request.peer);
    if (!client)
        return unauthenticated("the caller is not of this machine");
    auto const owner = TRY(attest::socket_owner(*client, desk.port));
    auto const line = TRY(desk.holders.holder_with_ancestors(owner));
    auto const* run = desk.runs.run_of_process(line);
    auto const who = "process " + std::to_string(line.front());
    if (run == nullptr)
        return unauthenticated(who + " is of no run");
    // SECURITY: the number may have become another process's while it was looked at.
    if (run->uid != owner.uid || !attest::SocketHolders::is_held_by(owner, line.front()))
        return unauthenticated(who + " has another user than its run");
    if (handle && !is_handle_of(*run, *handle))
        return unauthenticated(who + " shows no handle of its run");
    return LoopbackCaller { *run };
}

// Of all together: whose it is would have to be looked up for each.
void log_refusal(LoopbackDesk& desk, net::Peer const& peer, Error const& error)
{
    if (auto const left_out = desk.refusals.next("local endpoint"))
        log_warning("a request to the local endpoint was refused", { { "peer", net::describe(peer) }, { "error", error.message }, { "left_out", *left_out } });
}

net::Task<net::Response> answer_loopback_request(LoopbackDesk* desk, net::Request request)
{
    auto const checked = check_loopback_request(request, desk->port);
    if (checked.is_error()) {
        log_refusal(*desk, request.peer, checked.error());
        co_return problem(403, "Forbidden", "requests come from this machine, to this address, by nobody in between");
    }
    co_return co_await route(*desk, std::move(request));
}

} // namespace writ::agent

// SPDX-License-Identifier: Apache-2.0
#include "agent/databricks_endpoint.h"

#include "agent/placed_token.h"

namespace writ::agent {

namespace {

constexpr std::string_view version = "1";

net::Response json_response(int status, JsonObject const& object)
{
    return { status, { { "content-type", "application/json" }, { "cache-control", "no-store" } }, to_text(object) };
}

net::Response refusal(int status, std::string_view code, std::string_view message) { return json_response(status, { { "error_code", code }, { "message", message } }); }

net::Response error_response(Error const& error)
{
    if (error.code == ErrorCode::not_found)
        return refusal(404, "RESOURCE_DOES_NOT_EXIST", error.message);
    return error.code == ErrorCode::permission_denied ? refusal(403, "PERMISSION_DENIED", error.message) : refusal(503, "TEMPORARILY_UNAVAILABLE", error.message);
}

} // namespace

std::map<std::string, std::string> databricks_environment(std::uint16_t loopback_port, SecretText const& handle)
{
    return { { "DATABRICKS_METADATA_SERVICE_URL", "http://127.0.0.1:" + std::to_string(loopback_port) + std::string(databricks_path) + handle.reveal() } };
}

net::Task<net::Response> answer_databricks(LoopbackDesk& desk, LoopbackCaller caller, net::Request request)
{
    if (request.method != "GET")
        co_return refusal(405, "INVALID_PARAMETER_VALUE", "a token is read");
    // SECURITY: what merely fetches URLs sends no such header.
    if (request.headers.get("x-databricks-metadata-version").value_or("") != version)
        co_return refusal(400, "INVALID_PARAMETER_VALUE", "version 1 is the one that is known here");
    std::string host(request.headers.get("x-databricks-host").value_or(""));
    auto const token = co_await token_for_place(desk.sessions, std::move(caller.run), std::string(databricks_client), std::move(host));
    if (token.is_error())
        co_return error_response(token.error());
    co_return json_response(200, { { "access_token", token->secret.reveal() }, { "token_type", "Bearer" }, { "expires_on", to_unix_seconds(token->expires) } });
}

} // namespace writ::agent

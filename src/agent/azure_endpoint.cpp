// SPDX-License-Identifier: Apache-2.0
#include "agent/azure_endpoint.h"

#include <algorithm>

namespace writ::agent {

namespace {

constexpr std::string_view app_service_path = "/azure/app-service/token";
constexpr std::string_view machine_learning_path = "/azure/machine-learning/token";
constexpr std::string_view imds_path = "/metadata/identity/oauth2/token";

net::Response json_response(int status, JsonObject const& object)
{
    return { status, { { "content-type", "application/json; charset=utf-8" }, { "cache-control", "no-store" } }, to_text(JsonValue(object)) };
}

net::Response refusal(int status, std::string_view code, std::string_view message)
{
    return json_response(status, { { "error", code }, { "error_description", message }, { "statusCode", status }, { "message", message } });
}

// Clients try again after 5xx and give up after 4xx.
net::Response error_response(Error const& error)
{
    if (error.code == ErrorCode::not_found || error.code == ErrorCode::invalid_argument)
        return refusal(400, "invalid_request", error.message);
    return error.code == ErrorCode::permission_denied ? refusal(403, "access_denied", error.message) : refusal(503, "temporarily_unavailable", error.message);
}

struct Token {
    CloudSession session;
    JsonObject document;
};

// What a client asks for: a resource, and the application that is to have the token, if it names one.
struct Wanted {
    std::string resource;
    std::optional<std::string> client_id;
};

Result<Wanted> parse_wanted(net::Request const& request)
{
    Wanted wanted { azure_resource(request.query.get("resource").value_or("")), std::nullopt };
    if (wanted.resource.empty())
        return invalid_argument("`resource` says what the token is for");
    for (auto const* name : { "client_id", "clientid" }) {
        if (auto const id = request.query.get(name))
            wanted.client_id = std::string(*id);
    }
    for (auto const* name : { "object_id", "principal_id", "mi_res_id", "msi_res_id" }) {
        if (request.query.get(name))
            return invalid_argument("identities are named by `client_id` here, not by `" + std::string(name) + "`");
    }
    return wanted;
}

bool fits(JsonObject const& document, Wanted const& wanted)
{
    return string_or(document, "resource", "") == wanted.resource && (!wanted.client_id || string_or(document, "client_id", "") == *wanted.client_id);
}

// The run's first token that fits.
net::Task<Result<Token>> token_of(LoopbackDesk& desk, WatchedRun const& run, Wanted wanted)
{
    std::optional<Error> failure;
    for (auto const& provider : run.providers_of(azure_session_kind)) {
        auto got = co_await desk.sessions.get(run.id, run.uses_of(provider, azure_session_kind));
        if (got.is_error()) {
            failure = got.error();
            continue;
        }
        auto session = std::move(got).value();
        auto parsed = parse_json_object(session.document->reveal());
        auto document = CO_TRY(parsed);
        if (fits(document, wanted))
            co_return Token { std::move(session), std::move(document) };
    }
    // One that was refused may have been the one that is asked for.
    co_return failure.value_or(Error(ErrorCode::not_found, "the run has no token for resource `" + wanted.resource + "`" + (wanted.client_id ? " of client ID `" + *wanted.client_id + "`" : "")));
}

net::Response token_response(Token const& token, Timestamp now)
{
    auto const left = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(token.session.expires - now).count());
    auto const expires = to_unix_seconds(token.session.expires);
    // Numbers as texts, as these endpoints have them.
    return json_response(200, { { "access_token", string_or(token.document, "access_token", "") }, { "client_id", string_or(token.document, "client_id", "") },
                                  { "expires_in", std::to_string(left) }, { "expires_on", std::to_string(expires) }, { "resource", string_or(token.document, "resource", "") },
                                  { "token_type", "Bearer" } });
}

} // namespace

std::map<std::string, std::string> azure_environment(std::uint16_t loopback_port, SecretText const& handle)
{
    return { { "IDENTITY_ENDPOINT", "http://127.0.0.1:" + std::to_string(loopback_port) + std::string(app_service_path) }, { "IDENTITY_HEADER", handle.reveal() } };
}

std::optional<AzureShape> azure_shape_of(std::string_view path)
{
    if (path == app_service_path)
        return AzureShape::app_service;
    if (path == machine_learning_path)
        return AzureShape::machine_learning;
    return path == imds_path ? std::optional(AzureShape::imds) : std::nullopt;
}

std::optional<std::string_view> azure_handle(AzureShape shape, net::Request const& request)
{
    if (shape == AzureShape::imds)
        return std::nullopt;
    return request.headers.get(shape == AzureShape::app_service ? "x-identity-header" : "secret").value_or("");
}

std::string azure_resource(std::string_view text)
{
    constexpr std::string_view everything = ".default";
    if (text.ends_with(everything))
        text.remove_suffix(everything.size());
    while (text.ends_with('/'))
        text.remove_suffix(1);
    return std::string(text);
}

net::Task<net::Response> answer_azure(LoopbackDesk& desk, LoopbackCaller caller, AzureShape shape, net::Request request)
{
    if (request.method != "GET")
        co_return refusal(405, "invalid_request", "a token is read");
    // SECURITY: what merely fetches URLs sends no such header.
    if (shape == AzureShape::imds && request.headers.get("metadata").value_or("") != "true")
        co_return refusal(400, "bad_request_102", "required metadata header not specified");
    auto const wanted = parse_wanted(request);
    if (wanted.is_error())
        co_return error_response(wanted.error());
    auto const token = co_await token_of(desk, caller.run, *wanted);
    co_return token.is_error() ? error_response(token.error()) : token_response(*token, desk.clock.now());
}

} // namespace writ::agent

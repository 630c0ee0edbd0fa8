// SPDX-License-Identifier: Apache-2.0
#include "agent/aws_endpoint.h"

#include "crypto/digest.h"

#include <algorithm>
#include <charconv>

namespace writ::agent {

namespace {

// LIMIT: tokens at once; the oldest of all goes first, and its client asks for another.
constexpr std::size_t imds_tokens_max = 4096;
constexpr std::size_t imds_token_characters = 40;
// SPEC: EC2 user guide, IMDSv2: 1 to 21600 seconds.
constexpr int imds_seconds_max = 21'600;
constexpr std::string_view imds_token_path = "/latest/api/token";
constexpr std::string_view imds_credentials_path = "/latest/meta-data/iam/security-credentials/";

net::Response text_response(int status, std::string text) { return { status, { { "content-type", "text/plain" }, { "cache-control", "no-store" } }, std::move(text) }; }

net::Response json_response(int status, std::string text)
{
    return { status, { { "content-type", "application/json" }, { "cache-control", "no-store" } }, std::move(text) };
}

// Clients try again after 5xx and give up after 4xx.
net::Response error_response(Error const& error)
{
    bool const is_refusal = error.code == ErrorCode::permission_denied || error.code == ErrorCode::not_found || error.code == ErrorCode::invalid_argument;
    return json_response(is_refusal ? (error.code == ErrorCode::not_found ? 404 : 403) : 503,
        to_text(JsonValue(JsonObject { { "code", to_string(error.code) }, { "message", error.message } })));
}

net::Task<Result<CloudSession>> session_of(LoopbackDesk& desk, WatchedRun const& run, std::string name)
{
    auto uses = run.uses_of(name);
    if (uses.empty())
        co_return not_found("the run has no session `" + name + "`");
    co_return co_await desk.sessions.get(run.id, std::move(uses));
}

std::string provider_lines(WatchedRun const& run)
{
    auto const providers = run.providers_of(aws_session_kind);
    return providers.empty() ? "" : providers.front();
}

Result<int> parse_seconds(std::string_view text)
{
    int seconds = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() || seconds < 1 || seconds > imds_seconds_max)
        return invalid_argument("a token lives 1 to 21600 seconds");
    return seconds;
}

net::Response answer_imds_token(LoopbackDesk& desk, WatchedRun const& run, net::Request const& request)
{
    auto const seconds = parse_seconds(request.headers.get("x-aws-ec2-metadata-token-ttl-seconds").value_or(""));
    if (seconds.is_error())
        return text_response(400, "");
    auto response = text_response(200, desk.imds_tokens.issue(run.id, std::chrono::seconds(*seconds)));
    response.headers.set("x-aws-ec2-metadata-token-ttl-seconds", std::to_string(*seconds));
    return response;
}

// SPEC: EC2 user guide, Retrieve security credentials from instance metadata.
Result<std::string> imds_document(SecretText const& document, Timestamp now)
{
    auto object = TRY(parse_json_object(document.reveal()));
    object["Code"] = "Success";
    object["Type"] = "AWS-HMAC";
    object["LastUpdated"] = to_rfc3339(now).substr(0, 19) + "Z";
    return to_text(JsonValue(object));
}

} // namespace

std::map<std::string, std::string> aws_environment(std::uint16_t loopback_port, std::string const& provider, SecretText const& handle)
{
    return { { "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                 "http://127.0.0.1:" + std::to_string(loopback_port) + std::string(aws_credentials_path) + provider },
        { "AWS_CONTAINER_AUTHORIZATION_TOKEN", handle.reveal() }, { "AWS_SHARED_CREDENTIALS_FILE", "/dev/null" }, { "AWS_CONFIG_FILE", "/dev/null" },
        { "AWS_EC2_METADATA_DISABLED", "true" }, { "AWS_REQUEST_CHECKSUM_CALCULATION", "when_required" },
        { "AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required" } };
}

net::Task<net::Response> answer_aws_container(LoopbackDesk& desk, LoopbackCaller caller, std::string provider_or_resource)
{
    auto session = co_await session_of(desk, caller.run, std::move(provider_or_resource));
    if (session.is_error())
        co_return error_response(session.error());
    co_return json_response(200, session->document->reveal());
}

net::Task<net::Response> answer_imds(LoopbackDesk& desk, LoopbackCaller caller, net::Request request)
{
    if (request.method == "PUT" && request.path == imds_token_path)
        co_return answer_imds_token(desk, caller.run, request);
    if (!desk.imds_tokens.is_of(request.headers.get("x-aws-ec2-metadata-token").value_or(""), caller.run.id))
        co_return text_response(401, "");
    if (request.method != "GET" || !request.path.starts_with(imds_credentials_path))
        co_return text_response(404, "");
    auto name = request.path.substr(imds_credentials_path.size());
    if (name.empty())
        co_return text_response(200, provider_lines(caller.run));
    auto session = co_await session_of(desk, caller.run, std::move(name));
    if (session.is_error())
        co_return error_response(session.error());
    auto const document = imds_document(*session->document, desk.clock.now());
    co_return document.is_ok() ? json_response(200, *document) : error_response(document.error());
}

Result<std::string> credential_process_output(SecretText const& document)
{
    auto const object = TRY(parse_json_object(document.reveal()));
    return to_text(JsonValue(JsonObject { { "Version", 1 }, { "AccessKeyId", TRY(string_member(object, "AccessKeyId")) },
        { "SecretAccessKey", TRY(string_member(object, "SecretAccessKey")) }, { "SessionToken", TRY(string_member(object, "Token")) },
        { "Expiration", TRY(string_member(object, "Expiration")) } }));
}

std::string ImdsTokens::issue(std::string run, std::chrono::seconds lifetime)
{
    if (tokens_.size() >= imds_tokens_max) {
        auto const oldest = std::min_element(tokens_.begin(), tokens_.end(), [](auto const& one, auto const& other) { return one.second.expires < other.second.expires; });
        tokens_.erase(oldest);
    }
    auto token = random_.base32(imds_token_characters);
    tokens_.emplace(to_hex(crypto::sha256(as_bytes(token))), Token { std::move(run), clock_.monotonic() + lifetime });
    return token;
}

bool ImdsTokens::is_of(std::string_view token, std::string const& run) const
{
    auto const found = tokens_.find(to_hex(crypto::sha256(as_bytes(token))));
    return found != tokens_.end() && found->second.run == run && found->second.expires > clock_.monotonic();
}

} // namespace writ::agent

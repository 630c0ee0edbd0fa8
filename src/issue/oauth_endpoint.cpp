// SPDX-License-Identifier: Apache-2.0
#include "issue/oauth_endpoint.h"

#include "base/utf8.h"
#include "crypto/digest.h"

#include <algorithm>

namespace writ::issue {

namespace {

// LIMIT: what an operator reads of somebody else's words.
constexpr std::size_t words_bytes_max = 300;
// LIMIT: what is believed of a token's life; nobody gives one for longer, and sums of times stay far from their end.
constexpr std::int64_t lifetime_seconds_max = 366LL * 86'400;
// Two clocks, and the way there.
constexpr Duration expiry_tolerance = std::chrono::seconds(2);

bool is_visible(char c) { return c > ' ' && c <= '~'; }

std::string one_line(std::string_view text)
{
    std::string line(utf8_prefix(text, words_bytes_max));
    std::replace_if(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
    return line;
}

ErrorCode code_of(std::string_view error, int status)
{
    static constexpr std::pair<std::string_view, ErrorCode> codes[] = {
        { "invalid_client", ErrorCode::permission_denied }, { "invalid_grant", ErrorCode::permission_denied },
        { "unauthorized_client", ErrorCode::permission_denied }, { "invalid_scope", ErrorCode::permission_denied },
        { "invalid_target", ErrorCode::permission_denied }, { "access_denied", ErrorCode::permission_denied },
        { "invalid_request", ErrorCode::invalid_argument }, { "unsupported_grant_type", ErrorCode::invalid_argument },
        { "temporarily_unavailable", ErrorCode::unavailable }, { "server_error", ErrorCode::unavailable }, { "slow_down", ErrorCode::unavailable },
    };
    for (auto const& [name, code] : codes) {
        if (name == error)
            return code;
    }
    if (status >= 500 || status == 429 || status == 408)
        return ErrorCode::unavailable;
    return status == 401 || status == 403 ? ErrorCode::permission_denied : ErrorCode::invalid_argument;
}

bool is_subset(Scopes const& given, Scopes const& asked) { return std::includes(asked.begin(), asked.end(), given.begin(), given.end()); }

// Whole seconds, as most have it, or with a fraction.
Result<std::int64_t> lifetime_of(JsonObject const& answer)
{
    auto const* seconds = answer.if_contains("expires_in");
    if (seconds == nullptr || !seconds->is_number())
        return invalid_argument("`expires_in` is missing: the token would have no end");
    auto const number = seconds->to_number<double>();
    if (!(number >= 1) || number > double(lifetime_seconds_max))
        return invalid_argument("`expires_in` is no lifetime");
    return static_cast<std::int64_t>(number);
}

} // namespace

Result<GrantedToken> parse_token_answer(std::string_view body)
{
    auto const object = TRY(parse_json_object(body));
    GrantedToken granted;
    auto const token = TRY(string_member(object, "access_token"));
    // SPEC: RFC 6749 A.12: 1*VSCHAR. SECURITY: a line end in it would become another header of the job's requests.
    if (token.empty() || !std::all_of(token.begin(), token.end(), is_visible))
        return invalid_argument("`access_token` is no token");
    granted.token = SecretText(std::string(token));
    granted.lifetime = std::chrono::seconds(TRY(lifetime_of(object)));
    if (auto const* scope = object.if_contains("scope"); scope != nullptr && !scope->is_null())
        granted.scopes = TRY(parse_scopes(TRY(string_member(object, "scope"))));
    return granted;
}

Error error_of_token_endpoint(net::Response const& response)
{
    auto const object = parse_json_object(response.body);
    std::string const error = object.is_ok() ? one_line(string_or(*object, "error", "")) : "";
    auto const words = object.is_ok() ? one_line(string_or(*object, "error_description", "")) : "";
    auto text = "the token endpoint answered " + std::to_string(response.status) + (error.empty() ? "" : " `" + error + "`");
    return { code_of(error, response.status), text + (words.empty() ? "" : ": " + words) };
}

Result<TokenEndpoint> parse_token_endpoint(std::string_view url)
{
    auto const scheme = url.find("://");
    auto const slash = scheme == std::string_view::npos ? scheme : url.find('/', scheme + 3);
    TokenEndpoint endpoint { std::string(url.substr(0, slash)), slash == std::string_view::npos ? "/" : std::string(url.substr(slash)) };
    TRY(check_token_service(endpoint.origin));
    if (endpoint.path.find_first_of("?# %") != std::string::npos || !std::all_of(endpoint.path.begin(), endpoint.path.end(), is_visible))
        return invalid_argument("`" + std::string(url) + "` has a query, a fragment or escapes");
    auto const has_segment = [path = endpoint.path + "/"](std::string_view segment) { return path.find("/" + std::string(segment) + "/") != std::string::npos; };
    if (has_segment(".") || has_segment("..") || endpoint.path.find("//") != std::string::npos)
        return invalid_argument("`" + std::string(url) + "` has segments that are empty or dots");
    return endpoint;
}

Result<Credential> OauthEndpoints::credential_of(JsonObject const& target, net::Response response, Timestamp latest) const
{
    SecretText const body(std::move(response.body));
    auto granted = parse_token_answer(body.reveal());
    if (granted.is_error())
        return unavailable("the token endpoint answered something else than a token: " + granted.error().message);
    auto const asked = TRY(parse_scopes(TRY(string_member(target, "scope"))));
    if (granted->scopes && !is_subset(*granted->scopes, asked))
        return unavailable("the token endpoint gave scope `" + to_text(*granted->scopes) + "`, asked for `" + to_text(asked) + "`");
    auto const expires = clock_.now() + granted->lifetime;
    if (expires > latest + expiry_tolerance)
        return unavailable("the token endpoint gave a token until " + to_rfc3339(expires) + ", and it may live until " + to_rfc3339(latest)
            + " only: a longer `lifetime`, and a longer `svid_lifetime` of the workload, allow it");
    Credential credential;
    // Enough to find it in the log again, and nothing to find the token by.
    credential.id = "sha256-" + to_hex(crypto::sha256(as_bytes(granted->token.reveal()))).substr(0, 32);
    credential.expires = std::min(expires, latest);
    if (!string_or(target, "revocation_endpoint", "").empty()) {
        JsonObject const withdrawal { { "target", target }, { "token", granted->token.reveal() } };
        credential.withdrawal = SecretText(writ::to_text(JsonValue(withdrawal)));
    }
    deliver_token(credential, TRY(parse_token_delivery(target)), std::move(granted->token));
    return credential;
}

Result<Withdrawal> parse_withdrawal(SecretText const& withdrawal)
{
    auto const object = TRY(parse_json_object(withdrawal.reveal()));
    auto const token = TRY(string_member(object, "token"));
    auto const* const target = TRY(object_member(object, "target"));
    return Withdrawal { *target, SecretText(std::string(token)) };
}

net::Parameters revocation_form(SecretText const& token) { return { { "token", token.reveal() }, { "token_type_hint", "access_token" } }; }

net::Task<Result<>> OauthEndpoints::revoke(JsonObject target, net::Request request)
{
    auto member = string_member(target, "revocation_endpoint");
    auto parsed = parse_token_endpoint(CO_TRY(member));
    auto const endpoint = CO_TRY(parsed);
    request.path = endpoint.path;
    TokenService const service { endpoint.origin, std::string(string_or(target, "ca_file", "")) };
    auto const answered = co_await services_.send(service, std::move(request), error_of_token_endpoint);
    if (answered.is_error())
        co_return answered.error();
    co_return Result<>();
}

net::Task<Result<Credential>> OauthEndpoints::ask(JsonObject target, net::Request request, Timestamp latest)
{
    auto member = string_member(target, "endpoint");
    auto parsed = parse_token_endpoint(CO_TRY(member));
    auto const endpoint = CO_TRY(parsed);
    request.path = endpoint.path;
    TokenService const service { endpoint.origin, std::string(string_or(target, "ca_file", "")) };
    auto answered = co_await services_.send(service, std::move(request), error_of_token_endpoint);
    auto response = CO_TRY(answered);
    co_return credential_of(target, std::move(response), latest);
}

net::Request token_request(net::Parameters const& parameters, bool is_json)
{
    net::Request request;
    request.method = "POST";
    request.headers.set("accept", "application/json");
    request.headers.set("content-type", is_json ? "application/json" : "application/x-www-form-urlencoded");
    if (!is_json) {
        request.body = net::to_form(parameters);
        return request;
    }
    JsonObject object;
    for (auto const& [name, value] : parameters)
        object.emplace(name, value);
    request.body = writ::to_text(JsonValue(object));
    return request;
}

} // namespace writ::issue

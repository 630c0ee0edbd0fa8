// SPDX-License-Identifier: Apache-2.0
#include "issue/token_answer.h"

#include "base/utf8.h"
#include "crypto/digest.h"

#include <algorithm>

namespace writ::issue {

namespace {

// LIMIT: an answer, and an error's message in the operator's log.
constexpr JsonLimits answer_limits { .size_max = 64U << 10U };
constexpr std::size_t message_bytes_max = 400;
constexpr std::int64_t lifetime_seconds_max = 366 * 24 * 3600;
constexpr std::size_t fingerprint_digits = 20; // 80 bits

// What is put into JSON and headers by clients; anything else is no credential.
Result<SecretText> token_member(JsonObject const& answer, std::string_view name)
{
    auto const token = TRY(string_member(answer, name));
    if (token.empty() || !std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; }))
        return invalid_argument("the answer has a token that is empty or no plain text");
    return SecretText(std::string(token));
}

std::string readable(std::string_view text)
{
    std::string line(utf8_prefix(text, message_bytes_max));
    std::replace_if(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
    return line;
}

bool is_bearer(std::string_view type)
{
    constexpr std::string_view bearer = "bearer";
    return std::equal(type.begin(), type.end(), bearer.begin(), bearer.end(), [](char one, char other) { return (one | 0x20) == other; });
}

} // namespace

Result<TokenAnswer> parse_bearer_answer(std::string_view body)
{
    auto const object = TRY(parse_json_object(body, answer_limits).in("answer of the token endpoint"));
    auto token = TRY(token_member(object, "access_token"));
    if (!is_bearer(TRY(string_member(object, "token_type"))))
        return invalid_argument("the answer has a token that is no bearer token");
    TokenAnswer answer { std::move(token), std::nullopt };
    auto const* lifetime = object.if_contains("expires_in");
    if (lifetime == nullptr)
        return answer;
    auto const seconds = TRY(integer_member(object, "expires_in"));
    if (seconds < 0 || seconds > lifetime_seconds_max)
        return invalid_argument("the answer has no lifetime of a token in `expires_in`");
    answer.lifetime = std::chrono::seconds(seconds);
    return answer;
}

Result<ImpersonatedToken> parse_impersonated_token(std::string_view body)
{
    auto const object = TRY(parse_json_object(body, answer_limits).in("answer of IAM Credentials"));
    auto token = TRY(token_member(object, "accessToken"));
    auto const expires = TRY(parse_rfc3339(TRY(string_member(object, "expireTime"))).in("answer of IAM Credentials: expireTime"));
    return ImpersonatedToken { std::move(token), expires };
}

ToldError parse_told_error(std::string_view body)
{
    auto const object = parse_json_object(body, answer_limits);
    auto const* error = object.is_ok() ? object->if_contains("error") : nullptr;
    if (error == nullptr)
        return {};
    if (error->is_string())
        return { readable(error->as_string()), readable(string_or(*object, "error_description", "")) };
    if (!error->is_object())
        return {};
    return { readable(string_or(error->as_object(), "status", "")), readable(string_or(error->as_object(), "message", "")) };
}

std::string token_fingerprint(std::string_view prefix, SecretText const& token)
{
    return std::string(prefix) + "-" + to_hex(crypto::sha256(as_bytes(token.reveal()))).substr(0, fingerprint_digits);
}

} // namespace writ::issue

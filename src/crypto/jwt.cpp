// SPDX-License-Identifier: Apache-2.0
#include "crypto/jwt.h"

#include <algorithm>
#include <cmath>

namespace writ::crypto {

namespace {

// LIMIT: RFC 3339's last year; beyond, and below, microseconds would not fit a Timestamp.
constexpr std::int64_t unix_seconds_max = 253'402'300'799;

// A NumericDate (RFC 7519 §2): seconds since 1970, with or without a fraction.
Result<Timestamp> parse_numeric_date(JsonValue const& value, std::string_view name)
{
    auto const wrong = [name] { return invalid_argument("claim `" + std::string(name) + "` is not a time"); };
    if (auto const* seconds = value.if_int64(); seconds != nullptr) {
        if (*seconds < 0 || *seconds > unix_seconds_max)
            return wrong();
        return from_unix_seconds(*seconds);
    }
    auto const* seconds = value.if_double();
    if (seconds == nullptr || !std::isfinite(*seconds) || *seconds < 0 || *seconds > static_cast<double>(unix_seconds_max))
        return wrong();
    return Timestamp(Duration(static_cast<std::int64_t>(*seconds * 1e6)));
}

Result<std::optional<Timestamp>> time_claim(JsonObject const& claims, std::string_view name)
{
    auto const* value = claims.if_contains(name);
    if (value == nullptr)
        return std::optional<Timestamp>();
    return std::optional<Timestamp>(TRY(parse_numeric_date(*value, name)));
}

// `aud` is one string or an array of them (RFC 7519 §4.1.3).
Result<std::vector<std::string>> audience_claim(JsonObject const& claims)
{
    auto const* value = claims.if_contains("aud");
    if (value == nullptr)
        return std::vector<std::string>();
    if (value->is_string())
        return std::vector<std::string> { std::string(value->as_string()) };
    return strings_member(claims, "aud");
}

Result<> check_types(JsonObject const& claims)
{
    for (auto const* name : { "iss", "sub", "jti" })
        if (auto const* value = claims.if_contains(name); value != nullptr && !value->is_string())
            return invalid_argument("claim `" + std::string(name) + "` is not a string");
    // A subject that is there names somebody; an empty one would match what compares with an absent one.
    if (claims.contains("sub") && string_or(claims, "sub", "").empty())
        return invalid_argument("claim `sub` is empty");
    for (auto const* name : { "exp", "nbf", "iat" })
        TRY(time_claim(claims, name));
    TRY(audience_claim(claims).in("claim"));
    return {};
}

Result<> check_times(JsonObject const& claims, JwtExpectation const& expected, Timestamp now)
{
    auto const expires = TRY(time_claim(claims, "exp"));
    if (!expires && expected.require_expiry)
        return unauthenticated("token has no expiry");
    // SPEC: RFC 7519 §4.1.4: "the expiration time on or after which the JWT MUST NOT be accepted".
    if (expires && now >= *expires + expected.leeway)
        return unauthenticated("token has expired");
    if (auto const not_before = TRY(time_claim(claims, "nbf")); not_before && now + expected.leeway < *not_before)
        return unauthenticated("token is not valid yet");
    if (auto const issued = TRY(time_claim(claims, "iat")); issued && now + expected.leeway < *issued)
        return unauthenticated("token was issued in the future");
    return {};
}

Result<> check_parties(JsonObject const& claims, JwtExpectation const& expected)
{
    if (expected.issuer && (!claims.contains("iss") || string_or(claims, "iss", "") != *expected.issuer))
        return unauthenticated("token is of another issuer");
    if (expected.audience.empty())
        return {};
    auto const audience = TRY(audience_claim(claims));
    if (std::ranges::find(audience, expected.audience) == audience.end())
        return unauthenticated("token is for another audience");
    return {};
}

} // namespace

Result<UnverifiedJwt> UnverifiedJwt::parse(std::string_view compact)
{
    UnverifiedJwt jwt;
    jwt.jws_ = TRY(parse_compact_jws(compact));
    jwt.claims_ = TRY(parse_json_object(as_text(jwt.jws_.payload), { .size_max = compact_jws_bytes_max, .depth_max = 16 }).in("claims"));
    TRY(check_types(jwt.claims_));
    return jwt;
}

std::string_view UnverifiedJwt::subject_without_verifying() const { return string_or(claims_, "sub", ""); }

Result<Jwt> UnverifiedJwt::verify(PublicKey const& key, JwtExpectation const& expected, Clock const& clock) const
{
    TRY(verify_jws(jws_, key, expected.accepted));
    TRY(check_times(claims_, expected, clock.now()));
    TRY(check_parties(claims_, expected));
    Jwt jwt;
    jwt.header_ = jws_.header;
    jwt.claims_ = claims_;
    jwt.subject_ = string_or(claims_, "sub", "");
    jwt.issuer_ = string_or(claims_, "iss", "");
    jwt.id_ = string_or(claims_, "jti", "");
    jwt.audience_ = TRY(audience_claim(claims_));
    jwt.expires_ = TRY(time_claim(claims_, "exp"));
    return jwt;
}

Result<std::string> sign_jwt(
    JsonObject const& claims, std::string_view key_id, std::string_view type, PrivateKey const& key, Algorithm algorithm)
{
    JsonObject header;
    header["alg"] = to_string(algorithm);
    header["kid"] = key_id;
    header["typ"] = type;
    return sign_compact_jws(header, to_text(JsonValue(claims)), key, algorithm);
}

} // namespace writ::crypto

// SPDX-License-Identifier: Apache-2.0
#include "crypto/jws.h"

#include <algorithm>

namespace writ::crypto {

namespace {

// LIMIT: a JSON serialisation holds a token's text a few times over; Writ reads ones of one or two signatures.
constexpr std::size_t json_jws_bytes_max = 4 * compact_jws_bytes_max;
constexpr std::size_t signatures_max = 8;
// LIMIT: no header or set of claims that Writ knows nests deeper than four.
constexpr std::size_t token_json_depth_max = 16;

JsonLimits token_limits() { return { .size_max = json_jws_bytes_max, .depth_max = token_json_depth_max }; }

Result<JsonObject> parse_protected_header(std::string_view base64url)
{
    auto const text = TRY(parse_base64url(base64url).in("header"));
    return parse_json_object(as_text(text), token_limits()).in("header");
}

// What holds of the protected and the unprotected header together.
Result<> check_headers(UnverifiedJws const& jws)
{
    for (auto const& member : jws.unprotected)
        if (jws.header.contains(member.key()))
            return invalid_argument("header member is in both the protected and the unprotected header");
    TRY(string_member(jws.header.contains("alg") ? jws.header : jws.unprotected, "alg").in("header"));
    for (auto const* name : { "crit", "b64" })
        if (jws.header.contains(name) || jws.unprotected.contains(name))
            return invalid_argument("header has `" + std::string(name) + "`, which Writ does not know");
    for (auto const* name : { "kid", "typ", "cty" })
        for (auto const* header : { &jws.header, &jws.unprotected })
            if (auto const* value = header->if_contains(name); value != nullptr && !value->is_string())
                return invalid_argument("header member `" + std::string(name) + "` must be a string");
    return {};
}

Result<UnverifiedJws> parse_json_signature(JsonObject const& signature, std::string_view payload_base64url, BytesView payload)
{
    UnverifiedJws jws;
    // SPEC: RFC 7515 §7.2.1: with an empty protected header the member is absent, and the signing input begins with the dot.
    std::string_view protected_text;
    if (signature.contains("protected")) {
        protected_text = TRY(string_member(signature, "protected"));
        jws.header = TRY(parse_protected_header(protected_text));
    }
    if (signature.contains("header"))
        jws.unprotected = *TRY(object_member(signature, "header"));
    jws.signing_input = std::string(protected_text) + "." + std::string(payload_base64url);
    jws.payload.assign(payload.begin(), payload.end());
    jws.signature = TRY(parse_base64url(TRY(string_member(signature, "signature"))).in("signature"));
    TRY(check_headers(jws));
    return jws;
}

Result<JwkSetKey> parse_set_key(JsonObject const& jwk)
{
    auto key = TRY(PublicKey::parse_jwk(jwk));
    JwkSetKey entry { .id = std::string(string_or(jwk, "kid", "")),
        .algorithm = std::nullopt,
        .use = std::string(string_or(jwk, "use", "")),
        .key = std::move(key),
        .x5c = {} };
    if (jwk.contains("alg")) {
        entry.algorithm = TRY(parse_algorithm(TRY(string_member(jwk, "alg"))));
        if (!is_usable(entry.key.type(), *entry.algorithm))
            return invalid_argument("JWK has an `alg` that is not one of its key type");
    }
    if (jwk.contains("x5c"))
        for (auto const& text : TRY(strings_member(jwk, "x5c")))
            entry.x5c.push_back(TRY(parse_base64(text).in("JWK member `x5c`")));
    return entry;
}

bool is_for_signatures(JsonObject const& jwk)
{
    if (string_or(jwk, "use", "") == "enc")
        return false;
    auto const* operations = jwk.if_contains("key_ops");
    if (operations == nullptr)
        return true;
    auto const* listed = operations->if_array();
    return listed != nullptr && std::ranges::any_of(*listed, [](JsonValue const& operation) { return operation == "verify"; });
}

} // namespace

std::string_view UnverifiedJws::key_id() const
{
    auto const id = string_or(header, "kid", "");
    return id.empty() ? string_or(unprotected, "kid", "") : id;
}

Result<UnverifiedJws> parse_compact_jws(std::string_view text)
{
    if (text.size() > compact_jws_bytes_max)
        return invalid_argument("token of " + std::to_string(text.size()) + " bytes is over the limit");
    auto const first = text.find('.');
    auto const second = first == std::string_view::npos ? first : text.find('.', first + 1);
    if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos)
        return invalid_argument("token does not have three parts");
    UnverifiedJws jws;
    jws.header = TRY(parse_protected_header(text.substr(0, first)));
    jws.signing_input = text.substr(0, second);
    jws.payload = TRY(parse_base64url(text.substr(first + 1, second - first - 1)).in("payload"));
    jws.signature = TRY(parse_base64url(text.substr(second + 1)).in("signature"));
    TRY(check_headers(jws));
    return jws;
}

Result<std::vector<UnverifiedJws>> parse_json_jws(std::string_view text)
{
    auto const object = TRY(parse_json_object(text, token_limits()));
    auto const payload_text = TRY(string_member(object, "payload"));
    auto const payload = TRY(parse_base64url(payload_text).in("payload"));
    std::vector<UnverifiedJws> parsed;
    if (!object.contains("signatures")) {
        parsed.push_back(TRY(parse_json_signature(object, payload_text, payload)));
        return parsed;
    }
    // SPEC: RFC 7515 §7.2.2: "The "signatures" member MUST NOT be present when using this syntax", the flattened one.
    for (auto const* name : { "signature", "protected", "header" })
        if (object.contains(name))
            return invalid_argument("JWS has both `signatures` and `" + std::string(name) + "`");
    auto const* signatures = TRY(array_member(object, "signatures"));
    if (signatures->empty() || signatures->size() > signatures_max)
        return invalid_argument("JWS has no or too many signatures");
    for (auto const& signature : *signatures) {
        if (!signature.is_object())
            return invalid_argument("JWS has a signature that is no object");
        parsed.push_back(TRY(parse_json_signature(signature.as_object(), payload_text, payload)));
    }
    return parsed;
}

Result<> verify_jws(UnverifiedJws const& jws, PublicKey const& key, std::span<Algorithm const> accepted)
{
    auto const algorithm = parse_algorithm(string_or(jws.header.contains("alg") ? jws.header : jws.unprotected, "alg", ""));
    // SECURITY: RFC 8725 §3.1: the caller's list and the key decide, the header only has to agree.
    if (algorithm.is_error() || std::ranges::find(accepted, *algorithm) == accepted.end())
        return unauthenticated("signature is of an algorithm that is not accepted");
    return verify(key, *algorithm, as_bytes(jws.signing_input), jws.signature);
}

Result<std::string> sign_compact_jws(JsonObject const& header, std::string_view payload, PrivateKey const& key, Algorithm algorithm)
{
    JsonObject whole;
    whole["alg"] = to_string(algorithm);
    for (auto const& member : header)
        if (member.key() != "alg")
            whole.insert(member);
    auto token = to_base64url(as_bytes(to_text(JsonValue(std::move(whole)))));
    token += '.';
    token += to_base64url(as_bytes(payload));
    auto const signature = TRY(sign(key, algorithm, as_bytes(token)));
    token += '.';
    token += to_base64url(signature);
    if (token.size() > compact_jws_bytes_max)
        return invalid_argument("token would have more than " + std::to_string(compact_jws_bytes_max) + " bytes");
    return token;
}

Result<std::vector<JwkSetKey>> parse_jwk_set(std::string_view text, std::size_t keys_max)
{
    auto const set = TRY(parse_json_object(text).in("JWK set"));
    auto const* keys = TRY(array_member(set, "keys").in("JWK set"));
    if (keys->size() > keys_max)
        return invalid_argument("JWK set has " + std::to_string(keys->size()) + " keys, over the limit of " + std::to_string(keys_max));
    std::vector<JwkSetKey> parsed;
    for (auto const& key : *keys) {
        if (!key.is_object())
            return invalid_argument("JWK set has a key that is no object");
        if (!is_for_signatures(key.as_object()))
            continue;
        // SPEC: RFC 7517 §5: "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" values that are not understood by them,
        // that are missing required members, or for which values are out of the supported ranges."
        if (auto entry = parse_set_key(key.as_object()); entry.is_ok())
            parsed.push_back(std::move(*entry));
    }
    return parsed;
}

} // namespace writ::crypto

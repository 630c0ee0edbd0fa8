// SPDX-License-Identifier: Apache-2.0
//
// jose_conformance DIR: the JOSE cookbook (RFC 7520, RFC 8037) through our functions. Every signature verifies in each of its
// serialisations and fails with one byte of it changed; what is said to be reproducible is reproduced; keys survive parsing. MACs,
// encryption and `b64` (RFC 7797) are not Writ's: skipped by rule.
#include "crypto/jws.h"
#include "tally.h"

using namespace writ;
using namespace writ::conformance;
using namespace writ::crypto;

namespace {

struct Example {
    std::string name;
    JsonObject const& object; // has `input`, `signing`, `output`
    Tally& tally;
};

JsonObject object_at(JsonObject const& object, std::string_view name)
{
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_object() ? value->as_object() : JsonObject();
}

// One value where the cookbook has one, several where it has a list.
std::vector<JsonValue> values_at(JsonObject const& object, std::string_view name)
{
    auto const* value = object.if_contains(name);
    if (value == nullptr)
        return {};
    if (value->is_array())
        return { value->as_array().begin(), value->as_array().end() };
    return { *value };
}

void check_signature(Example const& example, std::string const& form, UnverifiedJws jws, PublicKey const& key, Algorithm algorithm)
{
    auto const name = example.name + ", " + form;
    auto const payload = text_at(object_at(example.object, "input"), "payload");
    example.tally.expect(
        verify_jws(jws, key, std::span(&algorithm, 1)).is_ok() && as_text(jws.payload) == payload, name + ": should verify");
    jws.signature.back() ^= 1;
    example.tally.expect(verify_jws(jws, key, std::span(&algorithm, 1)).is_error(), name + ": should not verify once altered");
}

// The signatures of every serialisation, with the keys and algorithms of the same places.
void check_forms(Example const& example, std::vector<JsonValue> const& keys, std::vector<JsonValue> const& algorithms)
{
    auto const output = object_at(example.object, "output");
    for (auto const* form : { "compact", "json", "json_flat" }) {
        if (!output.contains(form))
            continue;
        std::vector<UnverifiedJws> signatures;
        if (std::string_view(form) == "compact") {
            if (auto jws = parse_compact_jws(text_at(output, form)); jws.is_ok())
                signatures.push_back(std::move(*jws));
        } else if (auto parsed = parse_json_jws(to_text(output.at(form))); parsed.is_ok()) {
            signatures = std::move(*parsed);
        }
        example.tally.expect(signatures.size() == keys.size(), example.name + ", " + form + ": should parse");
        for (std::size_t i = 0; i < std::min(signatures.size(), keys.size()); ++i) {
            auto const algorithm = parse_algorithm(algorithms.at(i).as_string());
            auto const key = PublicKey::parse_jwk(keys.at(i).as_object());
            if (algorithm.is_error())
                example.tally.skip("signatures that are MACs");
            else if (key.is_error())
                example.tally.expect(false, example.name + ": " + key.error().message);
            else
                check_signature(example, form, signatures.at(i), *key, *algorithm);
        }
    }
}

void check_reproduction(Example const& example, JsonObject const& jwk, Algorithm algorithm)
{
    auto const key = PrivateKey::parse_jwk(jwk);
    if (key.is_error())
        return example.tally.expect(false, example.name + ": private key: " + key.error().message);
    auto const header = object_at(object_at(example.object, "signing"), "protected");
    auto const token = sign_compact_jws(header, text_at(object_at(example.object, "input"), "payload"), *key, algorithm);
    auto const wanted = text_at(object_at(example.object, "output"), "compact");
    auto const* reproducible = example.object.if_contains("reproducible");
    if (reproducible != nullptr && *reproducible == true)
        return example.tally.expect(token.is_ok() && *token == wanted, example.name + ": should be reproduced");
    auto const made = token.is_ok() ? parse_compact_jws(*token) : Result<UnverifiedJws>(token.error());
    example.tally.expect(made.is_ok() && verify_jws(*made, key->public_key(), std::span(&algorithm, 1)).is_ok(),
        example.name + ": what we sign with its key should verify");
}

void check_signing(Example const& example)
{
    auto const input = object_at(example.object, "input");
    auto const keys = values_at(input, "key");
    auto const algorithms = values_at(input, "alg");
    auto const is_mac = [](JsonValue const& name) { return name.is_string() && std::string_view(name.as_string()).starts_with("HS"); };
    if (keys.empty() || keys.size() != algorithms.size())
        return example.tally.expect(false, example.name + ": not as many keys as algorithms");
    if (std::ranges::all_of(algorithms, is_mac))
        return example.tally.skip("examples whose signatures are all MACs");
    check_forms(example, keys, algorithms);
    if (keys.size() == 1)
        check_reproduction(example, keys[0].as_object(), parse_algorithm(algorithms[0].as_string()).value());
}

// A public key keeps its required members; of a private one, the public half does, and a private half too.
void check_jwk(std::string const& name, JsonObject const& jwk, Tally& tally)
{
    if (text_at(jwk, "kty") == "oct")
        return tally.expect(
            PublicKey::parse_jwk(jwk).is_error() && PrivateKey::parse_jwk(jwk).is_error(), name + ": is not Writ's, should be refused");
    auto const key = PublicKey::parse_jwk(jwk);
    if (key.is_error())
        return tally.expect(false, name + ": " + key.error().message);
    auto const written = key->to_jwk();
    tally.expect(std::ranges::all_of(written, [&jwk](auto const& member) { return jwk.at(member.key()) == member.value(); }),
        name + ": should be written as read");
    tally.expect(PrivateKey::parse_jwk(jwk).is_ok() == jwk.contains("d"), name + ": private half");
}

void check_file(Path const& path, std::string const& name, Tally& tally)
{
    auto const file = read_json(path);
    if (file.is_error())
        return tally.expect(false, file.error().message);
    if (file->contains("kty"))
        return check_jwk(name, *file, tally);
    if (name.find("rfc7797") != std::string::npos)
        return tally.skip("RFC 7797: unencoded payloads are refused by Writ");
    if (file->contains("sign")) {
        auto const nested = object_at(*file, "sign");
        check_signing({ .name = name, .object = nested, .tally = tally });
        return tally.skip("JWE is not Writ's");
    }
    if (file->contains("signing"))
        return check_signing({ .name = name, .object = *file, .tally = tally });
    tally.skip("JWE is not Writ's");
}

} // namespace

int main(int count, char** arguments)
{
    if (count != 2) {
        std::fputs("usage: jose_conformance DIR\n", stderr);
        return 2;
    }
    Tally tally;
    for (auto const& path : json_files(arguments[1]))
        check_file(path, path.lexically_relative(arguments[1]).string(), tally);
    return tally.print();
}

// SPDX-License-Identifier: Apache-2.0
//
// wycheproof_conformance DIR: signatures, tokens, keys, sealing and MACs of C2SP's Wycheproof through our functions. `invalid` must be
// refused, `valid` accepted, `acceptable` may go either way. Files and groups of what Writ does not have are skipped by rule and counted.
#include "crypto/aead.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "tally.h"

#include <functional>
#include <optional>

using namespace writ;
using namespace writ::conformance;
using namespace writ::crypto;

namespace {

constexpr std::array every_algorithm = { Algorithm::es256, Algorithm::es384, Algorithm::es512, Algorithm::eddsa, Algorithm::rs256,
    Algorithm::rs384, Algorithm::rs512, Algorithm::ps256, Algorithm::ps384, Algorithm::ps512 };

struct Group {
    std::string file;
    JsonObject const& object;
    Tally& tally;
};

// One case came out as `accepted`; the case says what it should have.
void judge(Group const& group, JsonObject const& test, bool accepted)
{
    auto const wanted = text_at(test, "result");
    auto const id = std::to_string(integer_member(test, "tcId").is_ok() ? *integer_member(test, "tcId") : -1);
    group.tally.expect(wanted == "acceptable" || accepted == (wanted == "valid"),
        group.file + " " + id + " (" + text_at(test, "comment") + ") should be " + wanted);
}

std::size_t size_of(Group const& group) { return objects_at(group.object, "tests").size(); }

void verify_all(Group const& group, PublicKey const& key, Algorithm algorithm, EcdsaForm form)
{
    for (auto const& test : objects_at(group.object, "tests"))
        judge(group, test, verify(key, algorithm, hex_at(test, "msg"), hex_at(test, "sig"), form).is_ok());
}

// A key of the corpus that our limits refuse tells nothing about signatures; one that they should not refuse is a failure.
std::optional<PublicKey> key_of(Group const& group)
{
    auto key = PublicKey::parse_spki(hex_at(group.object, "publicKeyDer"));
    if (key.is_ok())
        return std::move(*key);
    if (key.error().message.find("RSA key has") != std::string::npos)
        group.tally.skip("groups with an RSA key that our limits refuse", size_of(group));
    else
        group.tally.expect(false, group.file + ": " + key.error().message);
    return std::nullopt;
}

void check_ecdsa(Group const& group, EcdsaForm form)
{
    auto const* described = group.object.if_contains("publicKey");
    auto const curve = described != nullptr && described->is_object() ? text_at(described->as_object(), "curve") : std::string();
    auto const pair = curve + " " + text_at(group.object, "sha");
    std::map<std::string, Algorithm> const pairs = { { "secp256r1 SHA-256", Algorithm::es256 }, { "secp384r1 SHA-384", Algorithm::es384 },
        { "secp521r1 SHA-512", Algorithm::es512 } };
    if (!pairs.contains(pair))
        return group.tally.skip("ECDSA with a curve or a hash that JOSE does not pair", size_of(group));
    if (auto const key = key_of(group))
        verify_all(group, *key, pairs.at(pair), form);
}

void check_eddsa(Group const& group)
{
    auto const* described = group.object.if_contains("publicKey");
    if (described == nullptr || !described->is_object() || text_at(described->as_object(), "curve") != "edwards25519")
        return group.tally.skip("EdDSA over another curve than Ed25519", size_of(group));
    if (auto const key = key_of(group))
        verify_all(group, *key, Algorithm::eddsa, EcdsaForm::raw);
}

void check_rsa_pkcs1(Group const& group)
{
    std::map<std::string, Algorithm> const hashes
        = { { "SHA-256", Algorithm::rs256 }, { "SHA-384", Algorithm::rs384 }, { "SHA-512", Algorithm::rs512 } };
    auto const hash = text_at(group.object, "sha");
    if (!hashes.contains(hash))
        return group.tally.skip("RSA with a hash that JOSE does not have", size_of(group));
    if (auto const key = key_of(group))
        verify_all(group, *key, hashes.at(hash), EcdsaForm::raw);
}

void check_rsa_pss(Group const& group)
{
    struct Parameters {
        Algorithm algorithm;
        std::int64_t salt_bytes;
    };
    std::map<std::string, Parameters> const hashes
        = { { "SHA-256", { Algorithm::ps256, 32 } }, { "SHA-384", { Algorithm::ps384, 48 } }, { "SHA-512", { Algorithm::ps512, 64 } } };
    auto const hash = text_at(group.object, "sha");
    auto const salt = integer_member(group.object, "sLen");
    if (!hashes.contains(hash) || text_at(group.object, "mgfSha") != hash || salt.is_error() || *salt != hashes.at(hash).salt_bytes)
        return group.tally.skip("RSA-PSS with a hash, a mask or a salt that JOSE does not have", size_of(group));
    if (auto const key = key_of(group))
        verify_all(group, *key, hashes.at(hash).algorithm, EcdsaForm::raw);
}

bool is_sealing_form(JsonObject const& group)
{
    auto const is = [&group](std::string_view name, std::int64_t wanted) {
        auto const value = integer_member(group, name);
        return value.is_ok() && *value == wanted;
    };
    return is("ivSize", 96) && is("keySize", 256) && is("tagSize", 128);
}

void check_aead(Group const& group)
{
    if (!is_sealing_form(group.object))
        return group.tally.skip("AES-GCM with a key, nonce or tag of other sizes than Writ's", size_of(group));
    for (auto const& test : objects_at(group.object, "tests")) {
        Bytes sealed = hex_at(test, "iv");
        for (auto const* part : { "ct", "tag" }) {
            auto const bytes = hex_at(test, part);
            sealed.insert(sealed.end(), bytes.begin(), bytes.end());
        }
        auto const opened = open(SecretBytes(hex_at(test, "key")), sealed, hex_at(test, "aad"));
        judge(group, test, opened.is_ok() && opened->reveal() == hex_at(test, "msg"));
    }
}

void check_mac(Group const& group)
{
    auto const tag_size = integer_member(group.object, "tagSize");
    if (tag_size.is_error() || *tag_size != 256)
        return group.tally.skip("HMAC with a shortened tag", size_of(group));
    for (auto const& test : objects_at(group.object, "tests"))
        judge(group, test, constant_time_equal(hmac_sha256(hex_at(test, "key"), hex_at(test, "msg")), hex_at(test, "tag")));
}

// The key set that a JSON group's token is to be verified with: `public` is a key or a set.
JsonObject key_set(JsonObject const& group)
{
    auto const* keys = group.if_contains("public");
    if (keys != nullptr && keys->is_object() && keys->as_object().contains("keys"))
        return keys->as_object();
    return { { "keys", JsonArray { keys == nullptr ? JsonValue() : *keys } } };
}

// As everybody who verifies with a key set must: by `kid`, and by the key's own algorithm if it names one.
bool verifies(std::string_view token, std::vector<JwkSetKey> const& keys)
{
    auto const jws = parse_compact_jws(token);
    if (jws.is_error())
        return false;
    return std::ranges::any_of(keys, [&jws](JwkSetKey const& key) {
        if (!jws->key_id().empty() && jws->key_id() != key.id)
            return false;
        if (!key.algorithm)
            return verify_jws(*jws, key.key, every_algorithm).is_ok();
        return verify_jws(*jws, key.key, std::span(&*key.algorithm, 1)).is_ok();
    });
}

bool names_other_algorithm(std::string_view token, JsonObject const& set)
{
    auto const jws = parse_compact_jws(token);
    auto const& key = set.at("keys").as_array().at(0).as_object();
    return jws.is_ok() && key.contains("alg") && string_or(key, "alg", "") != string_or(jws->header, "alg", "");
}

void check_json_web(Group const& group)
{
    if (!group.object.contains("public"))
        return group.tally.skip("tokens under a symmetric key: MACs and encryption are not Writ's", size_of(group));
    auto const set = key_set(group.object);
    auto const keys = parse_jwk_set(to_text(JsonValue(set)));
    for (auto const& test : objects_at(group.object, "tests")) {
        auto const token = text_at(test, "jws");
        if (test.contains("jwe"))
            group.tally.skip("JWE is not Writ's");
        else if (text_at(test, "result") == "valid" && names_other_algorithm(token, set))
            group.tally.skip("called valid though the JWK is for another `alg` than the token's; refused here");
        else
            judge(group, test, keys.is_ok() && verifies(token, *keys));
    }
}

using Check = std::function<void(Group const&)>;

std::map<std::string, Check> const& checks()
{
    static std::map<std::string, Check> const by_type = {
        { "EcdsaVerify", [](Group const& group) { check_ecdsa(group, EcdsaForm::der); } },
        { "EcdsaP1363Verify", [](Group const& group) { check_ecdsa(group, EcdsaForm::raw); } },
        { "EddsaVerify", check_eddsa },
        { "RsassaPkcs1Verify", check_rsa_pkcs1 },
        { "RsassaPssVerify", check_rsa_pss },
        { "JsonWebSignature", check_json_web },
        { "JsonWebKey", check_json_web },
        { "JsonWebCrypto", check_json_web },
        { "AeadTest", check_aead },
        { "MacTest", check_mac },
    };
    return by_type;
}

// Types that several algorithms share.
bool is_ours(std::string const& type, std::string const& algorithm)
{
    if (type == "AeadTest")
        return algorithm == "AES-GCM";
    if (type == "MacTest")
        return algorithm == "HMACSHA256";
    return true;
}

void check_file(Path const& path, Tally& tally)
{
    auto const file = read_json(path);
    if (file.is_error())
        return tally.expect(false, file.error().message);
    for (auto const& object : objects_at(*file, "testGroups")) {
        auto const type = text_at(object, "type");
        auto const algorithm = text_at(*file, "algorithm");
        Group const group { .file = path.filename().string(), .object = object, .tally = tally };
        if (checks().contains(type) && is_ours(type, algorithm))
            checks().at(type)(group);
        else
            tally.skip("an algorithm that Writ does not have: " + (algorithm.empty() ? type : algorithm), size_of(group));
    }
}

} // namespace

int main(int count, char** arguments)
{
    if (count != 2) {
        std::fputs("usage: wycheproof_conformance DIR\n", stderr);
        return 2;
    }
    Tally tally;
    for (auto const& path : json_files(arguments[1]))
        check_file(path, tally);
    return tally.print();
}

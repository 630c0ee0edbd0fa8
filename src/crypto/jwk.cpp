// SPDX-License-Identifier: Apache-2.0
#include "crypto/der.h"
#include "crypto/digest.h"
#include "crypto/key_state.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

namespace writ::crypto {

namespace {

using ParamBuildPtr = std::unique_ptr<OSSL_PARAM_BLD, OpensslDelete<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, OpensslDelete<OSSL_PARAM_free>>;

struct CurveName {
    KeyType type;
    std::string_view jose;
    char const* openssl;
};

constexpr std::array<CurveName, 3> curves = { {
    { KeyType::p256, "P-256", "P-256" },
    { KeyType::p384, "P-384", "P-384" },
    { KeyType::p521, "P-521", "P-521" },
} };

Result<CurveName> curve_of(JsonObject const& jwk)
{
    auto const name = TRY(string_member(jwk, "crv"));
    for (auto const& curve : curves)
        if (curve.jose == name)
            return curve;
    return invalid_argument("JWK is of a curve that Writ does not have");
}

CurveName const& curve_of(KeyType type)
{
    for (auto const& curve : curves)
        if (curve.type == type)
            return curve;
    ASSERT(false);
}

Result<Bytes> bytes_member(JsonObject const& jwk, std::string_view name)
{
    return parse_base64url(TRY(string_member(jwk, name))).in("JWK member `" + std::string(name) + "`");
}

Result<Bytes> sized_member(JsonObject const& jwk, std::string_view name, std::size_t size)
{
    auto bytes = TRY(bytes_member(jwk, name));
    // SPEC: RFC 7518 §6.2.1.2: "The length of this octet string MUST be the full size of a coordinate for the curve".
    if (bytes.size() != size)
        return invalid_argument("JWK member `" + std::string(name) + "` has another length than its curve's");
    return bytes;
}

Result<PublicKey> parse_ec(JsonObject const& jwk)
{
    auto const type = TRY(curve_of(jwk)).type;
    Bytes point = { 0x04 };
    append_bytes(point, TRY(sized_member(jwk, "x", coordinate_size(type))));
    append_bytes(point, TRY(sized_member(jwk, "y", coordinate_size(type))));
    return public_key_of_point(type, point);
}

Result<> expect_ed25519(JsonObject const& jwk)
{
    if (TRY(string_member(jwk, "crv")) != "Ed25519")
        return invalid_argument("JWK is of a curve that Writ does not have");
    return {};
}

struct RsaNumbers {
    BytesView modulus, exponent;
};

// Of an SPKI that was made here.
Result<RsaNumbers> rsa_numbers(BytesView spki)
{
    DerReader outer(spki);
    DerReader contents(TRY(outer.next(DerTag::sequence)));
    TRY(contents.next(DerTag::sequence));
    auto const bits = TRY(contents.next(DerTag::bit_string));
    DerReader key(bits.subspan(1));
    DerReader numbers(TRY(key.next(DerTag::sequence)));
    auto const modulus = TRY(numbers.next_unsigned());
    return RsaNumbers { .modulus = modulus, .exponent = TRY(numbers.next_unsigned()) };
}

// What EVP_PKEY_fromdata takes, its numbers kept alive beside it.
class KeyParameters {
public:
    KeyParameters()
        : build_(OSSL_PARAM_BLD_new())
    {
        ASSERT(build_ != nullptr);
    }
    void add_number(char const* name, BytesView big_endian)
    {
        numbers_.emplace_back(BN_bin2bn(big_endian.data(), static_cast<int>(big_endian.size()), BN_secure_new()));
        ASSERT(numbers_.back() != nullptr && OSSL_PARAM_BLD_push_BN(build_.get(), name, numbers_.back().get()) == 1);
    }
    void add_text(char const* name, char const* text) { ASSERT(OSSL_PARAM_BLD_push_utf8_string(build_.get(), name, text, 0) == 1); }
    // REQUIRES: the bytes live until import().
    void add_bytes(char const* name, BytesView bytes)
    {
        ASSERT(OSSL_PARAM_BLD_push_octet_string(build_.get(), name, bytes.data(), bytes.size()) == 1);
    }
    Result<PkeyPtr> import(char const* algorithm)
    {
        ParamsPtr const parameters(OSSL_PARAM_BLD_to_param(build_.get()));
        PkeyCtxPtr const context(EVP_PKEY_CTX_new_from_name(nullptr, algorithm, nullptr));
        EVP_PKEY* key = nullptr;
        ASSERT(parameters != nullptr && context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1);
        if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.get()) != 1)
            return invalid_argument("private JWK is not a key: " + last_openssl_error());
        return PkeyPtr(key);
    }

private:
    ParamBuildPtr build_;
    std::vector<BignumPtr> numbers_;
};

Result<PkeyPtr> import_ec(JsonObject const& jwk)
{
    auto const curve = TRY(curve_of(jwk));
    auto const size = coordinate_size(curve.type);
    Bytes point = { 0x04 };
    append_bytes(point, TRY(sized_member(jwk, "x", size)));
    append_bytes(point, TRY(sized_member(jwk, "y", size)));
    SecretBytes const scalar(TRY(sized_member(jwk, "d", size)));
    KeyParameters parameters;
    parameters.add_text(OSSL_PKEY_PARAM_GROUP_NAME, curve.openssl);
    parameters.add_bytes(OSSL_PKEY_PARAM_PUB_KEY, point);
    parameters.add_number(OSSL_PKEY_PARAM_PRIV_KEY, scalar.reveal());
    return parameters.import("EC");
}

Result<PkeyPtr> import_ed25519(JsonObject const& jwk)
{
    TRY(expect_ed25519(jwk));
    SecretBytes const seed(TRY(sized_member(jwk, "d", 32)));
    auto const x = TRY(sized_member(jwk, "x", 32));
    PkeyPtr key(EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, seed.reveal().data(), seed.reveal().size()));
    ASSERT(key != nullptr);
    Bytes derived(x.size());
    std::size_t size = derived.size();
    ASSERT(EVP_PKEY_get_raw_public_key(key.get(), derived.data(), &size) == 1);
    if (derived != x)
        return invalid_argument("private JWK has a public half of another key");
    return key;
}

Result<PkeyPtr> import_rsa(JsonObject const& jwk)
{
    static constexpr std::array<std::pair<std::string_view, char const*>, 8> numbers = { {
        { "n", OSSL_PKEY_PARAM_RSA_N },
        { "e", OSSL_PKEY_PARAM_RSA_E },
        { "d", OSSL_PKEY_PARAM_RSA_D },
        { "p", OSSL_PKEY_PARAM_RSA_FACTOR1 },
        { "q", OSSL_PKEY_PARAM_RSA_FACTOR2 },
        { "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1 },
        { "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2 },
        { "qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
    } };
    if (jwk.contains("oth"))
        return invalid_argument("private JWK is of an RSA key with more than two primes");
    TRY(check_rsa_numbers(TRY(bytes_member(jwk, "n")), TRY(bytes_member(jwk, "e"))));
    KeyParameters parameters;
    for (auto const& [member, name] : numbers) {
        SecretBytes const number(TRY(bytes_member(jwk, member)));
        parameters.add_number(name, number.reveal());
    }
    return parameters.import("RSA");
}

} // namespace

Result<PublicKey> PublicKey::parse_jwk(JsonObject const& jwk)
{
    auto const kty = TRY(string_member(jwk, "kty"));
    if (kty == "EC")
        return parse_ec(jwk);
    if (kty == "RSA")
        return public_key_of_rsa(TRY(bytes_member(jwk, "n")), TRY(bytes_member(jwk, "e")));
    if (kty == "OKP") {
        TRY(expect_ed25519(jwk));
        return public_key_of_point(KeyType::ed25519, TRY(sized_member(jwk, "x", 32)));
    }
    return invalid_argument("JWK is of a key type that Writ does not have");
}

JsonObject PublicKey::to_jwk() const
{
    BytesView const spki = state_->spki;
    JsonObject jwk;
    if (type() == KeyType::rsa) {
        auto const numbers = rsa_numbers(spki).value();
        jwk["e"] = to_base64url(numbers.exponent);
        jwk["kty"] = "RSA";
        jwk["n"] = to_base64url(numbers.modulus);
        return jwk;
    }
    if (type() == KeyType::ed25519) {
        jwk["crv"] = "Ed25519";
        jwk["kty"] = "OKP";
        jwk["x"] = to_base64url(spki.last(32));
        return jwk;
    }
    auto const size = coordinate_size(type());
    jwk["crv"] = curve_of(type()).jose;
    jwk["kty"] = "EC";
    jwk["x"] = to_base64url(spki.last(2 * size).first(size));
    jwk["y"] = to_base64url(spki.last(size));
    return jwk;
}

std::string PublicKey::thumbprint() const { return to_base64url(sha256(as_bytes(to_text(JsonValue(to_jwk()))))); }

Result<PrivateKey> PrivateKey::parse_jwk(JsonObject const& jwk)
{
    auto const kty = TRY(string_member(jwk, "kty"));
    if (kty == "EC")
        return adopt_private_key(TRY(import_ec(jwk)));
    if (kty == "OKP")
        return adopt_private_key(TRY(import_ed25519(jwk)));
    if (kty == "RSA")
        return adopt_private_key(TRY(import_rsa(jwk)));
    return invalid_argument("JWK is of a key type that Writ does not have");
}

} // namespace writ::crypto

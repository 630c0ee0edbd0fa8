// SPDX-License-Identifier: Apache-2.0
#include "crypto/der.h"
#include "crypto/key_state.h"

#include <array>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

namespace writ::crypto {

namespace {

using GroupPtr = std::unique_ptr<EC_GROUP, OpensslDelete<EC_GROUP_free>>;
using PointPtr = std::unique_ptr<EC_POINT, OpensslDelete<EC_POINT_free>>;
using BnCtxPtr = std::unique_ptr<BN_CTX, OpensslDelete<BN_CTX_free>>;
using ParamBuildPtr = std::unique_ptr<OSSL_PARAM_BLD, OpensslDelete<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, OpensslDelete<OSSL_PARAM_free>>;

constexpr std::size_t rsa_bits_min = 2048;
// LIMIT: verifying costs the square of the size; nobody signs tokens with more.
constexpr std::size_t rsa_bits_max = 8192;
// LIMIT: public exponents in the wild are 65537; OpenSSL refuses more than 64 bits with large moduli.
constexpr std::size_t rsa_exponent_bytes_max = 8;

// Everything of a SubjectPublicKeyInfo before the key itself. Comparing with these is 7 times faster than OpenSSL's decoder.
constexpr std::array<std::uint8_t, 26> p256_prefix = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 };
constexpr std::array<std::uint8_t, 23> p384_prefix = { 0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
    0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00 };
constexpr std::array<std::uint8_t, 25> p521_prefix = { 0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00 };
constexpr std::array<std::uint8_t, 12> ed25519_prefix = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };
// AlgorithmIdentifier of rsaEncryption: its OID and NULL.
constexpr std::array<std::uint8_t, 13> rsa_algorithm = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };

struct PointForm {
    KeyType type;
    BytesView prefix;
    std::size_t size;
    char const* algorithm;
    char const* group;
};

constexpr std::array<PointForm, 4> point_forms = { {
    { KeyType::p256, p256_prefix, 65, "EC", "P-256" },
    { KeyType::p384, p384_prefix, 97, "EC", "P-384" },
    { KeyType::p521, p521_prefix, 133, "EC", "P-521" },
    { KeyType::ed25519, ed25519_prefix, 32, "ED25519", nullptr },
} };

PointForm const& form_of(KeyType type)
{
    for (auto const& form : point_forms)
        if (form.type == type)
            return form;
    ASSERT(false);
}

EVP_PKEY_CTX* prepared_import(PointForm const& form)
{
    // Never written to after its making; an import works on a copy, which spares the fetch.
    static std::array<PkeyCtxPtr, point_forms.size()> const contexts = [] {
        std::array<PkeyCtxPtr, point_forms.size()> made;
        for (std::size_t i = 0; i < made.size(); ++i)
            made[i].reset(EVP_PKEY_CTX_new_from_name(nullptr, point_forms[i].algorithm, nullptr));
        return made;
    }();
    return contexts[static_cast<std::size_t>(&form - point_forms.data())].get();
}

// The context that the key's every verification is copied from.
MdCtxPtr prepare_verifying(KeyType type, EVP_PKEY* key)
{
    if (type == KeyType::rsa)
        return nullptr;
    MdCtxPtr context(EVP_MD_CTX_new());
    ASSERT(context != nullptr && EVP_DigestVerifyInit(context.get(), nullptr, digest_of(only_algorithm(type)), nullptr, key) == 1);
    return context;
}

bool has_roca_fingerprint(BIGNUM const* modulus)
{
    // SECURITY: CVE-2017-15361. Moduli of the broken generator are powers of 65537 modulo every small prime; of others, next to none is.
    static constexpr std::array<unsigned, 38> primes = { 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79,
        83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167 };
    for (auto const prime : primes) {
        auto const wanted = BN_mod_word(modulus, prime);
        BN_ULONG power = 1;
        do
            power = power * (65537 % prime) % prime;
        while (power != wanted && power != 1);
        if (power != wanted)
            return false;
    }
    return true;
}

Result<PublicKey> parse_rsa_spki(DerReader spki)
{
    auto contents = DerReader(TRY(spki.next(DerTag::sequence)));
    TRY(spki.expect_end());
    auto const algorithm = TRY(contents.next(DerTag::sequence));
    if (!std::ranges::equal(algorithm, rsa_algorithm))
        return invalid_argument("public key is of a type that Writ does not have");
    auto const bits = TRY(contents.next(DerTag::bit_string));
    TRY(contents.expect_end());
    if (bits.empty() || bits[0] != 0)
        return invalid_argument("public key is not a whole number of bytes");
    DerReader key(bits.subspan(1));
    DerReader numbers(TRY(key.next(DerTag::sequence)));
    TRY(key.expect_end());
    auto const modulus = TRY(numbers.next_unsigned());
    auto const exponent = TRY(numbers.next_unsigned());
    TRY(numbers.expect_end());
    return public_key_of_rsa(modulus, exponent);
}

// The SPKI of an RSA key, from its numbers.
Bytes spki_of_rsa(BytesView modulus, BytesView exponent)
{
    Bytes numbers;
    append_unsigned(numbers, modulus);
    append_unsigned(numbers, exponent);
    Bytes bits = { 0 };
    append_element(bits, DerTag::sequence, numbers);
    Bytes contents;
    append_element(contents, DerTag::sequence, rsa_algorithm);
    append_element(contents, DerTag::bit_string, bits);
    Bytes spki;
    append_element(spki, DerTag::sequence, contents);
    return spki;
}

Bytes spki_of_point(KeyType type, BytesView point)
{
    auto const& form = form_of(type);
    ASSERT(point.size() == form.size);
    Bytes spki(form.prefix.begin(), form.prefix.end());
    append_bytes(spki, point);
    return spki;
}

PkeyPtr import(EVP_PKEY_CTX* context, OSSL_PARAM* parameters)
{
    EVP_PKEY* key = nullptr;
    ASSERT(context != nullptr && EVP_PKEY_fromdata_init(context) == 1);
    if (EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
        ERR_clear_error();
        return nullptr;
    }
    return PkeyPtr(key);
}

PublicKey make_public_key(KeyType type, PkeyPtr key, Bytes spki)
{
    auto verifying = prepare_verifying(type, key.get());
    return PublicKey(std::make_shared<PublicKey::State const>(
        PublicKey::State { .type = type, .key = std::move(key), .spki = std::move(spki), .verifying = std::move(verifying) }));
}

} // namespace

Result<PublicKey> public_key_of_point(KeyType type, BytesView point)
{
    auto const& form = form_of(type);
    auto const is_nist = form.group != nullptr;
    if (point.size() != form.size || (is_nist && point[0] != 0x04))
        return invalid_argument("public key is not an uncompressed point of its curve's size");
    Bytes octets(point.begin(), point.end());
    auto group = std::string(is_nist ? form.group : "");
    std::array<OSSL_PARAM, 3> parameters = { OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets.data(), octets.size()),
        is_nist ? OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()) : OSSL_PARAM_construct_end(),
        OSSL_PARAM_construct_end() };
    PkeyCtxPtr const context(EVP_PKEY_CTX_dup(prepared_import(form)));
    auto key = import(context.get(), parameters.data());
    if (key == nullptr)
        return invalid_argument("public key is not a point of its curve");
    return make_public_key(type, std::move(key), spki_of_point(type, point));
}

Result<> check_rsa_numbers(BytesView modulus, BytesView exponent)
{
    if (modulus.empty() || modulus[0] == 0 || exponent.empty() || exponent[0] == 0)
        return invalid_argument("RSA key has a number with leading zeros");
    if (modulus.size() > rsa_bits_max / 8)
        return invalid_argument("RSA key has more than " + std::to_string(rsa_bits_max) + " bits");
    BignumPtr const number(BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
    ASSERT(number != nullptr);
    if (static_cast<std::size_t>(BN_num_bits(number.get())) < rsa_bits_min)
        return invalid_argument("RSA key has fewer than " + std::to_string(rsa_bits_min) + " bits");
    if (!BN_is_odd(number.get()) || has_roca_fingerprint(number.get()))
        return invalid_argument("RSA key has a modulus that is no product of two good primes");
    if (exponent.size() > rsa_exponent_bytes_max)
        return invalid_argument("RSA key has an exponent of more than 64 bits");
    std::uint64_t power = 0;
    for (auto const byte : exponent)
        power = power << 8U | byte;
    if (power < 65537 || power % 2 == 0)
        return invalid_argument("RSA key has an exponent that is even or below 65537");
    return {};
}

Result<PublicKey> public_key_of_rsa(BytesView modulus, BytesView exponent)
{
    TRY(check_rsa_numbers(modulus, exponent));
    BignumPtr const n(BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
    BignumPtr const e(BN_bin2bn(exponent.data(), static_cast<int>(exponent.size()), nullptr));
    ParamBuildPtr const build(OSSL_PARAM_BLD_new());
    ASSERT(n != nullptr && e != nullptr && build != nullptr);
    ASSERT(OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1);
    ASSERT(OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1);
    ParamsPtr const parameters(OSSL_PARAM_BLD_to_param(build.get()));
    PkeyCtxPtr const context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    auto key = import(context.get(), parameters.get());
    if (key == nullptr)
        return invalid_argument("RSA key is not one");
    return make_public_key(KeyType::rsa, std::move(key), spki_of_rsa(modulus, exponent));
}

Result<PublicKey> adopt_public_key(KeyType type, EVP_PKEY const* key)
{
    if (type == KeyType::rsa) {
        BIGNUM* n = nullptr;
        BIGNUM* e = nullptr;
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n);
        EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e);
        BignumPtr const modulus(n), exponent(e);
        ASSERT(modulus != nullptr && exponent != nullptr);
        Bytes modulus_bytes(static_cast<std::size_t>(BN_num_bytes(n))), exponent_bytes(static_cast<std::size_t>(BN_num_bytes(e)));
        BN_bn2bin(n, modulus_bytes.data());
        BN_bn2bin(e, exponent_bytes.data());
        return public_key_of_rsa(modulus_bytes, exponent_bytes);
    }
    Bytes point(form_of(type).size);
    std::size_t size = 0;
    auto const* const name = type == KeyType::ed25519 ? OSSL_PKEY_PARAM_PUB_KEY : OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY;
    if (EVP_PKEY_get_octet_string_param(key, name, point.data(), point.size(), &size) != 1 || size != point.size())
        return invalid_argument("public key has no uncompressed point: " + last_openssl_error());
    return public_key_of_point(type, point);
}

namespace {

bool is_p256_point(BytesView point)
{
    static GroupPtr const group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)); // only read after its making
    thread_local BnCtxPtr const scratch(BN_CTX_new());
    PointPtr const parsed(EC_POINT_new(group.get()));
    ASSERT(group != nullptr && scratch != nullptr && parsed != nullptr);
    if (point[0] == 0x04 && EC_POINT_oct2point(group.get(), parsed.get(), point.data(), point.size(), scratch.get()) == 1)
        return true;
    ERR_clear_error();
    return false;
}

} // namespace

Result<PublicKey> PublicKey::parse_spki(BytesView der)
{
    for (auto const& form : point_forms)
        if (der.size() == form.prefix.size() + form.size && std::ranges::equal(der.first(form.prefix.size()), form.prefix))
            return public_key_of_point(form.type, der.subspan(form.prefix.size()));
    return parse_rsa_spki(DerReader(der)).in("parse public key");
}

Result<KeyType> PublicKey::check_spki(BytesView der)
{
    auto const prefix = BytesView(p256_prefix);
    if (der.size() != prefix.size() + form_of(KeyType::p256).size || !std::ranges::equal(der.first(prefix.size()), prefix))
        return TRY(parse_spki(der)).type();
    if (!is_p256_point(der.subspan(prefix.size())))
        return invalid_argument("public key is not a point of its curve");
    return KeyType::p256;
}

Result<PublicKey> PublicKey::parse_pem(std::string_view text)
{
    static constexpr std::string_view begin = "-----BEGIN PUBLIC KEY-----";
    static constexpr std::string_view end = "-----END PUBLIC KEY-----";
    auto const first = text.find(begin);
    auto const last = text.find(end);
    if (first == std::string_view::npos || last == std::string_view::npos || last < first + begin.size())
        return invalid_argument("public key is not PEM of a `PUBLIC KEY`");
    std::string base64;
    for (auto const character : text.substr(first + begin.size(), last - first - begin.size()))
        if (character != '\n' && character != '\r')
            base64.push_back(character);
    return parse_spki(TRY(parse_base64(base64).in("parse PEM")));
}

KeyType PublicKey::type() const { return state_->type; }

Bytes PublicKey::to_spki() const { return state_->spki; }

} // namespace writ::crypto

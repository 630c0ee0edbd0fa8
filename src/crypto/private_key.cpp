// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_state.h"
#include "crypto/signature.h"

#include <array>

namespace writ::crypto {

namespace {

using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, OpensslDelete<PKCS8_PRIV_KEY_INFO_free>>;

Result<KeyType> type_of(EVP_PKEY const* key)
{
    if (EVP_PKEY_is_a(key, "ED25519") == 1)
        return KeyType::ed25519;
    if (EVP_PKEY_is_a(key, "RSA") == 1)
        return KeyType::rsa;
    std::array<char, 32> group {};
    if (EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1) {
        std::string_view const name(group.data());
        if (name == "prime256v1" || name == "P-256")
            return KeyType::p256;
        if (name == "secp384r1" || name == "P-384")
            return KeyType::p384;
        if (name == "secp521r1" || name == "P-521")
            return KeyType::p521;
    }
    ERR_clear_error();
    return invalid_argument("private key is of a type that Writ does not have");
}

MdCtxPtr prepare_signing(KeyType type, EVP_PKEY* key)
{
    if (type == KeyType::rsa)
        return nullptr;
    MdCtxPtr context(EVP_MD_CTX_new());
    ASSERT(context != nullptr && EVP_DigestSignInit(context.get(), nullptr, digest_of(only_algorithm(type)), nullptr, key) == 1);
    return context;
}

Result<PrivateKey> make_private_key(KeyType type, PkeyPtr key)
{
    auto signing = prepare_signing(type, key.get());
    return PrivateKey(std::make_shared<PrivateKey::State const>(
        PrivateKey::State { .type = type, .key = std::move(key), .signing = std::move(signing) }));
}

} // namespace

namespace {

bool is_pair(EVP_PKEY* key)
{
    PkeyCtxPtr const context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    if (context != nullptr && EVP_PKEY_pairwise_check(context.get()) == 1)
        return true;
    ERR_clear_error();
    return false;
}

// For RSA, OpenSSL's check proves both primes anew, in 35 ms. A signature that the public half verifies says what is asked here in one.
bool signs_for(PublicKey const& public_key, PrivateKey const& key)
{
    constexpr std::string_view message = "a pair";
    auto const signature = sign(key, Algorithm::rs256, as_bytes(message));
    return signature.is_ok() && verify(public_key, Algorithm::rs256, as_bytes(message), *signature).is_ok();
}

} // namespace

Result<PrivateKey> adopt_private_key(PkeyPtr key)
{
    auto const type = TRY(type_of(key.get()));
    auto const public_key = TRY(adopt_public_key(type, key.get())); // the limits of public keys hold for private ones too
    auto const is_rsa = type == KeyType::rsa;
    auto const belongs = is_rsa || is_pair(key.get());
    auto const adopted = TRY(make_private_key(type, std::move(key)));
    if (!belongs || (is_rsa && !signs_for(public_key, adopted)))
        return invalid_argument("private key and its public half do not belong together");
    return adopted;
}

Result<PrivateKey> PrivateKey::generate(KeyType type)
{
    PkeyPtr key;
    switch (type) {
    case KeyType::p256: key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")); break;
    case KeyType::p384: key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384")); break;
    case KeyType::p521: key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-521")); break;
    case KeyType::ed25519: key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); break;
    case KeyType::rsa: key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t(2048))); break;
    }
    if (key == nullptr)
        return unavailable("generate key: " + last_openssl_error());
    return make_private_key(type, std::move(key));
}

Result<PrivateKey> PrivateKey::parse_pkcs8(BytesView der)
{
    auto const* cursor = der.data();
    Pkcs8Ptr const parsed(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &cursor, static_cast<long>(der.size())));
    if (parsed == nullptr || cursor != der.data() + der.size()) {
        ERR_clear_error();
        return invalid_argument("private key is not PKCS #8");
    }
    PkeyPtr key(EVP_PKCS82PKEY(parsed.get()));
    if (key == nullptr)
        return invalid_argument("private key is not one: " + last_openssl_error());
    return adopt_private_key(std::move(key));
}

KeyType PrivateKey::type() const { return state_->type; }

PublicKey PrivateKey::public_key() const { return adopt_public_key(state_->type, state_->key.get()).value(); }

SecretBytes PrivateKey::to_pkcs8() const
{
    Pkcs8Ptr const form(EVP_PKEY2PKCS8(state_->key.get()));
    ASSERT(form != nullptr);
    auto const size = i2d_PKCS8_PRIV_KEY_INFO(form.get(), nullptr);
    ASSERT(size > 0);
    Bytes der(static_cast<std::size_t>(size));
    auto* cursor = der.data();
    ASSERT(i2d_PKCS8_PRIV_KEY_INFO(form.get(), &cursor) == size);
    return SecretBytes(std::move(der));
}

} // namespace writ::crypto

// SPDX-License-Identifier: Apache-2.0
#include "authority/keyring.h"

#include "crypto/aead.h"

#include <algorithm>

namespace writ::authority {

namespace {

constexpr std::string_view root_name = "x509-root-1";
constexpr std::string_view es256_name = "jwt-es256-1";
constexpr std::string_view rs256_name = "jwt-rs256-1";
constexpr std::string_view ssh_name = "ssh-user-ca-1";
constexpr std::string_view log_name = "log-1";

using SealedKey = store::KeyStore::SealedKey;

// Opens the key of that name, or makes it. `certify` gives the certificate of a new one.
struct KeyMaker {
    store::KeyStore& store;
    SecretBytes const& key_encryption_key;
    Timestamp now;
    RandomSource& random;

    template <typename Certify>
    Result<std::pair<crypto::PrivateKey, Bytes>> open_or_create(std::string_view name, crypto::KeyType type, Certify certify)
    {
        for (auto const& key : TRY(store.keys())) {
            if (key.name != name)
                continue;
            // SECURITY: the name is authenticated with the key, so that nobody with the database can put one key in another's place.
            auto const opened = TRY(crypto::open(key_encryption_key, key.sealed, as_bytes(name)).in("key `" + std::string(name) + "`"));
            return std::pair(TRY(crypto::PrivateKey::parse_pkcs8(opened.reveal())), key.certificate);
        }
        auto const key = TRY(crypto::PrivateKey::generate(type));
        auto const pkcs8 = key.to_pkcs8();
        Bytes const certificate = TRY(certify(key));
        TRY(store.add({ std::string(name), crypto::seal(key_encryption_key, pkcs8.reveal(), as_bytes(name), random), certificate, now,
            now + root_lifetime }));
        return std::pair(key, certificate);
    }
};

// The certificate of a token key, in an entry of its own: a store made before there were any has the key already.
Result<Bytes> open_or_create_certificate(
    KeyMaker const& maker, std::string_view key_name, std::string const& trust_domain, Bytes const& root, std::pair<crypto::PrivateKey, crypto::PrivateKey> const& keys)
{
    auto const name = std::string(key_name) + "-certificate";
    for (auto const& entry : TRY(maker.store.keys())) {
        if (entry.name == name)
            return entry.certificate;
    }
    auto const& [root_key, token_key] = keys;
    auto const issuer = TRY(crypto::CertificateIssuer::create(root, root_key));
    // SECURITY: no SPIFFE ID and no TLS usage: it names the key to relying parties, and is nobody's identity.
    crypto::LeafRequest request { "", { "tokens." + trust_domain }, {}, maker.now - std::chrono::minutes(5), issuer.not_after(), maker.random.bytes(16) };
    request.server_auth = request.client_auth = false;
    auto certificate = TRY(issuer.issue(request, token_key.public_key().to_spki()));
    TRY(maker.store.add({ name, {}, certificate, maker.now, issuer.not_after() }));
    return certificate;
}

Result<Bytes> no_certificate(crypto::PrivateKey const&) { return Bytes(); }

std::string issuer_key_id(crypto::PrivateKey const& key) { return key.public_key().thumbprint(); }

} // namespace

Result<Keyring> Keyring::open(store::KeyStore& store, SecretBytes const& key_encryption_key, std::string trust_domain, std::string issuer,
    Timestamp now, RandomSource& random)
{
    KeyMaker maker { store, key_encryption_key, now, random };
    auto const certify = [&](crypto::PrivateKey const& key) {
        return crypto::create_root(
            { "Writ " + trust_domain, "spiffe://" + trust_domain, now - std::chrono::minutes(5), now + root_lifetime, random.bytes(16) },
            key);
    };
    auto const [root_key, root_certificate] = TRY(maker.open_or_create(root_name, crypto::KeyType::p256, certify));
    auto const es256 = TRY(maker.open_or_create(es256_name, crypto::KeyType::p256, no_certificate)).first;
    auto const rs256 = TRY(maker.open_or_create(rs256_name, crypto::KeyType::rsa, no_certificate)).first;

    auto const root = TRY(crypto::parse_certificate(root_certificate));
    if (std::find(root.uris.begin(), root.uris.end(), "spiffe://" + trust_domain) == root.uris.end())
        return conflict("the data folder belongs to another trust domain than `" + trust_domain + "`");

    Keyring keyring;
    keyring.bundle_.x509_roots = { root_certificate };
    auto const certificate_of = [&](std::string_view name, crypto::PrivateKey const& key) {
        return open_or_create_certificate(maker, name, trust_domain, root_certificate, { root_key, key });
    };
    // The key that clouds are shown tokens of is the first: Ceph 16 looks at no other, whatever `kid` a token names.
    keyring.bundle_.jwt_keys = { { issuer_key_id(rs256), crypto::Algorithm::rs256, rs256.public_key(), TRY(certificate_of(rs256_name, rs256)) },
        { issuer_key_id(es256), crypto::Algorithm::es256, es256.public_key(), TRY(certificate_of(es256_name, es256)) } };
    keyring.bundle_.sequence = 1;
    keyring.bundle_.refresh_hint = 300;
    keyring.x509_ = TRY(issue::X509SvidIssuer::create(root_certificate, root_key));
    keyring.es256_.emplace(issuer, issuer_key_id(es256), es256, crypto::Algorithm::es256);
    keyring.rs256_.emplace(issuer, issuer_key_id(rs256), rs256, crypto::Algorithm::rs256);
    keyring.ssh_user_ca_ = TRY(maker.open_or_create(ssh_name, crypto::KeyType::ed25519, no_certificate)).first;
    return keyring;
}

issue::JwtSvidIssuer const& Keyring::jwt(crypto::Algorithm algorithm) const
{
    return algorithm == crypto::Algorithm::rs256 ? *rs256_ : *es256_;
}

Result<tlog::NoteSigner> open_log_signer(
    store::KeyStore& store, SecretBytes const& key_encryption_key, std::string const& trust_domain, Timestamp now, RandomSource& random)
{
    KeyMaker maker { store, key_encryption_key, now, random };
    auto const key = TRY(maker.open_or_create(log_name, crypto::KeyType::ed25519, no_certificate)).first;
    return tlog::NoteSigner { trust_domain + "/log", key };
}

} // namespace writ::authority

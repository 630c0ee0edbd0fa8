// SPDX-License-Identifier: Apache-2.0
//
// The trust domain's keys: an X.509 root (P-256), keys for JWT-SVIDs (ES256, and RS256 for relying parties that know nothing else), and one for SSH users (Ed25519),
// sealed in the store with a key-encryption key that lies in a file of its own.
#pragma once

#include "base/random.h"
#include "identity/bundle.h"
#include "issue/jwt_svid/jwt_svid.h"
#include "issue/x509_svid/x509_svid.h"
#include "store/store.h"
#include "tlog/note.h"

#include <optional>

namespace writ::authority {

// INVARIANT: what they sign ends before they do.
inline constexpr Duration root_lifetime = std::chrono::days(3650);

class Keyring {
public:
    // Opens the keys in the store, or makes them the first time. corruption: they were sealed with another key-encryption key.
    static Result<Keyring> open(store::KeyStore&, SecretBytes const& key_encryption_key, std::string trust_domain, std::string issuer,
        Timestamp now, RandomSource&);

    [[nodiscard]] identity::Bundle const& bundle() const { return bundle_; }
    [[nodiscard]] Bytes const& root_certificate() const { return bundle_.x509_roots.front(); }
    [[nodiscard]] issue::X509SvidIssuer const& x509() const { return *x509_; }
    [[nodiscard]] issue::JwtSvidIssuer const& jwt(crypto::Algorithm) const; // es256 or rs256
    [[nodiscard]] crypto::PrivateKey const& ssh_user_ca() const { return *ssh_user_ca_; }

private:
    identity::Bundle bundle_;
    std::optional<issue::X509SvidIssuer> x509_;
    std::optional<issue::JwtSvidIssuer> es256_, rs256_;
    std::optional<crypto::PrivateKey> ssh_user_ca_;
};

// The signer of the log's checkpoints, kept like the other keys. Its name is the log's origin.
Result<tlog::NoteSigner> open_log_signer(
    store::KeyStore&, SecretBytes const& key_encryption_key, std::string const& trust_domain, Timestamp now, RandomSource&);

} // namespace writ::authority

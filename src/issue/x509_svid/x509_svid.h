// SPDX-License-Identifier: Apache-2.0
//
// X.509-SVIDs, signed by the trust domain's root (X509-SVID §3, §4). Thread-safe.
#pragma once

#include "base/random.h"
#include "crypto/x509.h"
#include "identity/spiffe_id.h"

namespace writ::issue {

struct X509SvidRequest {
    identity::SpiffeId id;
    Bytes public_key; // SubjectPublicKeyInfo
    Duration lifetime;
    std::vector<std::string> dns_names;
    std::vector<std::string> ip_addresses;
};

struct X509Svid {
    Bytes certificate; // DER; the root signs it directly
    std::string serial; // hexadecimal
    Timestamp expires;
};

class X509SvidIssuer {
public:
    static Result<X509SvidIssuer> create(BytesView root_certificate, crypto::PrivateKey root_key);

    // INVARIANT: never lives longer than the root. Begins a little earlier, for clocks that go wrong.
    [[nodiscard]] Result<X509Svid> issue(X509SvidRequest const&, Timestamp now, RandomSource&) const;

private:
    explicit X509SvidIssuer(crypto::CertificateIssuer issuer) : issuer_(std::move(issuer)) { }
    crypto::CertificateIssuer issuer_;
};

} // namespace writ::issue

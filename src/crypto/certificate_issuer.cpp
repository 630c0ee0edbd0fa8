// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate.h"
#include "crypto/certificate_der.h"

#include <algorithm>
#include <array>
#include <openssl/x509v3.h>

namespace writ::crypto {

namespace {

// LIMIT: ub-common-name of RFC 5280 appendix A.
constexpr std::size_t common_name_bytes_max = 64;
// LIMIT: names of one leaf; a service has a handful.
constexpr std::size_t names_max = 100;

constexpr std::array<std::uint8_t, 2> empty_name = { 0x30, 0x00 };

Result<> check_validity(Timestamp not_before, Timestamp not_after)
{
    if (not_after < not_before)
        return invalid_argument("certificate would end before it starts");
    return {};
}

Result<Bytes> encode_names(LeafRequest const& request)
{
    if (request.dns_names.size() + request.ip_addresses.size() > names_max)
        return invalid_argument("certificate would have too many names");
    Bytes names;
    if (!request.uri.empty())
        TRY(append_uri(names, request.uri));
    for (auto const& name : request.dns_names)
        TRY(append_dns_name(names, name));
    for (auto const& address : request.ip_addresses)
        TRY(append_ip_address(names, address));
    if (names.empty())
        return invalid_argument("certificate would have no name");
    return names;
}

Bytes encode_subject(X509 const* x509)
{
    auto const* name = X509_get_subject_name(x509);
    Bytes der(static_cast<std::size_t>(i2d_X509_NAME(name, nullptr)));
    auto* cursor = der.data();
    ASSERT(i2d_X509_NAME(name, &cursor) == static_cast<int>(der.size()));
    return der;
}

} // namespace

struct CertificateIssuer::State {
    PrivateKey key;
    Timestamp not_after;
    Bytes name;                            // the issuer's, encoded once
    std::array<Bytes, 4> fixed_extensions; // by server_auth + 2 * client_auth

    [[nodiscard]] Bytes const& extensions_for(LeafRequest const& request) const
    {
        return fixed_extensions.at((request.server_auth ? 1U : 0U) + (request.client_auth ? 2U : 0U));
    }
};

Result<Bytes> create_root(RootRequest const& request, PrivateKey const& key)
{
    if (request.common_name.empty() || request.common_name.size() > common_name_bytes_max)
        return invalid_argument("common name must have 1 to " + std::to_string(common_name_bytes_max) + " bytes");
    TRY(check_validity(request.not_before, request.not_after));
    auto const serial = TRY(checked_serial(request.serial));
    auto const spki = key.public_key().to_spki();
    auto const name = encode_common_name(request.common_name);
    auto extensions = encode_ca_extensions();
    append_subject_key_identifier(extensions, key_identifier(spki));
    Bytes names;
    TRY(append_uri(names, request.uri));
    append_subject_alternative_name(extensions, names, false);
    return sign_certificate({ .serial = serial,
                                .issuer = name,
                                .subject = name,
                                .not_before = request.not_before,
                                .not_after = request.not_after,
                                .spki = spki,
                                .extensions = extensions },
        key);
}

Result<CertificateIssuer> CertificateIssuer::create(BytesView issuer_der, PrivateKey key)
{
    auto const certificate = TRY(parse_certificate(issuer_der).in("issuer"));
    if (!certificate.is_ca || !certificate.may_sign_certificates)
        return invalid_argument("issuer is not a certificate that may sign others");
    if (certificate.spki != key.public_key().to_spki())
        return invalid_argument("issuer's certificate is of another key");
    auto const x509 = TRY(parse_x509(issuer_der));
    auto const* identifier = X509_get0_subject_key_id(x509.get());
    if (identifier == nullptr || X509_NAME_entry_count(X509_get_subject_name(x509.get())) == 0)
        return invalid_argument("issuer's certificate has no subject or no subject key identifier");
    auto const* identifier_bytes = ASN1_STRING_get0_data(identifier);
    BytesView const authority_identifier(identifier_bytes, static_cast<std::size_t>(ASN1_STRING_length(identifier)));

    State state { .key = std::move(key), .not_after = certificate.not_after, .name = encode_subject(x509.get()), .fixed_extensions = {} };
    for (std::size_t i = 0; i < state.fixed_extensions.size(); ++i) {
        state.fixed_extensions.at(i) = encode_leaf_extensions((i & 1U) != 0, (i & 2U) != 0);
        append_authority_key_identifier(state.fixed_extensions.at(i), authority_identifier);
    }
    return CertificateIssuer(std::make_shared<State const>(std::move(state)));
}

Result<Bytes> CertificateIssuer::issue(LeafRequest const& request, BytesView public_key_spki) const
{
    TRY(check_validity(request.not_before, request.not_after));
    if (request.not_after > state_->not_after)
        return invalid_argument("certificate would end after its issuer's");
    TRY(PublicKey::check_spki(public_key_spki));
    auto const serial = TRY(checked_serial(request.serial));
    auto const names = TRY(encode_names(request));
    auto extensions = state_->extensions_for(request);
    append_subject_key_identifier(extensions, key_identifier(public_key_spki));
    // SPEC: RFC 5280 §4.1.2.6: with an empty subject the alternative name must be critical.
    append_subject_alternative_name(extensions, names, true);
    return sign_certificate({ .serial = serial,
                                .issuer = state_->name,
                                .subject = empty_name,
                                .not_before = request.not_before,
                                .not_after = request.not_after,
                                .spki = public_key_spki,
                                .extensions = extensions },
        state_->key);
}

Timestamp CertificateIssuer::not_after() const { return state_->not_after; }

} // namespace writ::crypto

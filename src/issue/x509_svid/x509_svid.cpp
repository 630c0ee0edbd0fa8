// SPDX-License-Identifier: Apache-2.0
#include "issue/x509_svid/x509_svid.h"

#include <algorithm>

namespace writ::issue {

namespace {
constexpr Duration clock_skew = std::chrono::seconds(30);
constexpr std::size_t serial_bytes = 16;
} // namespace

Result<X509SvidIssuer> X509SvidIssuer::create(BytesView root_certificate, crypto::PrivateKey root_key)
{
    return X509SvidIssuer(TRY(crypto::CertificateIssuer::create(root_certificate, std::move(root_key))));
}

Result<X509Svid> X509SvidIssuer::issue(X509SvidRequest const& request, Timestamp now, RandomSource& random) const
{
    X509Svid svid;
    // Certificates have whole seconds.
    svid.expires = std::min(std::chrono::floor<std::chrono::seconds>(now + request.lifetime), std::chrono::floor<std::chrono::seconds>(issuer_.not_after()));
    if (svid.expires <= now)
        return unavailable("the trust domain's root has expired");
    auto serial = random.bytes(serial_bytes);
    serial[0] = static_cast<std::uint8_t>((serial[0] & 0x7fU) | 0x40U); // positive, and always of the same length
    svid.serial = to_hex(serial);
    svid.certificate = TRY(issuer_.issue({ .uri = request.id.text(),
                                             .dns_names = request.dns_names,
                                             .ip_addresses = request.ip_addresses,
                                             .not_before = now - clock_skew,
                                             .not_after = svid.expires,
                                             .serial = std::move(serial) },
        request.public_key));
    return svid;
}

} // namespace writ::issue

// SPDX-License-Identifier: Apache-2.0
//
// Certificates from outside, alone and as a path of which every part is hostile.
#include "crypto/x509.h"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    using namespace writ;
    using namespace writ::crypto;
    BytesView const view(bytes, size);
    if (auto const certificate = parse_certificate(view); certificate.is_ok()) {
        for (auto const& uri : certificate->uris)
            ASSERT(uri.find('\0') == std::string::npos);
        ASSERT(certificate->common_name.find('\0') == std::string::npos);
    }
    // The input as its own root, and cut in two as a leaf and its issuer.
    Bytes const whole(view.begin(), view.end());
    static_cast<void>(verify_path(view, {}, std::span(&whole, 1), from_unix_seconds(1'800'000'000)));
    Bytes const issuer(view.begin() + static_cast<std::ptrdiff_t>(size / 2), view.end());
    static_cast<void>(verify_path(view.first(size / 2), std::span(&issuer, 1), std::span(&issuer, 1), from_unix_seconds(1'800'000'000)));
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "net/tls_openssl.h"

#include <openssl/err.h>

namespace writ::net {

namespace {

// LIMIT: far above any certificate; keeps lengths within what OpenSSL counts in.
constexpr std::size_t der_bytes_max = 1U << 20U;

} // namespace

std::string take_openssl_error()
{
    auto const code = ERR_get_error();
    ERR_clear_error();
    auto const* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return reason ? reason : "no reason given";
}

Result<X509Ptr> parse_x509(BytesView der)
{
    if (der.empty() || der.size() > der_bytes_max)
        return invalid_argument("not a certificate");
    auto const* position = der.data();
    X509Ptr certificate(d2i_X509(nullptr, &position, static_cast<long>(der.size())));
    if (!certificate)
        return invalid_argument("not a certificate: " + take_openssl_error());
    if (position != der.data() + der.size())
        return invalid_argument("bytes after a certificate");
    return certificate;
}

Result<std::vector<X509Ptr>> parse_x509s(std::vector<Bytes> const& ders)
{
    std::vector<X509Ptr> certificates;
    for (auto const& der : ders)
        certificates.push_back(TRY(parse_x509(der)));
    return certificates;
}

Bytes to_der(X509* certificate)
{
    unsigned char* der = nullptr;
    auto const size = i2d_X509(certificate, &der);
    if (size <= 0)
        return {};
    Bytes bytes(der, der + size);
    OPENSSL_free(der);
    return bytes;
}

Result<PrivateKeyPtr> parse_pkcs8(SecretBytes const& der)
{
    auto const& bytes = der.reveal();
    auto const* position = bytes.data();
    std::unique_ptr<PKCS8_PRIV_KEY_INFO, OpensslDeleter<PKCS8_PRIV_KEY_INFO_free>> const parsed(
        bytes.size() > der_bytes_max ? nullptr : d2i_PKCS8_PRIV_KEY_INFO(nullptr, &position, static_cast<long>(bytes.size())));
    PrivateKeyPtr key(parsed ? EVP_PKCS82PKEY(parsed.get()) : nullptr);
    if (!key)
        return invalid_argument("not a private key: " + take_openssl_error());
    return key;
}

} // namespace writ::net

// SPDX-License-Identifier: Apache-2.0
//
// Owners of OpenSSL's objects, and certificates and keys read from DER. Private to net's tls*.
#pragma once

#include "base/bytes.h"
#include "base/secret.h"

#include <memory>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <vector>

namespace writ::net {

template <auto Free> struct OpensslDeleter {
    template <typename T> void operator()(T* object) const { Free(object); }
};
using X509Ptr = std::unique_ptr<X509, OpensslDeleter<X509_free>>;
using PrivateKeyPtr = std::unique_ptr<EVP_PKEY, OpensslDeleter<EVP_PKEY_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, OpensslDeleter<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, OpensslDeleter<SSL_free>>;

// The first entry of OpenSSL's error queue, which is emptied.
std::string take_openssl_error();

Result<X509Ptr> parse_x509(BytesView der);
Result<std::vector<X509Ptr>> parse_x509s(std::vector<Bytes> const& ders);
Bytes to_der(X509*);
Result<PrivateKeyPtr> parse_pkcs8(SecretBytes const& der);

} // namespace writ::net

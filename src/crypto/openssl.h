// SPDX-License-Identifier: Apache-2.0
//
// Owners of OpenSSL's objects, and what is fetched from its providers once and shared. Private to this folder.
// OpenSSL's error queue is emptied where an error is made, so that a later TLS operation of the same thread does not report it.
#pragma once

#include "base/bytes.h"

#include <memory>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace writ::crypto {

template <auto release> struct OpensslDelete {
    template <typename T> void operator()(T* object) const { release(object); }
};

using BignumPtr = std::unique_ptr<BIGNUM, OpensslDelete<BN_clear_free>>;
using CipherCtxPtr = std::unique_ptr<EVP_CIPHER_CTX, OpensslDelete<EVP_CIPHER_CTX_free>>;
using MdCtxPtr = std::unique_ptr<EVP_MD_CTX, OpensslDelete<EVP_MD_CTX_free>>;
using PkeyPtr = std::unique_ptr<EVP_PKEY, OpensslDelete<EVP_PKEY_free>>;
using PkeyCtxPtr = std::unique_ptr<EVP_PKEY_CTX, OpensslDelete<EVP_PKEY_CTX_free>>;
using X509Ptr = std::unique_ptr<X509, OpensslDelete<X509_free>>;

// Fetched once: looking an algorithm up by name costs as much as hashing a Merkle node.
EVP_MD const* fetched_sha256();
EVP_MD const* fetched_sha384();
EVP_MD const* fetched_sha512();

} // namespace writ::crypto

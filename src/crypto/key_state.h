// SPDX-License-Identifier: Apache-2.0
//
// What keys hold: OpenSSL's key, and contexts prepared for their one algorithm that are copied for each use and never written to.
// Private to this folder.
#pragma once

#include "crypto/key.h"
#include "crypto/openssl.h"

namespace writ::crypto {

struct PublicKey::State {
    KeyType type;
    PkeyPtr key;
    Bytes spki;
    MdCtxPtr verifying; // null for RSA, which has several algorithms
};

struct PrivateKey::State {
    KeyType type;
    PkeyPtr key;
    MdCtxPtr signing; // null for RSA
};

// The digest of an algorithm; null for Ed25519, which has its own.
EVP_MD const* digest_of(Algorithm);
bool is_pss(Algorithm);
// The one algorithm of a key type that has only one. REQUIRES: not RSA.
Algorithm only_algorithm(KeyType);
std::size_t coordinate_size(KeyType); // of the curve's field and order, in bytes; REQUIRES: a NIST curve

// What OpenSSL reported last on this thread, in lower case; its queue is empty afterwards.
std::string last_openssl_error();

// The public half of OpenSSL's key; the private key of one, after checking that its halves belong together.
Result<PublicKey> adopt_public_key(KeyType, EVP_PKEY const*);
Result<PrivateKey> adopt_private_key(PkeyPtr);
// Of a point `04‖x‖y` or an Ed25519 key; of big-endian modulus and exponent. Everything that comes from outside passes through these two.
Result<PublicKey> public_key_of_point(KeyType, BytesView point);
Result<PublicKey> public_key_of_rsa(BytesView modulus, BytesView exponent);
Result<> check_rsa_numbers(BytesView modulus, BytesView exponent);

} // namespace writ::crypto

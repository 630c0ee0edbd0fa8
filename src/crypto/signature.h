// SPDX-License-Identifier: Apache-2.0
//
// Signatures over messages. ECDSA signatures are raw r‖s as JOSE has them (RFC 7518 §3.4); EcdsaForm says so where DER is meant. Thread-safe.
#pragma once

#include "crypto/key.h"

namespace writ::crypto {

enum class EcdsaForm : std::uint8_t { raw, der };

// invalid_argument: the key is not of that algorithm.
Result<Bytes> sign(PrivateKey const&, Algorithm, BytesView message, EcdsaForm = EcdsaForm::raw);

// unauthenticated: the signature is not this key's over this message, whatever the reason.
Result<> verify(PublicKey const&, Algorithm, BytesView message, BytesView signature, EcdsaForm = EcdsaForm::raw);

} // namespace writ::crypto

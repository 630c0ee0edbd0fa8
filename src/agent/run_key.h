// SPDX-License-Identifier: Apache-2.0
//
// A key for one run, made on its node: the authority certifies its public half, and nobody but the run is given the other.
#pragma once

#include "crypto/key.h"

namespace writ::agent {

// As records and the authority call it.
inline constexpr std::string_view ssh_certificate_kind = "ssh_certificate";

crypto::PrivateKey make_run_key(); // Ed25519

// The document of a delivery, with the private key as the file that its `key_file` asks for.
Result<SecretText> with_run_key(SecretText const& document, crypto::PrivateKey const&);

} // namespace writ::agent

// SPDX-License-Identifier: Apache-2.0
//
// Files that hold a secret which somebody else put there: a password, a key.
#pragma once

#include "base/durable_file.h"
#include "base/secret.h"

namespace writ {

// The whole of a file of at most size_max bytes. invalid_argument: every user of the machine may read or change it. A group may, since that is how a service is let
// in: systemd's credentials (0400, with an access list that shows as 0440), a Kubernetes secret with `fsGroup` (0440). What is no file, such as a pipe, has no others.
Result<SecretBytes> read_secret_file(Path const&, std::size_t size_max);

} // namespace writ

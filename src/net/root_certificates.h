// SPDX-License-Identifier: Apache-2.0
//
// The roots that servers of other people's are verified against: PEM (RFC 7468), as Debian's ca-certificates has them in one file.
#pragma once

#include "base/bytes.h"
#include "base/durable_file.h"

#include <string>
#include <string_view>
#include <vector>

namespace writ::net {

// Debian's; 150 roots in some 220 KiB.
inline constexpr std::string_view system_roots_file = "/etc/ssl/certs/ca-certificates.crt";

// LIMIT: far above any list of public roots.
inline constexpr std::size_t root_certificates_max = 2000;

// The DER of each `CERTIFICATE` block, in order; what stands between blocks is comment (RFC 7468 §5.2). invalid_argument: none, a block that does
// not end or is no base64, too many. Whether it is a certificate is seen when it is used.
Result<std::vector<Bytes>> parse_pem_certificates(std::string_view text);

// Of this file, or the system's if the path is empty.
Result<std::vector<Bytes>> load_root_certificates(Path const& file);

} // namespace writ::net

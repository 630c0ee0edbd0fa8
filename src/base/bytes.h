// SPDX-License-Identifier: Apache-2.0
//
// Bytes and their text forms. The decoders are strict: no white space, no missing or superfluous padding, no bits that the
// encoding would not have written, so that one value has one text (RFC 4648 §3.5).
#pragma once

#include "base/result.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace writ {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<std::uint8_t const>;

// Views; they own nothing.
BytesView as_bytes(std::string_view);
std::string_view as_text(BytesView);

Bytes to_bytes(std::string_view);
std::string to_text(BytesView);

std::string to_hex(BytesView); // lower case
Result<Bytes> parse_hex(std::string_view);

std::string to_base64(BytesView); // RFC 4648 §4, padded
Result<Bytes> parse_base64(std::string_view);

std::string to_base64url(BytesView); // RFC 4648 §5, never padded (RFC 7515 §2)
Result<Bytes> parse_base64url(std::string_view);

// SECURITY: for secrets and MACs; time depends on the lengths alone.
bool constant_time_equal(BytesView, BytesView);

} // namespace writ

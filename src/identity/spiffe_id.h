// SPDX-License-Identifier: Apache-2.0
//
// SPIFFE IDs: `spiffe://trust-domain/path` (SPIFFE-ID §2). Immutable values; equal exactly if their texts are.
#pragma once

#include "base/result.h"

#include <compare>
#include <string>
#include <string_view>

namespace writ::identity {

// SPEC: SPIFFE-ID §2.3: implementations support ids of 2,048 bytes and trust domains of 255.
inline constexpr std::size_t spiffe_id_bytes_max = 2048;
inline constexpr std::size_t trust_domain_bytes_max = 255;

// Lower-case letters, digits, `.`, `-` and `_`.
Result<> check_trust_domain(std::string_view);
// Letters, digits, `.`, `-` and `_`; not `.` or `..`, not empty.
bool is_path_segment(std::string_view);

class SpiffeId {
public:
    static Result<SpiffeId> parse(std::string_view);
    // `path` is empty or begins with `/`.
    static Result<SpiffeId> create(std::string_view trust_domain, std::string_view path);

    [[nodiscard]] std::string const& text() const { return text_; }
    [[nodiscard]] std::string_view trust_domain() const;
    [[nodiscard]] std::string_view path() const; // empty, or begins with `/`

    auto operator<=>(SpiffeId const&) const = default;

private:
    explicit SpiffeId(std::string text)
        : text_(std::move(text))
    {
    }
    std::string text_;
};

} // namespace writ::identity

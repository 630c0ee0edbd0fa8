// SPDX-License-Identifier: Apache-2.0
//
// Tokens in every serialisation. What parses must not verify under a key that nobody signed with.
#include "crypto/jwt.h"

namespace {

using namespace writ;
using namespace writ::crypto;

constexpr std::array accepted = { Algorithm::es256, Algorithm::eddsa, Algorithm::rs256, Algorithm::ps256 };

PublicKey const& any_key()
{
    // The generator of P-256: its private half is 1, which no fuzzer signs with.
    static auto const key
        = PublicKey::parse_jwk({ { "kty", "EC" }, { "crv", "P-256" }, { "x", "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY" },
                                   { "y", "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU" } })
              .value();
    return key;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    auto const text = as_text({ bytes, size });
    if (auto const jws = parse_compact_jws(text); jws.is_ok())
        ASSERT(verify_jws(*jws, any_key(), accepted).is_error());
    if (auto const many = parse_json_jws(text); many.is_ok())
        for (auto const& jws : *many)
            ASSERT(verify_jws(jws, any_key(), accepted).is_error());
    if (auto const jwt = UnverifiedJwt::parse(text); jwt.is_ok()) {
        ManualClock const clock(from_unix_seconds(0));
        ASSERT(jwt->verify(any_key(), { .accepted = accepted, .audience = {}, .issuer = {}, .require_expiry = false }, clock).is_error());
    }
    return 0;
}

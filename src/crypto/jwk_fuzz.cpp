// SPDX-License-Identifier: Apache-2.0
//
// Keys from outside: JWK, JWK sets, SubjectPublicKeyInfo, PEM, PKCS #8. What parses as a public key is written and read back the same.
#include "crypto/jws.h"

namespace {

using namespace writ;
using namespace writ::crypto;

void expect_stable(PublicKey const& key)
{
    auto const spki = key.to_spki();
    ASSERT(PublicKey::parse_spki(spki).value().to_spki() == spki);
    ASSERT(PublicKey::parse_jwk(key.to_jwk()).value().to_spki() == spki);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    BytesView const view(bytes, size);
    if (auto const key = PublicKey::parse_spki(view); key.is_ok()) {
        ASSERT(std::ranges::equal(key->to_spki(), view));
        expect_stable(*key);
    }
    if (auto const key = PublicKey::parse_pem(as_text(view)); key.is_ok())
        expect_stable(*key);
    if (auto const set = parse_jwk_set(as_text(view)); set.is_ok())
        for (auto const& entry : *set)
            expect_stable(entry.key);
    if (auto const object = parse_json_object(as_text(view)); object.is_ok()) {
        if (auto const key = PublicKey::parse_jwk(*object); key.is_ok())
            expect_stable(*key);
        static_cast<void>(PrivateKey::parse_jwk(*object));
    }
    static_cast<void>(PrivateKey::parse_pkcs8(view));
    return 0;
}

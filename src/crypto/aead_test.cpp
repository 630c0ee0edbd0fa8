// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.h"

#include <gtest/gtest.h>

namespace writ::crypto {
namespace {

SecretBytes key_of(std::uint8_t byte) { return SecretBytes(Bytes(32, byte)); }

TEST(Aead, opens_what_it_sealed_empty_text_too)
{
    SystemRandom random;
    for (std::string_view const text : { "", "root key of example.org" }) {
        auto const sealed = seal(key_of(1), as_bytes(text), as_bytes("keys/root"), random);
        EXPECT_EQ(sealed.size(), 12 + text.size() + 16);
        auto const opened = open(key_of(1), sealed, as_bytes("keys/root")).value();
        EXPECT_EQ(as_text(opened.reveal()), text);
    }
}

TEST(Aead, never_seals_twice_the_same)
{
    SystemRandom random;
    EXPECT_NE(seal(key_of(1), as_bytes("x"), {}, random), seal(key_of(1), as_bytes("x"), {}, random));
}

TEST(Aead, refuses_every_single_bit_flip_and_every_truncation)
{
    SystemRandom random;
    auto const sealed = seal(key_of(1), as_bytes("secret"), as_bytes("name"), random);
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        auto altered = sealed;
        altered[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_EQ(open(key_of(1), altered, as_bytes("name")).error().code, ErrorCode::corruption) << "bit " << bit;
    }
    for (std::size_t size = 0; size < sealed.size(); ++size)
        EXPECT_TRUE(open(key_of(1), BytesView(sealed).first(size), as_bytes("name")).is_error()) << size << " bytes";
}

TEST(Aead, refuses_another_key_and_another_name)
{
    SystemRandom random;
    auto const sealed = seal(key_of(1), as_bytes("secret"), as_bytes("name"), random);
    EXPECT_EQ(open(key_of(2), sealed, as_bytes("name")).error().code, ErrorCode::corruption);
    EXPECT_EQ(open(key_of(1), sealed, as_bytes("other")).error().code, ErrorCode::corruption);
    EXPECT_EQ(open(key_of(1), sealed, {}).error().code, ErrorCode::corruption);
}

} // namespace
} // namespace writ::crypto

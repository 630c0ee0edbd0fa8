// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <gtest/gtest.h>

namespace writ {
namespace {

// RFC 4648 §10.
TEST(Base64, encodes_and_decodes_the_vectors_of_the_specification)
{
    constexpr std::pair<char const*, char const*> vectors[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };
    for (auto const& [plain, encoded] : vectors) {
        EXPECT_EQ(to_base64(as_bytes(plain)), encoded);
        EXPECT_EQ(as_text(parse_base64(encoded).value()), plain);
    }
}

TEST(Base64, refuses_what_the_encoder_would_not_have_written)
{
    for (auto const* text : { "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zm 9v", "Zm9v\n", "Zm9-", "Zg==Zg==" })
        EXPECT_TRUE(parse_base64(text).is_error()) << text;
    for (auto const* text : { "Z", "Zg==", "Zh", "Zm9", "Zm+v", "Zm/v", "Zm9v " })
        EXPECT_TRUE(parse_base64url(text).is_error()) << text;
}

TEST(Base64url, round_trips_every_byte)
{
    Bytes bytes;
    for (int i = 0; i < 256; ++i)
        bytes.push_back(static_cast<std::uint8_t>(i));
    EXPECT_EQ(parse_base64url(to_base64url(bytes)).value(), bytes);
}

TEST(Hex, round_trips_and_refuses)
{
    EXPECT_EQ(to_hex(parse_hex("00fFa5").value()), "00ffa5");
    for (auto const* text : { "0", "0g", " 0", "0x" })
        EXPECT_TRUE(parse_hex(text).is_error()) << text;
}

TEST(ConstantTimeEqual, compares)
{
    EXPECT_TRUE(constant_time_equal(as_bytes("secret"), as_bytes("secret")));
    EXPECT_FALSE(constant_time_equal(as_bytes("secret"), as_bytes("secreu")));
    EXPECT_FALSE(constant_time_equal(as_bytes("secret"), as_bytes("secre")));
}

} // namespace
} // namespace writ

// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.h"

#include <gtest/gtest.h>

namespace writ::crypto {
namespace {

TEST(Sha256, matches_fips_180_4_examples)
{
    EXPECT_EQ(to_hex(sha256(as_bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(sha256(BytesView())), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, is_the_same_in_one_piece_in_parts_and_in_a_stream)
{
    std::string const text = "one signature, many pieces";
    std::array<BytesView, 3> const parts = { as_bytes("one signature"), as_bytes(""), as_bytes(", many pieces") };
    Sha256 stream;
    for (auto const& character : text)
        stream.update(as_bytes(std::string_view(&character, 1)));
    auto const whole = sha256(as_bytes(text));
    EXPECT_EQ(sha256(parts), whole);
    EXPECT_EQ(stream.finish(), whole);
}

TEST(HmacSha256, matches_rfc_4231_cases_2_and_6)
{
    EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    Bytes const long_key(131, 0xaa);
    EXPECT_EQ(to_hex(hmac_sha256(long_key, as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacSha256, takes_an_empty_key_and_an_empty_message)
{
    EXPECT_EQ(to_hex(hmac_sha256(BytesView(), BytesView())), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

} // namespace
} // namespace writ::crypto

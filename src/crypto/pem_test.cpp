// SPDX-License-Identifier: Apache-2.0
#include "crypto/pem.h"

#include <gtest/gtest.h>

namespace writ::crypto {

TEST(Pem, blocks_of_the_label_are_read_in_their_order_and_all_else_is_passed_over)
{
    auto const text = "a comment\n-----BEGIN CERTIFICATE-----\nAAEC\nAw==\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nBAU=\n-----END "
                      "PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\r\nBgc=\r\n-----END CERTIFICATE-----\r\n";
    auto const certificates = parse_pem(text, "CERTIFICATE").value();
    ASSERT_EQ(certificates.size(), 2U);
    EXPECT_EQ(to_hex(certificates[0]), "00010203");
    EXPECT_EQ(to_hex(certificates[1]), "0607");
    EXPECT_EQ(to_hex(parse_pem(text, "PRIVATE KEY").value().front()), "0405");
    EXPECT_TRUE(parse_pem("nothing", "CERTIFICATE").value().empty());
}

TEST(Pem, a_block_without_an_end_or_of_other_characters_is_refused)
{
    for (auto const* text : { "-----BEGIN CERTIFICATE-----\nAAEC", "-----BEGIN CERTIFICATE-----\nA*==\n-----END CERTIFICATE-----",
             "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE ----" })
        EXPECT_EQ(parse_pem(text, "CERTIFICATE").error().code, ErrorCode::invalid_argument) << text;
}

} // namespace writ::crypto

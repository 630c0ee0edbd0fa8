// SPDX-License-Identifier: Apache-2.0
#include "net/root_certificates.h"

#include <gtest/gtest.h>

namespace writ::net {
namespace {

constexpr auto two = "# Some root\n-----BEGIN CERTIFICATE-----\nAQID\nBAUG\n-----END CERTIFICATE-----\n\nanother\n"
                     "-----BEGIN CERTIFICATE-----\r\nBwg=\r\n-----END CERTIFICATE-----\r\n";

TEST(RootCertificates, reads_every_block_and_skips_what_stands_between)
{
    auto const read = parse_pem_certificates(two).value();
    EXPECT_EQ(read, (std::vector<Bytes> { { 1, 2, 3, 4, 5, 6 }, { 7, 8 } }));
}

TEST(RootCertificates, refuses_a_file_that_is_cut_off_or_damaged)
{
    std::string const text(two);
    EXPECT_TRUE(parse_pem_certificates("").is_error());
    EXPECT_TRUE(parse_pem_certificates(text.substr(0, text.size() - 10)).is_error());
    auto damaged = text;
    damaged[damaged.find("BAUG")] = '*';
    EXPECT_TRUE(parse_pem_certificates(damaged).is_error());
    EXPECT_TRUE(load_root_certificates("/nowhere/roots.pem").is_error());
}

} // namespace
} // namespace writ::net

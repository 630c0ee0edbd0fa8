// SPDX-License-Identifier: Apache-2.0
#include "authority/witness_client.h"

#include "authority/life.h"

#include <gtest/gtest.h>

namespace writ::authority {
namespace {

std::string const key = tlog::WitnessVerifier::of("witness.example/w", crypto::PrivateKey::generate(crypto::KeyType::ed25519)->public_key()).to_text();

TEST(WitnessAddress, is_a_url_and_a_key_of_a_witness)
{
    for (auto const* const url : { "http://127.0.0.1:8440", "https://witness.example", "https://witness.example:444/a/b/", "http://[::1]:1" }) {
        auto const address = parse_witness_address(std::string(url) + "=" + key);
        ASSERT_TRUE(address.is_ok()) << url << ": " << address.error().message;
        EXPECT_EQ(address->url, url);
        EXPECT_EQ(address->key.to_text(), key);
    }
    for (auto const* const url : { "", "witness.example", "ftp://witness.example", "http://", "http://a:b", "http://witness.example?x", "http://a/%41" })
        EXPECT_TRUE(parse_witness_address(std::string(url) + "=" + key).is_error()) << url;
    EXPECT_TRUE(parse_witness_address("http://127.0.0.1:8440").is_error());
    auto const of_a_log = tlog::NoteVerifier::of("a", crypto::PrivateKey::generate(crypto::KeyType::ed25519)->public_key()).to_text();
    EXPECT_TRUE(parse_witness_address("http://127.0.0.1:8440=" + of_a_log).is_error());
}

TEST(Life, says_how_the_last_one_ended)
{
    auto pattern = (std::filesystem::temp_directory_path() / "writ-life-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    auto const file = Path(pattern) / "ended-cleanly";
    EXPECT_EQ(Life::begin(file, 0).value().last(), "its first life");
    auto const second = Life::begin(file, 5).value();
    EXPECT_EQ(second.last(), "the last life was cut off");
    ASSERT_TRUE(second.end().is_ok());
    EXPECT_EQ(Life::begin(file, 5).value().last(), "the last life ended cleanly");
    EXPECT_EQ(Life::begin(file, 5).value().last(), "the last life was cut off");
    std::filesystem::remove_all(pattern);
}

} // namespace
} // namespace writ::authority

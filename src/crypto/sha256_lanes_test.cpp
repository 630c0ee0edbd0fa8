// SPDX-License-Identifier: Apache-2.0
#include "crypto/sha256_lanes.h"

#include <gtest/gtest.h>

namespace writ::crypto {
namespace {

// What is to be hashed lies in memory of exactly its length, so that the address sanitizer sees a read beyond it.
struct Batch {
    std::vector<Bytes> messages;
    std::vector<BytesView> views;

    explicit Batch(std::vector<std::size_t> const& lengths)
    {
        std::uint8_t next = 1;
        for (auto const length : lengths) {
            auto& message = messages.emplace_back(length);
            for (auto& byte : message)
                byte = next = static_cast<std::uint8_t>(next * 167U + 13U);
        }
        views.assign(messages.begin(), messages.end());
    }
};

using HashMany = void (*)(std::uint8_t, std::span<BytesView const>, std::span<Sha256Digest>);

void expect_as_openssl(HashMany hash_many, std::vector<std::size_t> const& lengths)
{
    Batch const batch(lengths);
    std::vector<Sha256Digest> digests(lengths.size());
    hash_many(0x01, batch.views, digests);
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        static constexpr std::uint8_t prefix = 0x01;
        ASSERT_EQ(digests[i], sha256(std::array { BytesView(&prefix, 1), batch.views[i] })) << "length " << lengths[i] << " at " << i;
    }
}

class Sha256Lanes : public testing::TestWithParam<HashMany> { };

TEST_P(Sha256Lanes, every_length_up_to_five_blocks_is_as_openssl_has_it)
{
    for (std::size_t length = 0; length <= 5 * 64 + 1; ++length)
        for (std::size_t count : { 1, 2, 3, 4, 7 })
            expect_as_openssl(GetParam(), std::vector<std::size_t>(count, length));
}

TEST_P(Sha256Lanes, lanes_of_different_lengths_do_not_disturb_each_other)
{
    std::uint32_t state = 1;
    for (int round = 0; round < 300; ++round) {
        std::vector<std::size_t> lengths(static_cast<std::size_t>(round % 11));
        for (auto& length : lengths) {
            state = state * 1'664'525U + 1'013'904'223U;
            length = (state >> 8U) % (round % 10 == 0 ? 70'000U : 700U);
        }
        expect_as_openssl(GetParam(), lengths);
    }
}

INSTANTIATE_TEST_SUITE_P(Ways, Sha256Lanes, testing::Values(sha256_prefixed, sha256_prefixed_one_by_one));

TEST(Sha256Pairs, are_hashed_as_64_bytes_each)
{
    std::vector<Sha256Digest> hashes(400);
    for (std::size_t i = 0; i < hashes.size(); ++i)
        hashes[i] = sha256(as_bytes(std::to_string(i)));
    std::vector<Sha256Digest> parents(hashes.size() / 2);
    sha256_prefixed_pairs(0x01, hashes, parents);
    static constexpr std::uint8_t prefix = 0x01;
    for (std::size_t i = 0; i < parents.size(); ++i)
        ASSERT_EQ(parents[i], sha256(std::array { BytesView(&prefix, 1), BytesView(hashes[2 * i]), BytesView(hashes[2 * i + 1]) }));
}

} // namespace
} // namespace writ::crypto

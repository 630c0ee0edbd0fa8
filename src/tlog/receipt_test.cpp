// SPDX-License-Identifier: Apache-2.0
#include "tlog/receipt.h"

#include "tlog/log_fixture.h"

namespace writ::tlog {
namespace {

class ReceiptOfALog : public LogFolder {
protected:
    Receipt receipt_of(std::uint64_t index, std::uint64_t size)
    {
        auto const log = open().value();
        fill(*log, size);
        return { .record = log->read(index).value(), .index = index, .proof = log->inclusion_proof(index, size).value(),
            .note = log->checkpoint() };
    }
    WitnessSigner witness { .name = "witness.example/w", .key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).value() };
};

TEST_F(ReceiptOfALog, is_checked_with_the_keys_alone)
{
    auto const receipt = receipt_of(11, 300);
    auto const read = parse_receipt(to_text(receipt)).value();
    EXPECT_EQ(to_text(read), to_text(receipt));
    auto const verified = verify_receipt(read, leaf_hash(*read.record), signer_.verifier(), {}).value();
    EXPECT_EQ(verified.checkpoint.size, 300U);
    EXPECT_TRUE(verify_receipt(read, leaf_hash(as_bytes("another")), signer_.verifier(), {}).is_error());
    auto bare = receipt;
    bare.record.reset();
    EXPECT_FALSE(parse_receipt(to_text(bare)).value().record);
}

TEST_F(ReceiptOfALog, needs_the_cosignatures_that_are_asked_for)
{
    auto receipt = receipt_of(3, 4);
    WitnessQuorum const quorum { .witnesses = { witness.verifier() }, .needed = 1 };
    auto const leaf = leaf_hash(*receipt.record);
    EXPECT_EQ(verify_receipt(receipt, leaf, signer_.verifier(), quorum).error().code, ErrorCode::corruption);
    receipt.note += cosign(receipt.note, witness, from_unix_seconds(1'800'000'000)).value();
    EXPECT_EQ(verify_receipt(receipt, leaf, signer_.verifier(), quorum).value().cosignatures.size(), 1U);
}

TEST_F(ReceiptOfALog, no_flipped_bit_passes)
{
    auto receipt = receipt_of(5, 9);
    receipt.note += cosign(receipt.note, witness, from_unix_seconds(1'800'000'000)).value();
    WitnessQuorum const quorum { .witnesses = { witness.verifier() }, .needed = 1 };
    auto const text = to_text(receipt);
    for (std::size_t i = 0; i < text.size(); ++i)
        for (auto const flip : { 1, 2, 4, 8, 16, 32, 64, 128 }) {
            auto changed = text;
            changed[i] = static_cast<char>(changed[i] ^ flip);
            auto const read = parse_receipt(changed);
            EXPECT_TRUE(read.is_error() || !read->record || verify_receipt(*read, leaf_hash(*read->record), signer_.verifier(), quorum).is_error())
                << i << " " << flip;
        }
    for (std::size_t length = 0; length < text.size(); ++length) {
        auto const read = parse_receipt(text.substr(0, length));
        EXPECT_TRUE(read.is_error() || verify_receipt(*read, leaf_hash(*receipt.record), signer_.verifier(), quorum).is_error()) << length;
    }
}

TEST(Receipt, what_is_none_is_refused)
{
    std::string const head = "c2sp.org/tlog-proof@v1\n", hash = to_base64(Hash {}) + "\n";
    EXPECT_TRUE(parse_receipt(head + "index 0\n\nnote").is_ok());
    EXPECT_TRUE(parse_receipt(head + "extra AAAA\nindex 7\n" + hash + "\nnote").is_ok());
    for (auto const& text : { std::string(), head, head + "index 0\n", head + "index 00\n\n", head + "index -1\n\n", head + "extra\nindex 0\n\n",
             head + "extra A\nindex 0\n\n", head + "extra AAAA\nextra AAAA\nindex 0\n\n", head + "index 0\nAAAA\n\n", head + "index 0\r\n\n",
             "c2sp.org/tlog-proof@v2\nindex 0\n\n" + hash })
        EXPECT_EQ(parse_receipt(text).error().code, ErrorCode::invalid_argument) << text;
    auto flood = head + "index 0\n";
    for (int i = 0; i < 64; ++i)
        flood += hash;
    EXPECT_TRUE(parse_receipt(flood + "\n").is_error());
}

} // namespace
} // namespace writ::tlog

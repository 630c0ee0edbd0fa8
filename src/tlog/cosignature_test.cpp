// SPDX-License-Identifier: Apache-2.0
#include "tlog/cosignature.h"

#include <gtest/gtest.h>

namespace writ::tlog {
namespace {

auto const noon = from_unix_seconds(1'679'315'147);

crypto::PrivateKey new_key() { return crypto::PrivateKey::generate(crypto::KeyType::ed25519).value(); }

struct Cosigned : testing::Test {
    NoteSigner log { .name = "example.org/log", .key = new_key() };
    WitnessSigner first { .name = "witness.example/1", .key = new_key() }, second { .name = "witness.example/2", .key = new_key() };
    std::string note = sign_checkpoint({ .origin = log.name, .size = 7, .root = leaf_hash(as_bytes("root")), .extension = "more\n" }, log).value();
    std::array<WitnessVerifier, 2> verifiers { first.verifier(), second.verifier() };
};

TEST_F(Cosigned, a_key_reads_back_and_one_of_a_log_is_not_one_of_a_witness)
{
    auto const text = first.verifier().to_text();
    EXPECT_EQ(WitnessVerifier::parse(text).value().to_text(), text);
    EXPECT_EQ(WitnessVerifier::parse(log.verifier().to_text()).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(NoteVerifier::parse(text).error().code, ErrorCode::invalid_argument);
    // The same key has another hash as a witness's.
    EXPECT_NE(NoteVerifier::of("a", first.key.public_key()).key_hash, WitnessVerifier::of("a", first.key.public_key()).key_hash);
}

TEST_F(Cosigned, verifies_with_its_time_and_no_byte_else)
{
    auto const witnessed = note + cosign(note, first, noon).value();
    auto const found = verify_cosignatures(witnessed, verifiers).value();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].witness, 0U);
    EXPECT_EQ(found[0].time, noon);
    EXPECT_EQ(note + found[0].line, witnessed);
    EXPECT_TRUE(verify_checkpoint(witnessed, log.verifier()).is_ok());
    for (std::size_t i = 0; i < witnessed.size(); ++i) {
        auto changed = witnessed;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        auto const read = verify_cosignatures(changed, verifiers);
        // A change in the log's own line, or that makes the witness another one, leaves no cosignature of a known key that is wrong.
        auto const is_of_text = i < note.rfind("\n\n");
        EXPECT_TRUE(read.is_error() || read->empty() || !is_of_text) << i;
        EXPECT_TRUE(verify_checkpoint(changed, log.verifier()).is_error() || read.is_error() || read->empty()) << i;
    }
}

TEST_F(Cosigned, the_signed_message_is_the_one_of_the_specification)
{
    // Header, time and the body, signed as the specification's example has it; the line is base64 of hash, time and signature.
    auto const line = cosign(note, first, noon).value();
    auto const bytes = parse_base64(line.substr(line.rfind(' ') + 1, line.size() - line.rfind(' ') - 2)).value();
    ASSERT_EQ(bytes.size(), 4U + 8U + 64U);
    auto const body = note.substr(0, note.rfind("\n\n") + 1);
    EXPECT_EQ(to_hex(BytesView(bytes).subspan(4, 8)), "00000000641850cb");
    // As a signed note whose text is that message it verifies too, with the witness's key as a log's.
    auto const message = "cosignature/v1\ntime 1679315147\n" + body;
    auto as_log = NoteVerifier::of(first.name, first.key.public_key());
    Bytes note_signature { static_cast<std::uint8_t>(as_log.key_hash >> 24U), static_cast<std::uint8_t>(as_log.key_hash >> 16U),
        static_cast<std::uint8_t>(as_log.key_hash >> 8U), static_cast<std::uint8_t>(as_log.key_hash) };
    note_signature.insert(note_signature.end(), bytes.begin() + 12, bytes.end());
    auto const as_note = message + "\n\xE2\x80\x94 " + first.name + " " + to_base64(note_signature) + "\n";
    // The text has no size in its second line, so it is no checkpoint; but its signature is looked at first.
    EXPECT_NE(verify_checkpoint(as_note, as_log).error().message.find("not a tree size"), std::string::npos);
    auto tampered = as_note;
    tampered[16] = 'T';
    EXPECT_NE(verify_checkpoint(tampered, as_log).error().message.find("does not verify"), std::string::npos);
}

TEST_F(Cosigned, unknown_witnesses_are_ignored_and_a_bad_line_of_a_known_one_is_not)
{
    WitnessSigner const stranger { .name = "witness.example/1", .key = new_key() };
    auto const witnessed = note + cosign(note, stranger, noon).value() + cosign(note, second, noon).value();
    ASSERT_EQ(verify_cosignatures(witnessed, verifiers).value().size(), 1U);
    auto const other = sign_checkpoint({ .origin = log.name, .size = 8, .root = {}, .extension = "" }, log).value();
    EXPECT_EQ(verify_cosignatures(note + cosign(other, second, noon).value(), verifiers).error().code, ErrorCode::corruption);
    EXPECT_TRUE(cosign(note, first, from_unix_seconds(0)).is_error());
    EXPECT_TRUE(cosign("no note", first, noon).is_error());
}

TEST_F(Cosigned, a_quorum_counts_each_witness_once)
{
    WitnessQuorum const quorum { .witnesses = { verifiers[0], verifiers[1] }, .needed = 2 };
    auto const once = note + cosign(note, first, noon).value();
    auto const twice = once + cosign(note, first, noon + std::chrono::seconds(1)).value();
    EXPECT_EQ(verify_quorum(once, quorum).error().code, ErrorCode::corruption);
    EXPECT_EQ(verify_quorum(twice, quorum).error().code, ErrorCode::corruption);
    EXPECT_EQ(verify_quorum(twice + cosign(note, second, noon).value(), quorum).value().size(), 2U);
    EXPECT_TRUE(verify_quorum(note, {}).is_ok());
}

TEST_F(Cosigned, an_unsound_quorum_is_refused)
{
    auto const alias = WitnessVerifier::of("another name", first.key.public_key());
    EXPECT_TRUE(check_quorum_is_sound({}).is_ok());
    EXPECT_TRUE(check_quorum_is_sound({ .witnesses = { verifiers[0], verifiers[1] }, .needed = 1 }).is_ok());
    EXPECT_TRUE(check_quorum_is_sound({ .witnesses = { verifiers[0], alias }, .needed = 1 }).is_error());
    EXPECT_TRUE(check_quorum_is_sound({ .witnesses = { verifiers[0] }, .needed = 2 }).is_error());
    EXPECT_TRUE(check_quorum_is_sound({ .witnesses = { verifiers[0] }, .needed = 0 }).is_error());
    EXPECT_TRUE(check_quorum_is_sound({ .witnesses = {}, .needed = 1 }).is_error());
}

} // namespace
} // namespace writ::tlog

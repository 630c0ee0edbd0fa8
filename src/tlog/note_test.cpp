// SPDX-License-Identifier: Apache-2.0
#include "tlog/note.h"

#include <gtest/gtest.h>

namespace writ::tlog {
namespace {

// The examples of C2SP's signed-note: a key and what it signed, which is no checkpoint.
constexpr std::string_view example_key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

NoteSigner signer_named(std::string name)
{
    return { .name = std::move(name), .key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).value() };
}

Checkpoint checkpoint_of(std::uint64_t size)
{
    return { .origin = "example.org/log", .size = size, .root = leaf_hash(as_bytes("root")), .extension = "" };
}

TEST(NoteVerifier, a_key_reads_back_and_a_changed_one_does_not)
{
    auto const verifier = NoteVerifier::parse(example_key).value();
    EXPECT_EQ(verifier.name, "example.com/foo");
    EXPECT_EQ(verifier.key_hash, 0x530d903aU);
    EXPECT_EQ(verifier.to_text(), example_key);
    for (std::size_t i = 0; i < example_key.size(); ++i) {
        std::string changed(example_key);
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_TRUE(NoteVerifier::parse(changed).is_error()) << changed;
    }
    for (auto const* const text : { "", "+", "++", "a+b", "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "a b+530d903a+AQ==" })
        EXPECT_EQ(NoteVerifier::parse(text).error().code, ErrorCode::invalid_argument) << text;
}

TEST(Checkpoint, verifies_what_was_signed_and_no_byte_else)
{
    auto const signer = signer_named("example.org/log");
    auto checkpoint = checkpoint_of(1234);
    checkpoint.extension = "one\ntwo\n";
    auto const note = sign_checkpoint(checkpoint, signer).value();
    auto const read = verify_checkpoint(note, signer.verifier()).value();
    EXPECT_EQ(read.origin, checkpoint.origin);
    EXPECT_EQ(read.size, checkpoint.size);
    EXPECT_EQ(read.root, checkpoint.root);
    EXPECT_EQ(read.extension, checkpoint.extension);
    for (std::size_t i = 0; i < note.size(); ++i)
        for (auto const flip : { 1, 2, 4, 8, 16, 32, 64, 128 }) {
            auto changed = note;
            changed[i] = static_cast<char>(changed[i] ^ flip);
            EXPECT_TRUE(verify_checkpoint(changed, signer.verifier()).is_error()) << i << " " << flip;
        }
    for (std::size_t length = 0; length < note.size(); ++length)
        EXPECT_TRUE(verify_checkpoint(note.substr(0, length), signer.verifier()).is_error()) << length;
}

TEST(Checkpoint, signatures_of_unknown_keys_are_ignored_and_a_bad_one_of_the_known_key_is_not)
{
    auto const signer = signer_named("example.org/log"), witness = signer_named("witness.example.org"),
               namesake = signer_named("example.org/log");
    auto const note = sign_checkpoint(checkpoint_of(7), signer).value();
    auto const line_of = [](std::string const& signed_note) { return signed_note.substr(signed_note.rfind("\n\n") + 2); };
    auto const witnessed
        = note + line_of(sign_checkpoint(checkpoint_of(7), witness).value()) + line_of(sign_checkpoint(checkpoint_of(7), namesake).value());
    EXPECT_TRUE(verify_checkpoint(witnessed, signer.verifier()).is_ok());
    EXPECT_TRUE(verify_checkpoint(witnessed, witness.verifier()).is_ok());
    EXPECT_EQ(verify_checkpoint(note, witness.verifier()).error().code, ErrorCode::corruption);

    auto const of_another_text = line_of(sign_checkpoint(checkpoint_of(8), signer).value());
    EXPECT_EQ(verify_checkpoint(note + of_another_text, signer.verifier()).error().code, ErrorCode::corruption);
    std::string flood = note;
    for (int i = 0; i < 64; ++i)
        flood += line_of(note);
    EXPECT_TRUE(verify_checkpoint(flood, signer.verifier()).is_error());
}

TEST(Checkpoint, what_is_no_checkpoint_is_refused)
{
    std::string const end = "\n\xE2\x80\x94 a AAAAAAA=\n";
    std::string const root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    EXPECT_TRUE(parse_checkpoint_without_verifying("a\n0\n" + root + end).is_ok());
    for (auto const& body : std::vector<std::string> { "", "a\n", "\n0\n" + root, "a\n00\n" + root, "a\n-1\n" + root, "a\n+1\n" + root,
             "a\n 1\n" + root, "a\n1152921504606846977\n" + root, "a\n0\nAAAA\n", "a\n0\n" + root + "\nx\n", "a\t\n0\n" + root,
             "a\r\n0\n" + root, "\xC0\x80\n0\n" + root, "\xED\xA0\x80\n0\n" + root })
        EXPECT_TRUE(parse_checkpoint_without_verifying(body + end).is_error()) << body;
    for (auto const* const signatures : { "", "\n", "\nx\n", "\n\xE2\x80\x94 a\n", "\n\xE2\x80\x94 a+b AAAAAAA=\n",
             "\n\xE2\x80\x94 a\xC2\xA0 AAAAAAA=\n", "\n\xE2\x80\x94 a AAAA\n" })
        EXPECT_TRUE(parse_checkpoint_without_verifying("a\n0\n" + root + signatures).is_error()) << signatures;
}

TEST(Checkpoint, what_would_not_read_back_is_not_signed)
{
    auto const signer = signer_named("example.org/log");
    for (auto const* const origin : { "", "a\nb", "a\x01" }) {
        auto checkpoint = checkpoint_of(1);
        checkpoint.origin = origin;
        EXPECT_TRUE(sign_checkpoint(checkpoint, signer).is_error()) << origin;
    }
    auto checkpoint = checkpoint_of(1);
    checkpoint.extension = "no line end";
    EXPECT_TRUE(sign_checkpoint(checkpoint, signer).is_error());
    EXPECT_TRUE(sign_checkpoint(checkpoint_of(1), signer_named("white space")).is_error());
}

} // namespace
} // namespace writ::tlog

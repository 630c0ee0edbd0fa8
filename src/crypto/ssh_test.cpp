// SPDX-License-Identifier: Apache-2.0
//
// The forms themselves are read by OpenSSH in tests/scenarios/ssh_test.py.
#include "crypto/ssh.h"

#include "crypto/signature.h"

#include <gtest/gtest.h>

using namespace writ;
using namespace writ::crypto;

namespace {

SshCertificate certificate()
{
    return { 0x0102030405060708, "who", { "deploy", "backup" }, from_unix_seconds(1'000), from_unix_seconds(2'000), { { "source-address", "10.0.0.0/8" }, { "force-command", "true" } },
        { "permit-pty" } };
}

Bytes blob_of(std::string const& line) { return parse_base64(line.substr(line.find(' ') + 1)).value(); }

} // namespace

TEST(Ssh, a_certificate_is_signed_over_all_of_it)
{
    SystemRandom random;
    auto const authority = PrivateKey::generate(KeyType::ed25519).value();
    auto const subject = PrivateKey::generate(KeyType::ed25519).value().public_key();
    auto const line = certify_ssh(certificate(), subject, authority, random).value();
    EXPECT_TRUE(line.starts_with("ssh-ed25519-cert-v01@openssh.com AAAA")) << line;
    auto const blob = blob_of(line);
    // The signature's string: length, type, length, 64 bytes.
    constexpr std::size_t signature_bytes = 4 + 4 + 11 + 4 + 64;
    BytesView const all(blob);
    auto const message = all.first(all.size() - signature_bytes);
    auto const signature = all.last(64);
    EXPECT_TRUE(verify(authority.public_key(), Algorithm::eddsa, message, signature).is_ok());
    Bytes changed(message.begin(), message.end());
    changed.back() ^= 1U;
    EXPECT_TRUE(verify(authority.public_key(), Algorithm::eddsa, changed, signature).is_error());
    auto const text = as_text(blob);
    EXPECT_LT(text.find("force-command"), text.find("source-address")); // SPEC: options are in lexical order
    EXPECT_NE(text.find(std::string("\x01\x02\x03\x04\x05\x06\x07\x08", 8)), std::string::npos);
    EXPECT_NE(certify_ssh(certificate(), subject, authority, random).value(), line) << "a nonce is used once";
}

TEST(Ssh, a_certificate_of_nobody_or_of_no_time_is_not_made)
{
    SystemRandom random;
    auto const key = PrivateKey::generate(KeyType::ed25519).value();
    auto const other = PrivateKey::generate(KeyType::p256).value();
    auto nobody = certificate();
    nobody.principals.clear();
    EXPECT_TRUE(certify_ssh(nobody, key.public_key(), key, random).is_error());
    auto never = certificate();
    never.valid_before = never.valid_after;
    EXPECT_TRUE(certify_ssh(never, key.public_key(), key, random).is_error());
    EXPECT_TRUE(certify_ssh(certificate(), other.public_key(), key, random).is_error());
    EXPECT_TRUE(certify_ssh(certificate(), key.public_key(), other, random).is_error());
}

TEST(Ssh, a_key_is_a_line_and_its_private_half_a_pem_file)
{
    auto const key = PrivateKey::generate(KeyType::ed25519).value();
    EXPECT_TRUE(ssh_public_key(key.public_key(), "writ@acme.ai").ends_with(" writ@acme.ai"));
    auto const raw = key.public_key().to_spki();
    auto const blob = blob_of(ssh_public_key(key.public_key(), ""));
    EXPECT_TRUE(as_text(blob).ends_with(as_text(raw).substr(raw.size() - 32)));
    auto const pem = ssh_private_key(key);
    EXPECT_TRUE(pem.reveal().starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE"));
}

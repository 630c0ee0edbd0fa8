// SPDX-License-Identifier: Apache-2.0
#include "issue/issuer_conformance.h"
#include "issue/ssh_certificate/ssh_certificate.h"

#include <gtest/gtest.h>

using namespace writ;
using namespace writ::issue;

namespace {

// Records what it is asked to certify; what a server makes of it is tried in tests/scenarios/ssh_test.py.
class SshCertificates : public testing::Test, public IssuerTarget {
protected:
    JsonObject provider() override
    {
        return { { "principals", JsonObject { { "connect", "deploy backup" }, { "call", "{workload}" }, { "infer", "" } } }, { "force_command", command }, { "source_address", "10.0.0.0/8" },
            { "extensions", JsonArray { "permit-pty" } }, { "file", "cluster" }, { "file_variable", "SSH_KEY_FILE" }, { "variable", "" }, { "environment", JsonObject() } };
    }
    Access granted() override { return { "connect", { { "name", "cluster" } } }; }
    Recipient recipient(Timestamp expires) override
    {
        Recipient recipient { "spiffe://acme.ai/train", "run-a", "train", expires };
        recipient.public_key = key.public_key();
        recipient.certify_ssh = [this](crypto::SshCertificate const& certificate, crypto::PublicKey const& subject) {
            made[std::to_string(certificate.serial)] = certificate;
            return crypto::certify_ssh(certificate, subject, key, random);
        };
        return recipient;
    }
    std::set<std::string> probe(Credential const& credential) override
    {
        auto const& principals = made.at(credential.id).principals;
        return { principals.begin(), principals.end() };
    }
    std::set<std::string> expected() override { return { "backup", "deploy" }; }
    Timestamp end_of(CredentialPlan const&, Credential const& credential) override { return made.at(credential.id).valid_before; }

    Result<Credential> create(std::string action, Recipient recipient)
    {
        std::vector<Access> const accesses { { std::move(action), { { "name", "cluster" } } } };
        auto planned = issuer->plan(provider(), accesses);
        return planned.is_error() ? Result<Credential>(planned.error()) : loop.run(issuer->create(*planned, std::move(recipient)));
    }

    net::EventLoop loop;
    SystemClock clock;
    SystemRandom random;
    crypto::PrivateKey const key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).value();
    std::map<std::string, crypto::SshCertificate> made;
    std::string command;
    std::unique_ptr<CredentialIssuer> issuer = create_ssh_certificate_issuer(clock, random);
};

} // namespace

TEST_F(SshCertificates, conform) { EXPECT_EQ(IssuerConformance(loop, *issuer, *this, clock).run(), std::vector<std::string>()); }

TEST_F(SshCertificates, say_who_it_is_and_what_they_may)
{
    command = "/usr/bin/rsync --server";
    auto const credential = create("call", recipient(clock.now() + std::chrono::minutes(5))).value();
    auto const& certificate = made.at(credential.id);
    EXPECT_EQ(certificate.principals, std::vector<std::string> { "spiffe://acme.ai/train" });
    EXPECT_EQ(certificate.key_id, "spiffe://acme.ai/train run-a train");
    EXPECT_EQ(certificate.critical_options, (std::map<std::string, std::string> { { "force-command", command }, { "source-address", "10.0.0.0/8" } }));
    EXPECT_EQ(certificate.extensions, std::set<std::string> { "permit-pty" });
    EXPECT_EQ(credential.files.at(0).name, "cluster-cert.pub");
    EXPECT_EQ(credential.key_file->name, "cluster");
}

TEST_F(SshCertificates, are_for_somebody_and_for_a_key_of_the_node)
{
    EXPECT_EQ(create("infer", recipient(clock.now() + std::chrono::minutes(5))).error().code, ErrorCode::permission_denied);
    EXPECT_EQ(create("read", recipient(clock.now() + std::chrono::minutes(5))).error().code, ErrorCode::permission_denied);
    auto without_key = recipient(clock.now() + std::chrono::minutes(5));
    without_key.public_key.reset();
    EXPECT_TRUE(create("connect", std::move(without_key)).is_error());
    auto other_key = recipient(clock.now() + std::chrono::minutes(5));
    other_key.public_key = crypto::PrivateKey::generate(crypto::KeyType::p256).value().public_key();
    EXPECT_TRUE(create("connect", std::move(other_key)).is_error());
}

TEST(SshDeclarations, are_names_addresses_and_extensions)
{
    for (auto const* const good : { "deploy", "{workload}", "spiffe://acme.ai/x" })
        EXPECT_TRUE(check_ssh_principal(good).is_ok()) << good;
    for (auto const* const bad : { "", "a,b", "a b", "a\nb", "{run}", "\xc3\xa9" })
        EXPECT_TRUE(check_ssh_principal(bad).is_error()) << bad;
    for (auto const* const good : { "10.0.0.0/8", "192.0.2.1,2001:db8::/32", "0.0.0.0/0", "10.1.2.3/32", "::/0", "2001:db8::8000/113" })
        EXPECT_TRUE(check_ssh_sources(good).is_ok()) << good;
    for (auto const* const bad : { "", "10.0.0.0/8,", "!10.0.0.1", "*", "host.example", "10.0.0.0/x", "10.0.0.0/129", "999.1.1.1", "10.1", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8",
             "2001:db8::1/32", "2001:db8::/129", "fe80::1%eth0" })
        EXPECT_TRUE(check_ssh_sources(bad).is_error()) << bad;
    EXPECT_EQ(parse_ssh_principals(" deploy  ops ").value(), (std::set<std::string> { "deploy", "ops" }));
    for (auto const* const bad : { "", "  ", "deploy\nroot", "deploy\troot", "deploy,root", "deploy {conect}" })
        EXPECT_TRUE(parse_ssh_principals(bad).is_error()) << bad;
    std::string many;
    for (std::size_t i = 0; i < ssh_principals_max; ++i)
        many += "user" + std::to_string(i) + " ";
    EXPECT_EQ(parse_ssh_principals(many).value().size(), ssh_principals_max);
    EXPECT_TRUE(parse_ssh_principals(many + "one-more").is_error());
    EXPECT_TRUE(check_ssh_extension("permit-pty").is_ok());
    EXPECT_TRUE(check_ssh_extension("permit-everything").is_error());
}

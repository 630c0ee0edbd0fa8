// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509.h"

#include "base/random.h"

#include <gtest/gtest.h>

namespace writ::crypto {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

Timestamp start() { return from_unix_seconds(1'800'000'000); }
Timestamp end() { return start() + hours(24); }

// One trust domain with its root, and a workload's key.
struct TrustDomain {
    explicit TrustDomain(KeyType type = KeyType::p256)
        : key(PrivateKey::generate(type).value())
    {
    }
    [[nodiscard]] CertificateIssuer issuer() const { return CertificateIssuer::create(root, key).value(); }
    [[nodiscard]] RootRequest root_request() const
    {
        return { .common_name = "example.org",
            .uri = "spiffe://example.org",
            .not_before = start(),
            .not_after = end(),
            .serial = Bytes(16, 0xff) };
    }
    [[nodiscard]] Result<> verify(BytesView leaf, Timestamp time) const { return verify_path(leaf, {}, std::span(&root, 1), time); }

    PrivateKey key;
    Bytes root = create_root(root_request(), key).value();
    PrivateKey workload_key = PrivateKey::generate(KeyType::p256).value();
    Bytes spki = workload_key.public_key().to_spki();
};

LeafRequest leaf_request()
{
    return { .uri = "spiffe://example.org/trainer",
        .dns_names = {},
        .ip_addresses = {},
        .not_before = start(),
        .not_after = start() + hours(1),
        .serial = { 0x80, 0x01 } };
}

TEST(X509, root_says_what_it_is)
{
    TrustDomain const domain;
    auto const root = parse_certificate(domain.root).value();
    EXPECT_EQ(root.common_name, "example.org");
    EXPECT_EQ(root.uris, std::vector<std::string> { "spiffe://example.org" });
    EXPECT_TRUE(root.is_ca && root.may_sign_certificates && root.may_sign_crls);
    EXPECT_FALSE(root.may_sign);
    EXPECT_EQ(root.not_before, start());
    EXPECT_EQ(root.not_after, end());
    EXPECT_EQ(root.serial[0], 0x7f) << "the first bit is cleared";
    EXPECT_EQ(root.spki, domain.key.public_key().to_spki());
}

TEST(X509, leaf_of_every_kind_of_issuer_and_key_verifies_and_not_after_expiry)
{
    for (auto const type : { KeyType::p256, KeyType::p384, KeyType::p521, KeyType::ed25519, KeyType::rsa }) {
        TrustDomain const domain(type);
        auto const leaf_spki = PrivateKey::generate(type).value().public_key().to_spki();
        for (auto const& spki : { domain.spki, leaf_spki }) {
            auto const leaf = domain.issuer().issue(leaf_request(), spki).value();
            EXPECT_TRUE(domain.verify(leaf, start()));
            EXPECT_TRUE(domain.verify(leaf, start() + hours(1) - seconds(1)));
            EXPECT_FALSE(domain.verify(leaf, start() + hours(1)));
            EXPECT_FALSE(domain.verify(leaf, start() - seconds(1)));
            EXPECT_EQ(parse_certificate(leaf).value().spki, spki);
        }
    }
}

TEST(X509, leaf_has_one_uri_no_subject_and_may_only_sign)
{
    TrustDomain const domain;
    auto request = leaf_request();
    request.dns_names = { "trainer.example.org" };
    request.ip_addresses = { "127.0.0.1", "::1" };
    auto const leaf = parse_certificate(domain.issuer().issue(request, domain.spki).value()).value();
    EXPECT_EQ(leaf.uris, std::vector<std::string> { "spiffe://example.org/trainer" });
    EXPECT_EQ(leaf.dns_names, std::vector<std::string> { "trainer.example.org" });
    EXPECT_EQ(leaf.common_name, "");
    EXPECT_EQ(leaf.serial, (Bytes { 0x01 }));
    EXPECT_TRUE(leaf.may_sign);
    EXPECT_FALSE(leaf.is_ca || leaf.may_sign_certificates || leaf.may_sign_crls);
}

TEST(X509, leaf_with_any_bit_flipped_does_not_verify)
{
    TrustDomain const domain;
    auto const leaf = domain.issuer().issue(leaf_request(), domain.spki).value();
    for (std::size_t bit = 0; bit < leaf.size() * 8; ++bit) {
        auto altered = leaf;
        altered[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(domain.verify(altered, start())) << "bit " << bit;
    }
}

TEST(X509, leaf_of_another_root_of_the_same_name_does_not_verify)
{
    TrustDomain const domain, impostor;
    auto const leaf = impostor.issuer().issue(leaf_request(), domain.spki).value();
    EXPECT_EQ(domain.verify(leaf, start()).error().code, ErrorCode::unauthenticated);
    std::array const both = { domain.root, impostor.root };
    EXPECT_TRUE(verify_path(leaf, {}, both, start())) << "while roots rotate";
    EXPECT_FALSE(verify_path(leaf, {}, {}, start()));
    EXPECT_FALSE(verify_path(leaf, {}, std::span(&leaf, 1), start())) << "a leaf is no root, not even its own";
    EXPECT_FALSE(verify_path(leaf, std::span(&impostor.root, 1), std::span(&domain.root, 1), start())) << "an intermediate is not trusted";
}

TEST(X509, leaf_cannot_be_an_issuer)
{
    TrustDomain const domain;
    auto const leaf = domain.issuer().issue(leaf_request(), domain.spki).value();
    EXPECT_EQ(CertificateIssuer::create(leaf, domain.workload_key).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(CertificateIssuer::create(domain.root, domain.workload_key).error().code, ErrorCode::invalid_argument)
        << "the root of another key";
}

TEST(X509, leaf_is_refused_beyond_its_issuer_and_with_names_that_are_none)
{
    TrustDomain const domain;
    auto const refused = [&](auto change) {
        auto request = leaf_request();
        change(request);
        auto const leaf = domain.issuer().issue(request, domain.spki);
        return leaf.is_error() && leaf.error().code == ErrorCode::invalid_argument;
    };
    EXPECT_FALSE(refused([](LeafRequest&) {}));
    EXPECT_FALSE(refused([](LeafRequest& r) { r.not_after = end(); }));
    EXPECT_TRUE(refused([](LeafRequest& r) { r.not_after = end() + seconds(1); }));
    EXPECT_TRUE(refused([](LeafRequest& r) { r.not_before = r.not_after + seconds(1); }));
    EXPECT_TRUE(refused([](LeafRequest& r) { r.uri = ""; }));
    EXPECT_TRUE(refused([](LeafRequest& r) { r.uri = "no-scheme"; }));
    EXPECT_TRUE(refused([](LeafRequest& r) { r.uri += std::string("\0x", 2); }));
    EXPECT_TRUE(refused([](LeafRequest& r) { r.uri += "/\xc3\xa4"; }));
    EXPECT_TRUE(refused([](LeafRequest& r) { r.uri += std::string(2048, 'x'); }));
    EXPECT_TRUE(refused([](LeafRequest& r) { r.dns_names = { "a,URI:spiffe://other" }; }));
    EXPECT_TRUE(refused([](LeafRequest& r) { r.dns_names = { "*.example.org" }; }));
    EXPECT_TRUE(refused([](LeafRequest& r) { r.ip_addresses = { "127.0.0.1.2" }; }));
    EXPECT_TRUE(refused([](LeafRequest& r) { r.ip_addresses = { std::string("127.0.0.1\0x", 11) }; }));
    EXPECT_TRUE(refused([](LeafRequest& r) { r.serial = {}; }));
    EXPECT_TRUE(refused([](LeafRequest& r) { r.serial = { 0x80 }; })) << "zero once its first bit is cleared";
    EXPECT_TRUE(refused([](LeafRequest& r) { r.serial = Bytes(21, 1); }));
}

TEST(X509, leaf_is_refused_for_a_key_off_its_curve)
{
    TrustDomain const domain;
    auto spki = domain.spki;
    spki.back() ^= 1;
    EXPECT_EQ(domain.issuer().issue(leaf_request(), spki).error().code, ErrorCode::invalid_argument);
    spki = domain.spki;
    spki[26] = 0x02; // a compressed point has another length
    EXPECT_TRUE(domain.issuer().issue(leaf_request(), spki).is_error());
    EXPECT_TRUE(domain.issuer().issue(leaf_request(), {}).is_error());
}

TEST(X509, times_cross_the_year_2050)
{
    TrustDomain domain;
    auto request = domain.root_request();
    request.not_before = parse_rfc3339("2049-12-31T23:59:59Z").value();
    request.not_after = parse_rfc3339("2050-01-01T00:00:00Z").value();
    auto const root = parse_certificate(create_root(request, domain.key).value()).value();
    EXPECT_EQ(root.not_before, request.not_before);
    EXPECT_EQ(root.not_after, request.not_after);
    request.not_after = request.not_before - seconds(1);
    EXPECT_TRUE(create_root(request, domain.key).is_error());
}

TEST(X509, certificate_that_is_cut_or_continued_is_refused)
{
    TrustDomain const domain;
    auto root = domain.root;
    for (std::size_t size = 0; size < root.size(); ++size)
        EXPECT_TRUE(parse_certificate(BytesView(root).first(size)).is_error()) << size << " bytes";
    root.push_back(0);
    EXPECT_TRUE(parse_certificate(root).is_error());
}

TEST(X509, pem_has_lines_of_64_characters_and_the_same_bytes)
{
    TrustDomain const domain;
    auto const pem = to_pem(domain.root);
    EXPECT_TRUE(pem.starts_with("-----BEGIN CERTIFICATE-----\n") && pem.ends_with("\n-----END CERTIFICATE-----\n"));
    std::string base64;
    std::size_t longest = 0;
    for (std::size_t at = 28; at < pem.size() - 26;) {
        auto const line_end = pem.find('\n', at);
        base64 += pem.substr(at, line_end - at);
        longest = std::max(longest, line_end - at);
        at = line_end + 1;
    }
    EXPECT_EQ(longest, 64U);
    EXPECT_EQ(parse_base64(base64).value(), domain.root);
}

} // namespace
} // namespace writ::crypto

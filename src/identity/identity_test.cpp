// SPDX-License-Identifier: Apache-2.0
#include "identity/bundle.h"
#include "identity/run.h"
#include "identity/workload.h"

#include <gtest/gtest.h>

using namespace writ;
using namespace writ::identity;

namespace {

Claims claims_of(std::string const& user, std::string const& path)
{
    return { "unix", { { "unix.user", { user } }, { "unix.path", { path } }, { "unix.group", { "ml", "gpu" } } } };
}

Workload trainer()
{
    Workload workload;
    workload.name = "trainer";
    workload.id_template = "spiffe://acme.ai/fraud/{unix.user}/train";
    workload.match = { { "unix.path", { "/usr/bin/python*" } }, { "unix.group", { "ml" } } };
    return workload;
}

} // namespace

TEST(SpiffeId, takes_trust_domain_and_path_apart)
{
    auto const id = SpiffeId::parse("spiffe://acme.ai/ml/train").value();
    EXPECT_EQ(id.trust_domain(), "acme.ai");
    EXPECT_EQ(id.path(), "/ml/train");
    EXPECT_EQ(SpiffeId::parse("spiffe://acme.ai").value().path(), "");
}

TEST(SpiffeId, refuses_what_two_readers_could_read_differently)
{
    for (auto const* text : { "", "spiffe://", "spiffe:///x", "SPIFFE://acme/x", "spiffe://Acme/x", "spiffe://acme/", "spiffe://acme//x",
             "spiffe://acme/x/", "spiffe://acme/./x", "spiffe://acme/../x", "spiffe://acme/x%2fy", "spiffe://acme:80/x",
             "spiffe://u@acme/x", "spiffe://acme/x?y", "spiffe://acme/x#y", "spiffe://acme/x y", "https://acme/x" })
        EXPECT_TRUE(SpiffeId::parse(text).is_error()) << text;
    EXPECT_TRUE(SpiffeId::parse("spiffe://" + std::string(255, 'a')).is_ok());
    EXPECT_TRUE(SpiffeId::parse("spiffe://" + std::string(256, 'a')).is_error());
    EXPECT_TRUE(SpiffeId::parse("spiffe://a/" + std::string(2048 - 11, 'x')).is_ok());
    EXPECT_TRUE(SpiffeId::parse("spiffe://a/" + std::string(2049 - 11, 'x')).is_error());
}

TEST(Workload, gives_a_matching_process_the_id_of_its_template)
{
    auto const id = match_workload(trainer(), claims_of("ada", "/usr/bin/python3.11"));
    ASSERT_TRUE(id);
    EXPECT_EQ(id->text(), "spiffe://acme.ai/fraud/ada/train");
}

TEST(Workload, is_not_matched_by_another_executable_or_without_a_claim)
{
    EXPECT_FALSE(match_workload(trainer(), claims_of("ada", "/tmp/usr/bin/python3.11")));
    auto claims = claims_of("ada", "/usr/bin/python3");
    claims.values.erase("unix.group");
    EXPECT_FALSE(match_workload(trainer(), claims));
    claims = claims_of("ada", "/usr/bin/python3");
    claims.values["unix.group"] = { "gpu" };
    EXPECT_FALSE(match_workload(trainer(), claims));
}

TEST(Workload, never_lets_a_claim_write_path_segments)
{
    for (auto const* user : { "a/b", "..", "", "a b", "%2e" })
        EXPECT_FALSE(match_workload(trainer(), claims_of(user, "/usr/bin/python3"))) << user;
    auto claims = claims_of("ada", "/usr/bin/python3");
    claims.values["unix.user"] = { "ada", "root" };
    EXPECT_FALSE(match_workload(trainer(), claims)); // which of the two?
}

TEST(Workload, refuses_templates_that_could_leave_their_place)
{
    auto const with_id = [](std::string id) {
        auto workload = trainer();
        workload.id_template = std::move(id);
        return check_workload(workload);
    };
    EXPECT_TRUE(with_id("spiffe://acme.ai/fraud/{unix.user}").is_ok());
    for (auto const* id : { "spiffe://acme.ai/{unix.user}", "spiffe://{unix.user}/x", "spiffe://acme.ai/writ/agent", "spiffe://acme.ai",
             "spiffe://acme.ai/x/{user}", "spiffe://acme.ai/x/{unix.user", "spiffe://acme.ai/x/}", "acme.ai/x" })
        EXPECT_TRUE(with_id(id).is_error()) << id;
}

TEST(Workload, patterns_know_only_the_star)
{
    EXPECT_TRUE(fits_pattern("*", ""));
    EXPECT_TRUE(fits_pattern("a*b*c", "axxbyybc"));
    EXPECT_FALSE(fits_pattern("a*b*c", "axxbyyb"));
    EXPECT_TRUE(fits_pattern("a?c", "a?c"));
    EXPECT_FALSE(fits_pattern("a?c", "abc"));
    EXPECT_FALSE(fits_pattern("", "a"));
    // A pattern made to be slow is not.
    EXPECT_FALSE(fits_pattern("*a*a*a*a*a*a*a*a*a*b", std::string(4000, 'a')));
}

TEST(Claims, survive_their_json_and_belong_to_their_provider)
{
    auto const claims = claims_of("ada", "/usr/bin/python3");
    EXPECT_EQ(parse_claims(to_json(claims)).value(), claims);
    auto forged = to_json(claims);
    forged["provider"] = "k8s";
    EXPECT_TRUE(parse_claims(forged).is_error());
}

TEST(Run, ids_are_recognised)
{
    SeededRandom random(1);
    auto const id = new_run_id(random);
    EXPECT_TRUE(is_run_id(id));
    EXPECT_FALSE(is_run_id(id + "a"));
    EXPECT_FALSE(is_run_id("run-../../../../../../../"));
}

TEST(Bundle, shows_a_token_keys_certificate_to_relying_parties_and_not_in_the_spiffe_bundle)
{
    auto const key = crypto::PrivateKey::generate(crypto::KeyType::p256).value().public_key();
    std::vector<JwtKey> const keys { { "one", crypto::Algorithm::es256, key, { 1, 2, 3 } } };
    EXPECT_EQ(to_jwk_set(keys, "sig").at("keys").as_array().front().as_object().at("x5c").as_array().front().as_string(), "AQID");
    EXPECT_FALSE(to_jwk_set(keys, "jwt-svid").at("keys").as_array().front().as_object().contains("x5c"));
}

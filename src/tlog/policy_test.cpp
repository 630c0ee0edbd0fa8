// SPDX-License-Identifier: Apache-2.0
#include "tlog/policy.h"

#include <gtest/gtest.h>

namespace writ::tlog {
namespace {

crypto::PublicKey new_key() { return crypto::PrivateKey::generate(crypto::KeyType::ed25519).value().public_key(); }
std::string log_key(std::string name) { return NoteVerifier::of(std::move(name), new_key()).to_text(); }
std::string witness_key(std::string name) { return WitnessVerifier::of(std::move(name), new_key()).to_text(); }

std::string six_witnesses()
{
    std::string text = "# two organisations\nlog " + log_key("example.org/log") + "\n\n";
    for (auto const* const name : { "X1", "X2", "X3", "Y1", "Y2", "Y3" })
        text += std::string(" \twitness ") + name + "\t" + witness_key(std::string("witness.example/") + name) + "\n";
    return text;
}

bool is_met(LogPolicy const& policy, std::vector<std::size_t> const& places)
{
    std::vector<Cosignature> cosignatures;
    for (auto const place : places)
        cosignatures.push_back({ .witness = place, .time = {}, .line = {} });
    return policy.quorum.is_met(cosignatures);
}

TEST(LogPolicy, groups_of_groups_decide_as_the_specification_shows)
{
    auto const policy = parse_log_policy(six_witnesses()
        + "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\ngroup X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n")
                            .value();
    EXPECT_EQ(policy.logs.size(), 1U);
    EXPECT_EQ(policy.quorum.least(), 3U);
    EXPECT_TRUE(is_met(policy, { 0, 2, 4 }));
    EXPECT_TRUE(is_met(policy, { 0, 1, 2, 3, 4, 5 }));
    EXPECT_FALSE(is_met(policy, { 0, 1, 2 }));
    EXPECT_FALSE(is_met(policy, { 0, 3, 4, 5 }));
    EXPECT_FALSE(is_met(policy, { 0, 0, 3 }));
    EXPECT_FALSE(is_met(policy, {}));
}

TEST(LogPolicy, the_quorum_may_be_one_witness_or_none_and_not_the_last_group)
{
    auto const one = parse_log_policy(six_witnesses() + "quorum Y2\n").value();
    EXPECT_TRUE(is_met(one, { 4 }));
    EXPECT_FALSE(is_met(one, { 0, 1, 2, 3, 5 }));
    auto const none = parse_log_policy(six_witnesses() + "group a all X1\nquorum none\n").value();
    EXPECT_TRUE(is_met(none, {}));
    EXPECT_EQ(none.quorum.least(), 0U);
    auto const first = parse_log_policy(six_witnesses() + "group a any X1 X2\ngroup b all Y1 Y2\nquorum a\n").value();
    EXPECT_TRUE(is_met(first, { 1 }));
    EXPECT_FALSE(is_met(first, { 3, 4 }));
    auto const early = parse_log_policy("witness w " + witness_key("w") + " https://w.example/\nquorum w\ngroup g 1 w\n").value();
    EXPECT_TRUE(is_met(early, { 0 }));
    EXPECT_EQ(early.witness_urls, (std::vector<std::string> { "https://w.example/" }));
    EXPECT_TRUE(parse_log_policy("quorum none\n").is_ok());
}

TEST(LogPolicy, what_is_none_is_refused_with_its_line)
{
    auto const same = witness_key("w");
    auto const again = log_key("example.org/a");
    for (auto const& text : std::vector<std::string> { "", "quorum\n", "quorum a\n", "quorum none", "quorum none\nquorum none\n", "quorum X1 X2\n",
             "log\nquorum none\n", "log x\nquorum none\n", "log " + again + "\nlog " + again + "\nquorum none\n",
             "log " + witness_key("w") + "\nquorum none\n", "witness a " + log_key("a") + "\nquorum a\n",
             "witness none " + same + "\nquorum none\n", "witness a " + same + "\nwitness a " + witness_key("x") + "\nquorum a\n",
             "witness a " + same + "\nwitness b " + same + "\nquorum a\n", "witness a " + same + " u u\nquorum a\n",
             "group g any a\nwitness a " + same + "\nquorum g\n", "witness a " + same + "\ngroup g 0 a\nquorum g\n",
             "witness a " + same + "\ngroup g 2 a\nquorum g\n", "witness a " + same + "\ngroup g -1 a\nquorum g\n",
             "witness a " + same + "\ngroup g some a\nquorum g\n", "witness a " + same + "\ngroup g all\nquorum g\n",
             "witness a " + same + "\ngroup g all a a\nquorum g\n", "witness a " + same + "\ngroup g any a\ngroup h any a\nquorum g\n",
             "witness a " + same + "\ngroup a any a\nquorum a\n", "witness a " + same + "\ngroup g any none\nquorum g\n",
             "quorum none\r\n", "tree\nquorum none\n", "\x01\nquorum none\n" }) {
        auto const parsed = parse_log_policy(text);
        EXPECT_TRUE(parsed.is_error()) << text;
        if (parsed.is_error())
            EXPECT_EQ(parsed.error().code, ErrorCode::invalid_argument);
    }
    auto const wrong = parse_log_policy("# fine\n\nnonsense\nquorum none\n");
    EXPECT_NE(wrong.error().message.find("line 3"), std::string::npos) << wrong.error().message;
}

} // namespace
} // namespace writ::tlog

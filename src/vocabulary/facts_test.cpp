// SPDX-License-Identifier: Apache-2.0
#include "cedar/validator.h"
#include "vocabulary/facts.h"
#include "vocabulary/schema.h"

#include <gtest/gtest.h>

using namespace writ;
using vocabulary::context_of;

TEST(Facts, of_a_workload_follow_the_schema)
{
    auto const entity = vocabulary::workload_entity(
        { .id = "spiffe://a/x", .name = "trainer", .pipeline = "classifier", .team = "oncology" }, { { "unix.user", cedar::Value::set_of({ "ml" }) } });
    EXPECT_TRUE(cedar::validate_entity(entity, vocabulary::schema()).is_ok());
    EXPECT_EQ(entity.parents.size(), 2U);
    auto const unplaced = vocabulary::workload_entity({ .id = "spiffe://a/x" }, {});
    EXPECT_TRUE(cedar::validate_entity(unplaced, vocabulary::schema()).is_ok());
    EXPECT_TRUE(unplaced.parents.empty());
}

TEST(Facts, what_a_caller_sends_replaces_nothing_that_the_authority_knows)
{
    cedar::Record sent { { "purpose", "care" }, { "run", "forged" }, { "time", "1970" }, { "posture", "good" }, { "approver", "me" }, { "note", "kept" } };
    auto const context = context_of({ "train", "r1", from_unix_seconds(1'800'000'000) }, {}, std::move(sent));
    EXPECT_EQ(context.at("purpose"), cedar::Value("train"));
    EXPECT_EQ(context.at("run"), cedar::Value("r1"));
    EXPECT_EQ(context.at("time"), cedar::Value(cedar::Datetime { 1'800'000'000'000 }));
    EXPECT_EQ(context.at("posture"), cedar::Value::record({}));
    EXPECT_FALSE(context.contains("approver"));
    EXPECT_EQ(context.at("note"), cedar::Value("kept"));
}

TEST(Facts, posture_has_what_was_measured_and_nothing_else)
{
    auto const context = context_of({ "train", "", from_unix_seconds(10) },
        { .executable_digest = "aa", .node = "spiffe://a/writ/agent/n", .address = "10.1.2.3", .attested = from_unix_seconds(5) }, { { "posture", "good" } });
    EXPECT_EQ(context.at("posture"),
        cedar::Value::record({ { "executable_digest", "aa" }, { "node", "spiffe://a/writ/agent/n" },
            { "address", cedar::parse_ip_address("10.1.2.3").value() }, { "attested", cedar::Value(cedar::Datetime { 5000 }) } }));
    EXPECT_TRUE(vocabulary::posture_of({ .address = "not an address" }).empty());
    EXPECT_TRUE(cedar::validate_request({ { "Workload", "w" }, { "Action", "read" }, { "Dataset", "d" }, context }, vocabulary::schema()).is_ok());
}

// SPDX-License-Identifier: Apache-2.0
#include "issue/postgres_role/grant_sql.h"

#include <gtest/gtest.h>

using namespace writ;
using namespace writ::issue;

namespace {

JsonObject object(std::string_view text) { return parse_json_object(text).value(); }

Result<RoleGrants> grants(std::string_view action, std::string_view resource) { return parse_role_grants(action, object(resource)); }

std::string statements(std::string_view action, std::string_view resource)
{
    auto const parsed = grants(action, resource);
    return parsed.is_error() ? parsed.error().message : grant_statements(*parsed, "writ_r", "db", { "spiffe://x/w", "run-'1'", "train", Timestamp() });
}

ErrorCode refusal(std::string_view action, std::string_view resource)
{
    auto const parsed = grants(action, resource);
    return parsed.is_error() ? parsed.error().code : ErrorCode::internal;
}

constexpr std::string_view filtered = R"({"schema":"s","table":"t","columns":["id","v"],"rows":[{"column":"site","any_of":["a","b"]},{"column":"d","from":"1","before":"{run}"}],)"
                                      R"("privileges":{"write":"select, delete UPDATE"}})";

} // namespace

TEST(GrantSql, gives_a_table_its_columns_and_no_more)
{
    EXPECT_EQ(statements("read", R"({"schema":"s","table":"t"})"), R"(; GRANT CONNECT ON DATABASE "db" TO "writ_r"; GRANT USAGE ON SCHEMA "s" TO "writ_r"; GRANT SELECT ON "s"."t" TO "writ_r")");
    EXPECT_EQ(statements("write", R"({"schema":"s","table":"t","columns":["a","b"]})"),
        R"(; GRANT CONNECT ON DATABASE "db" TO "writ_r"; GRANT USAGE ON SCHEMA "s" TO "writ_r"; GRANT INSERT ("a", "b"), SELECT ("a", "b"), UPDATE ("a", "b") ON "s"."t" TO "writ_r")");
    EXPECT_EQ(statements("write", R"({"schema":"s","table":"*","privileges":{"write":"INSERT,CREATE"}})"),
        R"(; GRANT CONNECT ON DATABASE "db" TO "writ_r"; GRANT USAGE ON SCHEMA "s" TO "writ_r"; GRANT INSERT ON ALL TABLES IN SCHEMA "s" TO "writ_r")"
        R"(; GRANT USAGE, CREATE ON SCHEMA "s" TO "writ_r")");
}

TEST(GrantSql, gives_rows_as_a_view_and_nothing_on_the_table)
{
    auto const read = statements("read", filtered);
    EXPECT_NE(read.find(R"(CREATE VIEW "writ_r"."t" WITH (security_barrier) AS SELECT "id", "v" FROM "s"."t" WHERE "site" IN ('a', 'b') AND "d" >= '1' AND "d" < 'run-''1'''; )"
                        R"(GRANT SELECT ON "writ_r"."t" TO "writ_r")"),
        std::string::npos)
        << read;
    EXPECT_EQ(read.find(R"(ON "s"."t" TO)"), std::string::npos);
    EXPECT_EQ(read.find("CHECK OPTION"), std::string::npos);
    auto const write = statements("write", filtered);
    EXPECT_NE(write.find("WITH CASCADED CHECK OPTION; GRANT DELETE, SELECT, UPDATE ON \"writ_r\".\"t\""), std::string::npos) << write;
}

TEST(GrantSql, names_and_values_do_not_leave_their_quotes)
{
    auto const sql
        = statements("read", R"json({"schema":"a\"; drop","table":"b\";--","columns":["c\"'"],"rows":[{"column":"d\")","any_of":["'; drop table x; --","\\'"]}]})json");
    EXPECT_NE(sql.find(R"sql(SELECT "c""'" FROM "a""; drop"."b"";--" WHERE "d"")" IN ('''; drop table x; --', '\''');)sql"), std::string::npos) << sql;
}

TEST(RoleGrants, says_in_words_what_it_is)
{
    EXPECT_EQ(words_of(grants("write", filtered).value()), "SELECT, UPDATE, DELETE on s.t (id, v) where site in a, b and d from 1 before {run}");
    EXPECT_EQ(words_of(grants("read", R"({"tables":[{"schema":"s","table":"t"},{"schema":"s","table":"u"}]})").value()), "SELECT on s.t, s.u");
    EXPECT_EQ(words_of(grants("read", R"({"template":{"read":"analyst"}})").value()), "what was granted to analyst");
}

TEST(RoleGrants, refuses_what_it_could_not_hold_to)
{
    EXPECT_EQ(refusal("administer", filtered), ErrorCode::permission_denied);
    EXPECT_EQ(refusal("write", R"({"schema":"s","table":"t","rows":[{"column":"c","any_of":["a"]}]})"), ErrorCode::permission_denied);
    EXPECT_EQ(refusal("write", R"({"template":{"read":"analyst"}})"), ErrorCode::permission_denied);
    for (auto const* const resource : { R"({"schema":"s"})", R"({"schema":"s","table":""})", R"({"schema":"s\u0000","table":"t"})", R"({"schema":"s","table":"t","columns":[]})",
             R"({"schema":"s","table":"t","columns":[""]})", R"({"schema":"s","table":"t","rows":[]})", R"({"schema":"s","table":"t","rows":["a = 1"]})",
             R"({"schema":"s","table":"t","rows":[{"column":"c"}]})", R"({"schema":"s","table":"t","rows":[{"column":"c","any_of":[]}]})",
             R"({"schema":"s","table":"t","rows":[{"column":"c","any_of":["{team}"]}]})", R"({"schema":"s","table":"t","rows":[{"column":"c","from":"\u0000"}]})",
             R"({"schema":"s","table":"*","columns":["a"]})", R"({"tables":[]})", R"({"tables":[{"schema":"s","table":"t"},{"schema":"s","table":"t"}]})",
             R"({"schema":"s","table":"t","privileges":{"read":""}})", R"({"schema":"s","table":"t","privileges":{"read":"select; drop"}})" })
        EXPECT_EQ(refusal("read", resource), ErrorCode::invalid_argument) << resource;
    auto const longest = std::string(63, 'a');
    EXPECT_TRUE(grants("read", R"({"schema":"s","table":")" + longest + "\"}").is_ok());
    EXPECT_EQ(refusal("read", R"({"schema":"s","table":")" + longest + "a\"}"), ErrorCode::invalid_argument);
    EXPECT_TRUE(check_postgres_resource(object(R"({"schema":"s","table":"t","privileges":{"wirte":"select"}})")).is_error());
    EXPECT_TRUE(check_postgres_resource(object(filtered)).is_ok());
}

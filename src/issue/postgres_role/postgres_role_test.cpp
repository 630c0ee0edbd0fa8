// SPDX-License-Identifier: Apache-2.0
#include "issue/postgres_role/connection.h"
#include "issue/postgres_role/postgres_role.h"

#include <gtest/gtest.h>

using namespace writ;
using namespace writ::issue;

namespace {

JsonObject provider()
{
    return { { "host", "127.0.0.1" }, { "port", 5432 }, { "database", "oncology" }, { "user", "writ_admin" }, { "password_file", "/nowhere" } };
}

JsonObject resource() { return { { "schema", "public" }, { "table", "biopsies" } }; }

Result<CredentialPlan> plan(CredentialIssuer& issuer, JsonObject const& provider, std::string action)
{
    std::vector<Access> const accesses { { std::move(action), resource() } };
    return issuer.plan(provider, accesses);
}

} // namespace

TEST(PostgresRole, plans_the_narrowest_privilege_for_an_action)
{
    SystemRandom random;
    auto const issuer = create_postgres_role_issuer(random);
    for (auto const* action : { "read", "train", "evaluate" })
        EXPECT_EQ(plan(*issuer, provider(), action).value().scope, "SELECT on public.biopsies") << action;
    EXPECT_EQ(plan(*issuer, provider(), "write").value().scope, "SELECT, INSERT, UPDATE, DELETE on public.biopsies");
    EXPECT_EQ(plan(*issuer, provider(), "administer").error().code, ErrorCode::permission_denied);
}

TEST(PostgresRole, plans_hold_no_secret_and_never_the_same_name_twice)
{
    SystemRandom random;
    auto const issuer = create_postgres_role_issuer(random);
    auto const one = plan(*issuer, provider(), "read").value();
    auto const two = plan(*issuer, provider(), "read").value();
    EXPECT_NE(one.name, two.name);
    EXPECT_TRUE(one.name.starts_with("writ_"));
    EXPECT_EQ(one.target.find("\"password\""), std::string::npos);
    EXPECT_TRUE(plan(*issuer, { { "host", "x" } }, "read").is_error());
    EXPECT_TRUE(issuer->plan(provider(), {}).is_error());
    auto cut = provider();
    cut["database"] = std::string("oncology\0x", 10);
    EXPECT_TRUE(plan(*issuer, cut, "read").is_error());
}

TEST(PostgresRole, quotes_names_and_texts_so_that_they_stay_names_and_texts)
{
    EXPECT_EQ(quote_identifier("a\"; drop table x; --"), "\"a\"\"; drop table x; --\"");
    EXPECT_EQ(quote_literal("it's \\ here"), "'it''s \\ here'");
}

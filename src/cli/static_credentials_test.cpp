// SPDX-License-Identifier: Apache-2.0
#include "cli/aws_profiles.h"
#include "cli/static_credentials.h"

#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>

using namespace writ;
using namespace writ::cli;

namespace {

std::vector<std::string> names_of(std::vector<StaticCredential> const& found)
{
    std::vector<std::string> names;
    for (auto const& one : found)
        names.push_back(one.name);
    return names;
}

} // namespace

TEST(StaticCredentials, are_found_in_variables_and_files_and_not_where_there_is_no_secret)
{
    std::string name = (std::filesystem::temp_directory_path() / "writ-home-XXXXXX").string();
    Path const home = ::mkdtemp(name.data());
    std::filesystem::create_directories(home / ".aws");
    ASSERT_TRUE(create_file(home / ".aws/credentials", as_bytes("[default]\naws_access_key_id = A\naws_secret_access_key = B\n")).is_ok());
    ASSERT_TRUE(create_file(home / ".aws/config", as_bytes("[default]\nregion = eu-central-1\n")).is_ok());
    Variables const variables { { "AWS_SECRET_ACCESS_KEY", "x" }, { "HF_TOKEN", "y" }, { "AWS_REGION", "z" }, { "OPENAI_API_KEY", "" },
        { "AWS_ROLE_ARN", "arn" } };
    EXPECT_EQ(names_of(find_static_credentials(variables, home)),
        (std::vector<std::string> { "AWS_SECRET_ACCESS_KEY", "HF_TOKEN", (home / ".aws/credentials").string() }));
    EXPECT_TRUE(find_static_credentials({ { "PATH", "/bin" } }, "").empty());
    std::filesystem::remove_all(home);
}

TEST(StaticCredentials, that_would_win_are_those_of_the_families_that_the_run_has_credentials_for)
{
    EXPECT_TRUE(shadowing_variables(served_families({ { "WRIT_RUN", "run-a" } })).empty());
    auto const of_aws = shadowing_variables(served_families({ { "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/" } }));
    auto const has = [&of_aws](std::string_view name) { return std::find(of_aws.begin(), of_aws.end(), name) != of_aws.end(); };
    EXPECT_TRUE(has("AWS_ACCESS_KEY_ID") && has("AWS_WEB_IDENTITY_TOKEN_FILE") && has("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"));
    EXPECT_FALSE(has("PGPASSWORD") || has("HF_TOKEN") || has("AWS_PROFILE"));
    auto const of_postgres = shadowing_variables(served_families({ { "PGPASSFILE", "/x" } }));
    EXPECT_EQ(of_postgres, (std::vector<std::string> { "PGPASSWORD", "PGSERVICE", "PGSERVICEFILE", "PGHOSTADDR", "PGREQUIREAUTH" }));
}

TEST(AwsProfiles, keep_their_names_and_get_the_runs_credentials)
{
    auto const names = aws_profile_names("[default]\nregion=x\n[profile team-a]\naws_access_key_id = A\n [ \"b c\" ] \n[sso-session s]\n[profile evil]x\n[a b]\n[\n");
    EXPECT_EQ(names, (std::set<std::string> { "default", "team-a", "evil" }));
    EXPECT_EQ(aws_config_text({ "default", "team-a" }, "eu-central-1", "/usr/bin/writ aws-credentials"),
        "[default]\nregion = eu-central-1\n\n[profile team-a]\nregion = eu-central-1\ncredential_process = /usr/bin/writ aws-credentials --profile team-a\n");
    EXPECT_EQ(quote_for_process("/opt/a b/writ"), "\"/opt/a b/writ\"");
}

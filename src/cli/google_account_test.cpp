// SPDX-License-Identifier: Apache-2.0
#include "cli/google_account.h"

#include "base/json.h"

#include <cstdlib>
#include <gtest/gtest.h>

namespace writ::cli {
namespace {

TEST(GoogleAccount, is_written_where_a_login_would_win)
{
    std::string name = (std::filesystem::temp_directory_path() / "writ-google-XXXXXX").string();
    Path const folder = ::mkdtemp(name.data());
    Variables const own { { "HOME", folder.string() } };
    Variables environment { { "GCE_METADATA_HOST", "127.0.0.1:8471" } };
    ASSERT_TRUE(write_google_account(own, folder, environment).is_ok());
    EXPECT_EQ(environment.size(), 1U);
    std::filesystem::create_directories(folder / ".config/gcloud");
    ASSERT_TRUE(create_file(folder / ".config/gcloud/application_default_credentials.json", as_bytes("{}")).is_ok());
    ASSERT_TRUE(write_google_account(own, folder, environment).is_ok());
    auto const text = read_file(environment.at("google_application_credentials")).value();
    auto const account = parse_json_object(as_text(text)).value();
    EXPECT_EQ(account.at("token_url").as_string(), "http://127.0.0.1:8471/google/v1/token");
    EXPECT_EQ(account.at("credential_source").at("file").as_string(), (folder / "handle").string());
    std::filesystem::remove_all(folder);
}

TEST(GoogleAccount, is_of_runs_with_something_at_google)
{
    Variables environment;
    ASSERT_TRUE(write_google_account({ { "HOME", "/" } }, "/nowhere", environment).is_ok());
    EXPECT_TRUE(environment.empty());
}

} // namespace
} // namespace writ::cli

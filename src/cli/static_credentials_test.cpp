// SPDX-License-Identifier: Apache-2.0
#include "cli/aws_profiles.h"
#include "cli/client_settings.h"
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
    EXPECT_EQ(names_of(find_static_credentials(variables, home, home)),
        (std::vector<std::string> { "AWS_SECRET_ACCESS_KEY", "HF_TOKEN", (home / ".aws/credentials").string() }));
    EXPECT_TRUE(find_static_credentials({ { "PATH", "/bin" }, { "GIT_CONFIG_NOSYSTEM", "1" } }, "", "/").empty());
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

TEST(StaticCredentials, of_mlflow_win_from_their_file_whatever_a_run_sets)
{
    std::string name = (std::filesystem::temp_directory_path() / "writ-home-XXXXXX").string();
    Path const home = ::mkdtemp(name.data());
    std::filesystem::create_directories(home / ".mlflow");
    auto const file = home / ".mlflow/credentials";
    ASSERT_TRUE(create_file(file, as_bytes("[mlflow]\nmlflow_tracking_username = a\n")).is_ok());
    EXPECT_TRUE(find_static_credentials({}, home, home).empty()); // a name alone is none
    std::filesystem::remove(file);
    ASSERT_TRUE(create_file(file, as_bytes("[mlflow]\nmlflow_tracking_username = a\nmlflow_tracking_password = b\n")).is_ok());
    auto const found = find_static_credentials({}, home, home);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_TRUE(found.front().always_wins);
    std::filesystem::remove_all(home);
}

TEST(StaticCredentials, of_google_and_azure_are_found_where_their_tools_keep_them)
{
    std::string name = (std::filesystem::temp_directory_path() / "writ-home-XXXXXX").string();
    Path const home = ::mkdtemp(name.data());
    std::filesystem::create_directories(home / ".config/gcloud");
    std::filesystem::create_directories(home / "elsewhere");
    ASSERT_TRUE(create_file(home / ".config/gcloud/application_default_credentials.json", as_bytes("{}")).is_ok());
    ASSERT_TRUE(create_file(home / "elsewhere/msal_token_cache.json", as_bytes("{}")).is_ok());
    EXPECT_EQ(names_of(find_static_credentials({ { "MSI_SECRET", "x" }, { "MSI_ENDPOINT", "y" } }, home, home)),
        (std::vector<std::string> { "MSI_SECRET", (home / ".config/gcloud/application_default_credentials.json").string() }));
    EXPECT_EQ(names_of(find_static_credentials({ { "CLOUDSDK_CONFIG", "/nowhere" }, { "AZURE_CONFIG_DIR", (home / "elsewhere").string() } }, "", home)),
        (std::vector<std::string> { (home / "elsewhere/msal_token_cache.json").string() }));
    std::filesystem::remove_all(home);
}

TEST(StaticCredentials, of_google_and_azure_lose_against_a_run_that_has_its_own)
{
    auto const of_google = shadowing_variables(served_families({ { "GCE_METADATA_HOST", "127.0.0.1:1" } }));
    auto const has = [](auto const& names, std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); };
    EXPECT_TRUE(has(of_google, "GOOGLE_APPLICATION_CREDENTIALS") && has(of_google, "NO_GCE_CHECK") && has(of_google, "STORAGE_EMULATOR_HOST"));
    EXPECT_FALSE(has(of_google, "GOOGLE_API_KEY") || has(of_google, "GOOGLE_CLOUD_PROJECT") || has(of_google, "AZURE_CLIENT_SECRET"));
    auto const of_azure = shadowing_variables(served_families({ { "IDENTITY_ENDPOINT", "http://127.0.0.1:1/" } }));
    EXPECT_TRUE(has(of_azure, "AZURE_CLIENT_SECRET") && has(of_azure, "MSI_ENDPOINT") && has(of_azure, "AZURE_STORAGE_CONNECTION_STRING"));
    EXPECT_FALSE(has(of_azure, "IDENTITY_HEADER") || has(of_azure, "AZURE_TENANT_ID"));
}

namespace {

class Home : public testing::Test {
protected:
    void SetUp() override
    {
        std::string name = (std::filesystem::temp_directory_path() / "writ-home-XXXXXX").string();
        home = ::mkdtemp(name.data());
    }
    void TearDown() override { std::filesystem::remove_all(home); }

    void write(char const* file, std::string const& text) const
    {
        std::filesystem::create_directories((home / file).parent_path());
        ASSERT_TRUE(create_file(home / file, as_bytes(text)).is_ok());
    }

    // Without the folder's name.
    [[nodiscard]] std::vector<std::string> described(Variables variables) const
    {
        variables.emplace("GIT_CONFIG_NOSYSTEM", "1");
        std::vector<std::string> texts;
        for (auto const& one : find_static_credentials(variables, home, home)) {
            auto text = describe(one);
            if (text.starts_with(home.string()))
                text.erase(0, home.string().size() + 1);
            texts.push_back(text);
        }
        return texts;
    }

    Path home;
};

} // namespace

TEST_F(Home, has_logins_of_programs_that_are_named_by_file_and_key)
{
    write(".netrc", "machine git.example login a password hunter2\nmachine api.wandb.ai login user password hunter2\n");
    write(".gitconfig", "[http]\nextraHeader = Authorization: hunter2\n");
    write(".git-credentials", "https://a:hunter2@git.example\n");
    write(".docker/config.json", R"({"auths":{"https://index.docker.io/v1/":{"auth":"hunter2"},"registry.example":{}}})");
    write(".kube/config", "users:\n- name: a\n  user:\n    token: hunter2\n");
    write(".vault-token", "hunter2");
    EXPECT_EQ(described({ { "HOME", home.string() }, { "VAULT_TOKEN", "hunter2" }, { "DOCKER_AUTH_CONFIG", "hunter2" } }),
        (std::vector<std::string> { "DOCKER_AUTH_CONFIG (Docker)", "VAULT_TOKEN (Vault)", ".vault-token (Vault)", ".netrc: machine git.example (Git)",
            ".netrc: machine api.wandb.ai (Weights & Biases)", ".gitconfig: http.extraHeader (Git)", ".git-credentials: git.example (Git)",
            ".docker/config.json: auths.https://index.docker.io/v1/ (Docker)", ".kube/config: users.token (Kubernetes)" }));
}

TEST_F(Home, is_not_the_only_place_of_files_that_variables_move)
{
    auto const at = [this](char const* name) { return (home / name).string(); };
    write("a", "aws_secret_access_key = b");
    write("pg", "*:*:*:*:b");
    write("service", "[a]\npassword=b\n");
    write("hub/token", "b");
    write("hub-token", "b");
    write("bricks", "[DEFAULT]\nclient_secret = b\n");
    write("cloud/application_default_credentials.json", "{}");
    write("azure/msal_token_cache.json", "{}");
    write("netrc", "default login a password b");
    write("docker/config.json", R"({"auths":{"registry.example":{"auth":"b"}}})");
    write("kube", "token: b");
    EXPECT_EQ(described({ { "AWS_CONFIG_FILE", at("a") }, { "PGPASSFILE", at("pg") }, { "PGSERVICEFILE", at("service") }, { "HF_HOME", at("hub") }, { "HF_TOKEN_PATH", at("hub-token") },
                  { "DATABRICKS_CONFIG_FILE", at("bricks") }, { "CLOUDSDK_CONFIG", at("cloud") }, { "AZURE_CONFIG_DIR", at("azure") }, { "NETRC", at("netrc") },
                  { "DOCKER_CONFIG", at("docker") }, { "KUBECONFIG", at("none") + ":" + at("kube") } }),
        (std::vector<std::string> { "a (AWS)", "pg (PostgreSQL)", "service (PostgreSQL)", "cloud/application_default_credentials.json (Google Cloud)", "azure/msal_token_cache.json (Azure)",
            "hub-token (Hugging Face)", "hub/token (Hugging Face)", "bricks (Databricks)", "netrc: default (Git)", "docker/config.json: auths.registry.example (Docker)",
            "kube: users.token (Kubernetes)" }));
}

TEST_F(Home, has_nothing_of_the_run_that_one_is_in)
{
    write("runs/run-a/pgpass", "*:*:*:*:b");
    auto const file = (home / "runs/run-a/pgpass").string();
    EXPECT_EQ(described({ { "WRIT_RUN", "run-a" }, { "PGPASSFILE", file }, { "OPENAI_API_KEY", "b" }, { "WRIT_RUN_VARIABLES", "MSI_SECRET OPENAI_API_KEY" } }), std::vector<std::string>());
    EXPECT_EQ(described({ { "WRIT_RUN", "run-b" }, { "PGPASSFILE", file }, { "OPENAI_API_KEY", "b" } }), (std::vector<std::string> { "OPENAI_API_KEY (OpenAI)", "runs/run-a/pgpass (PostgreSQL)" }));
    EXPECT_EQ(run_variables({ { "OPENAI_API_KEY", "b" }, { "OPENAI_BASE_URL", "c" } }), "OPENAI_API_KEY");
}

TEST(StaticCredentials, lose_at_a_runs_places_and_stay_elsewhere)
{
    Variables const run { { "WRIT_GIT_PLACES", "https://git.example:8443/team https://other.example" }, { "WRIT_KUBERNETES_PLACES", "https://k8s.example" } };
    auto const of_git = [&run](std::string const& host, bool always = false) {
        return standing({ .name = "x", .family = "Git", .is_file = true, .always_wins = always, .key = "y", .host = host }, run);
    };
    EXPECT_EQ(of_git("git.example"), Standing::loses);
    EXPECT_EQ(of_git("git.example:8443"), Standing::loses);
    EXPECT_EQ(of_git(""), Standing::loses);
    EXPECT_EQ(of_git("other.example", true), Standing::wins);
    EXPECT_EQ(of_git("third.example"), Standing::stays);
    EXPECT_EQ(of_git("third.example", true), Standing::stays);
    EXPECT_EQ(standing({ .name = "x", .family = "Kubernetes", .is_file = true, .always_wins = true, .key = "users.token" }, run), Standing::wins);
    EXPECT_EQ(standing({ .name = "VAULT_TOKEN", .family = "Vault" }, run), Standing::stays);
}

TEST(ClientSettings, keep_a_users_own_logins_out_and_the_local_endpoint_away_from_proxies)
{
    Path const folder = "/run/writ/runs/run-a";
    auto const google = client_settings({ "Google Cloud" }, { { "https_proxy", "http://proxy:3128" }, { "no_proxy", "internal.example" } }, folder);
    EXPECT_EQ(google, (Variables { { "CLOUDSDK_CONFIG", "/run/writ/runs/run-a/gcloud" }, { "NO_PROXY", "internal.example,127.0.0.1,localhost" },
                          { "no_proxy", "internal.example,127.0.0.1,localhost" } }));
    EXPECT_EQ(client_settings({ "Azure" }, {}, folder), (Variables { { "AZURE_CONFIG_DIR", "/run/writ/runs/run-a/azure" } }));
    EXPECT_EQ(client_settings({ "Azure" }, { { "HTTP_PROXY", "x" }, { "NO_PROXY", "*" } }, folder).count("NO_PROXY"), 0U);
    EXPECT_TRUE(client_settings({ "PostgreSQL" }, { { "HTTP_PROXY", "x" } }, folder).empty());
}

TEST(AwsProfiles, keep_their_names_and_get_the_runs_credentials)
{
    auto const names = aws_profile_names("[default]\nregion=x\n[profile team-a]\naws_access_key_id = A\n [ \"b c\" ] \n[sso-session s]\n[profile evil]x\n[a b]\n[\n");
    EXPECT_EQ(names, (std::set<std::string> { "default", "team-a", "evil" }));
    EXPECT_EQ(aws_config_text({ "default", "team-a" }, "eu-central-1", "/usr/bin/writ aws-credentials"),
        "[default]\nregion = eu-central-1\n\n[profile team-a]\nregion = eu-central-1\ncredential_process = /usr/bin/writ aws-credentials --profile team-a\n");
    EXPECT_EQ(quote_for_process("/opt/a b/writ"), "\"/opt/a b/writ\"");
}

// SPDX-License-Identifier: Apache-2.0
#include "cli/diagnosis.h"
#include "cli/python_environment.h"

#include <cstdlib>
#include <gtest/gtest.h>

using namespace writ;
using namespace writ::cli;

namespace {

class Installed : public testing::Test {
protected:
    void SetUp() override
    {
        std::string name = (std::filesystem::temp_directory_path() / "writ-doctor-XXXXXX").string();
        home = ::mkdtemp(name.data());
        packages = home / "venv/lib/python3.11/site-packages";
        for (auto const* package : { "boto3-1.43.117.dist-info", "google_cloud_storage-3.17.1.dist-info", "numpy-2.0.dist-info", "psycopg2_binary-2.9.egg-info", "mlflow-1.dist-info" })
            std::filesystem::create_directories(packages / package);
        std::filesystem::create_directories(home / "venv/bin");
        write("venv/pyvenv.cfg", "home = /usr/bin\n");
        write_program("venv/bin/python3", "");
        variables = { { "PATH", "/nowhere:" + (home / "venv/bin").string() }, { "HOME", home.string() } };
    }
    void TearDown() override { std::filesystem::remove_all(home); }

    void write(std::string const& name, std::string const& text) const { ASSERT_TRUE(create_file(home / name, as_bytes(text)).is_ok()); }
    void write_program(std::string const& name, std::string const& text) const
    {
        write(name, text);
        std::filesystem::permissions(home / name, std::filesystem::perms::owner_all);
    }

    [[nodiscard]] std::map<std::string, Diagnosed> diagnosed(std::vector<StaticCredential> const& secrets, Variables const& more, Reachable const& reachable) const
    {
        auto all = variables;
        all.insert(more.begin(), more.end());
        std::map<std::string, Diagnosed> by_name;
        for (auto const& one : diagnose(find_packages({ packages }), secrets, all, reachable))
            by_name.emplace(one.client.name, one);
        return by_name;
    }

    Path home, packages;
    Variables variables;
    Reachable const good { .agent = true, .agent_error = "", .declared = std::nullopt, .endpoints = {} };
};

} // namespace

TEST_F(Installed, packages_are_found_by_the_names_of_folders)
{
    EXPECT_EQ(package_folders(home / "venv/bin/python3", variables), std::vector<Path> { packages });
    auto const found = find_packages({ packages, home / "nothing" });
    ASSERT_EQ(found.size(), 4U);
    EXPECT_EQ(found[0].name + found[0].version + found[0].family, "boto31.43.117AWS");
    EXPECT_EQ(found[1].name, "google-cloud-storage");
    EXPECT_EQ(found[2].name + " " + found[2].version, "psycopg2-binary 2.9");
    write_program("venv/bin/psql", "");
    auto const programs = find_programs(variables);
    ASSERT_EQ(programs.size(), 1U);
    EXPECT_EQ(programs.front().family, "PostgreSQL");
}

TEST_F(Installed, programs_that_ask_by_place_are_told_of_too)
{
    write_program("venv/bin/git", "");
    auto const programs = find_programs(variables);
    auto in_run = variables;
    in_run.insert({ { "WRIT_RUN", "run-a" }, { "WRIT_GIT_PLACES", "https://git.example" } });
    EXPECT_EQ(diagnose(programs, {}, in_run, good).front().state, "in use");
    EXPECT_EQ(diagnose(programs, {}, variables, good).front().state, "by writ run");
    in_run.erase("WRIT_GIT_PLACES");
    EXPECT_NE(diagnose(programs, {}, in_run, good).front().mend.find("oidc_token with `git`"), std::string::npos);
}

TEST_F(Installed, before_a_run_secrets_shadow_and_nothing_else_is_in_the_way)
{
    auto const clean = diagnosed({}, {}, good);
    EXPECT_EQ(clean.at("boto3").state, "by writ run");
    EXPECT_EQ(clean.at("boto3").mend, "");
    EXPECT_EQ(clean.at("mlflow").state, "by writ run");
    auto const shadowed = diagnosed({ { "AWS_SECRET_ACCESS_KEY", "AWS", false }, { "/home/a/.aws/credentials", "AWS", true } }, {}, good);
    EXPECT_EQ(shadowed.at("boto3").state, "shadowed");
    EXPECT_EQ(shadowed.at("boto3").shadowed_by.size(), 2U);
    EXPECT_NE(shadowed.at("boto3").mend.find("writ run"), std::string::npos);
    EXPECT_EQ(shadowed.at("google-cloud-storage").state, "by writ run");
    auto const alone = diagnosed({}, {}, { false, "no agent answers", std::nullopt, {} });
    EXPECT_EQ(alone.at("boto3").state, "unreachable");
    EXPECT_EQ(alone.at("boto3").mend, "no agent answers");
}

TEST_F(Installed, for_which_nothing_is_declared_are_told_so)
{
    auto const with = [this](std::set<std::string> const& declared) { return diagnosed({}, {}, { true, "", declared, {} }); };
    auto const aws = with({ "aws_sts", "oidc_token" });
    EXPECT_EQ(aws.at("boto3").state, "by writ run");
    EXPECT_EQ(aws.at("google-cloud-storage").state, "none");
    EXPECT_NE(aws.at("google-cloud-storage").mend.find("declare a CredentialProvider of type gcp_sts"), std::string::npos);
    write_program("venv/bin/git", "");
    auto const git = [this](std::set<std::string> const& declared) { return diagnose(find_programs(variables), {}, variables, { true, "", declared, {} }).front().state; };
    EXPECT_EQ(git({ "oidc_token" }), "none");
    EXPECT_EQ(git({ "oidc_token", "git" }), "by writ run");
}

TEST_F(Installed, in_a_run_files_have_lost_and_variables_that_were_set_since_win)
{
    Variables const run { { "WRIT_RUN", "run-a" }, { "GCE_METADATA_HOST", "127.0.0.1:1" } };
    auto const file = StaticCredential { "/home/a/.config/gcloud/application_default_credentials.json", "Google Cloud", true };
    auto const variable = StaticCredential { "GOOGLE_APPLICATION_CREDENTIALS", "Google Cloud", false };
    auto const served = diagnosed({ file }, run, { true, "", std::nullopt, { { "Google Cloud", "" } } });
    EXPECT_EQ(served.at("google-cloud-storage").state, "in use");
    EXPECT_EQ(served.at("boto3").state, "none");
    EXPECT_NE(served.at("boto3").mend.find("aws_sts"), std::string::npos);
    EXPECT_EQ(diagnosed({ variable }, run, good).at("google-cloud-storage").state, "shadowed");
    EXPECT_EQ(diagnosed({}, run, { true, "", std::nullopt, { { "Google Cloud", "does not answer" } } }).at("google-cloud-storage").state, "unreachable");
    Variables const tracking { { "WRIT_RUN", "run-a" }, { "NETRC", "/run/a/mlflow.token" } };
    auto const credentials = StaticCredential { "/home/a/.mlflow/credentials", "MLflow", true, true };
    EXPECT_EQ(diagnosed({}, tracking, good).at("mlflow").state, "in use");
    EXPECT_EQ(diagnosed({ credentials }, tracking, good).at("mlflow").state, "shadowed"); // its client has no other place for them
    // A login at another place than the run's is nobody's rival; one that git takes before any helper's is.
    write_program("venv/bin/git", "");
    Variables const repositories { { "WRIT_RUN", "run-a" }, { "WRIT_GIT_PLACES", "https://git.example" } };
    auto const netrc = [](std::string const& host, bool always_wins) {
        return StaticCredential { .name = "/home/a/.netrc", .family = "Git", .is_file = true, .always_wins = always_wins, .key = "machine " + host, .host = host };
    };
    auto const programs = find_programs(variables);
    auto const all = diagnose(programs, { netrc("git.example", false), netrc("other.example", true) }, repositories, good);
    EXPECT_EQ(all.front().state, "in use");
    EXPECT_EQ(diagnose(programs, { netrc("git.example", true) }, repositories, good).front().shadowed_by, std::vector<std::string> { "/home/a/.netrc: machine git.example" });
    EXPECT_NE(diagnose(programs, { netrc("git.example", true) }, {}, good).front().mend.find("cannot"), std::string::npos);
    EXPECT_EQ(to_json(served.at("google-cloud-storage")).at("channel").as_string(), "metadata server of the run");
}

// SPDX-License-Identifier: Apache-2.0
#include "cli/docker_config.h"

#include <cstdlib>
#include <gtest/gtest.h>

namespace writ::cli {
namespace {

std::vector<Place> const places { { "docker", "https://registry.example:5000", "writ" }, { "docker", "https://index.docker.io", "writ" } };

TEST(DockerConfig, keeps_all_that_the_user_has)
{
    auto const config = docker_config(R"({"auths":{"other.example":{"auth":"eA=="}},"credHelpers":{"gcr.io":"gcloud","registry.example:5000":"pass"},"credsStore":"secretservice"})", places).value();
    EXPECT_EQ(to_text(config), R"({"auths":{"other.example":{"auth":"eA=="}},"credHelpers":{"gcr.io":"gcloud","registry.example:5000":"writ","https://index.docker.io/v1/":"writ"},)"
                               R"("credsStore":"secretservice"})");
    EXPECT_EQ(to_text(docker_config("", { places.front() }).value()), R"({"credHelpers":{"registry.example:5000":"writ"}})");
    EXPECT_TRUE(docker_config("{", places).is_error());
}

TEST(DockerConfig, of_podman_and_its_like_is_one_file_of_all)
{
    std::vector<std::string> const own { R"({"auths":{"a.example":{"auth":"MQ=="}}})", "", R"({"auths":{"a.example":{"auth":"Mg=="},"b.example":{}},"credHelpers":{"gcr.io":"gcloud"},"HttpHeaders":{}})" };
    EXPECT_EQ(to_text(containers_auth(own, { places.front() }).value()),
        R"({"auths":{"a.example":{"auth":"MQ=="},"b.example":{}},"credHelpers":{"gcr.io":"gcloud","registry.example:5000":"writ"}})");
    EXPECT_EQ(to_text(containers_auth({ "", R"({"credHelpers":[]})" }, { places.front() }).value()), R"({"credHelpers":{"registry.example:5000":"writ"}})");
    EXPECT_TRUE(containers_auth({ "[]" }, places).is_error());
}

TEST(DockerConfig, knows_registries_as_docker_names_them)
{
    EXPECT_EQ(parse_docker_question("registry.example:5000\n").value(), "https://registry.example:5000");
    EXPECT_EQ(parse_docker_question("https://index.docker.io/v1/").value(), "https://index.docker.io/v1/");
    EXPECT_TRUE(parse_docker_question("").is_error() || parse_docker_question("\n").is_error());
    EXPECT_EQ(docker_registry("https://registry.example"), "registry.example");
}

TEST(DockerConfig, is_written_beside_links_to_the_users_other_settings)
{
    std::string name = (std::filesystem::temp_directory_path() / "writ-docker-XXXXXX").string();
    Path const folder = ::mkdtemp(name.data());
    std::filesystem::create_directories(folder / "home/.docker/contexts");
    std::filesystem::create_directories(folder / "run");
    ASSERT_TRUE(create_file(folder / "home/.docker/config.json", as_bytes(R"({"currentContext":"far"})")).is_ok());
    Variables environment;
    Variables const own { { "HOME", (folder / "home").string() }, { "PATH", "/usr/bin" } };
    EXPECT_EQ(write_docker_folder(own, folder / "run", "/usr/bin/writ", { places.front() }, environment).value(), "");
    EXPECT_EQ(environment.at("PATH"), (folder / "run/bin").string() + ":/usr/bin");
    Path const written = environment.at("DOCKER_CONFIG");
    EXPECT_EQ(std::filesystem::read_symlink(written / "contexts"), folder / "home/.docker/contexts");
    EXPECT_EQ(std::filesystem::read_symlink(folder / "run/bin/docker-credential-writ"), "/usr/bin/writ");
    EXPECT_EQ(as_text(read_file(environment.at("REGISTRY_AUTH_FILE")).value()), R"({"credHelpers":{"registry.example:5000":"writ"}})");
    EXPECT_EQ(as_text(read_file(written / "config.json").value()), R"({"currentContext":"far","credHelpers":{"registry.example:5000":"writ"}})");
    std::filesystem::remove_all(folder);
}

TEST(DockerConfig, says_what_it_leaves_out)
{
    std::string name = (std::filesystem::temp_directory_path() / "writ-docker-XXXXXX").string();
    Path const folder = ::mkdtemp(name.data());
    auto const own_folder = folder / "home/.docker";
    std::filesystem::create_directories(own_folder);
    std::filesystem::create_directories(folder / "run");
    std::filesystem::create_directories(folder / "other");
    ASSERT_TRUE(create_file(own_folder / "config.json", as_bytes("{}")).is_ok());
    for (int i = 0; i < 1000; ++i)
        std::filesystem::create_directory(own_folder / std::to_string(i));
    Variables environment;
    Variables const own { { "HOME", (folder / "home").string() } };
    EXPECT_EQ(write_docker_folder(own, folder / "run", "/usr/bin/writ", { places.front() }, environment).value(), "");
    std::filesystem::create_directory(own_folder / "one-more");
    EXPECT_EQ(write_docker_folder(own, folder / "other", "/usr/bin/writ", { places.front() }, environment).value(),
        "`" + own_folder.string() + "` has more than 1000 entries; the run's Docker finds only that many of them");
    std::filesystem::remove_all(folder);
}

} // namespace
} // namespace writ::cli

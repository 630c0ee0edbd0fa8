// SPDX-License-Identifier: Apache-2.0
#include "attest/unix/container.h"

#include "attest/unix/cgroup.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace writ::attest {
namespace {

std::string const id(64, 'a'), other_id(64, 'b'), image(64, 'c'), digest = "sha256:" + std::string(64, 'd');
std::string const containers = R"([{"id":"x","image":"y"},{"id":")" + id + R"(","names":["job"],"image":")" + image + R"(","layer":"l","metadata":"{}"}])";
std::string const images = R"([{"id":")" + image + R"(","digest":")" + digest + R"(","names":["localhost/hello:1"],"big-data-sizes":{"manifest":497}}])";

class ContainerImagesTest : public testing::Test {
protected:
    static Path temporary_folder()
    {
        std::string name = (std::filesystem::temp_directory_path() / "writ-containers-XXXXXX").string();
        return ::mkdtemp(name.data());
    }
    ~ContainerImagesTest() override { std::filesystem::remove_all(folder_); }
    void write(std::string const& name, std::string const& text, mode_t mode = 0600)
    {
        std::filesystem::create_directories((folder_ / name).parent_path());
        std::filesystem::remove(folder_ / name);
        ASSERT_TRUE(create_file(folder_ / name, as_bytes(text), mode).is_ok());
    }

    Path folder_ = temporary_folder();
    ContainerImages images_ { folder_ };
};

} // namespace

TEST(ContainerGroup, is_the_outermost_that_an_engine_names)
{
    auto const group = parse_container_group("/machine.slice/libpod-" + id + ".scope/container/writ-run-a");
    ASSERT_TRUE(group);
    EXPECT_EQ(group->id, id);
    EXPECT_EQ(group->path, "/machine.slice/libpod-" + id + ".scope");
    EXPECT_EQ(parse_container_group("/libpod_parent/libpod-" + id)->id, id);
    EXPECT_EQ(parse_container_group("/kubepods.slice/crio-" + id + ".scope")->id, id);
    EXPECT_EQ(parse_container_group("/libpod_parent/libpod-" + id + "/libpod-" + other_id)->id, id);
    for (auto const& none : { std::string("/"), std::string(), "/libpod-conmon-" + id, "/libpod-" + id.substr(1), "/libpod-" + id + "a", "/xlibpod-" + id,
             "/libpod-" + std::string(64, 'A'), "/libpod-" + id + ".slice" })
        EXPECT_FALSE(parse_container_group(none)) << none;
}

TEST_F(ContainerImagesTest, digest_of_what_a_container_was_made_of)
{
    EXPECT_EQ(images_.digest_of(id).error().code, ErrorCode::not_found);
    write("overlay-containers/containers.json", "[]");
    write("overlay-images/images.json", images);
    EXPECT_EQ(images_.digest_of(id).error().code, ErrorCode::not_found);
    write("overlay-containers/volatile-containers.json", containers);
    EXPECT_EQ(images_.digest_of(id).value(), digest);
    EXPECT_EQ(images_.digest_of(other_id).error().code, ErrorCode::not_found);
    std::filesystem::remove_all(folder_ / "overlay-containers");
    EXPECT_EQ(images_.digest_of(id).value(), digest); // an id is given once
}

TEST_F(ContainerImagesTest, nothing_that_others_could_write_or_that_names_no_digest)
{
    write("vfs-images/images.json", images);
    write("vfs-containers/containers.json", containers, 0666);
    ASSERT_EQ(::chmod((folder_ / "vfs-containers/containers.json").c_str(), 0666), 0);
    EXPECT_EQ(images_.digest_of(id).error().code, ErrorCode::permission_denied);
    for (auto const& wrong : { std::string("{"), std::string("{}"), std::string(R"([{"id":")" + id + R"("}])") }) {
        write("vfs-containers/containers.json", wrong);
        EXPECT_TRUE(images_.digest_of(id).is_error()) << wrong;
    }
    write("vfs-containers/containers.json", containers);
    for (auto const* wrong : { "sha512:0123", "sha256:", "" }) {
        write("vfs-images/images.json", R"([{"id":")" + image + R"(","digest":")" + wrong + R"("}])");
        EXPECT_TRUE(images_.digest_of(id).is_error()) << wrong;
    }
}

TEST(Cgroup, made_by_the_system_is_one_that_lies_in_roots_alone)
{
    EXPECT_FALSE(is_made_by_system("no path"));
    EXPECT_FALSE(is_made_by_system("/no/such/group"));
}

} // namespace writ::attest

// SPDX-License-Identifier: Apache-2.0
#include "base/durable_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace writ {
namespace {

class DurableFile : public testing::Test {
protected:
    void SetUp() override
    {
        std::string name = testing::TempDir() + "writ-durable-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    Path folder_;
};

TEST_F(DurableFile, replaces_a_file_and_leaves_nothing_beside_it)
{
    auto const path = folder_ / "state";
    ASSERT_TRUE(replace_file(path, as_bytes("one")).is_ok());
    ASSERT_TRUE(replace_file(path, as_bytes("two"), 0640).is_ok());
    EXPECT_EQ(as_text(read_file(path).value()), "two");
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0640U);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(DurableFile, creates_only_what_is_not_there)
{
    auto const path = folder_ / "key";
    ASSERT_TRUE(create_file(path, as_bytes("first")).is_ok());
    EXPECT_EQ(create_file(path, as_bytes("second")).error().code, ErrorCode::conflict);
    EXPECT_EQ(as_text(read_file(path).value()), "first");
}

TEST_F(DurableFile, errors_name_the_path_and_kind)
{
    EXPECT_EQ(read_file(folder_ / "absent").error().code, ErrorCode::not_found);
    EXPECT_NE(read_file(folder_ / "absent").error().message.find("absent"), std::string::npos);
    ASSERT_TRUE(replace_file(folder_ / "large", Bytes(100)).is_ok());
    EXPECT_EQ(read_file(folder_ / "large", 99).error().code, ErrorCode::resource_exhausted);
}

TEST_F(DurableFile, creates_folders_with_their_parents)
{
    ASSERT_TRUE(create_folder(folder_ / "a" / "b" / "c").is_ok());
    ASSERT_TRUE(create_folder(folder_ / "a" / "b" / "c").is_ok());
    EXPECT_TRUE(std::filesystem::is_directory(folder_ / "a" / "b" / "c"));
}

TEST_F(DurableFile, where_no_folder_can_be_made_it_says_so)
{
    for (auto const* path : { "/proc/x", "/proc/x/y/z", "/proc/self/fd/x" }) {
        auto const made = create_folder(path);
        ASSERT_TRUE(made.is_error()) << path;
        EXPECT_NE(made.error().message.find("create folder `/proc"), std::string::npos) << made.error().message;
    }
}

} // namespace
} // namespace writ

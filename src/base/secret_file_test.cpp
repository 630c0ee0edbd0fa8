// SPDX-License-Identifier: Apache-2.0
#include "base/secret_file.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <sys/stat.h>

using namespace writ;

TEST(SecretFile, is_read_unless_everybody_may)
{
    std::string name = (std::filesystem::temp_directory_path() / "writ-secret-XXXXXX").string();
    Path const folder = ::mkdtemp(name.data());
    auto const file = folder / "password";
    ASSERT_TRUE(create_file(file, as_bytes("secret\n")).is_ok());
    for (mode_t const mode : { 0600, 0400, 0440, 0640 }) {
        ASSERT_EQ(::chmod(file.c_str(), mode), 0);
        auto const read = read_secret_file(file, 7);
        ASSERT_TRUE(read.is_ok()) << mode;
        EXPECT_EQ(as_text(read->reveal()), "secret\n");
    }
    for (mode_t const mode : { 0644, 0604, 0602, 0444 }) {
        ASSERT_EQ(::chmod(file.c_str(), mode), 0);
        auto const read = read_secret_file(file, 7);
        ASSERT_TRUE(read.is_error()) << mode;
        EXPECT_EQ(read.error().code, ErrorCode::invalid_argument);
        EXPECT_NE(read.error().message.find("chmod o= " + file.string()), std::string::npos);
        // A link has no mode of its own.
        std::filesystem::create_symlink(file, folder / "link");
        EXPECT_TRUE(read_secret_file(folder / "link", 7).is_error());
        std::filesystem::remove(folder / "link");
    }
    ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
    EXPECT_EQ(read_secret_file(file, 6).error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(read_secret_file(folder / "none", 6).error().code, ErrorCode::not_found);
    EXPECT_TRUE(read_secret_file("/dev/null", 6)->is_empty());
    std::filesystem::remove_all(folder);
}

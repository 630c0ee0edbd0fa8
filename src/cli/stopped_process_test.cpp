// SPDX-License-Identifier: Apache-2.0
#include "cli/environment_block.h"
#include "cli/stopped_process.h"

#include "base/durable_file.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace writ;
using namespace writ::cli;

namespace {

Path scratch_file()
{
    std::string name = (std::filesystem::temp_directory_path() / "writ-job-XXXXXX").string();
    ::close(::mkstemp(name.data()));
    return name;
}

// What a shell of the job's own sees of its environment.
std::string environment_after(std::map<std::string, std::string> const& set, std::vector<std::string> const& unset)
{
    auto const file = scratch_file();
    auto process = StoppedProcess::start({ "sh", "-c", "env > " + file.string() }).value();
    process.change_environment(set, unset).value();
    auto const pid = process.resume().value();
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    auto text = to_text(read_file(file).value());
    std::filesystem::remove(file);
    return "\n" + text;
}

} // namespace

TEST(StoppedProcess, gives_a_program_its_environment_before_its_first_instruction)
{
    ::setenv("WRIT_TEST_OLD", "stays", 1);
    ::setenv("WRIT_TEST_SECRET", "goes", 1);
    ::setenv("WRIT_TEST_CHANGED", "before", 1);
    auto const seen = environment_after({ { "WRIT_TEST_CHANGED", "after" }, { "WRIT_TEST_NEW", "a b=c" } }, { "WRIT_TEST_SECRET" });
    EXPECT_NE(seen.find("\nWRIT_TEST_OLD=stays\n"), std::string::npos);
    EXPECT_NE(seen.find("\nWRIT_TEST_CHANGED=after\n"), std::string::npos);
    EXPECT_NE(seen.find("\nWRIT_TEST_NEW=a b=c\n"), std::string::npos);
    EXPECT_EQ(seen.find("before"), std::string::npos);
    EXPECT_EQ(seen.find("WRIT_TEST_SECRET"), std::string::npos);
    EXPECT_EQ(seen.find("WRIT_RUN_S"), std::string::npos);
    EXPECT_EQ(std::getenv("WRIT_TEST_NEW"), nullptr);
}

TEST(StoppedProcess, has_run_nothing_before_it_is_resumed_and_never_runs_if_it_is_not)
{
    auto const file = scratch_file();
    std::filesystem::remove(file);
    pid_t pid = -1;
    {
        auto const process = StoppedProcess::start({ "touch", file.string() }).value();
        pid = process.pid();
        EXPECT_FALSE(std::filesystem::exists(file));
    }
    EXPECT_FALSE(std::filesystem::exists(file));
    EXPECT_EQ(::waitpid(pid, nullptr, WNOHANG), -1);
}

TEST(StoppedProcess, tells_why_a_program_cannot_be_started)
{
    EXPECT_EQ(StoppedProcess::start({ "writ-no-such-program" }).error().code, ErrorCode::not_found);
    EXPECT_EQ(StoppedProcess::start({ "/etc/passwd" }).error().code, ErrorCode::permission_denied);
}

TEST(StoppedProcess, refuses_more_variables_than_there_is_room_for)
{
    auto process = StoppedProcess::start({ "true" }).value();
    EXPECT_EQ(
        process.change_environment({ { "BIG", std::string(added_bytes_max + 100, 'x') } }, {}).error().code, ErrorCode::resource_exhausted);
}

TEST(EnvironmentBlock, keeps_arguments_and_auxiliary_vector_where_programs_look_for_them)
{
    std::vector<std::uint64_t> const stack { 2, 100, 101, 0, 200, 201, 202, 0, 6, 4096, 0, 0 };
    auto const block = read_environment_block([&](std::size_t index) -> Result<std::uint64_t> { return stack.at(index); }).value();
    EXPECT_EQ(block.words, stack);
    EXPECT_EQ(with_environment(block, { 300 }).value(), (std::vector<std::uint64_t> { 2, 100, 101, 0, 300, 0, 6, 4096, 0, 0 }));
    EXPECT_TRUE(with_environment(block, { 1, 2, 3, 4 }).is_error());
}

TEST(EnvironmentBlock, refuses_a_stack_without_end)
{
    EXPECT_TRUE(read_environment_block([](std::size_t) -> Result<std::uint64_t> { return 1; }).is_error());
}

// SPDX-License-Identifier: Apache-2.0
#include "agent/agent_files.h"
#include "agent/run_folder.h"
#include "base/unique_fd.h"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <optional>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace writ;
using namespace writ::agent;

namespace {

constexpr char const* run_a = "run-aaaaaaaaaaaaaaaaaaaa";
constexpr char const* run_b = "run-bbbbbbbbbbbbbbbbbbbb";

class RunFolder : public testing::Test {
protected:
    RunFolder()
    {
        std::string name = (std::filesystem::temp_directory_path() / "writ-runs-XXXXXX").string();
        parent_ = ::mkdtemp(name.data());
    }
    ~RunFolder() override
    {
        remover_.reset(); // or both would remove the same
        std::filesystem::remove_all(parent_);
    }

    static std::vector<RunFile> files()
    {
        std::vector<RunFile> files;
        files.push_back({ "pgpass", "PGPASSFILE", SecretText("secret") });
        return files;
    }

    // All that was set aside; the test's time limit ends the wait.
    void wait_until_removed() const
    {
        auto const is_left = [](auto const& entry) { return entry.path().filename().string().starts_with("removed-"); };
        while (std::any_of(std::filesystem::directory_iterator(parent_), {}, is_left))
            std::this_thread::yield();
    }

    Path parent_;
    std::optional<FolderRemover> remover_ { std::in_place };
};

mode_t mode_of(Path const& path)
{
    struct stat status { };
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 0777U;
}

} // namespace

TEST_F(RunFolder, is_its_users_alone)
{
    auto const folder = create_run_folder(parent_, run_a, ::getuid(), ::getgid(), files()).value();
    EXPECT_EQ(mode_of(folder), 0700U);
    EXPECT_EQ(mode_of(folder / "pgpass"), 0600U);
    EXPECT_EQ(to_text(read_file(folder / "pgpass").value()), "secret");
}

TEST_F(RunFolder, is_never_one_that_was_there)
{
    std::filesystem::create_directory(parent_ / run_a);
    EXPECT_EQ(create_run_folder(parent_, run_a, ::getuid(), ::getgid(), files()).error().code, ErrorCode::conflict);
    std::filesystem::create_directory_symlink("/tmp", parent_ / run_b);
    EXPECT_TRUE(create_run_folder(parent_, run_b, ::getuid(), ::getgid(), files()).is_error());
}

TEST_F(RunFolder, has_files_of_plain_names_only)
{
    std::vector<RunFile> outside;
    outside.push_back({ "../escaped", "X", SecretText("secret") });
    EXPECT_TRUE(create_run_folder(parent_, run_a, ::getuid(), ::getgid(), outside).is_error());
    EXPECT_FALSE(std::filesystem::exists(parent_ / "escaped"));
}

TEST_F(RunFolder, goes_without_what_its_links_lead_to)
{
    auto const folder = create_run_folder(parent_, run_a, ::getuid(), ::getgid(), files()).value();
    auto const precious = parent_ / "precious";
    std::filesystem::create_directory(precious);
    ASSERT_TRUE(create_file(precious / "file", as_bytes("kept")).is_ok());
    std::filesystem::create_directory_symlink(precious, folder / "link");
    remove_run_folder(parent_, run_a, *remover_);
    EXPECT_FALSE(std::filesystem::exists(folder));
    wait_until_removed();
    EXPECT_TRUE(std::filesystem::exists(precious / "file"));
}

TEST_F(RunFolder, goes_with_more_folders_than_a_path_is_long_or_files_may_be_open)
{
    auto const folder = create_run_folder(parent_, run_a, ::getuid(), ::getgid(), files()).value();
    // Below each other, as a job makes them that goes down as it makes them.
    UniqueFd at(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (int depth = 0; depth < 3000; ++depth) {
        ASSERT_EQ(::mkdirat(at.get(), "down", 0700), 0);
        at = UniqueFd(::openat(at.get(), "down", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        UniqueFd const file(::openat(at.get(), "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        ASSERT_TRUE(at.is_open() && file.is_open());
    }
    at = UniqueFd();
    for (int i = 0; i < 2000; ++i) {
        std::filesystem::create_directory(folder / std::to_string(i));
        std::filesystem::create_directory(folder / std::to_string(i) / ".0.removed");
        ASSERT_TRUE(create_file(folder / std::to_string(i) / ".0.removed" / "file", as_bytes("x")).is_ok());
    }
    ASSERT_TRUE(create_file(folder / ".1.removed", as_bytes("x")).is_ok());
    remove_run_folder(parent_, run_a, *remover_);
    EXPECT_FALSE(std::filesystem::exists(folder));
    wait_until_removed();
}

TEST_F(RunFolder, what_was_not_removed_yet_is_removed_by_who_comes_after)
{
    (void)create_run_folder(parent_, run_a, ::getuid(), ::getgid(), files()).value();
    {
        FolderRemover stopped; // may come to it, or not
        remove_run_folder(parent_, run_a, stopped);
    }
    EXPECT_FALSE(std::filesystem::exists(parent_ / run_a));
    remove_other_run_folders(parent_, {}, *remover_);
    wait_until_removed();
}

TEST_F(RunFolder, a_removal_that_is_stopped_leaves_what_it_has_not_come_to)
{
    auto const folder = create_run_folder(parent_, run_a, ::getuid(), ::getgid(), files()).value();
    std::stop_source source;
    source.request_stop();
    EXPECT_FALSE(remove_folder(folder, source.get_token()));
    EXPECT_TRUE(std::filesystem::exists(folder / files().front().name));
    EXPECT_TRUE(remove_folder(folder, {}));
    EXPECT_FALSE(std::filesystem::exists(folder));
    EXPECT_TRUE(remove_folder(folder, {})) << "it is gone";
}

TEST_F(RunFolder, has_no_file_of_two_credentials)
{
    auto twice = files();
    twice.push_back({ "pgpass", "", SecretText("another") });
    auto const refused = create_run_folder(parent_, run_a, ::getuid(), ::getgid(), twice);
    EXPECT_EQ(refused.error().message, "two credentials of the run come as file `pgpass`; their CredentialProviders need a `file` each");
    EXPECT_FALSE(std::filesystem::exists(parent_ / run_a));
}

TEST_F(RunFolder, one_file_goes_and_only_of_the_folder)
{
    (void)create_run_folder(parent_, run_a, ::getuid(), ::getgid(), files()).value();
    auto const name = files().front().name;
    EXPECT_TRUE(std::filesystem::exists(parent_ / run_a / name));
    EXPECT_TRUE(remove_run_file(parent_, run_a, name).is_ok());
    EXPECT_FALSE(std::filesystem::exists(parent_ / run_a / name));
    EXPECT_TRUE(remove_run_file(parent_, run_a, name).is_ok());
    EXPECT_TRUE(remove_run_file(parent_, run_b, name).is_ok());
    EXPECT_TRUE(remove_run_file(parent_, run_a, "../" + std::string(run_a)).is_error());
}

TEST_F(RunFolder, others_go_and_what_is_no_run_stays)
{
    (void)create_run_folder(parent_, run_a, ::getuid(), ::getgid(), files()).value();
    (void)create_run_folder(parent_, run_b, ::getuid(), ::getgid(), files()).value();
    std::filesystem::create_directory(parent_ / "other");
    remove_other_run_folders(parent_, { run_b }, *remover_);
    EXPECT_FALSE(std::filesystem::exists(parent_ / run_a));
    EXPECT_TRUE(std::filesystem::exists(parent_ / run_b));
    EXPECT_TRUE(std::filesystem::exists(parent_ / "other"));
}

TEST_F(RunFolder, an_agents_runs_survive_it)
{
    EXPECT_TRUE(load_runs(parent_).value().empty());
    WatchedRun run;
    run.id = run_a;
    run.process = { 17, 99, "boot" };
    run.uid = 1000;
    run.gid = 1001;
    run.leases = { "lease-x" };
    run.sessions = { { "store", "read", "Dataset", "genomes" } };
    run.deliveries = { { "vendor", "call", "Api", "models" } };
    run.delivered_files = { { "vendor", { "vendor.token" } } };
    ASSERT_TRUE(save_runs(parent_, { run }).is_ok());
    auto const again = load_runs(parent_).value();
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].id, run.id);
    EXPECT_EQ(again[0].process, run.process);
    EXPECT_EQ(again[0].leases, run.leases);
    EXPECT_EQ(again[0].gid, run.gid);
    ASSERT_EQ(again[0].sessions.size(), 1U);
    EXPECT_EQ(again[0].sessions[0].resource_id, "genomes");
    ASSERT_EQ(again[0].deliveries.size(), 1U);
    EXPECT_EQ(again[0].deliveries[0].provider, "vendor");
    EXPECT_EQ(again[0].delivered_files, run.delivered_files);
    EXPECT_EQ(mode_of(parent_ / "runs.json"), 0600U);
    ASSERT_TRUE(replace_file(parent_ / "runs.json", as_bytes("{\"runs\":[1]}")).is_ok());
    EXPECT_EQ(load_runs(parent_).error().code, ErrorCode::corruption);
}

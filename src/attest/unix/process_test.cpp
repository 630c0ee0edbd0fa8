// SPDX-License-Identifier: Apache-2.0
#include "attest/unix/cgroup.h"
#include "attest/unix/proc_files.h"
#include "attest/unix/process.h"
#include "base/durable_file.h"

#include <gtest/gtest.h>
#include <csignal>
#include <filesystem>
#include <sys/wait.h>
#include <unistd.h>

using namespace writ;
using namespace writ::attest;

namespace {

// A child that waits until it is killed.
class Child {
public:
    Child()
        : pid_(::fork())
    {
        if (pid_ == 0) {
            for (;;)
                ::pause();
        }
    }
    ~Child() { end(); }
    Child(Child const&) = delete;
    Child& operator=(Child const&) = delete;
    void end()
    {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        pid_ = -1;
    }
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    pid_t pid_;
};

} // namespace

TEST(ProcFiles, reads_a_start_time_behind_a_name_made_to_mislead)
{
    std::string const stat = "17 (x) S 1 2 3) R 1 17 17 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 1 1 1";
    EXPECT_EQ(parse_start_ticks(stat).value(), 987654U);
    EXPECT_TRUE(parse_start_ticks("17 (x) S 1").is_error());
}

TEST(ProcFiles, takes_ids_from_status)
{
    auto const status = parse_proc_status("Name:\tUid: 0\nPPid:\t4\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t9 10 \n").value();
    EXPECT_EQ(status.parent, 4);
    EXPECT_EQ(status.uids, (std::vector<uid_t> { 1, 2, 3, 4 }));
    EXPECT_EQ(status.groups, (std::vector<gid_t> { 9, 10 }));
    EXPECT_TRUE(parse_proc_status("Uid:\t0\t0\t0\t0\n").is_error());
}

TEST(ProcFiles, lists_cgroups_once)
{
    EXPECT_EQ(parse_cgroups("2:cpu:/a\n1:name=systemd:/a\n0::/b:c\n"), (std::vector<std::string> { "/a", "/b:c" }));
}

TEST(ProcFiles, leaves_out_the_group_that_a_run_was_given)
{
    EXPECT_EQ(parse_cgroups("1:cpu:/pods/a\n0::/pods/a/writ-run-1\n"), (std::vector<std::string> { "/pods/a" }));
    EXPECT_EQ(parse_cgroups("0::/writ-run-1\n"), (std::vector<std::string> { "/" }));
    EXPECT_EQ(parse_cgroups("0::/system.slice/writ-trainer.service\n"), (std::vector<std::string> { "/system.slice/writ-trainer.service" }));
    EXPECT_EQ(parse_cgroups("0::/writ-run-1/worker\n"), (std::vector<std::string> { "/writ-run-1/worker" }));
}

TEST(ProcFiles, finds_the_second_versions_hierarchy)
{
    EXPECT_EQ(parse_cgroup2_path("1:cpu:/b\n0::/a\n"), "/a");
    for (auto const* const text : { "", "1:cpu:/\n", "0::a\n", "0::/../x\n", "0::/a (deleted)\n" })
        EXPECT_FALSE(parse_cgroup2_path(text)) << text;
    EXPECT_EQ(parse_cgroup2_mount("21 1 0:3 / /proc rw - proc proc rw\n24 1 0:5 / /sys/fs/cgroup/unified rw,relatime shared:2 - cgroup2 cgroup2 rw\n"),
        "/sys/fs/cgroup/unified");
    for (auto const* const text : { "", "x", " - cgroup2", "24 1 0:5 /part /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "24 1 0:5 / /a\\040b rw - cgroup2 none rw\n" })
        EXPECT_EQ(parse_cgroup2_mount(text), "") << text;
}

TEST(ProcessAttestor, tells_what_the_kernel_knows_of_a_child)
{
    Child child;
    auto const pidfd = open_process(child.pid()).value();
    SystemClock clock;
    ProcessAttestor attestor(clock);
    auto const attested = attestor.attest(child.pid(), pidfd.get()).value();
    EXPECT_EQ(attested.uid, ::getuid());
    EXPECT_EQ(attested.parent, ::getpid());
    EXPECT_EQ(attested.claims.find("unix.uid")->front(), std::to_string(::getuid()));
    EXPECT_EQ(attested.claims.find("unix.path")->front(), std::filesystem::read_symlink("/proc/self/exe").string());
    EXPECT_EQ(attested.claims.find("unix.sha256")->front().size(), 64U);
    EXPECT_EQ(attestor.attest(child.pid(), pidfd.get()).value().claims, attested.claims);
}

TEST(ProcessAttestor, believes_nothing_of_a_process_that_has_ended)
{
    Child child;
    auto const pidfd = open_process(child.pid()).value();
    auto const pid = child.pid();
    SystemClock clock;
    ProcessAttestor attestor(clock);
    auto const process = attestor.attest(pid, pidfd.get()).value().process;
    EXPECT_TRUE(open_process(process).is_ok());
    child.end();
    EXPECT_FALSE(is_alive(pidfd.get()));
    EXPECT_EQ(attestor.attest(pid, pidfd.get()).error().code, ErrorCode::unauthenticated);
    EXPECT_TRUE(open_process(process).is_error());
}

TEST(ProcessAttestor, knows_a_number_that_was_used_again)
{
    Child child;
    auto const pidfd = open_process(child.pid()).value();
    SystemClock clock;
    auto process = ProcessAttestor(clock).attest(child.pid(), pidfd.get()).value().process;
    process.start_ticks -= 1;
    EXPECT_EQ(open_process(process).error().code, ErrorCode::not_found);
}

TEST(ProcessAttestor, reads_an_executable_beside_the_loop_and_then_knows_it)
{
    SystemClock const clock;
    Child const child;
    auto const pidfd = open_process(child.pid()).value();
    ProcessAttestor attestor(clock);
    auto const wanted = attestor.attest(child.pid(), pidfd.get()).value().claims;
    ProcessAttestor other(clock);
    net::EventLoop loop;
    for (int round = 0; round < 2; ++round)
        EXPECT_EQ(loop.run(other.attest_beside(child.pid(), pidfd.get())).value().claims.values, wanted.values);
    EXPECT_TRUE(wanted.values.contains("unix.sha256"));
}

// Where this user may make groups: as root on a machine that has the second version.
TEST(RunCgroup, holds_a_process_and_its_children)
{
    Child child;
    auto const made = enter_run_cgroup(child.pid(), "test-" + std::to_string(child.pid()));
    if (made.is_error())
        GTEST_SKIP() << made.error().message;
    EXPECT_TRUE(is_within(cgroup_path_of(child.pid()), *made));
    EXPECT_TRUE(is_within(made->path + "/below", *made));
    EXPECT_FALSE(is_within(made->path + "-not", *made));
    EXPECT_FALSE(is_within(cgroup_path_of(::getpid()), *made));
    EXPECT_FALSE(is_within(made->path, { made->path, made->inode + 1 })) << "another group of that name";
    EXPECT_FALSE(is_within(made->path, {}));
    EXPECT_TRUE(is_in_run_below(made->path + "/writ-run-2/worker", *made));
    EXPECT_FALSE(is_in_run_below(made->path + "/worker", *made) || is_in_run_below(made->path, *made) || is_in_run_below("/elsewhere/writ-run-2", *made));
    EXPECT_EQ(enter_run_cgroup(::getpid(), "test-" + std::to_string(child.pid())).error().code, ErrorCode::conflict);
    EXPECT_FALSE(remove_cgroup(*made));
    child.end();
    EXPECT_TRUE(remove_cgroup(*made));
    EXPECT_FALSE(is_within(made->path, *made));
    EXPECT_TRUE(remove_cgroup(*made)) << "gone already";
}

TEST(RunCgroup, those_that_nobody_knows_go_once_they_are_empty)
{
    // A folder for a hierarchy: of both, only what is empty can be removed.
    std::string name = (std::filesystem::temp_directory_path() / "writ-groups-XXXXXX").string();
    Path const hierarchy = ::mkdtemp(name.data());
    for (auto const* const group : { "slice/writ-run-a", "slice/writ-run-b/writ-run-c", "slice/writ-run-d/worker", "slice/writ-run-e", "slice/other", "writ-trainer.service" })
        std::filesystem::create_directories(hierarchy / group);
    ASSERT_TRUE(create_file(hierarchy / "slice/writ-run-e/process", as_bytes("1")).is_ok());
    EXPECT_EQ(remove_empty_run_cgroups(hierarchy, { "/slice/writ-run-a" }), 2U);
    for (auto const* const group : { "slice/writ-run-a", "slice/writ-run-d/worker", "slice/writ-run-e", "slice/other", "writ-trainer.service" })
        EXPECT_TRUE(std::filesystem::exists(hierarchy / group)) << group;
    EXPECT_FALSE(std::filesystem::exists(hierarchy / "slice/writ-run-b"));
    EXPECT_EQ(remove_empty_run_cgroups(hierarchy, {}), 1U);
    EXPECT_EQ(remove_empty_run_cgroups(hierarchy / "absent", {}), 0U);
    std::filesystem::remove_all(hierarchy);
}

TEST(RunCgroup, one_that_was_left_goes)
{
    Child child;
    auto const made = enter_run_cgroup(child.pid(), "run-test-" + std::to_string(child.pid()));
    if (made.is_error())
        GTEST_SKIP() << made.error().message;
    remove_empty_run_cgroups({ "/none" });
    EXPECT_TRUE(is_within(cgroup_path_of(child.pid()), *made)) << "a process is in it";
    child.end();
    EXPECT_GE(remove_empty_run_cgroups({ "/none" }), 1U);
    EXPECT_FALSE(is_within(made->path, *made));
}

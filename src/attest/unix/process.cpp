// SPDX-License-Identifier: Apache-2.0
#include "attest/unix/process.h"

#include "attest/unix/cgroup.h"
#include "attest/unix/proc_files.h"
#include "base/durable_file.h"
#include "base/logger.h"
#include "crypto/digest.h"
#include "net/notification.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <grp.h>
#include <map>
#include <poll.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <thread>
#include <unistd.h>

namespace writ::attest {

namespace {

// LIMIT: status holds at most 65,536 supplementary groups.
constexpr std::size_t proc_file_bytes_max = 1U << 20U;
// LIMIT: an executable that is hashed; the largest interpreters and static binaries have some hundred MiB. Beyond it the digest is absent.
constexpr off_t executable_bytes_max = off_t(1) << 30U;
// LIMIT: executables whose digest is remembered.
constexpr std::size_t digests_max = 256;
// LIMIT: executables of one user that are being read or wait for it.
constexpr std::size_t user_readings_max = 4;
constexpr Duration reading_patience = std::chrono::seconds(30);
// SECURITY: such a file system is a program of some user, which may answer us otherwise than it answered the kernel, or never.
constexpr auto fuse_magic = 0x65735546;

Result<std::string> read_proc(pid_t pid, char const* name)
{
    auto const bytes = TRY(read_file("/proc/" + std::to_string(pid) + "/" + name, proc_file_bytes_max));
    return to_text(bytes);
}

Result<std::string> boot_id()
{
    auto text = to_text(TRY(read_file("/proc/sys/kernel/random/boot_id", 100)));
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    return text;
}

std::string user_name(uid_t uid)
{
    std::array<char, 16'384> buffer {};
    passwd entry {};
    passwd* found = nullptr;
    if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
        return {};
    return found->pw_name;
}

std::string group_name(gid_t gid)
{
    std::array<char, 65'536> buffer {};
    group entry {};
    group* found = nullptr;
    if (::getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
        return {};
    return found->gr_name;
}

// What tells one content of a file from another, short of reading it. An unprivileged user cannot set ctime.
struct FileVersion {
    dev_t device;
    ino_t inode;
    off_t size;
    std::int64_t modified, changed; // nanoseconds
    auto operator<=>(FileVersion const&) const = default;
};

std::int64_t to_nanoseconds(timespec const& time) { return std::int64_t(time.tv_sec) * 1'000'000'000 + time.tv_nsec; }

FileVersion version_of(struct stat const& status)
{
    return { status.st_dev, status.st_ino, status.st_size, to_nanoseconds(status.st_mtim), to_nanoseconds(status.st_ctim) };
}

Result<std::string> digest_of(int file, std::atomic<bool> const& is_over)
{
    crypto::Sha256 digest;
    Bytes buffer(1U << 17U);
    for (;;) {
        if (is_over)
            return unavailable("the attestor is being closed");
        auto const count = ::read(file, buffer.data(), buffer.size());
        if (count < 0)
            return errno_error("read an executable", errno);
        if (count == 0)
            return to_hex(digest.finish());
        digest.update(BytesView(buffer).first(static_cast<std::size_t>(count)));
    }
}

struct Executable {
    UniqueFd file;
    struct stat status {};
};

std::string exe_link(pid_t pid) { return "/proc/" + std::to_string(pid) + "/exe"; }

std::optional<Executable> open_executable(pid_t pid)
{
    Executable executable { UniqueFd(::open(exe_link(pid).c_str(), O_RDONLY | O_CLOEXEC)) };
    if (!executable.file.is_open() || ::fstat(executable.file.get(), &executable.status) != 0 || !S_ISREG(executable.status.st_mode))
        return std::nullopt;
    return executable;
}

bool is_readable(Executable const& executable)
{
    struct statfs system {};
    return executable.status.st_size <= executable_bytes_max && ::fstatfs(executable.file.get(), &system) == 0 && system.f_type != fuse_magic;
}

} // namespace

Result<UniqueFd> open_process(pid_t pid)
{
    auto const fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (fd < 0)
        return errno == ESRCH ? not_found("no process " + std::to_string(pid)) : errno_error("open process " + std::to_string(pid), errno);
    return UniqueFd(fd);
}

Result<UniqueFd> open_process(ProcessIdentity const& process)
{
    auto fd = TRY(open_process(process.pid));
    auto const ticks = TRY(parse_start_ticks(TRY(read_proc(process.pid, "stat"))));
    if (ticks != process.start_ticks || TRY(boot_id()) != process.boot_id || !is_alive(fd.get()))
        return not_found("process " + std::to_string(process.pid) + " is another by now");
    return fd;
}

bool is_alive(int pidfd)
{
    pollfd ended { pidfd, POLLIN, 0 };
    return ::poll(&ended, 1, 0) == 0;
}

struct ProcessAttestor::State {
    State(Clock const& system_clock, Path const& container_storage)
        : clock(system_clock)
    {
        if (!container_storage.empty())
            images.emplace(container_storage);
    }

    Clock const& clock;
    std::optional<ContainerImages> images {};
    std::map<FileVersion, std::string> digests {};
    std::map<uid_t, std::string> users {};
    std::map<gid_t, std::string> groups {};
    std::string boot {}; // stays what it is for as long as we run
    // Read on the thread beside, each for the one attestation that waits for it.
    std::multimap<FileVersion, std::string> readings {};
    std::map<uid_t, std::size_t> waiting {};
    bool is_reading = false;
    net::Notification read {};
    std::atomic<bool> is_over = false;
    std::thread reader {};

    void add_executable(pid_t pid, identity::Claims& claims, bool may_read);
    void add_container(std::string_view cgroups, identity::Claims& claims);
    Result<std::string> digest(Executable const& executable, bool may_read);
    net::Task<> read_beside(Executable executable);
    template <typename Id>
    static std::string const& name(std::map<Id, std::string>& names, Id id, std::string (*find)(Id));
};

// LIMIT: names are asked of the system once; a node has few users. A renamed user is seen after a restart.
template <typename Id>
std::string const& ProcessAttestor::State::name(std::map<Id, std::string>& names, Id id, std::string (*find)(Id))
{
    if (names.size() > 4096)
        names.clear();
    auto const known = names.find(id);
    if (known != names.end() && !known->second.empty())
        return known->second;
    return names[id] = find(id);
}

Result<std::string> ProcessAttestor::State::digest(Executable const& executable, bool may_read)
{
    auto const file = executable.file.get();
    auto const version = version_of(executable.status);
    if (auto const known = digests.find(version); known != digests.end())
        return known->second;
    std::string text;
    if (auto const reading = readings.find(version); reading != readings.end())
        text = readings.extract(reading).mapped();
    else if (may_read)
        text = TRY(digest_of(file, is_over));
    else
        return unavailable("too many executables of this user are being read");
    struct stat after {};
    if (::fstat(file, &after) != 0 || version_of(after) != version)
        return unauthenticated("the executable changed while it was read");
    // SECURITY: time stamps are coarse; a file that changed just now could change again under the same stamp. Only what is older than that is remembered.
    auto const age = clock.now().time_since_epoch() - Duration(version.changed / 1000);
    if (age > std::chrono::seconds(2)) {
        if (digests.size() >= digests_max)
            digests.erase(digests.begin());
        digests.emplace(version, text);
    }
    return text;
}

// SECURITY: anybody can start an executable of a GiB that nobody has seen; reading it must not keep the agent from renewing the others' credentials.
net::Task<> ProcessAttestor::State::read_beside(Executable executable)
{
    while (is_reading) {
        auto const seen = read.version();
        auto const free = co_await read.wait_past(seen, reading_patience);
        if (!free)
            co_return;
    }
    if (digests.contains(version_of(executable.status)))
        co_return;
    is_reading = true;
    if (reader.joinable())
        reader.join(); // it has handed over its result
    auto const digested = co_await net::await_callback<Result<std::string>>([this, file = executable.file.get()](net::Completion<Result<std::string>> done) {
        reader = std::thread([this, file, done = std::move(done)] { done(digest_of(file, is_over)); });
    });
    is_reading = false;
    read.notify();
    struct stat after {};
    auto const version = version_of(executable.status);
    if (digested.is_ok() && ::fstat(executable.file.get(), &after) == 0 && version_of(after) == version)
        readings.emplace(version, *digested);
}

void ProcessAttestor::State::add_executable(pid_t pid, identity::Claims& claims, bool may_read)
{
    auto const executable = open_executable(pid);
    if (!executable)
        return;
    auto const& status = executable->status;
    std::error_code error;
    auto const path = std::filesystem::read_symlink(exe_link(pid), error);
    struct stat named {};
    // SECURITY: in another mount namespace any file can be mounted at /usr/bin/python3. The path counts only if it leads to the same file from here.
    if (!error && ::stat(path.c_str(), &named) == 0 && named.st_dev == status.st_dev && named.st_ino == status.st_ino)
        claims.values["unix.path"] = { path.string() };
    if (is_readable(*executable)) {
        if (auto text = digest(*executable, may_read); text.is_ok())
            claims.values["unix.sha256"] = { std::move(text).value() };
    }
}

void ProcessAttestor::State::add_container(std::string_view cgroups, identity::Claims& claims)
{
    auto const path = images ? parse_cgroup2_path(cgroups) : std::nullopt;
    auto const group = path ? parse_container_group(*path) : std::nullopt;
    // SECURITY: a user who was given a group of his own makes others in it, of any name, and is their owner.
    if (!group || !is_made_by_system(group->path))
        return;
    auto digest = images->digest_of(group->id);
    if (digest.is_error())
        return log_debug("the image of a container is not known", { { "container", group->id }, { "error", digest.error().message } });
    claims.values["unix.container"] = { group->id };
    claims.values["unix.image"] = { std::move(digest).value() };
}

ProcessAttestor::ProcessAttestor(Clock const& clock, Path container_storage)
    : state_(std::make_unique<State>(clock, container_storage))
{
}

ProcessAttestor::~ProcessAttestor()
{
    state_->is_over = true;
    if (state_->reader.joinable())
        state_->reader.join();
}

Result<AttestedProcess> ProcessAttestor::attest(pid_t pid, int pidfd) { return attest_known(pid, pidfd, true); }

net::Task<Result<AttestedProcess>> ProcessAttestor::attest_beside(pid_t pid, int pidfd)
{
    auto& state = *state_;
    struct stat process {};
    auto executable = open_executable(pid);
    if (executable && is_readable(*executable) && !state.digests.contains(version_of(executable->status)) && ::stat(("/proc/" + std::to_string(pid)).c_str(), &process) == 0) {
        auto& waiting = state.waiting[process.st_uid];
        if (waiting < user_readings_max) {
            ++waiting;
            co_await state.read_beside(std::move(*executable));
            if (--waiting == 0)
                state.waiting.erase(process.st_uid);
        }
    }
    auto attested = attest_known(pid, pidfd, false);
    state.readings.clear(); // what another one waits for is not here yet: each is used up in the turn of the loop that brought it
    co_return attested;
}

Result<AttestedProcess> ProcessAttestor::attest_known(pid_t pid, int pidfd, bool may_read)
{
    auto const ended = [] { return unauthenticated("the process ended while it was attested"); };
    auto const status_text = read_proc(pid, "status");
    auto const stat_text = read_proc(pid, "stat");
    if (status_text.is_error() || stat_text.is_error())
        return ended();
    auto const status = TRY(parse_proc_status(*status_text));

    if (state_->boot.empty())
        state_->boot = TRY(boot_id());
    AttestedProcess attested;
    attested.process = { pid, TRY(parse_start_ticks(*stat_text)), state_->boot };
    attested.parent = status.parent;
    attested.tracer = status.tracer;
    attested.uid = status.uids[0];
    attested.gid = status.gids[0];
    // SECURITY: a process between two users (setuid) is neither; it could be made to ask in the name of the other.
    if (std::any_of(status.uids.begin(), status.uids.end(), [&](uid_t uid) { return uid != attested.uid; })
        || std::any_of(status.gids.begin(), status.gids.end(), [&](gid_t gid) { return gid != attested.gid; }))
        return unauthenticated("the process runs under several user or group ids");

    auto& claims = attested.claims;
    claims.provider = "unix";
    claims.values["unix.uid"] = { std::to_string(attested.uid) };
    claims.values["unix.gid"] = { std::to_string(attested.gid) };
    if (auto const& name = State::name(state_->users, attested.uid, user_name); !name.empty())
        claims.values["unix.user"] = { name };
    auto groups = status.groups;
    groups.push_back(attested.gid);
    std::sort(groups.begin(), groups.end());
    groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
    groups.resize(std::min(groups.size(), identity::claim_values_max));
    std::vector<std::string> names;
    for (auto const gid : groups) {
        if (auto const& name = State::name(state_->groups, gid, group_name); !name.empty())
            names.push_back(name);
    }
    if (!names.empty())
        claims.values["unix.group"] = std::move(names);
    if (auto const cgroups = read_proc(pid, "cgroup"); cgroups.is_ok()) {
        if (auto paths = parse_cgroups(*cgroups); !paths.empty())
            claims.values["unix.cgroup"] = std::move(paths);
        state_->add_container(*cgroups, claims);
    }
    claims.values["unix.start_time"] = { std::to_string(attested.process.start_ticks) };
    state_->add_executable(pid, claims, may_read);

    // INVARIANT: everything above was read of this process, or it is thrown away: the number belongs to it as long as the pidfd says it lives.
    if (!is_alive(pidfd))
        return ended();
    // A process that changed its user in between (by exec of a setuid program) would mix two users' facts.
    auto const again_text = read_proc(pid, "status");
    if (again_text.is_error())
        return ended();
    auto const again = TRY(parse_proc_status(*again_text));
    if (again.uids != status.uids)
        return unauthenticated("the process changed while it was attested");
    attested.is_stopped = status.state == 't' && again.state == 't';
    return attested;
}

} // namespace writ::attest

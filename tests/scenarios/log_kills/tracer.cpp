// SPDX-License-Identifier: Apache-2.0
#include "tracer.h"

#include "base/unique_fd.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace writ;

namespace {

constexpr int syscall_stop = SIGTRAP | 0x80;

[[noreturn]] void become(std::vector<std::string> const& command, int output)
{
    std::vector<char*> arguments;
    for (auto const& argument : command)
        arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0 || ::dup2(output, STDOUT_FILENO) < 0 || ::raise(SIGSTOP) != 0)
        ::_exit(126);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
}

bool is_call(pid_t thread)
{
    __ptrace_syscall_info info {};
    return ::ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) > 0
        && info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

// Follows all threads until the process is gone.
class Tracer {
public:
    Tracer(pid_t process, std::uint64_t call)
        : process_(process)
        , left_(call)
    {
    }

    void follow(Traced& traced)
    {
        int status = 0;
        for (pid_t thread = 0; (thread = ::waitpid(-1, &status, __WALL)) > 0;) {
            if (WIFSTOPPED(status)) {
                go_on(thread, WSTOPSIG(status), status >> 16);
            } else if (thread == process_) {
                traced.was_killed = WIFSIGNALED(status) && left_ == 0;
                traced.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            }
        }
    }

private:
    void go_on(pid_t thread, int signal, int event)
    {
        if (signal == syscall_stop && left_ > 0 && is_call(thread) && --left_ == 0) {
            ::kill(process_, SIGKILL);
            return;
        }
        auto const is_ours = signal == syscall_stop || signal == SIGSTOP || event != 0;
        ::ptrace(PTRACE_SYSCALL, thread, nullptr, static_cast<long>(is_ours ? 0 : signal));
    }

    pid_t process_;
    std::uint64_t left_;
};

Result<std::string> read_rest(int fd)
{
    std::string text;
    std::array<char, 65'536> chunk; // NOLINT: uninitialised
    for (;;) {
        auto const got = ::read(fd, chunk.data(), chunk.size());
        if (got < 0)
            return errno_error("read", errno);
        if (got == 0)
            return text;
        text.append(chunk.data(), static_cast<std::size_t>(got));
    }
}

} // namespace

Result<Traced> run_until_call(std::vector<std::string> const& command, std::uint64_t call)
{
    std::array<int, 2> ends {};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        return errno_error("pipe", errno);
    UniqueFd const reading(ends[0]);
    UniqueFd writing(ends[1]);
    // LIMIT: all that a life says; nobody reads before its end.
    ::fcntl(reading.get(), F_SETPIPE_SZ, 1 << 20);
    auto const process = ::fork();
    if (process < 0)
        return errno_error("fork", errno);
    if (process == 0)
        become(command, writing.get());
    writing = UniqueFd();
    int status = 0;
    if (::waitpid(process, &status, 0) != process || !WIFSTOPPED(status))
        return unavailable("the program does not start");
    auto const options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (::ptrace(PTRACE_SETOPTIONS, process, nullptr, static_cast<long>(options)) != 0)
        return errno_error("trace", errno);
    ::ptrace(PTRACE_SYSCALL, process, nullptr, 0L);
    Traced traced;
    Tracer(process, call).follow(traced);
    traced.output = TRY(read_rest(reading.get()));
    return traced;
}

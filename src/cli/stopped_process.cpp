// SPDX-License-Identifier: Apache-2.0
#include "cli/stopped_process.h"

#include "base/secret.h"
#include "base/unique_fd.h"
#include "cli/environment_block.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <elf.h>
#include <fcntl.h>
#include <optional>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

extern char** environ; // NOLINT: POSIX has no header for it

namespace writ::cli {

namespace {

// What the child's environment has room in for what is added: one variable with the bytes, and as many as there may be pointers.
constexpr std::string_view space_name = "WRIT_RUN_SPACE=";
constexpr std::string_view slot_name = "WRIT_RUN_SLOT=";
// LIMIT: one variable, as the kernel has it (MAX_ARG_STRLEN).
constexpr std::size_t variable_bytes_max = 128U << 10U;

std::vector<std::string> environment_with_room()
{
    std::vector<std::string> variables;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        std::string_view const text = *variable;
        if (!text.starts_with(space_name) && !text.starts_with(slot_name))
            variables.emplace_back(text);
    }
    variables.push_back(std::string(space_name) + std::string(added_bytes_max, '.'));
    for (std::size_t i = 1; i < added_variables_max; ++i)
        variables.emplace_back(slot_name);
    return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts)
{
    std::vector<char*> pointers;
    for (auto& text : texts)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

// In the child, after fork(): only what is safe there. Never returns.
[[noreturn]] void become(char* const* arguments, char* const* environment, pid_t parent, int errors)
{
    // SECURITY: a job does not outlive the `writ run` that answers for it.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent || ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0)
        ::_exit(126);
    for (int const signal : { SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 })
        ::signal(signal, SIG_DFL);
    ::raise(SIGSTOP); // until the parent has set its options
    ::execvpe(arguments[0], arguments, environment);
    int const error = errno;
    (void)!::write(errors, &error, sizeof error);
    ::_exit(127);
}

Result<int> wait_for(pid_t pid)
{
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return errno_error("wait for the job", errno);
    }
    return status;
}

Error exec_error(std::string const& program, int error_number)
{
    if (error_number == ENOENT)
        return not_found("`" + program + "`: no such program");
    return errno_error("`" + program + "`", error_number);
}

// Runs the child until its program is loaded.
Result<> stop_behind_exec(pid_t pid, std::string const& program, int errors)
{
    if (!WIFSTOPPED(TRY(wait_for(pid))))
        return unavailable("the job cannot be traced; is ptrace forbidden here (seccomp, a container's policy)?");
    // SECURITY: should this process die now, the child dies with it rather than run unattested.
    if (::ptrace(PTRACE_SETOPTIONS, pid, nullptr, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) != 0)
        return errno_error("trace the job", errno);
    if (::ptrace(PTRACE_CONT, pid, nullptr, 0) != 0)
        return errno_error("start the job", errno);
    for (;;) {
        auto const status = TRY(wait_for(pid));
        if (WIFSTOPPED(status) && status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8))
            return {};
        if (WIFSTOPPED(status)) { // a signal on the way there: delivered
            if (::ptrace(PTRACE_CONT, pid, nullptr, WSTOPSIG(status)) != 0)
                return errno_error("start the job", errno);
            continue;
        }
        int error_number = 0;
        if (::read(errors, &error_number, sizeof error_number) == sizeof error_number)
            return exec_error(program, error_number);
        return unavailable("the job ended before it began");
    }
}

Result<std::uint64_t> stack_pointer_of(pid_t pid)
{
    user_regs_struct registers {};
    iovec area { &registers, sizeof registers };
    if (::ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &area) != 0)
        return errno_error("read the job's registers", errno);
    if (area.iov_len != sizeof registers)
        return invalid_argument("the job is a 32-bit program, which `writ run` cannot start");
#if defined(__x86_64__)
    return registers.rsp;
#elif defined(__aarch64__)
    return registers.sp;
#else
#error "where does this machine keep its stack pointer?"
#endif
}

// The memory of a process that we trace.
class Memory {
public:
    static Result<Memory> open(pid_t pid)
    {
        UniqueFd fd(::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDWR | O_CLOEXEC));
        if (!fd.is_open())
            return errno_error("open the job's memory", errno);
        return Memory(std::move(fd));
    }

    Result<std::uint64_t> word(std::uint64_t address) const
    {
        std::uint64_t value = 0;
        if (::pread(fd_.get(), &value, sizeof value, static_cast<off_t>(address)) != sizeof value)
            return errno_error("read the job's memory", errno);
        return value;
    }

    // A text that ends with NUL.
    Result<std::string> text(std::uint64_t address) const
    {
        std::string text;
        std::string chunk(256, '\0');
        while (text.size() < variable_bytes_max) {
            auto const count = ::pread(fd_.get(), chunk.data(), chunk.size(), static_cast<off_t>(address + text.size()));
            if (count <= 0)
                return errno_error("read the job's memory", errno);
            auto const piece = std::string_view(chunk).substr(0, static_cast<std::size_t>(count));
            text += piece.substr(0, piece.find('\0'));
            if (piece.find('\0') != std::string_view::npos)
                return text;
        }
        return corruption("a variable of the job has no end");
    }

    Result<> write(std::uint64_t address, void const* bytes, std::size_t size) const
    {
        if (::pwrite(fd_.get(), bytes, size, static_cast<off_t>(address)) != static_cast<ssize_t>(size))
            return errno_error("write the job's memory", errno);
        return {};
    }

private:
    explicit Memory(UniqueFd fd)
        : fd_(std::move(fd))
    {
    }
    UniqueFd fd_;
};

struct Kept {
    std::vector<std::uint64_t> variables; // addresses of those that stay
    std::optional<std::uint64_t> space;   // address of the room for new ones
    std::vector<std::uint64_t> slots;
};

Result<Kept> sort_variables(EnvironmentBlock const& block, Memory const& memory, std::vector<std::string> const& leaving)
{
    Kept kept;
    for (auto i = block.environment_begin; i < block.environment_end; ++i) {
        auto const address = block.words[i];
        auto const text = TRY(memory.text(address));
        auto const name = std::string_view(text).substr(0, text.find('='));
        if (text.starts_with(space_name))
            kept.space = address;
        else if (text.starts_with(slot_name))
            kept.slots.push_back(address);
        else if (std::find(leaving.begin(), leaving.end(), name) == leaving.end())
            kept.variables.push_back(address);
    }
    return kept;
}

} // namespace

StoppedProcess::StoppedProcess(StoppedProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1))
{
}

StoppedProcess::~StoppedProcess()
{
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        (void)wait_for(pid_).is_ok();
    }
}

Result<StoppedProcess> StoppedProcess::start(std::vector<std::string> const& arguments)
{
    ASSERT(!arguments.empty());
    auto argument_texts = arguments;
    auto variable_texts = environment_with_room();
    auto const argument_pointers = pointers_to(argument_texts);
    auto const variable_pointers = pointers_to(variable_texts);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return errno_error("pipe", errno);
    UniqueFd const reading(ends[0]);
    UniqueFd writing(ends[1]);
    auto const parent = ::getpid();
    auto const pid = ::fork();
    if (pid < 0)
        return errno_error("fork", errno);
    if (pid == 0)
        become(argument_pointers.data(), variable_pointers.data(), parent, writing.get());
    writing.reset();
    StoppedProcess process(pid);
    TRY(stop_behind_exec(pid, arguments.front(), reading.get()));
    return process;
}

Result<> StoppedProcess::change_environment(std::map<std::string, std::string> const& set, std::vector<std::string> const& unset)
{
    auto const memory = TRY(Memory::open(pid_));
    auto const stack = TRY(stack_pointer_of(pid_));
    auto const block = TRY(read_environment_block([&](std::size_t index) { return memory.word(stack + index * sizeof(std::uint64_t)); }));
    auto leaving = unset;
    for (auto const& [name, value] : set)
        leaving.push_back(name);
    auto kept = TRY(sort_variables(block, memory, leaving));
    if (!kept.space)
        return corruption("the job's environment has no room for its credentials");

    std::string texts;
    for (auto const& [name, value] : set) {
        kept.variables.push_back(*kept.space + texts.size());
        texts.append(name).append("=").append(value).push_back('\0');
    }
    // What is left of the room is wiped: nobody needs to see it in /proc/PID/environ.
    constexpr auto room = space_name.size() + added_bytes_max;
    if (texts.size() > room || set.size() > added_variables_max)
        return resource_exhausted("the job's credentials have more variables than there is room for");
    texts.resize(room, '\0');
    TRY(memory.write(*kept.space, texts.data(), texts.size()));
    wipe(texts.data(), texts.size());
    std::string const nothing(slot_name.size(), '\0');
    for (auto const slot : kept.slots)
        TRY(memory.write(slot, nothing.data(), nothing.size()));
    auto const words = TRY(with_environment(block, kept.variables));
    return memory.write(stack, words.data(), words.size() * sizeof(std::uint64_t));
}

Result<pid_t> StoppedProcess::resume()
{
    if (::ptrace(PTRACE_DETACH, pid_, nullptr, 0) != 0)
        return errno_error("start the job", errno);
    return std::exchange(pid_, -1);
}

} // namespace writ::cli

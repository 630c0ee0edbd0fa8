// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/stopped_process.h"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sys/wait.h>

namespace writ::cli {

namespace {

struct Options {
    std::string purpose;
    std::string workload;
    std::optional<std::uint64_t> rank;
    std::vector<std::string> command;
};

constexpr int exec_failed = 127; // as shells have it
constexpr int exec_forbidden = 126;

// What torchrun and Slurm say of a process of many.
std::optional<std::uint64_t> rank_of_environment()
{
    for (auto const* name : { "RANK", "SLURM_PROCID" }) {
        auto const* const text = std::getenv(name); // NOLINT(concurrency-mt-unsafe): before there are threads
        std::uint32_t rank = 0;
        if (text == nullptr)
            continue;
        auto const* const end = text + std::strlen(text);
        if (auto const [stop, error] = std::from_chars(text, end, rank); error == std::errc() && stop == end)
            return rank;
    }
    return std::nullopt;
}

// The job that signals are handed to; 0: none yet.
volatile std::sig_atomic_t job = 0;

void hand_on(int signal)
{
    if (job > 0)
        ::kill(static_cast<pid_t>(job), signal);
}

// A terminal's Ctrl-C reaches the job by itself, since it is in the same process group; what is sent to this process is handed on.
void share_signals()
{
    struct sigaction action { };
    action.sa_handler = hand_on;
    action.sa_flags = SA_RESTART;
    for (int const signal : { SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 })
        ::sigaction(signal, &action, nullptr);
    ::signal(SIGINT, SIG_IGN);
    ::signal(SIGQUIT, SIG_IGN);
}

// Older credentials would win over the run's own, or would be what the job uses for everything else.
std::vector<std::string> shadowing(std::map<std::string, std::string> const& environment)
{
    if (environment.contains("PGPASSFILE"))
        return { "PGPASSWORD", "PGSERVICE", "PGSERVICEFILE", "PGHOSTADDR", "PGREQUIREAUTH" };
    return {};
}

std::string resource_of(JsonObject const& denial)
{
    auto const* resource = denial.if_contains("resource");
    return resource == nullptr ? "" : " " + cell(*resource);
}

// SECURITY: which resource, which action, which fact; never a policy's text or name.
void print_denial(JsonObject const& denial)
{
    std::fprintf(stderr, "  %s%s\n", cell(denial, "action").c_str(), resource_of(denial).c_str());
    if (auto const missing = array_member(denial, "missing"); missing.is_ok()) {
        for (auto const& item : **missing) {
            auto const& fact = item.as_object();
            std::fprintf(stderr, "    %s is %s; wanted: %s\n", cell(fact, "fact").c_str(), cell(fact, "found").c_str(),
                cell(fact, "wanted").c_str());
        }
    }
    std::fprintf(stderr, "    record %s in the audit log\n", cell(denial, "record").c_str());
}

int print_refusal(Session const& session, net::Response const& response)
{
    auto const problem = parse_json_object(response.body);
    auto const denials = problem.is_ok() ? array_member(*problem, "denials") : Result<JsonArray const*>(not_found(""));
    if (denials.is_error())
        return fail(to_error(response));
    if (session.json) {
        print_json(*problem);
    } else {
        std::fprintf(stderr, "writ: refused\n");
        for (auto const& denial : **denials)
            print_denial(denial.as_object());
    }
    return static_cast<int>(Exit::refused);
}

Result<std::map<std::string, std::string>> environment_of(JsonObject const& answer)
{
    std::map<std::string, std::string> environment;
    for (auto const& member : *TRY(object_member(answer, "environment"))) {
        if (!member.value().is_string())
            return invalid_argument("an environment variable is text");
        environment.emplace(std::string(member.key()), std::string(member.value().as_string()));
    }
    return environment;
}

int wait_for_end(pid_t pid)
{
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return fail(errno_error("wait for the job", errno));
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// The agent sees the end by itself; asking lets this command return when the credentials are gone.
void end_run(Session const& session, std::string const& run, int code)
{
    auto const ended
        = call_agent(session, post_request("/v1/runs/" + run + "/end", JsonObject { { "reason", "exit code " + std::to_string(code) } }));
    if (ended.is_error() && ended.error().code != ErrorCode::not_found)
        std::fprintf(stderr, "writ: the run's credentials end later: %s\n", printable(ended.error().message).c_str());
}

int run(Session const& session, Options const& options)
{
    share_signals();
    auto started = StoppedProcess::start(options.command);
    if (started.is_error()) {
        auto const code = started.error().code;
        fail(started.error());
        return code == ErrorCode::not_found ? exec_failed : exec_forbidden;
    }
    auto& process = *started;
    JsonObject request { { "pid", std::int64_t(process.pid()) }, { "purpose", options.purpose } };
    if (!options.workload.empty())
        request.emplace("workload", options.workload);
    if (auto const rank = options.rank ? options.rank : rank_of_environment())
        request.emplace("rank", *rank);
    auto const response = send_to_agent(session, post_request("/v1/runs", std::move(request)));
    if (response.is_error())
        return fail(response.error());
    if (response->status != 200)
        return print_refusal(session, *response);
    auto const answer = parse_json_object(response->body);
    auto const environment = answer.is_ok() ? environment_of(*answer) : Result<std::map<std::string, std::string>>(answer.error());
    if (environment.is_error())
        return fail(environment.error());
    auto const changed = process.change_environment(*environment, shadowing(*environment));
    if (changed.is_error())
        return fail(changed.error());
    auto const pid = process.resume();
    if (pid.is_error())
        return fail(pid.error());
    job = *pid;
    auto const code = wait_for_end(*pid);
    job = 0;
    end_run(session, std::string(string_or(*answer, "run", "")), code);
    return code;
}

} // namespace

void add_run_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("run", "Run a job as the workload that it is, with the credentials it may have");
    auto const options = std::make_shared<Options>();
    command->add_option("--purpose", options->purpose, "What the data is used for: train, evaluate…");
    command->add_option("--workload", options->workload, "Which one, if the process is several workloads (name or SPIFFE ID)");
    command->add_option("--rank", options->rank, "Of a job that is many processes, for the record; otherwise RANK or SLURM_PROCID, if set");
    command->add_option("command", options->command, "Program and arguments, behind `--`")->required();
    command->positionals_at_end();
    command->prefix_command();
    add_json_flag(*command, session);
    command->footer("The program is loaded, attested by the agent before its first instruction, and given what policy permits: variables "
                    "and files, no secret among its arguments.\n"
                    "Its credentials end with it. SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 reach it.\n\n"
                    "Exit code: the program's (128 + signal if it was killed); 77: refused, the program never ran; 69: no agent; 126, 127: "
                    "the program cannot be started.\n\n"
                    "Examples:\n  writ run --purpose train -- python train.py\n  writ run --purpose evaluate -- make report");
    command->callback([&session, options] { session.action = [&session, options] { return run(session, *options); }; });
}

} // namespace writ::cli

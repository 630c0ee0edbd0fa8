// SPDX-License-Identifier: Apache-2.0
#include "cli/aws_profiles.h"
#include "cli/client_settings.h"
#include "cli/commands.h"
#include "cli/google_account.h"
#include "cli/number_option.h"
#include "cli/output.h"
#include "cli/run_places.h"
#include "cli/static_credentials.h"
#include "cli/stopped_process.h"

#include "base/secret.h"

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
    bool strict = false;
    bool detach = false;
    std::int64_t token_seconds = 86'400;
    std::string token_file;
};

// LIMIT: a file of profiles.
constexpr std::size_t aws_config_bytes_max = 1U << 20U;
constexpr int exec_failed = 127; // as shells have it
constexpr int exec_forbidden = 126;

// LIMIT: what torchrun and Slurm can count to.
constexpr std::uint64_t rank_max = UINT32_MAX;

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

// Until the job runs, a signal ends this command, the stopped process with it, and the agent sees that. From its first instruction on signals are the job's.
Result<pid_t> resume_with_signals(StoppedProcess& process)
{
    sigset_t held, before;
    ::sigemptyset(&held);
    for (int const signal : { SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGINT, SIGQUIT })
        ::sigaddset(&held, signal);
    ::sigprocmask(SIG_BLOCK, &held, &before);
    auto resumed = process.resume();
    if (resumed.is_ok()) {
        job = *resumed;
        share_signals();
    }
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    return resumed;
}

// A static secret in sight of the job: refused, or said aloud.
std::string list_of(std::vector<StaticCredential> const& found)
{
    std::string text;
    for (auto const& one : found)
        text += (text.empty() ? "" : ", ") + describe(one);
    return text;
}

std::vector<StaticCredential> static_credentials(Variables const& own)
{
    std::error_code error;
    return find_static_credentials(own, own.contains("HOME") ? Path(own.at("HOME")) : Path(), std::filesystem::current_path(error));
}

int refuse_static_credentials(std::vector<StaticCredential> const& found)
{
    std::fprintf(stderr, "writ: static credentials are in the job's sight, and --strict forbids it: %s\n", list_of(found).c_str());
    std::fprintf(stderr, "  unset the variables and move the files away, or run without --strict\n");
    return static_cast<int>(Exit::static_secret);
}

// Which of them lose their effect, because the run has its own, and which stay.
void tell_of_static_credentials(std::vector<StaticCredential> const& found, Variables const& of_run)
{
    std::vector<StaticCredential> removed, winning, staying;
    for (auto const& one : found) {
        auto const becomes = standing(one, of_run);
        (becomes == Standing::stays ? staying : becomes == Standing::wins ? winning : removed).push_back(one);
    }
    if (!removed.empty())
        std::fprintf(stderr, "writ: out of force for this run, which has its own: %s\n", list_of(removed).c_str());
    if (!winning.empty())
        std::fprintf(stderr, "writ: used in place of the run's own until you move it away: %s\n", list_of(winning).c_str());
    if (!staying.empty())
        std::fprintf(stderr, "writ: static credentials stay, the run has nothing in their place: %s\n", list_of(staying).c_str());
}

// The profiles that the user has, with the run's credentials behind each.
Result<> write_aws_config(Session const& session, JsonObject const& answer, Variables const& own, Variables& environment)
{
    std::set<std::string> profiles;
    auto const home = own.contains("HOME") ? Path(own.at("HOME")) : Path();
    for (auto const& [variable, usual] : { std::pair("AWS_CONFIG_FILE", ".aws/config"), std::pair("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials") }) {
        auto const text = read_regular_file(own.contains(variable) ? Path(own.at(variable)) : home / usual, aws_config_bytes_max);
        if (text.is_ok())
            profiles.merge(aws_profile_names(as_text(*text)));
    }
    std::error_code error;
    auto const executable = std::filesystem::read_symlink("/proc/self/exe", error).string();
    auto const run_folder = std::filesystem::absolute(session.run_folder(), error).string();
    auto const file = Path(TRY(string_member(answer, "folder"))) / "aws-config";
    if (error || (executable + run_folder).find_first_of("\"\n\\") != std::string::npos)
        profiles.clear(); // no path that a configuration could hold
    auto const command = profiles.empty() ? "" : quote_for_process(executable) + " aws-credentials --run-dir " + quote_for_process(run_folder);
    TRY(create_file(file, as_bytes(aws_config_text(profiles, environment["AWS_REGION"], command))).in("AWS configuration"));
    environment["AWS_CONFIG_FILE"] = file.string();
    return {};
}

// What the run's clients need in the run's own folder, so that they find its credentials and no others.
Result<> write_settings(Session const& session, JsonObject const& answer, Variables const& own, std::set<std::string> const& families, Variables& environment)
{
    if (families.contains("AWS"))
        TRY(write_aws_config(session, answer, own, environment));
    auto const folder = TRY(string_member(answer, "folder"));
    if (families.contains("Google Cloud"))
        TRY(write_google_account(own, Path(folder), environment));
    auto settings = client_settings(families, own, Path(folder));
    TRY(create_client_folders(settings));
    environment.merge(settings);
    if (auto const names = run_variables(environment); !names.empty())
        environment[std::string(run_variables_name)] = names;
    return write_place_settings(session, answer, own, environment);
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
    if (denial.contains("counted"))
        std::fprintf(stderr, "    your refusals come so often that the audit log has their number, and no record of each\n");
    else
        std::fprintf(stderr, "    record %s in the audit log\n", cell(denial, "record").c_str());
}

int print_refusal(Session const& session, net::Response const& response)
{
    auto const problem = parse_json_object(response.body);
    auto const denials = problem.is_ok() ? array_member(*problem, "denials") : Result<JsonArray const*>(not_found(""));
    if (denials.is_error())
        return fail(to_error(response).in("the job did not start"));
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
        // SECURITY: no declaration can say so, and the loader would do it before the job's first instruction.
        if (member.key().starts_with("LD_"))
            return permission_denied("the agent's answer sets `" + std::string(member.key()) + "`");
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

// The program is loaded and attested, and never runs: what it may have is decided now, and had by whoever brings the token with the same program.
int detach(Session const& session, Options const& options)
{
    auto started = StoppedProcess::start(options.command);
    if (started.is_error()) {
        auto const code = started.error().code;
        fail(started.error());
        return code == ErrorCode::not_found ? exec_failed : exec_forbidden;
    }
    JsonObject request { { "pid", std::int64_t(started->pid()) }, { "purpose", options.purpose }, { "seconds", options.token_seconds } };
    if (!options.workload.empty())
        request.emplace("workload", options.workload);
    auto const response = send_to_agent(session, post_request("/v1/grants", std::move(request)));
    if (response.is_error())
        return fail(response.error());
    if (response->status != 200)
        return print_refusal(session, *response);
    auto const answer = object_of(*response);
    if (answer.is_error())
        return fail(answer.error());
    if (session.json) {
        print_json(*answer);
        return 0;
    }
    print_line(cell(*answer, "token"));
    std::fprintf(stderr, "writ: %s may start once as %s until %s; record %s in the audit log\n", cell(*answer, "grant").c_str(), cell(*answer, "workload").c_str(),
        short_time(cell(*answer, "expires")).c_str(), cell(*answer, "record").c_str());
    return 0;
}

// LIMIT: a token's file: 52 characters and a line end.
Result<SecretText> read_token(std::string const& file)
{
    if (file.empty())
        return SecretText();
    SecretBytes const bytes(TRY(read_file(file, 256)));
    auto token = as_text(bytes.reveal());
    while (token.ends_with('\n') || token.ends_with('\r'))
        token.remove_suffix(1);
    if (token.empty())
        return invalid_argument("`" + file + "` is empty");
    return SecretText(std::string(token));
}

int run(Session const& session, Options const& options)
{
    if (options.detach)
        return detach(session, options);
    auto const token = read_token(options.token_file);
    if (token.is_error())
        return fail(token.error());
    auto const own = own_environment();
    auto const found = static_credentials(own);
    if (options.strict && !found.empty())
        return refuse_static_credentials(found);
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
    if (!token->is_empty())
        request.emplace("token", token->reveal());
    if (auto const rank = options.rank ? options.rank : rank_of_environment())
        request.emplace("rank", *rank);
    auto const response = send_to_agent(session, post_request("/v1/runs", std::move(request)));
    if (response.is_error())
        return fail(response.error());
    if (response->status != 200)
        return print_refusal(session, *response);
    auto const answer = parse_json_object(response->body);
    auto environment = answer.is_ok() ? environment_of(*answer) : Result<Variables>(answer.error());
    if (environment.is_error())
        return fail(environment.error());
    auto const families = served_families(*environment);
    auto const configured = write_settings(session, *answer, own, families, *environment);
    if (configured.is_error())
        return fail(configured.error());
    tell_of_static_credentials(found, *environment);
    // Places are known by what was set just now.
    auto const changed = process.change_environment(*environment, shadowing_variables(served_families(*environment)));
    if (changed.is_error())
        return fail(changed.error());
    auto const pid = resume_with_signals(process);
    if (pid.is_error())
        return fail(pid.error());
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
    command->add_option("--rank", options->rank, "Of a job that is many processes, for the record; otherwise RANK or SLURM_PROCID, if set")
        ->check(number_from(0, rank_max));
    command->add_flag("--strict", options->strict, "Do not start the job with a static credential in sight: in a known variable, or in a file that clients read");
    auto* detached = command->add_flag("--detach-token", options->detach,
        "Do not run it: print a token with which it may be run once, later and elsewhere, as a scheduler does");
    command->add_option("--token-ttl", options->token_seconds, "Seconds until that token expires")
        ->check(number_from(1))
        ->needs(detached)
        ->capture_default_str();
    command->add_option("--token-file", options->token_file, "File with such a token: the run is the one that was decided on when it was made")
        ->type_name("FILE")
        ->excludes(detached);
    command->add_option("command", options->command, "Program and arguments, behind `--`")->required();
    command->positionals_at_end();
    command->prefix_command();
    add_json_flag(*command, session);
    command->footer("The program is loaded, attested by the agent before its first instruction, and given what policy permits: variables "
                    "and files, no secret among its arguments.\n"
                    "Its credentials end with it. SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 reach it; before it runs they end the command.\n\n"
                    "Static credentials that would win over the run's own (AWS_ACCESS_KEY_ID, ~/.aws/credentials, GOOGLE_APPLICATION_CREDENTIALS, PGPASSWORD, .netrc, git's http.extraHeader…) are out of force "
                    "for the program, and named.\n\n"
                    "Exit code: the program's (128 + signal if it was killed); 77: refused, the program never ran; 78: --strict found a static "
                    "credential; 69: no agent; 126, 127: "
                    "the program cannot be started.\n\n"
                    "With --detach-token policy decides at once, which saves a place in a queue that would end in a refusal, and again at the start. The token is good for one "
                    "start of the same workload; credentials are made then, and end with the run.\n\n"
                    "Examples:\n  writ run --purpose train -- python train.py\n  writ run --detach-token --purpose train -- python train.py > job.token\n  "
                    "writ run --token-file job.token -- python train.py\n  writ run --purpose evaluate -- make report");
    command->callback([&session, options] {
        if (!session.take_words(options->command))
            return;
        session.action = [&session, options] { return run(session, *options); };
    });
}

} // namespace writ::cli

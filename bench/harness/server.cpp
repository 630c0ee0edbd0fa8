// SPDX-License-Identifier: Apache-2.0
#include "harness/server.h"

#include "harness/declarations.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace writ::bench {

namespace {

constexpr std::chrono::seconds patience { 30 };

// The executable that was built with this benchmark, or another.
std::string executable()
{
    if (auto const* named = std::getenv("WRIT_EXECUTABLE"))
        return named;
    return (std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "writ").string();
}

[[noreturn]] void become(std::string const& program, std::vector<std::string> const& arguments, Path const& log)
{
    std::vector<char*> pointers { const_cast<char*>(program.c_str()) };
    for (auto const& argument : arguments)
        pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    auto const file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execvp(program.c_str(), pointers.data());
    ::_exit(127);
}

} // namespace

void give_up(std::string const& why)
{
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(1);
}

// SPEC: proc(5): fields 14 and 15. A program's name, in brackets before them, may have spaces.
double cpu_seconds_of(pid_t pid)
{
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line, word;
    std::getline(file, line);
    std::istringstream fields(line.substr(line.rfind(')') + 2));
    for (int skipped = 0; skipped < 11; ++skipped)
        fields >> word;
    double user = 0, system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

Server::Server(std::vector<std::string> arguments, Path const& log)
    : Server(executable(), arguments, log)
{
}

Server::Server(std::string const& program, std::vector<std::string> const& arguments, Path const& log)
{
    pid_ = ::fork();
    if (pid_ == 0)
        become(program, arguments, log);
    if (pid_ < 0)
        give_up("cannot fork");
}

Server::~Server() { stop(); }

void Server::stop() { end(SIGTERM); }
void Server::kill() { end(SIGKILL); }

void Server::end(int signal)
{
    if (pid_ <= 0)
        return;
    ::kill(pid_, signal);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

bool Server::is_running() const
{
    if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_)
        pid_ = -1;
    return pid_ > 0;
}

CpuTime Server::cpu_time() const
{
    CpuTime time;
    for (auto const& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid_) + "/task")) {
        double nanoseconds = 0;
        std::ifstream(thread.path() / "schedstat") >> nanoseconds;
        (thread.path().filename() == std::to_string(pid_) ? time.loop : time.others) += nanoseconds / 1e9;
    }
    return time;
}

Memory Server::memory() const
{
    Memory memory;
    std::ifstream file("/proc/" + std::to_string(pid_) + "/smaps_rollup");
    for (std::string word; file >> word;) {
        double kilobytes = 0;
        if ((word == "Rss:" || word == "Pss:" || word == "Anonymous:") && file >> kilobytes)
            (word == "Rss:" ? memory.resident : word == "Pss:" ? memory.proportional : memory.own) = kilobytes / 1024;
    }
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string word; status >> word;) {
        double kilobytes = 0;
        if (word == "VmHWM:" && status >> kilobytes)
            memory.peak = kilobytes / 1024;
    }
    return memory;
}

Installation::Installation(Path const& parent)
{
    auto folder = ((parent.empty() ? Path("/tmp") : parent) / "writ-bench.XXXXXX").string();
    std::string run_folder = "/tmp/writ-run.XXXXXX"; // a unix socket's path is short
    if (::mkdtemp(folder.data()) == nullptr || ::mkdtemp(run_folder.data()) == nullptr)
        give_up("cannot create a temporary folder");
    folder_ = folder;
    run_folder_ = run_folder;
}

Installation::~Installation()
{
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
    std::filesystem::remove_all(run_folder_, ignored);
}

std::vector<std::string> Installation::authority_arguments() const
{
    return { "authority", "--data", (folder_ / "data").string(), "--run-dir", run_folder_, "--trust-domain", trust_domain, "--listen", "127.0.0.1:0", "--log-level",
        "warning" };
}

std::vector<std::string> Installation::dev_arguments() const
{
    auto arguments = authority_arguments();
    arguments.front() = "dev";
    return arguments;
}

std::vector<std::string> Installation::agent_arguments(std::string const& authority, std::string const& join_token) const
{
    auto const file = folder_ / "join.token";
    if (!join_token.empty() && replace_file(file, as_bytes(join_token)).is_error())
        give_up("cannot write the join token");
    std::vector<std::string> arguments { "agent", "--authority", authority, "--data", (folder_ / "agent").string(), "--run-dir", run_folder_, "--log-level", "warning" };
    if (!join_token.empty())
        arguments.insert(arguments.end(), { "--join-token-file", file.string() });
    return arguments;
}

namespace {

net::Task<bool> is_answered(net::HttpClient* client, std::string path, std::string expected)
{
    net::Request request;
    request.path = std::move(path);
    auto const response = co_await client->send(std::move(request));
    co_return response.is_ok() && response->status == 200 && response->body.find(expected) != std::string::npos;
}

net::Task<JsonObject> ask_once(net::HttpClient* client, std::string method, std::string path, JsonObject body)
{
    net::Request request;
    request.method = std::move(method);
    request.path = path;
    if (request.method == "POST") {
        request.headers.set("content-type", "application/json");
        request.body = to_text(JsonValue(std::move(body)));
    }
    auto const response = co_await client->send(std::move(request));
    if (response.is_error())
        give_up(path + ": " + response.error().message);
    if (response->status != 200)
        give_up(path + ": " + response->body);
    auto object = parse_json_object(response->body);
    if (object.is_error())
        give_up(path + ": " + object.error().message);
    co_return std::move(object).value();
}

} // namespace

void wait_until_answered(net::EventLoop& loop, Server const& server, std::string const& socket, std::string const& path, std::string const& expected)
{
    net::HttpClient client(net::UnixAddress { socket });
    for (auto const begin = now(); now() - begin < patience;) {
        if (loop.run(is_answered(&client, path, expected)))
            return;
        if (!server.is_running())
            break;
        loop.run(net::delay(std::chrono::microseconds(200)));
    }
    give_up("the server does not answer " + path);
}

JsonObject ask(net::EventLoop& loop, std::string const& socket, std::string method, std::string path, JsonObject const& body)
{
    net::HttpClient client(net::UnixAddress { socket });
    return loop.run(ask_once(&client, std::move(method), std::move(path), body));
}

void declare(net::EventLoop& loop, std::string const& admin_socket, std::vector<std::pair<std::string, std::string>> const& files)
{
    JsonArray documents;
    for (auto const& [path, text] : files)
        documents.push_back(JsonObject { { "path", path }, { "text", text } });
    ask(loop, admin_socket, "POST", "/v1/declarations", { { "documents", std::move(documents) } });
}

DecidingAuthority::DecidingAuthority(Path const& parent)
    : installation(parent)
    , server(installation.authority_arguments(), installation.log())
{
    wait_until_answered(loop, server, installation.admin_socket(), "/readyz");
    declare(loop, installation.admin_socket(), declarations("/usr/bin/python3"));
}

} // namespace writ::bench

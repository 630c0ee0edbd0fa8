// SPDX-License-Identifier: Apache-2.0
//
// aws_endpoint: how fast the agent's local endpoint answers an AWS client from what it keeps, beside a bare HTTP server of the same library that answers the
// same bytes, in turns; asked by a job under `writ run`, since nobody else is answered. Then what 1,000 runs cost in memory. An STS that answers at once is
// part of this program; that of a cloud is asked once for each session, and its speed is not what is measured.
#include "harness/declarations.h"
#include "harness/raw_socket.h"

#include "net/http_server.h"

#include <arpa/inet.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace writ;
using namespace writ::bench;

constexpr int turns = 5;
constexpr std::chrono::milliseconds turn_time { 1000 };
constexpr int runs = 1000;
constexpr int runs_at_once = 8;
constexpr double budget = 1000; // microseconds of an answer from what is kept

constexpr auto session = "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIABENCHBENCHBENCH1</AccessKeyId>"
                         "<SecretAccessKey>0123456789012345678901234567890123456789</SecretAccessKey><SessionToken>%s</SessionToken>"
                         "<Expiration>%s</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";

// A process that answers every request alike, until its parent ends; its port comes through a pipe.
class HttpAnswerer {
public:
    explicit HttpAnswerer(std::string body)
    {
        int ends[2];
        if (::pipe(ends) != 0)
            give_up("no pipe");
        pid_ = ::fork();
        if (pid_ == 0)
            serve(std::move(body), ends[1]);
        if (::read(ends[0], &port_, sizeof(port_)) != sizeof(port_))
            give_up("the HTTP server has not started");
        ::close(ends[0]);
        ::close(ends[1]);
    }
    ~HttpAnswerer() { ::kill(pid_, SIGKILL); }
    HttpAnswerer(HttpAnswerer const&) = delete;
    HttpAnswerer& operator=(HttpAnswerer const&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    [[noreturn]] static void serve(std::string body, int told)
    {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        net::EventLoop loop;
        net::HttpServer server(loop, [&body](net::Request) { return answer(&body); });
        auto listener = net::listen_tcp(loop, { "127.0.0.1", 0 }).value();
        auto const port = std::get<net::TcpAddress>(listener->address()).port;
        server.serve(std::move(listener));
        if (::write(told, &port, sizeof(port)) != sizeof(port))
            ::_exit(1);
        loop.run();
        ::_exit(0);
    }
    static net::Task<net::Response> answer(std::string const* body) { co_return net::Response { 200, { { "content-type", "application/json" } }, *body }; }

    pid_t pid_ = -1;
    std::uint16_t port_ = 0;
};

double cpu_of(pid_t pid)
{
    double total = 0;
    for (auto const& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
        double nanoseconds = 0;
        std::ifstream(thread.path() / "schedstat") >> nanoseconds;
        total += nanoseconds / 1e9;
    }
    return total;
}

// ---- the job

RawSocket connect_to(std::uint16_t port)
{
    UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int const at_once = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
    if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
        give_up("cannot connect to port " + std::to_string(port));
    return RawSocket(std::move(socket));
}

// One question, its whole answer.
std::string ask_once(RawSocket& socket, std::string const& question)
{
    Bytes buffer(16U << 10U);
    socket.write(as_bytes(question));
    std::string answer;
    for (;;) {
        answer.append(reinterpret_cast<char const*>(buffer.data()), socket.read(buffer));
        auto const end = answer.find("\r\n\r\n");
        auto const* length = ::strcasestr(answer.c_str(), "content-length:");
        if (end != std::string::npos && length != nullptr && answer.size() >= end + 4 + std::strtoul(length + 15, nullptr, 10))
            break;
    }
    if (!answer.starts_with("HTTP/1.1 200"))
        give_up(answer);
    return answer;
}

struct Measured {
    Sample microseconds;
    double elapsed = 0, cpu = 0;
};

void repeat(Measured& measured, pid_t server, std::function<void()> const& operation)
{
    auto const cpu = cpu_of(server);
    auto const begin = now();
    for (auto start = begin; start - begin < turn_time;) {
        operation();
        auto const end = now();
        measured.microseconds.add(seconds(end - start) * 1e6);
        start = end;
    }
    measured.elapsed += seconds(now() - begin);
    measured.cpu += cpu_of(server) - cpu;
}

void print(char const* name, Measured& measured)
{
    std::printf("%-44s %9.0f %9.1f %9.1f %9.1f\n", name, static_cast<double>(measured.microseconds.size()) / measured.elapsed, measured.microseconds.percentile(0.5),
        measured.microseconds.percentile(0.99), measured.cpu * 1e6 / static_cast<double>(measured.microseconds.size()));
}

struct Endpoint {
    std::uint16_t port = 0;
    std::string question;
};

// As an AWS client finds it.
Endpoint endpoint_of_run()
{
    auto const* uri = std::getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    auto const* handle = std::getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (uri == nullptr || handle == nullptr)
        give_up("not under writ run");
    std::string_view rest(uri);
    rest.remove_prefix(std::string_view("http://").size());
    auto const slash = rest.find('/');
    auto const host = std::string(rest.substr(0, slash));
    return { static_cast<std::uint16_t>(std::stoi(host.substr(host.find(':') + 1))),
        "GET " + std::string(rest.substr(slash)) + " HTTP/1.1\r\nHost: " + host + "\r\nAccept: application/json\r\nAuthorization: " + handle + "\r\n\r\n" };
}

int ask_as_job(pid_t agent)
{
    auto const endpoint = endpoint_of_run();
    auto socket = connect_to(endpoint.port);
    auto const answer = ask_once(socket, endpoint.question);
    HttpAnswerer const bare(answer.substr(answer.find("\r\n\r\n") + 4));
    auto bare_socket = connect_to(bare.port());
    Measured kept, bare_kept, opened, bare_opened;
    for (int turn = 0; turn < turns; ++turn) {
        repeat(kept, agent, [&] { ask_once(socket, endpoint.question); });
        repeat(bare_kept, bare.pid(), [&] { ask_once(bare_socket, endpoint.question); });
        // botocore opens a connection for each question.
        repeat(opened, agent, [&] { auto fresh = connect_to(endpoint.port); ask_once(fresh, endpoint.question); });
        repeat(bare_opened, bare.pid(), [&] { auto fresh = connect_to(bare.port()); ask_once(fresh, endpoint.question); });
    }
    std::printf("%-44s %9s %9s %9s %9s\n", "one client, an answer of what is kept", "per s", "p50 us", "p99 us", "CPU us");
    print("agent, one connection", kept);
    print("bare HTTP server, one connection", bare_kept);
    print("agent, a connection for each", opened);
    print("bare HTTP server, a connection for each", bare_opened);
    std::printf("p50 beside the bare server: %.2f and %.2f times; budget %.0f us at p99: %s\n", kept.microseconds.percentile(0.5) / bare_kept.microseconds.percentile(0.5),
        opened.microseconds.percentile(0.5) / bare_opened.microseconds.percentile(0.5), budget,
        std::max(kept.microseconds.percentile(0.99), opened.microseconds.percentile(0.99)) <= budget ? "met" : "missed");
    return 0;
}

// One of many: asks once, says so, and lives on until its group is ended.
int wait_as_job(char const* file)
{
    auto const endpoint = endpoint_of_run();
    {
        auto socket = connect_to(endpoint.port);
        ask_once(socket, endpoint.question);
    }
    std::ofstream(file, std::ios::app) << "." << std::flush;
    ::pause();
    return 0;
}

// ---- the program

std::vector<std::pair<std::string, std::string>> declared(std::string const& self, std::uint16_t sts)
{
    return { { "all.yaml", "kind: TrustProvider\nname: unix\ntype: unix\n---\nkind: CredentialProvider\nname: store\ntype: aws_sts\nendpoint: http://127.0.0.1:" + std::to_string(sts)
                     + "\nregion: eu-central-1\nrole: arn:aws:iam::123456789012:role/bench\nlifetime: 1h\n---\nkind: Dataset\nname: genomes\nlocation: s3://genomes/public\n"
                       "purpose: [train]\ncredential: store\n---\nkind: Workload\nname: trainer\nid: spiffe://bench.example/research/{unix.user}/train\nmatch: { unix.path: \""
                     + self + "\" }\nuses:\n  - { action: read, dataset: genomes }\n" },
        { "policies.cedar", "@id(\"reads\") permit (principal, action == Action::\"read\", resource is Dataset) when { resource.purpose.contains(context.purpose) };\n" } };
}

void print_file(Path const& file)
{
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);)
        std::printf("%s\n", line.c_str());
    std::fflush(stdout);
}

std::vector<std::string> run_arguments(std::vector<std::string> const& command)
{
    std::vector<std::string> arguments { "run", "--purpose", "train", "--" };
    arguments.insert(arguments.end(), command.begin(), command.end());
    return arguments;
}

void measure_answers(net::EventLoop& loop, Installation const& installation, std::string const& self, Server const& agent)
{
    Server const job(run_arguments({ self, "ask", std::to_string(agent.pid()) }), installation.folder() / "job.log");
    while (job.is_running())
        loop.run(net::delay(std::chrono::milliseconds(100)));
    print_file(installation.folder() / "job.log");
}

void measure_memory(net::EventLoop& loop, Installation const& installation, std::string const& self, Server const& authority, Server const& agent)
{
    auto const before = agent.memory(), authority_before = authority.memory();
    auto const told = installation.folder() / "told";
    auto const count = [&told] {
        std::error_code error;
        auto const size = std::filesystem::file_size(told, error);
        return error ? std::uintmax_t(0) : size;
    };
    std::vector<std::unique_ptr<Server>> jobs;
    auto const begin = now();
    while (static_cast<int>(jobs.size()) < runs) {
        jobs.push_back(std::make_unique<Server>(run_arguments({ self, "wait", told.string() }), installation.folder() / "jobs.log"));
        for (int tried = 0; count() + runs_at_once < jobs.size(); ++tried) {
            if (tried > 3000) {
                print_file(installation.folder() / "jobs.log");
                give_up("runs do not start: " + std::to_string(count()) + " of " + std::to_string(jobs.size()));
            }
            loop.run(net::delay(std::chrono::milliseconds(10)));
        }
    }
    while (count() < jobs.size())
        loop.run(net::delay(std::chrono::milliseconds(10)));
    auto const after = agent.memory(), authority_after = authority.memory();
    std::printf("%d runs, each with a session: started in %.1f s; agent %.1f MB resident (before %.1f), %.1f KB for each; authority %.1f MB (before %.1f)\n", runs,
        seconds(now() - begin), after.resident, before.resident, (after.own - before.own) * 1024 / runs, authority_after.resident, authority_before.resident);
}

} // namespace

int main(int count, char** arguments)
{
    if (count == 3 && std::string_view(arguments[1]) == "ask")
        return ask_as_job(std::atoi(arguments[2]));
    if (count == 3 && std::string_view(arguments[1]) == "wait")
        return wait_as_job(arguments[2]);
    auto const self = std::filesystem::read_symlink("/proc/self/exe").string();
    char body[2048];
    std::snprintf(body, sizeof(body), session, std::string(800, 'x').c_str(), to_rfc3339(SystemClock().now() + std::chrono::minutes(59)).c_str());
    HttpAnswerer const sts(body);
    Installation const installation({});
    ::setenv("WRIT_RUN_DIR", Path(installation.run_socket()).parent_path().c_str(), 1);
    net::EventLoop loop;
    Server const authority(installation.authority_arguments(), installation.log());
    wait_until_answered(loop, authority, installation.admin_socket(), "/readyz");
    declare(loop, installation.admin_socket(), declared(self, sts.port()));
    auto const issuer = std::string(string_or(ask(loop, installation.admin_socket(), "GET", "/v1/status"), "issuer", ""));
    auto const token = ask(loop, installation.admin_socket(), "POST", "/v1/join-tokens", { { "agent", "bench" } });
    auto agent_arguments = installation.agent_arguments(issuer, std::string(string_or(token, "token", "")));
    Server const agent(agent_arguments, installation.log());
    wait_until_answered(loop, agent, installation.run_socket(), "/v1/status", "\"joined\":true");
    measure_answers(loop, installation, self, agent);
    measure_memory(loop, installation, self, authority, agent);
}

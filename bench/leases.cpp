// SPDX-License-Identifier: Apache-2.0
//
// leases [FOLDER [LEASES]]: 50,000 leases as an agent has them issued: tokens of somebody else's for many runs (token exchange with an RFC 7009 endpoint), each decided
// on, on record, and to be taken back. What that takes of the authority's memory and time; then kill -9, the next start, and `writ revoke --workload`, until the
// token endpoint, a process of this program's, knows of none any more.
#include "harness/declarations.h"
#include "harness/joined_agent.h"

#include "base/random.h"
#include "net/http_server.h"
#include "net/wait_for_all.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace writ;
using namespace writ::bench;

constexpr std::size_t leases_of_a_run = 20;
constexpr std::size_t connections = 16;
constexpr std::chrono::minutes patience { 10 }; // until all are taken back
constexpr double budget = 64; // MB that the authority grows by

// ---- the token endpoint

class TokenEndpoint {
public:
    TokenEndpoint()
    {
        int ends[2];
        if (::pipe(ends) != 0)
            give_up("no pipe");
        pid_ = ::fork();
        if (pid_ == 0)
            serve(ends[1]);
        if (::read(ends[0], &port_, sizeof(port_)) != sizeof(port_))
            give_up("the token endpoint has not started");
        ::close(ends[0]);
        ::close(ends[1]);
    }
    ~TokenEndpoint()
    {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    TokenEndpoint(TokenEndpoint const&) = delete;
    TokenEndpoint& operator=(TokenEndpoint const&) = delete;

    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

    struct Count {
        std::int64_t live = 0, taken_back = 0;
    };
    [[nodiscard]] Count count(net::EventLoop& loop) const
    {
        net::HttpClient client(net::TcpAddress { "127.0.0.1", port_ });
        auto const answer = parse_json_object(loop.run(ask_for_count(&client))).value();
        return { answer.at("live").as_int64(), answer.at("taken_back").as_int64() };
    }

private:
    struct State {
        SystemRandom random;
        std::set<std::string, std::less<>> live;
        std::int64_t taken_back = 0;
    };

    [[noreturn]] static void serve(int told)
    {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        net::EventLoop loop;
        State state;
        net::HttpServer server(loop, [&state](net::Request request) { return answer(&state, std::move(request)); });
        auto listener = net::listen_tcp(loop, { "127.0.0.1", 0 }).value();
        auto const port = std::get<net::TcpAddress>(listener->address()).port;
        server.serve(std::move(listener));
        if (::write(told, &port, sizeof(port)) != sizeof(port))
            ::_exit(1);
        loop.run();
        ::_exit(0);
    }

    static net::Task<net::Response> answer(State* state, net::Request request)
    {
        auto const form = net::parse_form(request.body).value();
        JsonObject answer;
        if (request.path == "/token") {
            auto const token = state->random.base32(40);
            state->live.insert(token);
            answer = { { "access_token", token }, { "token_type", "Bearer" }, { "expires_in", 35'000 } };
        } else if (request.path == "/revoke") {
            auto const found = state->live.find(form.get("token").value_or(""));
            if (found != state->live.end()) {
                state->live.erase(found);
                ++state->taken_back;
            }
        } else {
            answer = { { "live", state->live.size() }, { "taken_back", state->taken_back } };
        }
        co_return net::Response { 200, { { "content-type", "application/json" } }, to_text(JsonValue(std::move(answer))) };
    }

    static net::Task<std::string> ask_for_count(net::HttpClient* client)
    {
        auto const response = co_await client->send({ .path = "/count" });
        co_return response.value().body;
    }

    pid_t pid_ = -1;
    std::uint16_t port_ = 0;
};

// ---- the agent

std::string api(std::size_t number) { return "partner-" + std::to_string(number % leases_of_a_run); }
JsonObject use(std::size_t number) { return { { "action", "call" }, { "resource", JsonObject { { "type", "Api" }, { "id", api(number) } } } }; }

std::vector<std::pair<std::string, std::string>> declared(std::string const& endpoint)
{
    std::string text = "kind: TrustProvider\nname: unix\ntype: unix\n---\nkind: CredentialProvider\nname: exchange\ntype: token_exchange\nendpoint: " + endpoint
        + "/token\nrevocation_endpoint: " + endpoint
        + "/revoke\naudience: https://exchange.example\nfile_variable: TOKEN_FILE\nlifetime: 10h\n---\nkind: Workload\nname: trainer\n"
          "id: spiffe://bench.example/research/{unix.user}/train\nmatch: { unix.path: /usr/bin/python3.11 }\nsvid_lifetime: 12h\nuses:\n";
    for (std::size_t i = 0; i < leases_of_a_run; ++i)
        text += "  - { action: call, api: " + api(i) + " }\n";
    for (std::size_t i = 0; i < leases_of_a_run; ++i)
        text += "---\nkind: Api\nname: " + api(i) + "\nurl: https://" + api(i) + ".example\npurpose: [train]\ncredential: exchange\n";
    return { { "all.yaml", text },
        { "policies.cedar", "@id(\"calls\") permit (principal, action == Action::\"call\", resource is Api) when { resource.purpose.contains(context.purpose) };\n" } };
}

// What is asked for by number, over several connections at a time; each number once.
struct Work {
    std::size_t count = 0;
    std::function<net::Request(std::size_t)> request;
    std::function<void(std::size_t, JsonObject const&)> answered;
    std::size_t next = 0;
    Sample milliseconds {};
};

net::Task<> work_on(Work* work, net::HttpClient* client)
{
    while (work->next < work->count) {
        auto const number = work->next++;
        auto const begin = now();
        auto const response = co_await client->send(work->request(number));
        if (response.is_error() || response->status != 200)
            give_up(response.is_error() ? response.error().message : response->body);
        work->milliseconds.add(seconds(now() - begin) * 1e3);
        work->answered(number, parse_json_object(response->body).value());
    }
}

net::Task<> work_on_all(Work* work, std::vector<std::unique_ptr<net::HttpClient>> const* clients)
{
    std::vector<net::Task<>> tasks;
    for (auto const& client : *clients)
        tasks.push_back(work_on(work, client.get()));
    co_await net::wait_for_all(std::move(tasks));
}

void do_all(net::EventLoop& loop, JoinedAgent const& agent, char const* name, Work work)
{
    std::vector<std::unique_ptr<net::HttpClient>> clients;
    for (std::size_t i = 0; i < connections; ++i)
        clients.push_back(std::make_unique<net::HttpClient>(agent.authority, agent.options));
    auto const begin = now();
    loop.run(work_on_all(&work, &clients));
    auto const took = seconds(now() - begin);
    std::printf("%zu %s: %.1f s, %.0f a second; p50 %.1f ms, p99 %.1f ms\n", work.count, name, took, static_cast<double>(work.count) / took, work.milliseconds.percentile(0.5),
        work.milliseconds.percentile(0.99));
    std::fflush(stdout);
}

net::Request post(std::string path, JsonObject body)
{
    net::Request request;
    request.method = "POST";
    request.path = std::move(path);
    request.headers.set("content-type", "application/json");
    request.body = to_text(JsonValue(std::move(body)));
    return request;
}

void issue(net::EventLoop& loop, JoinedAgent const& agent, std::size_t leases)
{
    std::vector<std::string> runs(leases / leases_of_a_run);
    do_all(loop, agent, "runs started, each with 20 decisions",
        { runs.size(), [](std::size_t) { return post("/v1/agent/runs", { { "claims", unix_claims() }, { "purpose", "train" } }); },
            [&runs](std::size_t number, JsonObject const& answer) { runs[number] = string_or(answer, "run", ""); } });
    do_all(loop, agent, "leases issued",
        { runs.size() * leases_of_a_run,
            [&runs](std::size_t number) {
                return post("/v1/agent/runs/" + runs[number / leases_of_a_run] + "/sessions", { { "uses", JsonArray { use(number) } } });
            },
            [](std::size_t, JsonObject const&) { } });
}

// ---- the authority

std::int64_t leases_of(net::EventLoop& loop, Installation const& installation)
{
    return ask(loop, installation.admin_socket(), "GET", "/v1/status").at("leases").as_int64();
}

void print_rest(net::EventLoop& loop, Server const& authority)
{
    constexpr std::chrono::seconds watched { 5 };
    auto const before = authority.cpu_time();
    loop.run(net::delay(watched));
    auto const spent = authority.cpu_time() - before;
    std::printf("at rest it takes %.2f%% of a core\n", spent.total() * 100 / seconds(watched));
}

double ready(net::EventLoop& loop, Server const& authority, Installation const& installation)
{
    auto const begin = now();
    wait_until_answered(loop, authority, installation.admin_socket(), "/readyz");
    return seconds(now() - begin);
}

// As an administrator does it.
void revoke_all(net::EventLoop& loop, Installation const& installation)
{
    Server command({ "revoke", "--workload", "spiffe://bench.example/research/root/train", "--reason", "measured", "--json" }, installation.folder() / "revoked.json");
    while (command.is_running())
        loop.run(net::delay(std::chrono::milliseconds(10)));
}

} // namespace

int main(int count, char** arguments)
{
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    std::size_t const leases = count > 2 ? std::strtoul(arguments[2], nullptr, 10) / leases_of_a_run * leases_of_a_run : 50'000;
    TokenEndpoint const endpoint;
    Installation const installation(count > 1 ? Path(arguments[1]) : Path());
    ::setenv("WRIT_RUN_DIR", Path(installation.admin_socket()).parent_path().c_str(), 1);
    SystemClock const clock;
    net::EventLoop loop;
    auto authority = std::make_unique<Server>(installation.authority_arguments(), installation.log());
    ready(loop, *authority, installation);
    declare(loop, installation.admin_socket(), declared(endpoint.url()));
    auto const agent = join_agent(loop, installation, clock);
    auto const idle = authority->memory();
    issue(loop, agent, leases);
    auto const full = authority->memory();
    std::printf("%lld leases live, %lld tokens at their endpoint; authority %.1f MB resident (%.1f before, %.1f at most)\n",
        static_cast<long long>(leases_of(loop, installation)), static_cast<long long>(endpoint.count(loop).live), full.resident, idle.resident, full.peak);
    print_rest(loop, *authority);

    authority->kill();
    authority = std::make_unique<Server>(installation.authority_arguments(), installation.log());
    auto const took = ready(loop, *authority, installation);
    std::printf("killed; ready again after %.0f ms with %lld leases, %.1f MB resident\n", took * 1e3, static_cast<long long>(leases_of(loop, installation)),
        authority->memory().resident);
    print_rest(loop, *authority);

    auto const begin = now();
    revoke_all(loop, installation);
    auto const answered = seconds(now() - begin);
    auto const at_answer = endpoint.count(loop).live;
    // What it named as still to end, the authority goes on with.
    while (leases_of(loop, installation) > 0 && now() - begin < patience)
        loop.run(net::delay(std::chrono::milliseconds(100)));
    auto const revoked = seconds(now() - begin);
    auto const left = endpoint.count(loop);
    auto const after = authority->memory();
    std::printf("`writ revoke --workload` answered after %.1f s with %lld still to end; all at an end after %.1f s, %.0f a second; %lld leases and %lld tokens left, %lld taken back; %.1f MB "
                "resident, %.1f at most\n",
        answered, static_cast<long long>(at_answer), revoked,
        static_cast<double>(left.taken_back) / revoked, static_cast<long long>(leases_of(loop, installation)), static_cast<long long>(left.live),
        static_cast<long long>(left.taken_back), after.resident, after.peak);
    auto const growth = std::max(full.peak, after.peak) - idle.resident;
    bool const all_done = left.live == 0 && left.taken_back == static_cast<std::int64_t>(leases) && leases_of(loop, installation) == 0;
    std::printf("all taken back: %s; grown by %.1f MB at most, budget %.0f: %s\n", all_done ? "yes" : "no", growth, budget, growth <= budget ? "met" : "missed");
    return all_done ? 0 : 1;
}

// SPDX-License-Identifier: Apache-2.0
//
// token_exchange [FOLDER [CONNECTIONS …]]: tokens for callers who prove who they are, from a real `writ authority` over TLS, each with a durable record: exchanged
// (RFC 8693), and decided and issued for a run (`oidc_token`). Beside them, in turns, where WRIT_HYDRA and WRIT_CEPH name them (`peers/hydra/run` does): Ory Hydra's
// access tokens by client credentials with private_key_jwt (RFC 7523), and sessions of Ceph's STS for a token of Writ's. CPU is that of the servers' processes.
#include "harness/declarations.h"
#include "harness/joined_agent.h"
#include "harness/load.h"

#include "base/random.h"
#include "crypto/jwt.h"
#include "net/listener.h"
#include "net/url_place.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace {

using namespace writ;
using namespace writ::bench;

constexpr std::chrono::seconds duration { 4 };
constexpr std::chrono::seconds patience { 120 }; // until a peer has started
constexpr auto storage = "https://storage.example";
constexpr auto form_type = "application/x-www-form-urlencoded";

// ---- what all have

net::Task<net::Response> send(net::HttpClient* client, net::Request request)
{
    auto const path = request.path;
    auto response = co_await client->send(std::move(request));
    if (response.is_error() || response->status >= 300)
        give_up(path + ": " + (response.is_error() ? response.error().message : std::to_string(response->status) + " " + response->body));
    co_return std::move(response).value();
}

net::Task<bool> send_once(net::HttpClient* client, net::Request request)
{
    (void)co_await send(client, std::move(request));
    co_return true;
}

net::Request post(std::string path, char const* type, std::string body)
{
    net::Request request;
    request.method = "POST";
    request.path = std::move(path);
    request.headers.set("content-type", type);
    request.body = std::move(body);
    return request;
}

net::Request post_json(std::string path, JsonObject body) { return post(std::move(path), "application/json", to_text(JsonValue(std::move(body)))); }
net::Request post_form(std::string path, net::Parameters const& form) { return post(std::move(path), form_type, net::to_form(form)); }

JsonObject ask_json(net::EventLoop& loop, net::HttpClient& client, net::Request request)
{
    return parse_json_object(loop.run(send(&client, std::move(request))).body).value();
}

// With which algorithm a JWT is signed, and how long it is.
std::string describe(std::string_view token)
{
    auto const header = parse_base64url(token.substr(0, token.find('.'))).value();
    auto const object = parse_json_object({ reinterpret_cast<char const*>(header.data()), header.size() }).value();
    return std::string(string_or(object, "alg", "?")) + ", " + std::to_string(token.size()) + " bytes";
}

std::uint16_t free_port(net::EventLoop& loop)
{
    auto const listener = net::listen_tcp(loop, { "127.0.0.1", 0 }).value();
    return std::get<net::TcpAddress>(listener->address()).port;
}

// ---- Writ

struct Writ {
    Writ(net::EventLoop& loop, Clock const& clock, Path const& folder)
        : loop(loop)
        , installation(folder)
        , server(installation.authority_arguments(), installation.log())
    {
        wait_until_answered(loop, server, installation.admin_socket(), "/readyz");
        declare(loop, installation.admin_socket(), declared());
        agent = join_agent(loop, installation, clock);
        client = std::make_unique<net::HttpClient>(agent.authority, agent.options);
        issuer = string_or(ask(loop, installation.admin_socket(), "GET", "/v1/status"), "issuer", "");
        auto const started = ask_json(loop, *client, post_json("/v1/agent/runs", { { "claims", unix_claims() }, { "purpose", "train" }, { "uses", uses() } }));
        session_path = "/v1/agent/runs/" + std::string(string_or(started, "run", "")) + "/sessions";
    }

    // A JWT-SVID, for five minutes.
    std::string svid(std::string_view audience, char const* algorithm)
    {
        auto const answer = ask_json(loop, *client,
            post_json("/v1/agent/svids/jwt", { { "claims", unix_claims() }, { "audience", JsonArray { audience } }, { "algorithm", algorithm } }));
        return std::string(string_or(answer.at("svids").as_array().at(0).as_object(), "token", ""));
    }

    net::Request exchange()
    {
        return post_form("/oauth2/token", net::Parameters { { "grant_type", "urn:ietf:params:oauth:grant-type:token-exchange" }, { "subject_token", svid(issuer, "ES256") },
            { "subject_token_type", "urn:ietf:params:oauth:token-type:jwt" }, { "audience", storage } });
    }

    static JsonArray uses()
    {
        return { JsonObject { { "action", "call" }, { "resource", JsonObject { { "type", "Api" }, { "id", "storage" } } } } };
    }
    [[nodiscard]] net::Request session() const { return post_json(session_path, { { "uses", uses() } }); }

    [[nodiscard]] std::string jwks() { return loop.run(send(client.get(), { .path = "/.well-known/jwks.json" })).body; }

    void describe_tokens()
    {
        auto const exchanged = ask_json(loop, *client, exchange());
        auto const delivered = parse_json_object(string_or(ask_json(loop, *client, session()), "document", "")).value();
        auto const& file = delivered.at("files").as_array().at(0).as_object();
        std::printf("Writ: exchanged %s; of a run %s\n", describe(string_or(exchanged, "access_token", "")).c_str(), describe(string_or(file, "content", "")).c_str());
    }

    // What the other benchmarks declare, and an Api with a token for it.
    static std::vector<std::pair<std::string, std::string>> declared()
    {
        auto files = declarations("/usr/bin/python3.11");
        files.emplace_back("api.yaml",
            "kind: CredentialProvider\nname: tokens\ntype: oidc_token\naudience: " + std::string(storage)
                + "\nfile_variable: TOKEN_FILE\nlifetime: 1h\n---\nkind: Api\nname: storage\nurl: " + storage + "\npurpose: [train]\ncredential: tokens\n");
        files.emplace_back("calls.cedar",
            "@id(\"calls\") permit (principal in Pipeline::\"classifier\", action == Action::\"call\", resource is Api)\nwhen { resource.purpose.contains(context.purpose) };\n");
        return files;
    }

    net::EventLoop& loop;
    Installation installation;
    Server server;
    JoinedAgent agent;
    std::unique_ptr<net::HttpClient> client;
    std::string issuer, session_path;
};

// ---- Ory Hydra

struct HydraOptions {
    char const* name;
    bool is_p256 = true; // what tokens are signed with, as Writ's exchanged ones are; otherwise the RSA key that Hydra makes if nobody says otherwise
    std::size_t connections_max = 1000;
};

class Hydra {
public:
    Hydra(net::EventLoop& loop, Path const& folder, char const* program, HydraOptions of)
        : options(std::move(of))
        , port_(free_port(loop))
        , admin_port_(free_port(loop))
        , key_(crypto::PrivateKey::generate(crypto::KeyType::p256).value())
        , server_(program, { "serve", "all", "--dev", "--sqa-opt-out", "-c", configure(folder).string() }, folder / "hydra.log")
    {
        net::HttpClient admin(net::TcpAddress { "127.0.0.1", admin_port_ });
        wait(loop, admin);
        if (options.is_p256)
            loop.run(send(&admin, post_json("/admin/keys/hydra.jwt.access-token", { { "alg", "ES256" }, { "use", "sig" }, { "kid", "bench-es256" } })));
        auto jwk = key_.public_key().to_jwk();
        jwk.emplace("kid", "caller");
        jwk.emplace("alg", "ES256");
        jwk.emplace("use", "sig");
        auto const client = ask_json(loop, admin,
            post_json("/admin/clients",
                { { "grant_types", JsonArray { "client_credentials" } }, { "token_endpoint_auth_method", "private_key_jwt" },
                    { "token_endpoint_auth_signing_alg", "ES256" }, { "scope", "read" }, { "audience", JsonArray { storage } }, { "access_token_strategy", "jwt" },
                    { "jwks", JsonObject { { "keys", JsonArray { std::move(jwk) } } } } }));
        client_ = string_or(client, "client_id", "");
    }

    [[nodiscard]] net::TcpAddress address() const { return { "127.0.0.1", port_ }; }
    [[nodiscard]] CpuTime cpu_time() const { return { cpu_seconds_of(server_.pid()), 0 }; }

    // With an assertion that was not shown before.
    net::Request request()
    {
        auto const now = to_unix_seconds(SystemClock().now());
        JsonObject const claims { { "iss", client_ }, { "sub", client_ }, { "aud", url() + "oauth2/token" }, { "jti", random_.base32(26) }, { "iat", now }, { "exp", now + 300 } };
        return post_form("/oauth2/token", net::Parameters { { "grant_type", "client_credentials" }, { "scope", "read" }, { "audience", storage },
            { "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" },
            { "client_assertion", crypto::sign_jwt(claims, "caller", "JWT", key_, crypto::Algorithm::es256).value() } });
    }

    void describe_tokens(net::EventLoop& loop)
    {
        net::HttpClient client(address());
        std::printf("%s: %s\n", options.name, describe(string_or(ask_json(loop, client, request()), "access_token", "")).c_str());
    }

    HydraOptions const options;

private:
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

    Path configure(Path const& folder) const
    {
        auto const file = folder / ("hydra-" + std::to_string(port_) + ".yaml");
        std::ofstream(file) << "dsn: memory\nlog: { level: error }\nsqa: { opt_out: true }\n"
            << "serve:\n  public: { host: 127.0.0.1, port: " << port_ << " }\n  admin: { host: 127.0.0.1, port: " << admin_port_ << " }\n"
            << "urls: { self: { issuer: \"" << url() << "\" } }\nstrategies: { access_token: jwt }\nttl: { access_token: 1h }\n"
            << "secrets: { system: [ \"" << SystemRandom().base32(32) << "\" ] }\n";
        return file;
    }

    void wait(net::EventLoop& loop, net::HttpClient& admin)
    {
        auto const ready = [&] { return loop.run(is_ready(&admin)); };
        for (auto const begin = now(); !ready(); loop.run(net::delay(std::chrono::milliseconds(50)))) {
            if (!server_.is_running() || now() - begin > patience)
                give_up("Hydra does not start");
        }
    }
    static net::Task<bool> is_ready(net::HttpClient* admin)
    {
        auto const response = co_await admin->send({ .path = "/health/ready" });
        co_return response.is_ok() && response->status == 200;
    }

    std::uint16_t port_, admin_port_;
    crypto::PrivateKey key_;
    Server server_;
    SystemRandom random_;
    std::string client_;
};

// ---- Ceph

class Ceph {
public:
    Ceph(net::EventLoop& loop, Writ& writ, char const* script)
        : writ_(writ)
    {
        auto const folder = writ.installation.folder();
        auto const* interpreter = std::getenv("WRIT_CLIENTS_PYTHON");
        std::ofstream(folder / "jwks.json") << writ.jwks();
        auto const answer = folder / "ceph.json";
        server_ = std::make_unique<Server>(interpreter == nullptr ? "python3" : interpreter,
            std::vector<std::string> { script, writ.issuer, (folder / "jwks.json").string(), storage, answer.string() }, folder / "ceph.log");
        for (auto const begin = now(); !std::filesystem::exists(answer); loop.run(net::delay(std::chrono::milliseconds(100)))) {
            if (!server_->is_running() || now() - begin > patience)
                give_up("Ceph does not start");
        }
        std::ostringstream text;
        text << std::ifstream(answer).rdbuf();
        auto const object = parse_json_object(text.str()).value();
        address_ = net::parse_secret_origin(string_or(object, "url", "")).value().address;
        role_ = string_or(object, "role", "");
        for (auto const& pid : object.at("pids").as_array())
            pids_.push_back(static_cast<pid_t>(pid.as_int64()));
    }

    [[nodiscard]] net::TcpAddress address() const { return address_; }
    [[nodiscard]] CpuTime cpu_time() const
    {
        CpuTime time;
        for (auto const pid : pids_)
            time.others += cpu_seconds_of(pid);
        return time;
    }
    net::Request request()
    {
        return post_form("/", net::Parameters { { "Action", "AssumeRoleWithWebIdentity" }, { "Version", "2011-06-15" }, { "RoleArn", role_ }, { "RoleSessionName", "bench" },
            { "DurationSeconds", "3600" }, { "WebIdentityToken", writ_.svid(storage, "RS256") } });
    }

private:
    Writ& writ_;
    std::unique_ptr<Server> server_;
    net::TcpAddress address_;
    std::string role_;
    std::vector<pid_t> pids_;
};

// ---- the program

struct Peers {
    std::vector<std::unique_ptr<Hydra>> hydras;
    std::unique_ptr<Ceph> ceph;
};

std::vector<HydraOptions> hydras()
{
    // LIMIT: SQLite in memory answers some of several callers at once with an error.
    return { { "Hydra in memory", true, 1 }, { "Hydra in memory, its RSA key", false, 1 } };
}

void compare(char const* name, Load const& ours, Load const& theirs)
{
    std::printf("%-36s %.1f times the rate, %.1f times as many per CPU second\n", name, ours.rate() / theirs.rate(), ours.per_cpu_second() / theirs.per_cpu_second());
}

void measure(net::EventLoop& loop, Writ& writ, Peers& peers, std::size_t connections)
{
    auto const clients = connect_clients(writ.agent.authority, connections, writ.agent.options);
    auto const repeat = [&clients](net::Request request) { return [&clients, request](std::size_t at) { return send_once(clients[at].get(), request); }; };
    auto exchanged = run_load(loop, writ.server, connections, duration, repeat(writ.exchange()));
    settle(loop, writ.server);
    auto issued = run_load(loop, writ.server, connections, duration, repeat(writ.session()));
    settle(loop, writ.server);
    std::printf("\n%zu connections\n%s\n", connections, load_header);
    print("Writ: token exchange", exchanged);
    print("Writ: decided, oidc_token of a run", issued);
    for (auto const& hydra : peers.hydras) {
        if (connections > hydra->options.connections_max)
            continue;
        auto const callers = connect_clients(hydra->address(), connections);
        auto given = run_load(loop, [&hydra] { return hydra->cpu_time(); }, connections, duration, [&](std::size_t at) { return send_once(callers[at].get(), hydra->request()); });
        print(hydra->options.name, given);
        compare("token exchange, beside Hydra", exchanged, given);
        compare("oidc_token, beside Hydra", issued, given);
    }
    if (auto* const ceph = peers.ceph.get()) {
        auto const callers = connect_clients(ceph->address(), connections);
        auto const request = ceph->request();
        std::vector<double> issuer; // CPU seconds of Writ's at the beginning and the end
        auto const meter = [&] {
            issuer.push_back(writ.server.cpu_time().total());
            return ceph->cpu_time();
        };
        auto opened = run_load(loop, meter, connections, duration, [&](std::size_t at) { return send_once(callers[at].get(), request); });
        print("Ceph: AssumeRoleWithWebIdentity", opened);
        std::printf("%-36s %.1f us of Writ for each\n", "of the issuer, whose keys it fetches", (issuer.back() - issuer.front()) * 1e6 / static_cast<double>(opened.operations));
        compare("token exchange, beside Ceph", exchanged, opened);
        compare("oidc_token, beside Ceph", issued, opened);
    }
}

} // namespace

int main(int count, char** arguments)
{
    SystemClock const clock;
    net::EventLoop loop;
    Writ writ(loop, clock, count > 1 ? Path(arguments[1]) : Path());
    writ.describe_tokens();
    Peers peers;
    if (auto const* program = std::getenv("WRIT_HYDRA")) {
        for (auto& options : hydras()) {
            peers.hydras.push_back(std::make_unique<Hydra>(loop, writ.installation.folder(), program, std::move(options)));
            peers.hydras.back()->describe_tokens(loop);
        }
    }
    if (auto const* script = std::getenv("WRIT_CEPH"))
        peers.ceph = std::make_unique<Ceph>(loop, writ, script);
    for (auto const connections : connection_counts(count, arguments))
        measure(loop, writ, peers, connections);
}

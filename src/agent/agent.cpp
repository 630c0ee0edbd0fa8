// SPDX-License-Identifier: Apache-2.0
#include "agent/agent.h"

#include "agent/aws_endpoint.h"
#include "agent/injection.h"
#include "agent/loopback_listener.h"
#include "agent/run_socket.h"
#include "agent/workload_api.h"
#include "base/held_folder.h"
#include "base/logger.h"
#include "net/http_server.h"

#include <algorithm>

namespace writ::agent {

namespace {

constexpr Duration retry_first = std::chrono::milliseconds(100);
constexpr Duration retry_longest = std::chrono::seconds(5);
constexpr Duration watch_deadline = std::chrono::seconds(45); // the authority answers after 30 at the latest
constexpr Duration shutdown_grace = std::chrono::seconds(3);
// LIMIT: who asks the local endpoint sends a line and a few headers, or a form with scopes in it.
constexpr net::HttpServerLimits loopback_limits { .header_bytes_max = 8U << 10U, .body_bytes_max = 8U << 10U };

} // namespace

struct Agent::Parts {
    Parts(net::EventLoop& event_loop, AgentOptions agent_options, Clock const& system_clock)
        : loop(event_loop)
        , options(std::move(agent_options))
        , clock(system_clock)
        , authority(options.authority, clock)
        , attestor(clock, options.container_storage)
        , svids(authority, clock)
        , sessions(loop, authority, clock)
        , runs(loop, authority, sessions, clock, random, options.data_folder, options.run_folder / "runs")
        , imds_tokens(random, clock)
        , upstreams(clock)
        , refusals(clock)
        , loopback_desk { runs, sessions, imds_tokens, holders, clock, attestor, svids, loop, upstreams, refusals }
        , run_desk { identity, joined, attestor, runs, sessions, svids, authority, (options.run_folder / "agent.sock").string(), refusals }
        , workload_desk { authority, identity, joined, attestor, svids, changed, clock }
        , workload_server(loop)
        , run_server(loop, [this](net::Request request) { return answer_run_request(&run_desk, std::move(request)); })
        , loopback_server(loop, [this](net::Request request) { return answer_loopback_request(&loopback_desk, std::move(request)); }, loopback_limits,
              injection_takeover(&loopback_desk))
    {
    }

    net::EventLoop& loop;
    AgentOptions options;
    Clock const& clock;
    UniqueFd data_lock, run_lock;
    AgentIdentity identity;
    bool joined = false;
    std::optional<std::uint64_t> heard; // of the authority's news, so far
    net::Notification changed; // declarations, bundle
    AuthorityClient authority;
    attest::ProcessAttestor attestor;
    SvidCache svids;
    SystemRandom random;
    SessionCache sessions;
    RunWatch runs;
    ImdsTokens imds_tokens;
    attest::SocketHolders holders;
    Upstreams upstreams;
    LogQuota refusals;
    LoopbackDesk loopback_desk;
    RunDesk run_desk;
    WorkloadDesk workload_desk;
    net::GrpcServer workload_server;
    net::HttpServer run_server;
    net::HttpServer loopback_server;

    Result<> hold_folders();
    net::Task<Result<>> join();
    Result<> adopt(AgentIdentity new_identity);
    Result<> listen();
    Result<> listen_on_loopback();
    static net::Task<> follow(Parts* parts);
    static net::Task<> keep_identity(Parts* parts);
    net::Task<Result<>> follow_once();
};

// SECURITY: before anything in them is read or written: another agent's runs would be taken for those of one that ended.
Result<> Agent::Parts::hold_folders()
{
    TRY(create_folder(options.data_folder));
    data_lock = TRY(lock_folder(options.data_folder));
    run_lock = TRY(lock_folder(options.run_folder));
    return {};
}

Result<> Agent::Parts::adopt(AgentIdentity new_identity)
{
    TRY(authority.use(new_identity));
    identity = std::move(new_identity);
    joined = true;
    return {};
}

net::Task<Result<>> Agent::Parts::join()
{
    auto kept = load_identity(options.data_folder);
    if (kept.is_ok() && kept->expires > clock.now())
        co_return adopt(std::move(kept).value());
    if (kept.is_error() && kept.error().code != ErrorCode::not_found)
        co_return kept.error();
    if (options.join_token.is_empty()) {
        co_return unauthenticated(kept.is_ok() ? "this agent's identity has expired; it joins again with a new token (`writ token create`)"
                                               : "this agent has never joined; it needs a token (`writ token create`)");
    }
    auto joining = co_await authority.join(options.join_token.duplicate());
    auto identity_given = CO_TRY(joining);
    auto const saved = save_identity(options.data_folder, identity_given);
    if (saved.is_error())
        co_return saved.error();
    log_info("joined",
        { { "agent", identity_given.id }, { "authority", identity_given.issuer }, { "expires", to_rfc3339(identity_given.expires) } });
    co_return adopt(std::move(identity_given));
}

// Jobs that run were told the port: after a restart it is the same, or theirs is gone.
Result<> Agent::Parts::listen_on_loopback()
{
    auto const file = options.data_folder / "loopback-port";
    auto const kept = load_loopback_port(file);
    auto const wanted = options.loopback_port != 0 ? options.loopback_port : kept.is_ok() ? *kept : std::uint16_t(0);
    // SECURITY: this address and no other: what listens on others would be asked by other machines. SDKs accept it, and not each of 127.0.0.0/8.
    auto listener = net::listen_tcp(loop, { "127.0.0.1", wanted });
    if (listener.is_error() && options.loopback_port == 0 && wanted != 0) {
        log_warning("the local endpoint's port is another's now; runs from before do not find it", { { "port", int(wanted) }, { "error", listener.error().message } });
        listener = net::listen_tcp(loop, { "127.0.0.1", 0 });
    }
    if (listener.is_error())
        return std::move(listener).error().in("local endpoint");
    loopback_desk.port = std::get<net::TcpAddress>((*listener)->address()).port;
    runs.use_loopback_port(loopback_desk.port);
    TRY(save_loopback_port(file, loopback_desk.port));
    auto const user_of = [port = loopback_desk.port](std::uint16_t client) {
        auto const owner = attest::socket_owner(client, port);
        return owner.is_ok() ? std::optional(owner->uid) : std::nullopt;
    };
    loopback_server.serve(bound_for_each_user(std::move(listener).value(), user_of));
    return {};
}

Result<> Agent::Parts::listen()
{
    TRY(listen_on_loopback());
    // SECURITY: everybody may connect; who it is, the kernel tells.
    auto workload_listener = TRY(net::listen_unix(loop, run_desk.workload_socket, 0777));
    auto run_listener = TRY(net::listen_unix(loop, (options.run_folder / "run.sock").string(), 0777));
    add_workload_api(workload_server, &workload_desk);
    workload_server.serve(std::move(workload_listener));
    run_server.serve(std::move(run_listener));
    return {};
}

// Waits until the authority has news, or has been waiting long enough.
net::Task<Result<>> Agent::Parts::follow_once()
{
    net::Parameters query { { "version", std::to_string(identity.version) } };
    if (heard)
        query.add("heard", std::to_string(*heard));
    auto asked = co_await authority.send("GET", "/v1/agent/watch", std::move(query), JsonValue(), watch_deadline);
    auto const response = CO_TRY(asked);
    if (response.status != 200)
        co_return to_error(response);
    auto parsed = parse_json_object(response.body);
    auto const answer = CO_TRY(parsed);
    auto numbered = integer_member(answer, "version");
    auto const version = static_cast<std::uint64_t>(CO_TRY(numbered));
    if (auto const mark = integer_member(answer, "heard"); mark.is_ok())
        heard = static_cast<std::uint64_t>(*mark);
    if (version == identity.version) {
        auto const news = bool_member(answer, "news");
        if (news.is_ok() && *news) {
            sessions.doubt();
            runs.renew_now();
        }
        co_return Result<>();
    }
    auto member = object_member(answer, "bundle");
    auto bundle = identity::parse_bundle(to_text(JsonValue(*CO_TRY(member))));
    identity.bundle = CO_TRY(bundle);
    identity.version = version;
    svids.forget();
    sessions.doubt();
    changed.notify();
    runs.renew_now();
    co_return Result<>();
}

net::Task<> Agent::Parts::follow(Parts* parts)
{
    auto wait = retry_first;
    bool in_touch = false;
    for (;;) {
        // After a silence the authority may have ended runs, or not have heard of their ends.
        auto const synced = in_touch ? Result<>() : co_await parts->runs.sync();
        // What was said meanwhile was said to nobody.
        if (!in_touch && synced.is_ok() && parts->heard) {
            parts->sessions.doubt();
            parts->runs.renew_now();
        }
        auto const followed = synced.is_error() ? synced : co_await parts->follow_once();
        in_touch = followed.is_ok();
        if (in_touch) {
            wait = retry_first;
            continue;
        }
        log_warning("the authority is not reached", { { "error", followed.error().message } });
        co_await net::delay(wait);
        wait = std::min(wait * 2, retry_longest);
    }
}

net::Task<> Agent::Parts::keep_identity(Parts* parts)
{
    for (;;) {
        auto const half = parts->identity.issued + (parts->identity.expires - parts->identity.issued) / 2;
        co_await net::delay(std::max(Duration(half - parts->clock.now()), Duration(std::chrono::seconds(10))));
        auto renewed = co_await parts->authority.renew();
        if (renewed.is_error()) {
            log_warning("the agent's identity was not renewed yet", { { "error", renewed.error().message } });
            continue;
        }
        auto const saved = save_identity(parts->options.data_folder, *renewed);
        auto const adopted = saved.is_error() ? saved : parts->adopt(std::move(renewed).value());
        if (adopted.is_error())
            log_error("the agent's new identity cannot be used", { { "error", adopted.error().message } });
    }
}

Agent::Agent(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts))
{
}

Agent::~Agent() = default;

std::string const& Agent::id() const { return parts_->identity.id; }

net::Task<Result<std::unique_ptr<Agent>>> Agent::start(net::EventLoop* loop, AgentOptions options, Clock const* clock)
{
    auto parts = std::make_unique<Parts>(*loop, std::move(options), *clock);
    auto const held = parts->hold_folders();
    if (held.is_error())
        co_return held.error();
    auto const joined = co_await parts->join();
    if (joined.is_error())
        co_return joined.error();
    auto const restored = parts->runs.restore();
    if (restored.is_error())
        co_return restored.error();
    auto const listening = parts->listen();
    if (listening.is_error())
        co_return listening.error();
    loop->spawn(Parts::follow(parts.get()));
    loop->spawn(Parts::keep_identity(parts.get()));
    log_info("agent serves", { { "agent", parts->identity.id }, { "workload_api", parts->run_desk.workload_socket },
            { "loopback_port", int(parts->loopback_desk.port) } });
    co_return std::unique_ptr<Agent>(new Agent(std::move(parts))); // NOLINT: the constructor is private
}

net::Task<> Agent::shutdown()
{
    co_await parts_->run_server.shutdown(shutdown_grace);
    co_await parts_->loopback_server.shutdown(shutdown_grace);
    co_await parts_->workload_server.shutdown(shutdown_grace);
}

} // namespace writ::agent

// SPDX-License-Identifier: Apache-2.0
#include "agent/run_socket.h"

#include "agent/aws_endpoint.h"
#include "agent/placed_token.h"
#include "base/json_members.h"
#include "base/logger.h"
#include "base/utf8.h"
#include "identity/run.h"

#include <limits>
#include <unistd.h>

namespace writ::agent {

namespace {

using Reply = net::Task<Result<net::Response>>;

net::Response json_response(JsonObject const& object)
{
    net::Response response;
    response.headers.set("content-type", "application/json");
    response.headers.set("cache-control", "no-store");
    response.body = to_text(JsonValue(object));
    return response;
}

int status_of(ErrorCode code)
{
    switch (code) {
    case ErrorCode::invalid_argument: return 400;
    case ErrorCode::unauthenticated: return 401;
    case ErrorCode::permission_denied: return 403;
    case ErrorCode::not_found: return 404;
    case ErrorCode::conflict: return 409;
    case ErrorCode::resource_exhausted: return 507;
    case ErrorCode::unavailable: return 503;
    case ErrorCode::corruption:
    case ErrorCode::internal: return 500;
    }
    return 500;
}

// SPEC: RFC 9457. Who connects here is a known user of this machine, and gets the message.
net::Response problem_response(Error const& error)
{
    auto response = json_response({ { "type", "about:blank" }, { "title", to_string(error.code) }, { "status", status_of(error.code) },
        { "code", to_string(error.code) }, { "detail", error.message } });
    response.status = status_of(error.code);
    response.headers.set("content-type", "application/problem+json");
    return response;
}

net::UnixPeer const& peer_of(net::Request const& request) { return std::get<net::UnixPeer>(request.peer); }

net::Task<Result<attest::AttestedProcess>> attest_peer(RunDesk const& desk, net::Request const& request)
{
    auto const& peer = peer_of(request);
    auto found = co_await desk.attestor.attest_beside(peer.pid, peer.pidfd->get());
    auto attested = CO_TRY(found);
    if (attested.uid != peer.uid)
        co_return unauthenticated("the caller changed its user after it connected");
    co_return attested;
}

// ---- runs

// SECURITY: the caller may start a run for a child of its own that has the same user and waits, stopped, before its first instruction: what
// was attested is then what will run. It cannot name anybody else's process, nor one that is running.
net::Task<Result<attest::AttestedProcess>> attest_child(RunDesk const& desk, net::UnixPeer const& peer, pid_t pid, int pidfd)
{
    auto found = co_await desk.attestor.attest_beside(pid, pidfd);
    auto attested = CO_TRY(found);
    if (attested.parent != peer.pid || attested.uid != peer.uid || !attested.is_stopped || attested.tracer != peer.pid)
        co_return permission_denied("a run is started for a child of the caller that it holds stopped at its start");
    if (!peer.is_alive())
        co_return unauthenticated("the caller has ended");
    co_return attested;
}

// What the caller says of the run; the authority decides on it.
Result<> read_words(JsonObject const& object, RunStart& start)
{
    start.purpose = TRY(text_member_or(object, "purpose", ""));
    start.workload = TRY(text_member_or(object, "workload", ""));
    if (object.contains("rank"))
        start.rank = TRY(integer_member(object, "rank"));
    if (object.contains("uses"))
        start.uses = *TRY(array_member(object, "uses"));
    start.token = SecretText(TRY(text_member_or(object, "token", "")));
    return {};
}

net::Task<Result<RunStart>> read_start(RunDesk const& desk, net::Request const& request, JsonObject object)
{
    auto numbered = integer_member(object, "pid");
    auto const number = CO_TRY(numbered);
    if (number <= 1 || number > std::numeric_limits<pid_t>::max())
        co_return invalid_argument("`pid` is that of the job's first process");
    auto const pid = static_cast<pid_t>(number);
    auto opened = attest::open_process(pid);
    if (opened.is_error())
        co_return permission_denied("a run is started for a child of the caller");
    RunStart start;
    start.pidfd = std::move(opened).value();
    auto attested = co_await attest_child(desk, peer_of(request), pid, start.pidfd.get());
    start.process = CO_TRY(attested);
    auto const read = read_words(object, start);
    if (read.is_error())
        co_return read.error();
    co_return start;
}

Reply promise_run(RunDesk const& desk, net::Request const& request)
{
    auto body = parse_request(request.body, { "pid", "purpose", "workload", "rank", "uses", "token", "seconds" });
    auto object = CO_TRY(body);
    auto number = integer_member(object, "seconds");
    auto const seconds = CO_TRY(number);
    auto read = co_await read_start(desk, request, std::move(object));
    auto start = CO_TRY(read);
    co_return co_await desk.runs.promise(std::move(start), seconds);
}

JsonArray to_json(std::vector<RunPlace> const& places)
{
    JsonArray array;
    for (auto const& place : places)
        array.push_back(JsonObject { { "client", place.client }, { "url", place.url }, { "username", place.username } });
    return array;
}

Reply start_run(RunDesk const& desk, net::Request const& request)
{
    auto body = parse_request(request.body, { "pid", "purpose", "workload", "rank", "uses", "token" });
    auto object = CO_TRY(body);
    auto read = co_await read_start(desk, request, std::move(object));
    auto start = CO_TRY(read);
    auto begun = co_await desk.runs.start(std::move(start));
    auto result = CO_TRY(begun);
    if (auto* refused = std::get_if<net::Response>(&result))
        co_return std::move(*refused);
    auto const& started = std::get<RunStarted>(result);
    JsonObject environment;
    for (auto const& [name, value] : started.environment)
        environment.emplace(name, value);
    environment.emplace("WRIT_RUN", started.id);
    environment.emplace("SPIFFE_ENDPOINT_SOCKET", "unix://" + desk.workload_socket);
    co_return json_response({ { "run", started.id }, { "workload", started.workload }, { "folder", started.folder.string() },
        { "environment", std::move(environment) }, { "places", to_json(started.places) } });
}

Reply end_run(RunDesk const& desk, net::Request const& request, std::string run)
{
    auto body = parse_request(request.body.empty() ? "{}" : request.body, { "reason" });
    auto given = text_member_or(CO_TRY(body), "reason", "ended by its user");
    auto const reason = CO_TRY(given);
    auto const ended = co_await desk.runs.end(std::move(run), peer_of(request).uid, std::string(utf8_prefix(reason, 100)));
    if (ended.is_error())
        co_return ended.error();
    co_return json_response({ { "ended", true } });
}

// SECURITY: the pid was read first; if its process still lives, what was read is of it.
Result<WatchedRun> run_of_peer(RunDesk const& desk, net::UnixPeer const& peer)
{
    auto const line = attest::with_ancestors(peer.pid);
    auto const* run = desk.runs.run_of_process(line);
    if (run == nullptr || run->uid != peer.uid || !peer.is_alive())
        return permission_denied("only a process of a run has credentials (`writ run`)");
    return *run;
}

// For a process of a run: what its `credential_process` prints. A profile that is no provider or resource is the first provider's.
Reply aws_credentials(RunDesk const& desk, net::Request const& request)
{
    auto body = parse_request(request.body, { "profile" });
    auto named = text_member_or(CO_TRY(body), "profile", "");
    auto const profile = CO_TRY(named);
    auto of_peer = run_of_peer(desk, peer_of(request));
    auto const run = CO_TRY(of_peer);
    auto uses = run.uses_of(profile);
    if (uses.empty())
        uses = run.uses_of("");
    if (uses.empty())
        co_return not_found("the run uses nothing at AWS or an S3 store");
    auto got = co_await desk.sessions.get(run.id, std::move(uses));
    auto const session = CO_TRY(got);
    auto output = credential_process_output(*session.document);
    net::Response response;
    response.headers.set("content-type", "application/json");
    response.headers.set("cache-control", "no-store");
    response.body = CO_TRY(output);
    co_return response;
}

// For a process of a run: the token for where one of its clients goes.
Reply placed_token(RunDesk const& desk, net::Request const& request)
{
    auto body = parse_request(request.body, { "client", "url" });
    auto const object = CO_TRY(body);
    auto named = string_member(object, "client");
    std::string client(CO_TRY(named));
    auto asked = string_member(object, "url");
    std::string url(CO_TRY(asked));
    auto of_peer = run_of_peer(desk, peer_of(request));
    auto run = CO_TRY(of_peer);
    auto given = co_await token_for_place(desk.sessions, std::move(run), std::move(client), std::move(url));
    auto const token = CO_TRY(given);
    co_return json_response({ { "username", token.username }, { "secret", token.secret.reveal() }, { "expires", to_rfc3339(token.expires) } });
}

Reply list_places(RunDesk const& desk, net::Request const& request)
{
    auto of_peer = run_of_peer(desk, peer_of(request));
    auto const run = CO_TRY(of_peer);
    co_return json_response({ { "places", to_json(run.places) } });
}

JsonObject to_json(WatchedRun const& run)
{
    return { { "run", run.id }, { "workload", run.workload }, { "workload_name", run.workload_name }, { "purpose", run.purpose },
        { "pid", std::int64_t(run.process.pid) }, { "started", to_rfc3339(run.started) }, { "leases", run.leases.size() } };
}

Reply list_runs(RunDesk const& desk, net::Request const& request)
{
    JsonArray array;
    for (auto const& run : desk.runs.runs_of(peer_of(request).uid))
        array.push_back(to_json(run));
    co_return json_response({ { "runs", std::move(array) } });
}

// ---- SVIDs

// Where the log proves its issuance: `writ audit receipt get N`, or /v1/receipts/N at the authority.
JsonObject with_record(JsonObject svid, std::optional<std::int64_t> record)
{
    if (record)
        svid.emplace("record", *record);
    return svid;
}

Reply x509_svids(RunDesk const& desk, net::Request const& request)
{
    auto attested = co_await attest_peer(desk, request);
    auto process = CO_TRY(attested);
    auto fetched = co_await desk.svids.x509(std::move(process.claims));
    auto const found = CO_TRY(fetched);
    JsonArray svids;
    for (auto const& svid : found.svids) {
        JsonArray certificates;
        for (auto const& certificate : svid.certificates)
            certificates.emplace_back(to_base64(certificate));
        svids.push_back(with_record({ { "id", svid.id }, { "certificates", std::move(certificates) },
                                        { "private_key", to_base64(found.private_key->reveal()) }, { "expires", to_rfc3339(svid.expires) } },
            svid.record));
    }
    co_return json_response({ { "svids", std::move(svids) }, { "bundle", identity::to_json(desk.identity.bundle) } });
}

Reply jwt_svids(RunDesk const& desk, net::Request const& request)
{
    auto body = parse_request(request.body, { "audience", "id" });
    auto const object = CO_TRY(body);
    auto listed = strings_member(object, "audience");
    auto audience = CO_TRY(listed);
    auto named = text_member_or(object, "id", "");
    auto id = CO_TRY(named);
    auto attested = co_await attest_peer(desk, request);
    auto process = CO_TRY(attested);
    auto fetched = co_await desk.svids.jwt(std::move(process.claims), std::move(audience), std::move(id));
    auto const found = CO_TRY(fetched);
    JsonArray svids;
    for (auto const& svid : found)
        svids.push_back(
            with_record({ { "id", svid.id }, { "token", svid.token->reveal() }, { "expires", to_rfc3339(svid.expires) } }, svid.record));
    co_return json_response({ { "svids", std::move(svids) } });
}

Reply status(RunDesk const& desk, net::Request const& request)
{
    co_return json_response({ { "joined", desk.joined }, { "agent", desk.identity.id }, { "trust_domain", desk.identity.trust_domain },
        { "authority", desk.identity.issuer }, { "expires", to_rfc3339(desk.identity.expires) },
        { "runs", desk.runs.runs_of(peer_of(request).uid).size() } });
}

// For `writ doctor`: what runs may be given at all, whoever they are of.
Reply list_channels(RunDesk const& desk, net::Request const&)
{
    auto asked = co_await desk.authority.send("GET", "/v1/agent/channels", {}, JsonValue());
    auto const answer = CO_TRY(asked);
    if (answer.status != 200)
        co_return to_error(answer);
    auto parsed = parse_json_object(answer.body);
    auto listed = strings_member(CO_TRY(parsed), "channels");
    JsonArray channels;
    for (auto const& channel : CO_TRY(listed))
        channels.emplace_back(channel);
    co_return json_response({ { "channels", std::move(channels) } });
}

// ---- which of them

Reply route(RunDesk const& desk, net::Request const& request)
{
    constexpr std::string_view runs = "/v1/runs/";
    constexpr std::string_view end = "/end";
    std::string_view const path = request.path;
    bool const is_post = request.method == "POST";
    if (path == "/v1/status" && request.method == "GET")
        return status(desk, request);
    if (path == "/v1/channels" && request.method == "GET")
        return list_channels(desk, request);
    if (path == "/v1/runs" && request.method == "GET")
        return list_runs(desk, request);
    if (path == "/v1/runs" && is_post)
        return start_run(desk, request);
    if (path == "/v1/grants" && is_post)
        return promise_run(desk, request);
    if (is_post && path.starts_with(runs) && path.ends_with(end) && path.size() > runs.size() + end.size())
        return end_run(desk, request, std::string(path.substr(runs.size(), path.size() - runs.size() - end.size())));
    if (path == "/v1/aws-credentials" && is_post)
        return aws_credentials(desk, request);
    if (path == "/v1/places" && request.method == "GET")
        return list_places(desk, request);
    if (path == "/v1/places/token" && is_post)
        return placed_token(desk, request);
    if (path == "/v1/svids/x509" && is_post)
        return x509_svids(desk, request);
    if (path == "/v1/svids/jwt" && is_post)
        return jwt_svids(desk, request);
    return {};
}

} // namespace

net::Task<net::Response> answer_run_request(RunDesk const* desk, net::Request request)
{
    if (!std::holds_alternative<net::UnixPeer>(request.peer))
        co_return problem_response(unauthenticated("this interface is for processes of this machine"));
    auto reply = route(*desk, request);
    if (!reply.valid())
        co_return problem_response(not_found("no such path"));
    auto response = co_await std::move(reply);
    if (response.is_error()) {
        if (auto const left_out = desk->refusals.next("uid " + std::to_string(peer_of(request).uid)))
            log_info("request refused",
                { { "path", request.path }, { "peer", net::describe(request.peer) }, { "code", to_string(response.error().code) },
                    { "message", response.error().message }, { "left_out", *left_out } });
        co_return problem_response(response.error());
    }
    co_return std::move(response).value();
}

} // namespace writ::agent

// SPDX-License-Identifier: Apache-2.0
#include "agent/injection.h"

#include "agent/delivery.h"
#include "agent/placed_token.h"
#include "base/logger.h"
#include "net/forward.h"
#include "net/root_certificates.h"

namespace writ::agent {

namespace {

constexpr Duration connect_deadline = std::chrono::seconds(10);
// LIMIT: hosts whose verification is kept ready.
constexpr std::size_t contexts_max = 64;
// LIMIT: exchanges at once, each with two connections and their buffers.
constexpr std::size_t exchanges_max = 512;
constexpr std::string_view token_mark = "{token}";

// The shape that OpenAI's and Anthropic's clients both show to their users.
net::Response problem(int status, std::string_view type, std::string_view message)
{
    return { status, { { "content-type", "application/json" }, { "cache-control", "no-store" } },
        to_text(JsonValue(JsonObject { { "error", JsonObject { { "type", type }, { "message", message } } } })) };
}

net::Response problem_of(Error const& error)
{
    switch (error.code) {
    case ErrorCode::permission_denied: return problem(403, "permission_error", error.message);
    case ErrorCode::not_found: return problem(404, "not_found_error", error.message);
    case ErrorCode::resource_exhausted: return problem(503, "overloaded_error", error.message);
    default: return problem(502, "api_error", error.message);
    }
}

std::string authority_and_path(std::string_view url) { return std::string(url.substr(url.find("://") + 3)); }

std::string authority_of(net::UrlPlace const& place)
{
    auto text = authority_and_path(net::to_string(place));
    text.resize(text.size() - place.path.size());
    return text;
}

// `Authorization: Bearer {token}`
struct Field {
    std::string_view name, before, behind;
};
Field split(std::string_view field)
{
    auto const colon = field.find(": ");
    auto const value = field.substr(colon + 2);
    auto const mark = value.find(token_mark);
    return { field.substr(0, colon), value.substr(0, mark), value.substr(mark + token_mark.size()) };
}

// Counts one exchange for as long as it lives.
class Turn {
public:
    explicit Turn(std::size_t& count)
        : count_(count)
    {
        ++count_;
    }
    ~Turn() { --count_; }
    Turn(Turn const&) = delete;
    Turn& operator=(Turn const&) = delete;

private:
    std::size_t& count_;
};

net::Task<Result<>> exchange(LoopbackDesk& desk, WatchedRun run, net::Request head, std::string read_ahead, net::Stream& client)
{
    auto target = injection_target(run.places, head.path);
    auto const place = *target.place; // found before: the run is a copy
    auto given = co_await token_for_place(desk.sessions, run, std::string(injection_client), place.url);
    auto const token = CO_TRY(given);
    auto parsed = net::parse_url_place(place.url);
    auto const to = CO_TRY(parsed);
    auto connected = co_await desk.upstreams.connect(to);
    auto server = CO_TRY(connected);
    auto const field = split(place.username);
    head.path = std::move(target.path);
    head.headers.set(field.name, std::string(field.before) + token.secret.reveal() + std::string(field.behind));
    co_return co_await net::forward(desk.loop, { std::move(head), authority_of(to), std::move(read_ahead) }, client, std::move(server));
}

net::Task<std::optional<net::Response>> inject(LoopbackDesk* desk, net::Request head, std::string read_ahead, net::Stream& client)
{
    auto const refuse = [&head, desk](int status, Error const& error, std::string_view message) {
        log_refusal(*desk, head.peer, error);
        return problem(status, "authentication_error", message);
    };
    if (auto const checked = check_loopback_request(head, desk->port); checked.is_error())
        co_return refuse(403, checked.error(), "requests come from this machine, to this address, by nobody in between");
    // By its process first; whose handle it has to show is known then.
    auto caller = identify_caller(*desk, head, std::nullopt);
    if (caller.is_error())
        co_return refuse(401, caller.error(), "this endpoint serves the processes of runs");
    auto const target = injection_target(caller->run.places, head.path);
    if (target.place == nullptr)
        co_return problem(404, "not_found_error", "the run has no token for what this path names");
    auto const handle = shown_handle(head.headers, target.place->username);
    if (!handle || !is_handle_of(caller->run, *handle))
        co_return refuse(401, unauthenticated("no handle of the run in `" + target.place->username + "`"), "the key that the run's environment has is to be shown");
    if (desk->exchanges >= exchanges_max)
        co_return problem(503, "overloaded_error", "too many requests are under way by this agent");
    Turn const turn(desk->exchanges);
    auto const url = target.place->url;
    auto const run = caller->run.id;
    auto const done = co_await exchange(*desk, std::move(caller->run), std::move(head), std::move(read_ahead), client);
    if (done.is_ok())
        co_return std::nullopt;
    if (auto const left_out = desk->refusals.next(run))
        log_warning("a request of a run was not handed on", { { "run", run }, { "url", url }, { "error", done.error().message }, { "left_out", *left_out } });
    co_return problem_of(done.error());
}

} // namespace

net::Task<Result<std::unique_ptr<net::Stream>>> Upstreams::connect(net::UrlPlace place)
{
    auto connected = co_await net::connect(place.origin.address, connect_deadline);
    auto stream = CO_TRY(connected);
    if (!place.origin.is_tls)
        co_return stream;
    auto const host = place.origin.address.host;
    auto& context = contexts_[host];
    if (!context) {
        auto roots = net::load_root_certificates({});
        net::TlsClientOptions options;
        options.roots = CO_TRY(roots);
        options.server_name = host;
        auto created = net::TlsClientContext::create(std::move(options), clock_);
        context = CO_TRY(created);
    }
    auto const held = context;
    if (contexts_.size() > contexts_max)
        contexts_.clear();
    stream->set_deadline(connect_deadline);
    auto secured = co_await held->connect(std::move(stream), host);
    co_return std::move(secured).in("connect to `" + net::to_string(place) + "`");
}

void name_injection(std::map<std::string, std::string>& environment, std::vector<PlacedSecret> const& places, std::uint16_t loopback_port, SecretText const& handle)
{
    auto const place = std::find_if(places.begin(), places.end(), [](auto const& one) { return one.client == injection_client; });
    if (place == places.end())
        return;
    auto const local = "http://127.0.0.1:" + std::to_string(loopback_port) + std::string(injection_path) + authority_and_path(place->url);
    name_in(environment, "{inject}", local);
    name_in(environment, "{handle}", handle.reveal());
}

InjectionTarget injection_target(std::vector<RunPlace> const& places, std::string_view path)
{
    if (!path.starts_with(injection_path))
        return {};
    path.remove_prefix(injection_path.size());
    InjectionTarget best;
    std::size_t longest = 0;
    for (auto const& place : places) {
        auto const prefix = place.client == injection_client ? authority_and_path(place.url) : std::string();
        if (prefix.size() <= longest || !path.starts_with(prefix) || (path.size() > prefix.size() && path[prefix.size()] != '/'))
            continue;
        longest = prefix.size();
        best.place = &place;
    }
    if (best.place != nullptr) {
        auto const authority = path.substr(0, path.find('/')).size();
        best.path = path.size() == authority ? "/" : std::string(path.substr(authority));
    }
    return best;
}

std::optional<std::string> shown_handle(net::Headers const& headers, std::string_view field)
{
    auto const [name, before, behind] = split(field);
    auto const shown = headers.get(name);
    if (headers.count(name) != 1 || shown->size() < before.size() + behind.size() || !shown->starts_with(before) || !shown->ends_with(behind))
        return std::nullopt;
    return std::string(shown->substr(before.size(), shown->size() - before.size() - behind.size()));
}

net::HttpTakeover injection_takeover(LoopbackDesk* desk)
{
    return { [](net::Request const& head) { return head.path.starts_with(injection_path); },
        [desk](net::Request head, std::string read_ahead, net::Stream& client) { return inject(desk, std::move(head), std::move(read_ahead), client); } };
}

} // namespace writ::agent

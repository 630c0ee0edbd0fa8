// SPDX-License-Identifier: Apache-2.0
#include "authority/endpoints.h"

#include "authority/field_reader.h"
#include "base/json_members.h"

#include <algorithm>
#include <charconv>
#include <span>

namespace writ::authority {

void add_all_routes(Router& router, Desk desk)
{
    add_discovery_routes(router, desk);
    add_token_routes(router, desk);
    add_evaluation_routes(router, desk);
    add_search_routes(router, desk);
    add_log_routes(router, desk);
    add_health_routes(router, desk);
    add_agent_routes(router, desk);
    add_agent_run_routes(router, desk);
    add_declaration_routes(router, desk);
    add_lease_routes(router, desk);
    add_grant_routes(router, desk);
    add_audit_routes(router, desk);
    add_explanation_routes(router, desk);
    add_receipt_routes(router, desk);
    add_export_routes(router, desk);
    add_bundle_routes(router, desk);
    add_secret_routes(router, desk);
    add_replay_routes(router, desk);
}

// Begins with the time, so that traces of one time lie side by side in the audit index: each at random would cost a page of it for each record.
std::string new_trace(AuthorityState& state)
{
    constexpr std::string_view in_order = "234567abcdefghijklmnopqrstuvwxyz";
    constexpr std::size_t time_characters = 9; // 45 bits of milliseconds: a thousand years
    constexpr std::size_t random_characters = 11;
    std::string trace(time_characters, in_order.front());
    auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(state.clock.now().time_since_epoch()).count();
    for (auto character = trace.rbegin(); character != trace.rend(); ++character, milliseconds >>= 5)
        *character = in_order[static_cast<std::size_t>(milliseconds & 31)];
    return trace + state.random.base32(random_characters);
}

std::string trace_of(AuthorityState& state, Call const& call)
{
    // SPEC: W3C Trace Context §3.2: version "00", trace-id of 32 lower-case hexadecimal digits and not all zero, parent-id, flags.
    constexpr std::size_t head = 3, digits = 32, length = 55;
    auto const parent = call.request.headers.get("traceparent").value_or("");
    auto const trace = parent.size() == length ? parent.substr(head, digits) : std::string_view();
    bool const is_trace = parent.starts_with("00-") && trace.find_first_not_of("0123456789abcdef") == std::string_view::npos
        && trace.find_first_not_of('0') != std::string_view::npos;
    return is_trace ? std::string(trace) : new_trace(state);
}

std::string request_id_of(Call const& call)
{
    // LIMIT: a UUID or what people make instead of one.
    constexpr std::size_t bytes_max = 128;
    auto const id = call.request.headers.get("x-request-id").value_or("");
    bool const is_fit = id.size() <= bytes_max && std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < '\x7f'; });
    return is_fit ? std::string(id) : "";
}

std::string peer_address(Call const& call)
{
    auto const* const peer = std::get_if<net::TlsPeer>(&call.request.peer);
    auto const address = peer == nullptr ? Result<net::Address>(not_found("no TLS")) : net::parse_address(peer->address);
    if (address.is_error())
        return "";
    auto const* const tcp = std::get_if<net::TcpAddress>(&*address);
    return tcp == nullptr ? "" : tcp->host;
}

std::optional<net::Response> too_many_records(AuthorityState& state, std::string const& caller, std::string const& workload)
{
    auto const wait = state.meter.refuse(RecordMeter::key_of(caller, workload), state.clock.monotonic());
    if (!wait)
        return std::nullopt;
    auto const seconds = std::to_string(std::chrono::ceil<std::chrono::seconds>(*wait).count());
    auto response = problem_response_with_status(429,
        resource_exhausted("`" + (workload.empty() ? caller : workload) + "` has made more audit records than " + std::to_string(state.meter.bytes_a_second() >> 10U)
            + " KiB a second for too long (`writ authority --record-rate`); again in " + seconds + " s"));
    response.headers.set("retry-after", seconds);
    return response;
}

Reply answer_bounded(Desk desk, Call call, EndpointHandler handler)
{
    if (call.caller.kind == Caller::Kind::workload) {
        if (auto refused = too_many_records(desk.state, call.caller.id, ""))
            co_return std::move(*refused);
    }
    co_return co_await handler(desk, std::move(call));
}

std::string query_text(Call const& call, std::string_view name) { return std::string(call.request.query.get(name).value_or("")); }

Result<> check_parameters(Call const& call, std::set<std::string, std::less<>> const& known)
{
    for (auto const& [name, value] : call.request.query) {
        if (known.contains(name))
            continue;
        auto message = "there is no parameter `" + name + "` here";
        if (auto const nearest = nearest_name(name, known); !nearest.empty())
            message += "; did you mean `" + std::string(nearest) + "`?";
        return invalid_argument(std::move(message));
    }
    return {};
}

Result<std::uint64_t> query_number(Call const& call, std::string_view name, std::uint64_t otherwise, std::uint64_t max)
{
    auto const text = call.request.query.get(name);
    if (!text)
        return otherwise;
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (text->empty() || error != std::errc() || end != text->data() + text->size() || number > max)
        return invalid_argument("parameter `" + std::string(name) + "` is a number up to " + std::to_string(max));
    return number;
}

Result<std::vector<Document>> documents_of(JsonObject const& request)
{
    std::vector<Document> documents;
    for (auto const& item : *TRY(array_member(request, "documents"))) {
        if (!item.is_object())
            return invalid_argument("a document has `path` and `text`");
        TRY(check_members(item.as_object(), { "path", "text" }).in("documents"));
        documents.push_back(
            { std::string(TRY(string_member(item.as_object(), "path"))), std::string(TRY(string_member(item.as_object(), "text"))) });
    }
    return documents;
}

net::Response refuse_documents(std::vector<Problem> const& problems)
{
    // LIMIT: problems reported at once; who has more starts with these.
    constexpr std::size_t problems_max = 50;
    JsonArray errors;
    for (auto const& problem : std::span(problems).first(std::min(problems.size(), problems_max)))
        errors.push_back(JsonObject { { "path", problem.position.path }, { "line", problem.position.line },
            { "column", problem.position.column }, { "message", problem.message } });
    auto const error
        = invalid_argument("the declarations have " + std::to_string(problems.size()) + (problems.size() == 1 ? " problem" : " problems"));
    return problem_response_with(error, { { "errors", std::move(errors) } });
}

} // namespace writ::authority

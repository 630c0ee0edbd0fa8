// SPDX-License-Identifier: Apache-2.0
//
// Questions to the audit log. What they may ask and how they are answered is audit/answers.h.
#include "audit/answers.h"
#include "authority/endpoints.h"
#include "authority/witness_report.h"
#include "base/json_members.h"

#include <charconv>

namespace writ::authority {

namespace {

// LIMIT: seconds that a request for new records waits for them.
constexpr std::uint64_t wait_seconds_max = 30;
// How often it looks whether there are any: people watch, and nothing else waits for it.
constexpr Duration look_interval = std::chrono::milliseconds(100);
// LIMIT: a value whose digest is asked for.
constexpr std::size_t value_bytes_max = 65'535;

audit::Parameter parameters_of(net::Parameters query)
{
    return [query = std::move(query)](std::string_view name) -> std::optional<std::string> {
        auto const value = query.get(name);
        return value ? std::optional(std::string(*value)) : std::nullopt;
    };
}

net::Task<Result<JsonObject>> ask(Desk desk, std::string question, audit::Parameter parameters)
{
    auto* const log = desk.state.audit.get();
    auto const now = desk.state.clock.now();
    co_return co_await net::await_callback<Result<JsonObject>>([&](net::Completion<Result<JsonObject>> done) {
        log->ask<JsonObject>([question, parameters, now](audit::Questions& questions) { return audit::answer(questions, question, parameters, now); },
            std::move(done));
    });
}

Reply answer(Desk desk, Call call, std::string question)
{
    auto answered = co_await ask(desk, std::move(question), parameters_of(call.request.query));
    co_return json_response(CO_TRY(answered));
}

bool has_records(Result<JsonObject> const& answer)
{
    auto const records = answer.is_ok() ? array_member(*answer, "records") : Result<JsonArray const*>(answer.error());
    return records.is_error() || !(*records)->empty();
}

// With `from` and `wait`, an answer without records waits for some: so a follower misses none, and asks twice a minute when nothing happens.
Reply list_records(Desk desk, Call call)
{
    auto const checked = check_parameters(call, { "limit", "before", "from", "wait", "since", "until", "type", "decision", "workload", "run", "resource", "purpose",
                                                    "policy", "classification", "trace", "request", "attested" });
    if (checked.is_error())
        co_return checked.error();
    auto waiting = query_number(call, "wait", 0, wait_seconds_max);
    auto const wait = std::chrono::seconds(CO_TRY(waiting));
    auto const parameters = parameters_of(call.request.query);
    auto const deadline = desk.state.clock.monotonic() + wait;
    auto const& log = desk.state.audit->log();
    for (;;) {
        auto const size = log.size();
        auto answered = co_await ask(desk, "records", parameters);
        bool const is_over = has_records(answered) || !parameters("from") || desk.state.clock.monotonic() >= deadline;
        if (is_over)
            co_return json_response(CO_TRY(answered));
        while (log.size() == size && desk.state.clock.monotonic() < deadline)
            co_await net::delay(look_interval);
    }
}

Reply show_record(Desk desk, Call call)
{
    auto const& text = call.captured.at("sequence");
    std::uint64_t sequence = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), sequence);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        co_return invalid_argument("a record is named by its sequence number");
    auto* const log = desk.state.audit.get();
    using Found = Result<audit::ProvenRecord>;
    auto found
        = co_await net::await_callback<Found>([log, sequence](net::Completion<Found> done) { log->prove(sequence, std::move(done)); });
    auto const proven = CO_TRY(found);
    auto converted = audit::to_json(proven.stored);
    auto object = CO_TRY(converted);
    JsonArray proof;
    for (auto const& hash : proven.proof)
        proof.emplace_back(to_base64(hash));
    object.emplace("proof", std::move(proof));
    object.emplace("checkpoint", proven.checkpoint);
    co_return json_response(object);
}

Reply who_used(Desk desk, Call call) { return answer(desk, call, "who-used"); }
Reply what_used(Desk desk, Call call) { return answer(desk, call, "what-used"); }
Reply trace(Desk desk, Call call) { return answer(desk, call, "trace"); }
Reply never(Desk desk, Call call) { return answer(desk, call, "never"); }

// In the body, not in the path: a sensitive value should stand in no log of requests.
Reply digest(Desk desk, Call call)
{
    auto body = parse_request(call.request.body, { "value" });
    auto const request = CO_TRY(body);
    auto given = string_member(request, "value");
    auto const value = CO_TRY(given);
    if (value.size() > value_bytes_max)
        co_return invalid_argument("`value` has " + std::to_string(value_bytes_max) + " bytes at most");
    co_return json_response(JsonObject { { "digest", desk.state.salt->digest_of(value) }, { "salt_digest", desk.state.salt->digest() } });
}

Reply audit_status(Desk desk, Call)
{
    auto object = witnesses_to_json(*desk.state.witnessing, desk.state.audit->log());
    object.emplace("spool", to_json(desk.state.outage->state()));
    co_return json_response(object);
}

} // namespace

void add_audit_routes(Router& router, Desk desk)
{
    add_route(router, desk, "GET", "/v1/audit/status", Access::administrator, audit_status);
    add_route(router, desk, "GET", "/v1/audit/records", Access::administrator, list_records);
    add_route(router, desk, "GET", "/v1/audit/records/{sequence}", Access::administrator, show_record);
    add_route(router, desk, "GET", "/v1/audit/who-used", Access::administrator, who_used);
    add_route(router, desk, "GET", "/v1/audit/what-used", Access::administrator, what_used);
    add_route(router, desk, "GET", "/v1/audit/trace", Access::administrator, trace);
    add_route(router, desk, "GET", "/v1/audit/never", Access::administrator, never);
    add_route(router, desk, "POST", "/v1/audit/digest", Access::administrator, digest);
}

} // namespace writ::authority

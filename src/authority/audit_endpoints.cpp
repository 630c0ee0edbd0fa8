// SPDX-License-Identifier: Apache-2.0
#include "authority/endpoints.h"
#include "authority/witness_report.h"

#include <charconv>

namespace writ::authority {

namespace {

// LIMIT: records of one answer.
constexpr std::uint64_t records_max = 1000;

Result<JsonObject> to_json(audit::StoredRecord const& stored)
{
    auto record = TRY(parse_json(stored.text));
    return JsonObject { { "sequence", stored.sequence }, { "hash", to_hex(tlog::leaf_hash(as_bytes(stored.text))) },
        { "record", std::move(record) } };
}

Result<audit::RecordFilter> parse_filter(Call const& call)
{
    audit::RecordFilter filter;
    if (auto const type = query_text(call, "type"); !type.empty())
        filter.type = TRY(audit::parse_record_type(type));
    if (auto const decision = query_text(call, "decision"); !decision.empty()) {
        if (decision != "allow" && decision != "deny")
            return invalid_argument("`decision` is allow or deny");
        filter.allowed = decision == "allow";
    }
    filter.workload = query_text(call, "workload");
    filter.run = query_text(call, "run");
    filter.resource = query_text(call, "resource");
    filter.trace = query_text(call, "trace");
    if (call.request.query.get("before"))
        filter.before = TRY(query_number(call, "before", 0, tlog::tree_size_max));
    filter.limit = static_cast<std::size_t>(TRY(query_number(call, "limit", 100, records_max)));
    return filter;
}

Reply list_records(Desk desk, Call call)
{
    auto parsed = parse_filter(call);
    auto const filter = CO_TRY(parsed);
    auto* const log = desk.state.audit.get();
    using Found = Result<std::vector<audit::StoredRecord>>;
    auto found = co_await net::await_callback<Found>([log, &filter](net::Completion<Found> done) { log->query(filter, std::move(done)); });
    auto const records = CO_TRY(found);
    JsonArray array;
    for (auto const& stored : records) {
        auto object = to_json(stored);
        array.push_back(CO_TRY(object));
    }
    co_return json_response(JsonObject { { "records", std::move(array) } });
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
    auto converted = to_json(proven.stored);
    auto object = CO_TRY(converted);
    JsonArray proof;
    for (auto const& hash : proven.proof)
        proof.emplace_back(to_base64(hash));
    object.emplace("proof", std::move(proof));
    object.emplace("checkpoint", proven.checkpoint);
    co_return json_response(object);
}

JsonObject to_json(audit::Use const& use)
{
    JsonArray claims;
    for (auto const& claim : use.claims) {
        JsonArray values;
        for (auto const& value : claim.values)
            values.emplace_back(value);
        claims.push_back(JsonObject { { "name", claim.name }, { "values", std::move(values) }, { "provider", claim.provider } });
    }
    JsonArray policies;
    for (auto const& policy : use.policies)
        policies.emplace_back(policy);
    JsonObject credential { { "kind", use.credential.kind }, { "id", use.credential.id }, { "scope", use.credential.scope },
        { "lease", use.credential.lease } };
    if (use.credential.expires)
        credential.emplace("expires", to_rfc3339(*use.credential.expires));
    JsonObject object { { "workload", use.workload_name.empty() ? use.workload : use.workload_name }, { "workload_id", use.workload },
        { "pipeline", use.pipeline }, { "team", use.team }, { "run", use.run }, { "purpose", use.purpose }, { "action", use.action },
        { "decision", "allow" }, { "policies", std::move(policies) }, { "policy_version", use.policy_version },
        { "claims", std::move(claims) }, { "credential", std::move(credential) }, { "decision_record", use.decision },
        { "issuance_record", use.issuance }, { "from", to_rfc3339(use.from) } };
    object.emplace("to", use.to ? JsonValue(to_rfc3339(*use.to)) : JsonValue(nullptr));
    object.emplace("ended", use.ended);
    return object;
}

Reply who_used(Desk desk, Call call)
{
    auto const type = query_text(call, "type");
    auto const id = query_text(call, "id");
    if (type.empty() || id.empty())
        co_return invalid_argument("`type` and `id` name the resource");
    auto* const log = desk.state.audit.get();
    using Found = Result<std::vector<audit::Use>>;
    auto found
        = co_await net::await_callback<Found>([log, &type, &id](net::Completion<Found> done) { log->who_used(type, id, std::move(done)); });
    auto const uses = CO_TRY(found);
    JsonArray array;
    for (auto const& use : uses)
        array.push_back(to_json(use));
    co_return json_response(JsonObject { { "uses", std::move(array) } });
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
}

} // namespace writ::authority

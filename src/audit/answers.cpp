// SPDX-License-Identifier: Apache-2.0
#include "audit/answers.h"

#include "tlog/merkle_tree.h"

#include <algorithm>
#include <charconv>

namespace writ::audit {

namespace {

// LIMIT: how far back `--since` reaches in words; beyond it there are dates.
constexpr std::int64_t seconds_back_max = std::int64_t(100) * 366 * 86'400;

Result<std::uint64_t> number_of(std::string_view name, std::string_view text, std::uint64_t max)
{
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() || number > max)
        return invalid_argument("`" + std::string(name) + "` is a number up to " + std::to_string(max));
    return number;
}

Result<std::optional<std::uint64_t>> sequence_at(Parameter const& parameter, std::string_view name)
{
    auto const text = parameter(name);
    if (!text)
        return std::optional<std::uint64_t>();
    return std::optional(TRY(number_of(name, *text, std::uint64_t(1) << 48U)));
}

Result<std::optional<Timestamp>> moment_at(Parameter const& parameter, std::string_view name, Timestamp now)
{
    auto const text = parameter(name);
    if (!text || text->empty())
        return std::optional<Timestamp>();
    return std::optional(TRY(parse_moment(*text, now).in("`" + std::string(name) + "`")));
}

Result<std::size_t> limit_at(Parameter const& parameter)
{
    auto const text = parameter("limit");
    if (!text)
        return std::size_t(100);
    return static_cast<std::size_t>(TRY(number_of("limit", *text, records_max)));
}

Result<bool> attested_at(Parameter const& parameter)
{
    auto const text = parameter("attested").value_or("");
    if (!text.empty() && text != "true" && text != "false")
        return invalid_argument("`attested` is true or false");
    return text == "true";
}

Result<std::string> required(Parameter const& parameter, std::string_view name)
{
    auto text = parameter(name).value_or("");
    if (text.empty())
        return invalid_argument("`" + std::string(name) + "` is missing");
    return text;
}

JsonObject to_json(RecordedEntity const& entity)
{
    JsonObject object { { "type", entity.type }, { "id", entity.id } };
    if (!entity.version.empty())
        object.emplace("version", entity.version);
    if (!entity.digest.empty())
        object.emplace("digest", entity.digest);
    return object;
}

template <typename Elements, typename Convert> JsonArray array_of(Elements const& elements, Convert const& convert)
{
    JsonArray array;
    for (auto const& element : elements)
        array.push_back(convert(element));
    return array;
}

JsonArray to_json(std::vector<std::string> const& texts)
{
    return array_of(texts, [](std::string const& text) { return JsonValue(text); });
}

JsonObject to_json(RecordedClaim const& claim)
{
    return { { "name", claim.name }, { "values", to_json(claim.values) }, { "provider", claim.provider } };
}

JsonObject to_json(RecordedCredential const& credential)
{
    JsonObject object { { "kind", credential.kind }, { "id", credential.id }, { "scope", credential.scope }, { "lease", credential.lease } };
    if (credential.expires)
        object.emplace("expires", to_rfc3339(*credential.expires));
    return object;
}

JsonObject to_json(Use const& use)
{
    JsonObject object { { "workload", use.workload_name.empty() ? use.workload : use.workload_name }, { "workload_id", use.workload },
        { "pipeline", use.pipeline }, { "team", use.team }, { "run", use.run }, { "purpose", use.purpose }, { "action", use.action },
        { "resource", to_json(use.resource) }, { "decision", "allow" }, { "policies", to_json(use.policies) },
        { "policy_version", use.policy_version }, { "claims", array_of(use.claims, [](auto const& claim) { return to_json(claim); }) },
        { "decision_record", use.decision }, { "first_record", use.first }, { "last_record", use.last }, { "count", use.count },
        { "caller", use.caller }, { "asserted", to_json(use.asserted) }, { "attested", use.is_attested },
        { "from", to_rfc3339(use.from) }, { "to", use.to ? JsonValue(to_rfc3339(*use.to)) : JsonValue(nullptr) }, { "ended", use.ended } };
    if (use.issuance != 0) {
        object.emplace("issuance_record", use.issuance);
        object.emplace("credential", to_json(use.credential));
    }
    if (use.model)
        object.emplace("model", to_json(*use.model));
    if (!use.datasets.empty())
        object.emplace("datasets", array_of(use.datasets, [](auto const& dataset) { return to_json(dataset); }));
    if (!use.endpoint.empty())
        object.emplace("endpoint", use.endpoint);
    return object;
}

JsonObject with_ground(JsonObject edge, EdgeGround const& ground)
{
    edge.emplace("attested", ground.is_attested);
    if (!ground.is_attested)
        edge.emplace("caller", ground.caller);
    return edge;
}

std::string shown(std::string const& id, std::string const& name) { return name.empty() ? id : name; }

JsonObject to_json(LineageRun const& run)
{
    JsonObject object { { "run", run.run }, { "workload", shown(run.workload, run.workload_name) }, { "workload_id", run.workload }, { "pipeline", run.pipeline },
        { "purpose", run.purpose }, { "actions", to_json(run.actions) }, { "record", run.record }, { "data", array_of(run.data, [](auto const& data) {
             return with_ground({ { "resource", to_json(data.resource) }, { "action", data.action }, { "record", data.record } }, data.ground);
         }) } };
    return with_ground(std::move(object), run.ground);
}

JsonObject to_json(LineageEndpoint const& endpoint)
{
    JsonObject object { { "endpoint", endpoint.name }, { "loaded_by", endpoint.loaded_by }, { "record", endpoint.record },
        { "callers", array_of(endpoint.callers, [](auto const& caller) {
             return with_ground({ { "workload", shown(caller.workload, caller.workload_name) }, { "workload_id", caller.workload },
                                    { "purpose", caller.purpose }, { "calls", caller.calls }, { "record", caller.record } },
                 caller.ground);
         }) } };
    return with_ground(std::move(object), endpoint.ground);
}

Result<JsonObject> answer_what_used(Questions& questions, Parameter const& parameter, UseQuery const& query)
{
    auto const kind = TRY(required(parameter, "kind"));
    auto const id = TRY(required(parameter, "id"));
    if (kind == "workload")
        return to_json(TRY(questions.what_workload_used(id, query)));
    if (kind == "run")
        return to_json(TRY(questions.what_run_used(id, query)));
    if (kind == "model")
        return to_json(TRY(questions.what_model_used(id, query)));
    return invalid_argument("`kind` is workload, run or model");
}

} // namespace

Result<Timestamp> parse_moment(std::string_view text, Timestamp now)
{
    static constexpr std::pair<char, std::int64_t> units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86'400 }, { 'w', 7 * 86'400 } };
    for (auto const& [letter, seconds] : units) {
        if (text.empty() || text.back() != letter)
            continue;
        auto const count = number_of("duration", text.substr(0, text.size() - 1), static_cast<std::uint64_t>(seconds_back_max / seconds));
        if (count.is_ok())
            return now - std::chrono::seconds(static_cast<std::int64_t>(*count) * seconds);
    }
    auto const parsed = parse_rfc3339(text);
    if (parsed.is_error())
        return invalid_argument("`" + std::string(text.substr(0, 60)) + "` is no time: `2h`, `7d` or RFC 3339 such as `2026-11-24T02:00:00Z`");
    return parsed;
}

Result<RecordFilter> parse_filter(Parameter const& parameter, Timestamp now)
{
    RecordFilter filter;
    if (auto const type = parameter("type"); type && !type->empty())
        filter.type = TRY(parse_record_type(*type));
    if (auto const decision = parameter("decision"); decision && !decision->empty()) {
        if (*decision != "allow" && *decision != "deny")
            return invalid_argument("`decision` is allow or deny");
        filter.allowed = *decision == "allow";
    }
    for (auto const& [name, text] : { std::pair("workload", &filter.workload), std::pair("run", &filter.run), std::pair("resource", &filter.resource),
             std::pair("trace", &filter.trace), std::pair("request", &filter.request), std::pair("purpose", &filter.purpose),
             std::pair("policy", &filter.policy), std::pair("classification", &filter.classification) })
        *text = parameter(name).value_or("");
    filter.since = TRY(moment_at(parameter, "since", now));
    filter.until = TRY(moment_at(parameter, "until", now));
    filter.before = TRY(sequence_at(parameter, "before"));
    filter.from = TRY(sequence_at(parameter, "from"));
    filter.limit = TRY(limit_at(parameter));
    filter.attested = TRY(attested_at(parameter));
    return filter;
}

Result<UseQuery> parse_use_query(Parameter const& parameter, Timestamp now)
{
    UseQuery query;
    query.before = TRY(sequence_at(parameter, "before"));
    query.limit = TRY(limit_at(parameter));
    query.since = TRY(moment_at(parameter, "since", now));
    query.until = TRY(moment_at(parameter, "until", now));
    query.attested = TRY(attested_at(parameter));
    return query;
}

Result<std::string> parse_used_type(std::string_view text)
{
    static constexpr std::pair<std::string_view, std::string_view> types[] = { { "dataset", "Dataset" }, { "datasetversion", "Dataset" },
        { "model", "Model" }, { "modelversion", "Model" }, { "api", "Api" }, { "endpoint", "Endpoint" }, { "database", "Database" } };
    std::string lower;
    for (char const c : text)
        lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    for (auto const& [typed, type] : types) {
        if (lower == typed)
            return std::string(type);
    }
    return invalid_argument("`" + std::string(text.substr(0, 60)) + "` is no dataset, model, api, endpoint or database");
}

Result<JsonObject> to_json(StoredRecord const& stored)
{
    auto record = TRY(parse_json(stored.text));
    return JsonObject { { "sequence", stored.sequence }, { "hash", to_hex(tlog::leaf_hash(as_bytes(stored.text))) },
        { "record", std::move(record) } };
}

Result<JsonObject> to_json(std::vector<StoredRecord> const& records, RecordFilter const& filter, std::uint64_t size)
{
    JsonArray array;
    for (auto const& stored : records)
        array.push_back(TRY(to_json(stored)));
    JsonObject object { { "records", std::move(array) } };
    bool const is_full = !records.empty() && records.size() == filter.limit;
    if (filter.from)
        object.emplace("next", is_full ? records.back().sequence + 1 : std::max(size, *filter.from));
    else if (is_full)
        object.emplace("next", records.back().sequence);
    return object;
}

JsonObject to_json(UsePage const& page)
{
    JsonObject object { { "uses", array_of(page.uses, [](Use const& use) { return to_json(use); }) }, { "cut", page.is_cut } };
    if (page.dropped > 0)
        object.emplace("dropped_uses", page.dropped);
    if (page.next)
        object.emplace("next", *page.next);
    return object;
}

JsonObject to_json(ModelUses const& uses) { return { { "used", to_json(uses.used) }, { "used_by", to_json(uses.used_by) } }; }

JsonObject to_json(ModelTrace const& trace)
{
    return { { "models", array_of(trace.models, [](LineageModel const& model) {
                  return JsonObject { { "name", model.name }, { "version", model.version }, { "digest", model.digest },
                      { "runs", array_of(model.runs, [](auto const& run) { return to_json(run); }) },
                      { "endpoints", array_of(model.endpoints, [](auto const& endpoint) { return to_json(endpoint); }) } };
              }) },
        { "cut", trace.is_cut } };
}

Result<JsonObject> to_json(Absence const& absence)
{
    JsonObject object { { "name", absence.name }, { "never", absence.is_never() }, { "denied", absence.denied }, { "size", absence.size },
        { "root", absence.root }, { "checkpoint", absence.checkpoint } };
    if (absence.since)
        object.emplace("since", to_rfc3339(*absence.since));
    if (absence.proven_since)
        object.emplace("proven_since", to_rfc3339(*absence.proven_since));
    if (absence.last_use)
        object.emplace("last_use", TRY(to_json(*absence.last_use)));
    if (!absence.last_use)
        object.emplace("asserted_uses", absence.asserted);
    if (!absence.last_use && absence.last_asserted)
        object.emplace("last_asserted_use", TRY(to_json(*absence.last_asserted)));
    return object;
}

namespace {

Result<JsonObject> answer_from_what_is_kept(Questions& questions, std::string_view question, Parameter const& parameter, Timestamp now)
{
    if (question == "records") {
        auto const filter = TRY(parse_filter(parameter, now));
        return to_json(TRY(questions.find(filter)), filter, questions.size());
    }
    if (question == "who-used") {
        auto const type = TRY(parse_used_type(TRY(required(parameter, "type"))));
        return to_json(TRY(questions.who_used(type, TRY(required(parameter, "id")), TRY(parse_use_query(parameter, now)))));
    }
    if (question == "what-used")
        return answer_what_used(questions, parameter, TRY(parse_use_query(parameter, now)));
    if (question == "trace")
        return to_json(TRY(trace_model(questions, TRY(required(parameter, "model")), TRY(attested_at(parameter)))));
    if (question == "never")
        return to_json(TRY(questions.never(TRY(required(parameter, "name")), TRY(moment_at(parameter, "since", now)), TRY(attested_at(parameter)))));
    return not_found("no question `" + std::string(question) + "`");
}

} // namespace

Result<JsonObject> answer(Questions& questions, std::string_view question, Parameter const& parameter, Timestamp now)
{
    auto object = TRY(answer_from_what_is_kept(questions, question, parameter, now));
    // Whoever reads the answer has to know that it is none about what was dropped.
    if (auto const first_kept = questions.first_kept(); first_kept > 0)
        object.emplace("dropped_before", first_kept);
    return object;
}

} // namespace writ::audit

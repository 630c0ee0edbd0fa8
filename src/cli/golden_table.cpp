// SPDX-License-Identifier: Apache-2.0
#include "cli/golden_table.h"

#include "base/durable_file.h"
#include "cedar/mutation.h"
#include "cedar/validator.h"
#include "vocabulary/schema.h"

#include <algorithm>

namespace writ::cli {

namespace {

// LIMIT: a golden table.
constexpr std::size_t table_bytes_max = 16U << 20U;
constexpr std::string_view table_ending = ".decisions.json";
constexpr std::string_view usual_time = "2026-01-01T00:00:00Z";

JsonObject with_defaults(JsonObject context)
{
    context.emplace("purpose", "");
    context.emplace("run", "");
    context.emplace("time", JsonObject { { "__extn", JsonObject { { "fn", "datetime" }, { "arg", usual_time } } } });
    context.emplace("posture", JsonObject());
    return context;
}

Result<GoldenDecision> parse_decision(JsonObject const& row)
{
    GoldenDecision decision;
    decision.request = TRY(parse_request(row));
    decision.name = string_or(row, "name", "");
    if (decision.name.empty())
        decision.name
            = to_string(decision.request.principal) + " " + decision.request.action.id + " " + to_string(decision.request.resource);
    auto const wanted = TRY(string_member(row, "decision"));
    if (wanted != "allow" && wanted != "deny")
        return invalid_argument("`decision` is allow or deny");
    decision.allowed = wanted == "allow";
    if (row.contains("policies"))
        decision.policies = TRY(strings_member(row, "policies"));
    if (row.contains("errors"))
        decision.errors = TRY(strings_member(row, "errors"));
    std::sort(decision.policies.begin(), decision.policies.end());
    std::sort(decision.errors.begin(), decision.errors.end());
    return decision;
}

std::vector<std::string> erring(cedar::Decision const& decision)
{
    std::vector<std::string> ids;
    for (auto const& error : decision.errors)
        ids.push_back(error.policy);
    std::sort(ids.begin(), ids.end());
    return ids;
}

bool holds(GoldenDecision const& row, cedar::Decision const& decision)
{
    auto determining = decision.determining;
    std::sort(determining.begin(), determining.end());
    return decision.allowed == row.allowed && (row.policies.empty() || determining == row.policies) && erring(decision) == row.errors;
}

// The set with one policy replaced, or without it.
cedar::PolicySet changed(cedar::PolicySet const& policies, std::size_t index, std::shared_ptr<cedar::Policy const> policy)
{
    auto all = policies.policies();
    if (policy != nullptr)
        all[index] = std::move(policy);
    else
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(index));
    return cedar::PolicySet::of(std::move(all));
}

bool is_noticed(std::vector<GoldenTable> const& tables, cedar::PolicySet const& before, cedar::PolicySet const& after)
{
    for (auto const& table : tables)
        for (auto const& row : table.decisions) {
            auto const one = cedar::decide(row.request, before, table.entities);
            auto const other = cedar::decide(row.request, after, table.entities);
            if (one.allowed != other.allowed || one.determining != other.determining || erring(one) != erring(other))
                return true;
        }
    return false;
}

} // namespace


Result<cedar::Request> parse_request(JsonObject const& row)
{
    cedar::Request request;
    request.principal = TRY(cedar::parse_entity_uid(TRY(string_member(row, "principal"))).in("principal"));
    auto const action = TRY(string_member(row, "action"));
    request.action = action.find("::") == std::string_view::npos ? cedar::EntityUid { "Action", std::string(action) }
                                                                 : TRY(cedar::parse_entity_uid(action).in("action"));
    request.resource = TRY(cedar::parse_entity_uid(TRY(string_member(row, "resource"))).in("resource"));
    auto const context = row.contains("context") ? *TRY(object_member(row, "context")) : JsonObject();
    request.context = TRY(cedar::parse_context(JsonValue(with_defaults(context)), request.action, vocabulary::schema()).in("context"));
    TRY(cedar::validate_request(request, vocabulary::schema()));
    return request;
}

Result<GoldenTable> parse_golden_table(std::string_view json)
{
    auto const object = TRY(parse_json_object(json, { .size_max = table_bytes_max }));
    GoldenTable table;
    for (auto& entity :
        TRY(cedar::parse_entities(JsonValue(*TRY(array_member(object, "entities"))), vocabulary::schema()).in("entities"))) {
        if (entity.uid.type != "Action")
            TRY(cedar::validate_entity(entity, vocabulary::schema()).in(to_string(entity.uid)));
        table.entities.add(std::move(entity));
    }
    std::size_t number = 0;
    for (auto const& row : *TRY(array_member(object, "decisions"))) {
        auto const place = "decision " + std::to_string(++number);
        if (!row.is_object())
            return invalid_argument(place + ": not an object");
        table.decisions.push_back(TRY(parse_decision(row.as_object()).in(place)));
    }
    return table;
}

Result<std::vector<Path>> tables_below(std::string const& folder)
{
    std::vector<Path> tables;
    std::error_code error;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
        if (entry.is_regular_file() && entry.path().filename().string().ends_with(table_ending))
            tables.push_back(entry.path());
    }
    if (tables.empty())
        return not_found("no files " + std::string("*") + std::string(table_ending) + " in `" + folder + "`");
    std::sort(tables.begin(), tables.end());
    return tables;
}

Result<GoldenTable> read_golden_table(Path const& file)
{
    auto const bytes = TRY(read_file(file, table_bytes_max));
    return parse_golden_table(as_text(bytes)).in(file.string());
}

std::vector<GoldenFailure> failures_of(GoldenTable const& table, cedar::PolicySet const& policies)
{
    std::vector<GoldenFailure> failures;
    for (auto const& row : table.decisions) {
        auto decision = cedar::decide(row.request, policies, table.entities);
        if (!holds(row, decision))
            failures.push_back({ &row, std::move(decision), cedar::explain_denial(row.request, policies, table.entities, 1) });
    }
    return failures;
}

Mutations try_mutations(std::vector<GoldenTable> const& tables, cedar::PolicySet const& policies)
{
    Mutations tried;
    auto const attempt = [&](std::size_t index, cedar::Mutation mutation, bool is_left_out) {
        ++tried.tried;
        auto const& policy = *policies.policies()[index];
        auto const after = changed(policies, index, is_left_out ? nullptr : std::make_shared<cedar::Policy const>(std::move(mutation.policy)));
        if (!is_noticed(tables, policies, after))
            tried.unnoticed.push_back({ policy.id, policy.path, mutation.what, mutation.line });
    };
    for (std::size_t i = 0; i < policies.policies().size(); ++i) {
        auto const& policy = *policies.policies()[i];
        attempt(i, { "left out", policy.span.line, {} }, true);
        for (auto& mutation : cedar::mutations_of(policy))
            attempt(i, std::move(mutation), false);
    }
    return tried;
}

} // namespace writ::cli

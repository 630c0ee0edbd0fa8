// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_files.h"

#include "base/durable_file.h"
#include "cedar/validator.h"
#include "vocabulary/schema.h"

#include <algorithm>

namespace writ::cli {

namespace {

// LIMIT: a golden table.
constexpr std::size_t table_bytes_max = 16U << 20U;
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
    std::sort(decision.policies.begin(), decision.policies.end());
    return decision;
}

} // namespace

Result<std::vector<cedar::PolicySource>> read_policy_sources(std::vector<std::string> const& paths)
{
    std::vector<Path> files;
    for (auto const& path : paths) {
        std::error_code error;
        if (!std::filesystem::is_directory(path, error)) {
            files.emplace_back(path);
            continue;
        }
        for (auto const& entry : std::filesystem::recursive_directory_iterator(path, error)) {
            if (entry.is_regular_file() && entry.path().extension() == ".cedar")
                files.push_back(entry.path());
        }
    }
    if (files.empty())
        return not_found("no .cedar files there");
    std::sort(files.begin(), files.end());
    std::vector<cedar::PolicySource> sources;
    for (auto const& file : files)
        sources.push_back({ file.string(), to_text(TRY(read_file(file, cedar::source_bytes_max))) });
    return sources;
}

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

} // namespace writ::cli

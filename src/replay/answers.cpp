// SPDX-License-Identifier: Apache-2.0
#include "replay/answers.h"

namespace writ::replay {

namespace {

JsonArray texts(std::vector<std::string> const& list) { return JsonArray(list.begin(), list.end()); }
JsonArray numbers(std::vector<std::uint64_t> const& list) { return JsonArray(list.begin(), list.end()); }
JsonObject to_json(cedar::EntityUid const& uid) { return { { "type", uid.type }, { "id", uid.id } }; }

JsonObject to_json(std::map<std::string, std::uint64_t> const& counts)
{
    JsonObject object;
    for (auto const& [why, count] : counts)
        object.emplace(why, count);
    return object;
}

JsonObject to_json(ChangeKey const& key, Change const& change)
{
    JsonArray missing;
    for (auto const& fact : change.missing)
        missing.push_back(JsonObject { { "fact", fact.fact }, { "found", fact.found }, { "wanted", fact.wanted } });
    return { { "change", to_string(key.kind) }, { "count", change.occurrences.count }, { "policies", texts(key.before) },
        { "draft_policies", texts(key.after) }, { "action", key.action }, { "resource", to_json(key.resource) }, { "workload", key.workload },
        { "records", numbers(change.occurrences.examples) }, { "missing", std::move(missing) } };
}

JsonArray to_json(std::map<UseKey, Occurrences> const& uses)
{
    JsonArray array;
    for (auto const& [key, occurrences] : uses)
        array.push_back(JsonObject { { "action", key.action }, { "resource", to_json(key.resource) }, { "purpose", key.purpose },
            { "count", occurrences.count }, { "records", numbers(occurrences.examples) } });
    return array;
}

void add_dropped(JsonObject& answer, std::uint64_t dropped_before)
{
    if (dropped_before > 0)
        answer.emplace("dropped_before", dropped_before);
}

} // namespace

JsonObject to_json(Report const& report, std::size_t changes_max)
{
    JsonArray changes;
    for (auto const& [key, change] : ordered_changes(report)) {
        if (changes.size() == changes_max)
            break;
        changes.push_back(to_json(key, change));
    }
    JsonObject object { { "log_size", report.log_size }, { "records", report.records }, { "decisions", report.decisions }, { "kinds", report.kinds },
        { "changed", report.changed }, { "other_policies", report.other_policies }, { "beyond_groups", report.beyond_groups },
        { "groups", report.changes.size() }, { "changes", std::move(changes) }, { "unjudged", to_json(report.unjudged) } };
    add_dropped(object, report.dropped_before);
    return object;
}

JsonObject to_json(Suggestion const& suggestion)
{
    JsonArray permits, files;
    for (auto const& permit : suggestion.permits)
        permits.push_back(JsonObject { { "policy", permit.policy }, { "path", permit.path }, { "line", permit.line },
            { "advice", to_string(permit.kind) }, { "uses", to_json(permit.uses) } });
    for (auto const& file : suggestion.files)
        files.push_back(JsonObject { { "path", file.path }, { "text", file.text }, { "difference", file.difference } });
    auto const& usage = suggestion.usage;
    JsonObject object { { "workload", usage.subject.name }, { "decisions", usage.tally.decisions }, { "permits", std::move(permits) },
        { "denied_today", to_json(usage.lost) }, { "unjudged", to_json(usage.tally.unjudged) }, { "files", std::move(files) } };
    add_dropped(object, usage.dropped_before);
    return object;
}

} // namespace writ::replay

// SPDX-License-Identifier: Apache-2.0
#include "replay/explanation.h"

#include "replay/withheld.h"

#include <algorithm>

namespace writ::replay {

namespace {

std::string words_for(bool allowed) { return allowed ? "allow" : "deny"; }

std::string list_of(std::vector<std::string> const& names)
{
    std::string list;
    for (auto const& name : names)
        list += (list.empty() ? "`" : ", `") + name + "`";
    return list.empty() ? "no policy" : list;
}

// A list that was too long for its record ends with `…`.
bool agree(std::vector<std::string> recorded, std::vector<std::string> found)
{
    bool const is_cut = !recorded.empty() && recorded.back() == "\xE2\x80\xA6";
    if (is_cut)
        recorded.pop_back();
    std::ranges::sort(recorded);
    std::ranges::sort(found);
    return is_cut ? std::ranges::includes(found, recorded) : recorded == found;
}

// SECURITY: the declarations are the authority's database's, the digest is the log's: only together are they believed.
void check_version(Explanation& explanation, Declared const& declared, std::optional<VersionRecord> const& record)
{
    if (declared.version == 0)
        return;
    if (!record) {
        explanation.contradictions.push_back(
            "no administration record before it put version " + std::to_string(declared.version) + " of the declarations in force");
        return;
    }
    explanation.version_record = record->sequence;
    if (record->digest != declared.digest)
        explanation.contradictions.push_back("the stored declarations of version " + std::to_string(declared.version) + " have the SHA-256 "
            + declared.digest + ", but record " + std::to_string(record->sequence) + " says " + record->digest);
}

void decide_again(Explanation& explanation, RecordedRequest const& recorded, Declared const& declared)
{
    cedar::EntityStore entities(declared.entities.get());
    entities.add(recorded.principal);
    explanation.withheld = asked_and_withheld(recorded.withheld, recorded.request, declared.policies, entities);
    if (!explanation.withheld.empty())
        return;
    auto decision = cedar::decide(recorded.request, declared.policies, entities);
    explanation.is_replayed = true;
    explanation.allowed = decision.allowed;
    explanation.determining = std::move(decision.determining);
    explanation.errors = std::move(decision.errors);
    explanation.missing = cedar::explain_denial(recorded.request, declared.policies, entities, 3);
    if (explanation.allowed != explanation.was_allowed)
        explanation.contradictions.push_back("the record says " + words_for(explanation.was_allowed) + ", but the policies of that moment say "
            + words_for(explanation.allowed) + " by " + list_of(explanation.determining));
    else if (!agree(explanation.were_determining, explanation.determining))
        explanation.contradictions.push_back("the record names " + list_of(explanation.were_determining) + ", but "
            + list_of(explanation.determining) + " decided");
}

JsonArray texts(std::vector<std::string> const& list)
{
    JsonArray array;
    for (auto const& text : list)
        array.emplace_back(text);
    return array;
}

} // namespace

std::optional<VersionRecord> version_record_of(std::uint64_t sequence, audit::Record const& record, std::uint64_t version)
{
    if (record.type != audit::RecordType::administration || !record.declarations || record.declarations->version != version)
        return std::nullopt;
    return VersionRecord { sequence, record.declarations->digest };
}

Result<Explanation> explain(audit::Record const& record, Declared const& declared, std::optional<VersionRecord> const& version_record)
{
    auto const recorded = TRY(recorded_request(record));
    Explanation explanation;
    explanation.was_allowed = *record.allowed;
    explanation.were_determining = record.policies;
    explanation.version = declared.version;
    explanation.digest = declared.digest;
    check_version(explanation, declared, version_record);
    decide_again(explanation, recorded, declared);
    return explanation;
}

JsonObject to_json(Explanation const& explanation)
{
    JsonObject object { { "decision", words_for(explanation.was_allowed) }, { "policies", texts(explanation.were_determining) },
        { "agrees", explanation.contradictions.empty() }, { "contradictions", texts(explanation.contradictions) },
        { "policy_version", explanation.version }, { "declarations_sha256", explanation.digest } };
    if (explanation.version_record)
        object.emplace("version_record", *explanation.version_record);
    JsonArray withheld, missing, errors;
    for (auto const& part : explanation.withheld)
        withheld.emplace_back(to_string(part));
    for (auto const& fact : explanation.missing)
        missing.push_back(JsonObject { { "fact", fact.fact }, { "found", fact.found }, { "wanted", fact.wanted } });
    for (auto const& error : explanation.errors)
        errors.push_back(JsonObject { { "policy", error.policy }, { "message", error.message } });
    object.emplace("withheld", std::move(withheld));
    object.emplace("replayed",
        explanation.is_replayed ? JsonValue(JsonObject { { "decision", words_for(explanation.allowed) },
            { "policies", texts(explanation.determining) }, { "errors", std::move(errors) }, { "missing", std::move(missing) } })
                                : JsonValue(nullptr));
    return object;
}

} // namespace writ::replay

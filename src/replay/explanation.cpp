// SPDX-License-Identifier: Apache-2.0
#include "replay/explanation.h"

#include "cedar/engine.h"
#include "cedar/printer.h"
#include "replay/single_decisions.h"
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

// A list that was too long for its record ends with `…`, and so does a name.
bool agree(std::vector<std::string> recorded, std::vector<std::string> found)
{
    bool const is_cut = std::erase_if(recorded, [](std::string const& name) { return name.ends_with(cut_mark); }) > 0;
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

std::string what_differs(DecisionAgain const& again)
{
    if (again.allowed != again.was_allowed)
        return "the record says " + words_for(again.was_allowed) + ", but the policies of that moment say " + words_for(again.allowed) + " by "
            + list_of(again.determining);
    if (!agree(again.were_determining, again.determining))
        return "the record names " + list_of(again.were_determining) + ", but " + list_of(again.determining) + " decided";
    return "";
}

// LIMIT: decisions of one record that are explained: an explanation looks at every policy, a decision at few.
constexpr std::size_t explained_max = 16;
// LIMIT: policies of a decision whose texts are shown.
constexpr std::size_t shown_policies_max = 16;

std::vector<DecidingPolicy> deciding_policies(
    cedar::PolicySet const& policies, std::vector<std::string> const& ids, cedar::Request const& request, cedar::EntityStore const& entities)
{
    std::vector<DecidingPolicy> deciding;
    for (auto const& policy : policies.policies())
        if (deciding.size() < shown_policies_max && std::ranges::find(ids, policy->id) != ids.end())
            deciding.push_back(
                { policy->id, policy->path, policy->span.line, to_string(*policy), cedar::explain(*policy, request, entities).parts });
    return deciding;
}

class Again {
public:
    explicit Again(Declared const& declared)
        : declared_(declared)
        , engine_(declared.policies, *declared.entities)
    {
    }

    Result<DecisionAgain> decide(audit::Record const& record)
    {
        auto const recorded = TRY(recorded_request(record));
        DecisionAgain again;
        again.action = record.action;
        again.resource = recorded.request.resource;
        again.was_allowed = *record.allowed;
        again.were_determining = record.policies;
        auto const entities = entities_for(recorded, *declared_.entities);
        again.withheld = asked_and_withheld(recorded.withheld, recorded.request, declared_.policies, entities);
        if (!again.withheld.empty())
            return again;
        auto decision = engine_.decide(recorded.request, &entities);
        again.is_replayed = true;
        again.allowed = decision.allowed;
        again.determining = std::move(decision.determining);
        again.errors = std::move(decision.errors);
        if (explained_++ >= explained_max)
            return again;
        again.policies = deciding_policies(declared_.policies, again.determining, recorded.request, entities);
        again.missing = cedar::explain_denial(recorded.request, declared_.policies, entities, 3);
        return again;
    }

private:
    Declared const& declared_;
    cedar::Engine engine_;
    std::size_t explained_ = 0;
};

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

bool Explanation::is_replayed() const
{
    return std::ranges::all_of(decisions, [](auto const& decision) { return decision.is_replayed; });
}

Result<Explanation> explain(std::string_view text, Declared const& declared, std::optional<VersionRecord> const& version_record)
{
    Explanation explanation;
    explanation.version = declared.version;
    explanation.digest = declared.digest;
    check_version(explanation, declared, version_record);
    Again again(declared);
    auto const records = TRY(single_decisions(text));
    for (auto const& record : records) {
        auto& made = explanation.decisions.emplace_back(TRY(again.decide(record)));
        auto const differs = made.is_replayed ? what_differs(made) : "";
        if (!differs.empty())
            explanation.contradictions.push_back((records.size() > 1 ? to_string(made.resource) + ": " : "") + differs);
    }
    return explanation;
}

namespace {

JsonArray to_json(std::vector<cedar::MissingFact> const& facts)
{
    JsonArray array;
    for (auto const& fact : facts)
        array.push_back(JsonObject { { "fact", fact.fact }, { "found", fact.found }, { "wanted", fact.wanted } });
    return array;
}

JsonObject to_json(DecidingPolicy const& policy)
{
    JsonArray parts;
    for (auto const& part : policy.parts)
        parts.push_back(JsonObject { { "text", part.text }, { "outcome", cedar::to_string(part.outcome) }, { "facts", to_json(part.facts) } });
    return { { "policy", policy.id }, { "path", policy.path }, { "line", policy.line }, { "text", policy.text }, { "parts", std::move(parts) } };
}

JsonValue replayed_json(DecisionAgain const& again)
{
    if (!again.is_replayed)
        return nullptr;
    JsonArray errors, deciding;
    for (auto const& policy : again.policies)
        deciding.push_back(to_json(policy));
    for (auto const& error : again.errors)
        errors.push_back(JsonObject { { "policy", error.policy }, { "message", error.message } });
    return JsonObject { { "decision", words_for(again.allowed) }, { "policies", texts(again.determining) },
        { "determining", std::move(deciding) }, { "errors", std::move(errors) }, { "missing", to_json(again.missing) } };
}

JsonObject to_json(DecisionAgain const& again)
{
    JsonArray withheld;
    for (auto const& part : again.withheld)
        withheld.emplace_back(to_string(part));
    return { { "action", again.action }, { "resource", JsonObject { { "type", again.resource.type }, { "id", again.resource.id } } },
        { "decision", words_for(again.was_allowed) }, { "policies", texts(again.were_determining) }, { "withheld", std::move(withheld) },
        { "replayed", replayed_json(again) } };
}

} // namespace

JsonObject to_json(Explanation const& explanation)
{
    JsonArray decisions;
    for (auto const& decision : explanation.decisions)
        decisions.push_back(to_json(decision));
    JsonObject object { { "agrees", explanation.contradictions.empty() }, { "contradictions", texts(explanation.contradictions) },
        { "is_replayed", explanation.is_replayed() }, { "policy_version", explanation.version }, { "declarations_sha256", explanation.digest } };
    if (explanation.version_record)
        object.emplace("version_record", *explanation.version_record);
    object.emplace("decisions", std::move(decisions));
    return object;
}

} // namespace writ::replay

// SPDX-License-Identifier: Apache-2.0
#include "replay/recorded_request.h"

#include "cedar/value_json.h"
#include "vocabulary/facts.h"

namespace writ::replay {

namespace {

constexpr std::string_view context_prefix = "context.", claim_prefix = "claim.";
constexpr JsonLimits context_limits { .size_max = audit::context_bytes_max };

cedar::Record tags_of(std::vector<audit::RecordedClaim> const& claims)
{
    cedar::Record tags;
    for (auto const& claim : claims)
        tags.insert_or_assign(claim.name, cedar::Value::set_of(claim.values));
    return tags;
}

// As it was decided on: the record has `purpose`, `run` and `time` as members of its own.
Result<cedar::Record> context_of(audit::Record const& record)
{
    cedar::Record context;
    if (!record.context.empty())
        context = TRY(cedar::parse_record(TRY(parse_json_object(record.context, context_limits))));
    context.try_emplace("posture", cedar::Value::record({}));
    vocabulary::set_circumstances(context, { record.purpose, record.run, record.time });
    return context;
}

Withheld redacted(std::string const& name)
{
    bool const is_claim = name.starts_with(claim_prefix);
    auto const prefix = is_claim ? claim_prefix : context_prefix;
    return { is_claim ? Withheld::Kind::tag : Withheld::Kind::context, name.starts_with(prefix) ? name.substr(prefix.size()) : std::string(),
        "kept as a digest" };
}

// Texts that were cut since their record would have been too long.
void add_cut_texts(std::vector<Withheld>& withheld, audit::Record const& record)
{
    for (auto const& [name, text] : { std::pair("workload", &record.workload), { "workload_type", &record.workload_type },
             { "workload_name", &record.workload_name }, { "pipeline", &record.pipeline }, { "team", &record.team }, { "run", &record.run },
             { "purpose", &record.purpose }, { "action", &record.action }, { "resource", &record.resource->id } })
        if (text->ends_with(cut_mark))
            withheld.push_back({ Withheld::Kind::request, name, "too long to be kept" });
}

std::vector<Withheld> withheld_of(audit::Record const& record)
{
    std::vector<Withheld> withheld;
    for (auto const& name : record.redacted)
        withheld.push_back(name == cut_mark ? Withheld { Withheld::Kind::request, "redacted", "too long to be kept" } : redacted(name));
    if (!record.context_cut.empty())
        withheld.push_back({ Withheld::Kind::context, "", "too long to be kept" });
    if (record.claims_cut > 0)
        withheld.push_back({ Withheld::Kind::tag, "", std::to_string(record.claims_cut) + " claims were too long to be kept" });
    add_cut_texts(withheld, record);
    return withheld;
}

} // namespace

std::string to_string(Withheld const& withheld)
{
    auto const name = withheld.name.empty() ? std::string("any") : withheld.name;
    switch (withheld.kind) {
    case Withheld::Kind::context: return "context." + name + ": " + withheld.why;
    case Withheld::Kind::tag: return "claim " + name + ": " + withheld.why;
    case Withheld::Kind::request: break;
    }
    return name + ": " + withheld.why;
}

cedar::EntityStore entities_for(RecordedRequest const& recorded, cedar::EntityStore const& declared)
{
    cedar::EntityStore entities(&declared);
    if (declared.find(recorded.principal.uid) == nullptr)
        entities.add(recorded.principal);
    return entities;
}

Result<RecordedRequest> recorded_request(audit::Record const& record)
{
    if (record.type != audit::RecordType::decision || !record.allowed || !record.resource)
        return invalid_argument("not a record of a decision");
    RecordedRequest recorded;
    auto& request = recorded.request;
    recorded.principal = vocabulary::workload_entity(
        { record.workload_type.empty() ? "Workload" : record.workload_type, record.workload, record.workload_name, record.pipeline, record.team }, tags_of(record.claims));
    request.principal = recorded.principal.uid;
    request.action = { "Action", record.action };
    request.resource = { record.resource->type, record.resource->id };
    request.context = TRY(context_of(record).in("context"));
    recorded.withheld = withheld_of(record);
    return recorded;
}

} // namespace writ::replay

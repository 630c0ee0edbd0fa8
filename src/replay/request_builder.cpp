// SPDX-License-Identifier: Apache-2.0
#include "replay/request_builder.h"

#include "cedar/value_json.h"
#include "replay/recorded_request.h"
#include "vocabulary/facts.h"

namespace writ::replay {

namespace {

// LIMIT: workloads and values that are kept; beyond it they are made again.
constexpr std::size_t principals_max = 20'000;
constexpr std::size_t values_max = 10'000;

// Text that stands for itself and was not cut; of a member that is not there, empty.
bool take_plain(std::string& into, std::string_view value)
{
    auto const text = value.empty() ? std::optional<std::string_view>("") : plain_text(value);
    if (!text || text->ends_with(cut_mark))
        return false;
    into.assign(*text);
    return true;
}

bool add_claim(cedar::Record& tags, std::string_view claim, AskedFor const& asked)
{
    MemberView name, values;
    auto members = claim.substr(1);
    if (claim.front() != '{' || !next_member(members, name) || name.name != "name" || !next_member(members, values) || values.name != "values")
        return false;
    auto const text = plain_text(name.value);
    if (!text)
        return false;
    if (!asked.has_tag(*text))
        return true;
    auto const parsed = parse_json(values.value, { .size_max = values.value.size() });
    if (parsed.is_error() || !parsed->is_array())
        return false;
    std::vector<std::string> list;
    for (auto const& value : parsed->as_array()) {
        if (!value.is_string())
            return false;
        list.emplace_back(value.as_string());
    }
    tags.insert_or_assign(std::string(*text), cedar::Value::set_of(list));
    return true;
}

} // namespace

RequestBuilder::RequestBuilder(cedar::EntityStore const& behind, AskedFor const& asked)
    : behind_(behind)
    , asked_(asked)
{
    request_.action.type = "Action";
}

cedar::Request const* RequestBuilder::build(RecordView const& view)
{
    bool const is_unusual = asked_.all_context || !view.redacted.empty() || !view.context_cut.empty() || !view.claims_cut.empty();
    if (is_unusual || !set_principal(view) || !take_plain(request_.action.id, view.action) || !set_resource(view.resource) || !set_context(view))
        return nullptr;
    return &request_;
}

bool RequestBuilder::set_principal(RecordView const& view)
{
    write_principal_key(key_, view, asked_);
    auto found = principals_.find(std::string_view(key_));
    if (found == principals_.end()) {
        auto made = principal_of(view);
        if (!made)
            return false;
        if (principals_.size() == principals_max)
            principals_.clear();
        found = principals_.emplace(key_, std::move(made)).first;
    }
    request_.principal = found->second->uid;
    front_ = &found->second->front;
    return true;
}

std::unique_ptr<RequestBuilder::Principal> RequestBuilder::principal_of(RecordView const& view) const
{
    vocabulary::WorkloadFacts facts;
    if (!take_plain(facts.type, view.workload_type) || !take_plain(facts.id, view.workload) || !take_plain(facts.name, view.workload_name)
        || !take_plain(facts.pipeline, view.pipeline) || !take_plain(facts.team, view.team))
        return nullptr;
    if (facts.type.empty())
        facts.type = "Workload";
    cedar::Record tags;
    if (asked_.has_any_tag() && !view.claims.empty()) {
        auto rest = view.claims.substr(1);
        for (std::string_view claim; next_element(rest, claim);)
            if (!add_claim(tags, claim, asked_))
                return nullptr;
    }
    auto made = std::make_unique<Principal>(Principal { { facts.type, facts.id }, cedar::EntityStore(&behind_) });
    if (behind_.find(made->uid) == nullptr)
        made->front.add(vocabulary::workload_entity(facts, std::move(tags)));
    return made;
}

bool RequestBuilder::set_resource(std::string_view resource)
{
    if (resource.empty() || resource.front() != '{')
        return false;
    bool has_type = false, has_id = false;
    auto rest = resource.substr(1);
    for (MemberView member; next_member(rest, member);) {
        if (member.name == "type")
            has_type = take_plain(request_.resource.type, member.value);
        else if (member.name == "id")
            has_id = take_plain(request_.resource.id, member.value);
    }
    return has_type && has_id;
}

bool RequestBuilder::set_context(RecordView const& view)
{
    auto& context = request_.context;
    if (std::exchange(has_sent_members_, false))
        context.clear();
    std::string purpose, run;
    if (!take_plain(purpose, view.purpose) || !take_plain(run, view.run))
        return false;
    if (asked_.has_context("purpose"))
        context.insert_or_assign("purpose", cedar::Value(std::move(purpose)));
    if (asked_.has_context("run"))
        context.insert_or_assign("run", cedar::Value(std::move(run)));
    if (asked_.has_context("time")) {
        auto const time = parse_rfc3339(plain_text(view.time).value_or(""));
        if (time.is_error())
            return false;
        context.insert_or_assign("time", vocabulary::time_value(*time));
    }
    if (asked_.has_context("posture"))
        context.insert_or_assign("posture", cedar::Value::record({}));
    return view.context.empty() || set_sent_context(view.context);
}

bool RequestBuilder::set_sent_context(std::string_view context)
{
    auto rest = context.substr(1);
    for (MemberView member; next_member(rest, member);) {
        if (member.name.find('\\') != std::string_view::npos)
            return false;
        // These three are the record's own, whatever else it says.
        if (!asked_.has_context(member.name) || member.name == "purpose" || member.name == "run" || member.name == "time")
            continue;
        auto const* const value = value_of(member.value);
        if (value == nullptr)
            return false;
        request_.context.insert_or_assign(std::string(member.name), *value);
        has_sent_members_ = true;
    }
    return rest == "}";
}

cedar::Value const* RequestBuilder::value_of(std::string_view text)
{
    auto found = values_.find(text);
    if (found != values_.end())
        return &found->second;
    auto const json = parse_json(text, { .size_max = text.size() });
    auto value = json.is_ok() ? cedar::parse_value(*json) : Result<cedar::Value>(json.error());
    if (value.is_error())
        return nullptr;
    if (values_.size() == values_max)
        values_.clear();
    return &values_.emplace(std::string(text), std::move(value).value()).first->second;
}

} // namespace writ::replay

// SPDX-License-Identifier: Apache-2.0
#include "replay/single_decisions.h"

#include "audit/record_items.h"

#include <charconv>

namespace writ::replay {

Result<> apply_item(audit::Record& record, std::string_view item)
{
    auto const object = TRY(parse_json_object(item, { .size_max = limits::record_bytes_max }).in("item"));
    record.resource = audit::RecordedEntity { std::string(TRY(string_member(object, "type"))), std::string(TRY(string_member(object, "id"))), "", "" };
    auto const decision = TRY(string_member(object, "decision"));
    if (decision != "allow" && decision != "deny")
        return invalid_argument("item: `decision` is allow or deny");
    record.allowed = decision == "allow";
    record.policies = object.contains("policies") ? TRY(strings_member(object, "policies")) : std::vector<std::string>();
    return {};
}

Result<RecordedRequest> recorded_request(std::string_view text, std::string_view item)
{
    auto record = TRY(audit::parse_record(text));
    if (!item.empty())
        TRY(apply_item(record, item));
    return recorded_request(record);
}

Result<std::vector<audit::Record>> single_decisions(std::string_view text)
{
    return audit::single_records(TRY(audit::parse_record(text)));
}

ItemViews::ItemViews(std::string_view items)
    : rest_(items.starts_with('[') ? items.substr(1) : "")
{
}

bool ItemViews::next(RecordView& view)
{
    std::string_view element, id;
    while (id.empty()) {
        if (!next_element(rest_, element))
            return false;
        is_well_formed_ = take_element(element, id);
        if (!is_well_formed_)
            return false;
    }
    auto const& outcome = outcomes_[selected_];
    text_.assign("{\"type\":").append(outcome.type).append(",\"id\":").append(id).append(",\"decision\":").append(outcome.decision);
    if (!outcome.policies.empty())
        text_.append(",\"policies\":").append(outcome.policies);
    text_ += '}';
    view.resource = text_; // it has `type` and `id` as a resource has
    view.decision = outcome.decision;
    view.policies = outcome.policies;
    return true;
}

// `id` of an item, with its quotation marks. What is only an outcome leaves it empty.
bool ItemViews::take_element(std::string_view element, std::string_view& id)
{
    if (element.starts_with('{')) {
        if (!take_object(element, id))
            return false;
    } else if (element.starts_with('"')) {
        id = element;
    } else {
        auto const read = std::from_chars(element.data(), element.data() + element.size(), selected_);
        if (read.ec != std::errc() || read.ptr != element.data() + element.size())
            return false;
    }
    return selected_ < outcomes_.size();
}

// An outcome if it has a decision, an item if it has an id (audit/record_items.h).
bool ItemViews::take_object(std::string_view object, std::string_view& id)
{
    Outcome stated;
    auto rest = object.substr(1);
    for (MemberView member; rest != "}";) {
        if (!next_member(rest, member))
            return false;
        if (member.name == "type")
            stated.type = member.value;
        else if (member.name == "id")
            id = member.value;
        else if (member.name == "decision")
            stated.decision = member.value;
        else if (member.name == "policies")
            stated.policies = member.value;
    }
    if (stated.decision.empty())
        return !id.empty();
    selected_ = outcomes_.size();
    outcomes_.push_back(stated);
    return !stated.type.empty();
}

} // namespace writ::replay

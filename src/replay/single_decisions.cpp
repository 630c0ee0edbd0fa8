// SPDX-License-Identifier: Apache-2.0
#include "replay/single_decisions.h"

#include "audit/record_items.h"

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

} // namespace writ::replay

// SPDX-License-Identifier: Apache-2.0
#include "issue/gcp_sts/access_boundary.h"

namespace writ::issue {

namespace {

// The object of that very name, and those below it; names are listed below it alone.
std::string condition_of(ObjectPlace const& place)
{
    // SECURITY: parse_object_place() let no quote and no backslash in.
    auto const object = "projects/_/buckets/" + place.bucket + "/objects/" + place.prefix;
    return "resource.name == '" + object + "' || resource.name.startsWith('" + object + "/') || api.getAttribute('storage.googleapis.com/objectListPrefix', '').startsWith('"
        + place.prefix + "/')";
}

JsonObject rule_of(ObjectAccess const& access)
{
    // objectUser: get, list, put and delete, and not the objects' own policies, as objectAdmin would.
    JsonObject rule { { "availableResource", "//storage.googleapis.com/projects/_/buckets/" + access.place.bucket },
        { "availablePermissions", JsonArray { access.may_write ? "inRole:roles/storage.objectUser" : "inRole:roles/storage.objectViewer" } } };
    if (!access.place.prefix.empty())
        rule.emplace("availabilityCondition", JsonObject { { "expression", condition_of(access.place) } });
    return rule;
}

} // namespace

Result<std::string> access_boundary_options(std::span<ObjectAccess const> accesses)
{
    if (accesses.size() > boundary_rules_max)
        return invalid_argument("an access boundary has " + std::to_string(boundary_rules_max) + " rules at the most, and this one would have "
            + std::to_string(accesses.size()) + ": ask for fewer data sets at once, by name");
    JsonArray rules;
    for (auto const& access : accesses)
        rules.push_back(rule_of(access));
    return to_text(JsonValue(JsonObject { { "accessBoundary", JsonObject { { "accessBoundaryRules", std::move(rules) } } } }));
}

} // namespace writ::issue

// SPDX-License-Identifier: Apache-2.0
#include "vocabulary/outage.h"

#include <algorithm>

namespace writ::vocabulary {

namespace {

constexpr std::string_view annotation = "outage";

} // namespace

std::optional<OutageContract> outage_contract_of(cedar::Policy const& policy)
{
    auto const* const value = policy.annotation(annotation);
    if (value == nullptr || *value == "refuse")
        return OutageContract::refuse;
    if (*value == "spool")
        return OutageContract::spool;
    return std::nullopt;
}

void check_outage_contracts(cedar::PolicySet const& policies, std::vector<cedar::SyntaxProblem>& problems)
{
    for (auto const* const some : { &policies.policies(), &policies.templates() })
        for (auto const& policy : *some) {
            if (outage_contract_of(*policy))
                continue;
            auto const found = std::ranges::find(policy->annotations, annotation, &cedar::Annotation::name);
            problems.push_back({ policy->path, found->span, "`@outage` says `refuse` or `spool`, not `" + found->value + "`" });
        }
}

std::set<std::string, std::less<>> spooling_policies(cedar::PolicySet const& policies)
{
    std::set<std::string, std::less<>> ids;
    for (auto const& policy : policies.policies())
        if (outage_contract_of(*policy) == OutageContract::spool)
            ids.insert(policy->id);
    return ids;
}

bool may_spool(std::set<std::string, std::less<>> const& spooling, std::vector<std::string> const& determining)
{
    return !determining.empty() && std::ranges::all_of(determining, [&spooling](auto const& id) { return spooling.contains(id); });
}

} // namespace writ::vocabulary

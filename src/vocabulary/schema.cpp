// SPDX-License-Identifier: Apache-2.0
#include "vocabulary/schema.h"

#include "vocabulary/outage.h"

namespace writ::vocabulary {

cedar::Schema const& schema()
{
    static cedar::Schema const parsed = [] {
        std::vector<cedar::SyntaxProblem> problems;
        auto found = cedar::Schema::parse({ { "writ.cedarschema", std::string(schema_text()) } }, problems);
        ASSERT(found && problems.empty()); // INVARIANT: it is part of the program, and a test reads it
        return std::move(*found);
    }();
    return parsed;
}

cedar::PolicySet parse_policies(
    std::vector<cedar::PolicySource> const& sources, std::vector<cedar::SyntaxProblem>& problems, cedar::ValidationMode mode)
{
    auto policies = cedar::PolicySet::parse(sources, problems);
    for (auto& problem : cedar::validate(policies, schema(), mode))
        problems.push_back({ std::move(problem.path), problem.span, std::move(problem.message) });
    check_outage_contracts(policies, problems);
    return problems.empty() ? policies : cedar::PolicySet();
}

} // namespace writ::vocabulary

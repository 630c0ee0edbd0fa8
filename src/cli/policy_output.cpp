// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_output.h"

#include "cli/policy_files.h"
#include "vocabulary/schema.h"

#include <cstdio>

namespace writ::cli {

void print_problems(std::vector<cedar::SyntaxProblem> const& problems)
{
    for (auto const& problem : problems)
        std::fprintf(stderr, "%s:%d:%d: %s\n", printable(problem.path).c_str(), problem.span.line, problem.span.column,
            printable(problem.message).c_str());
}

JsonArray problems_json(std::vector<cedar::SyntaxProblem> const& problems)
{
    JsonArray array;
    for (auto const& problem : problems)
        array.push_back(JsonObject {
            { "path", problem.path }, { "line", problem.span.line }, { "column", problem.span.column }, { "message", problem.message } });
    return array;
}

Error problem_count(std::size_t count) { return invalid_argument(std::to_string(count) + (count == 1 ? " problem" : " problems")); }

Result<cedar::PolicySet> read_policies(std::vector<std::string> const& paths)
{
    auto const sources = TRY(read_policy_sources(paths));
    std::vector<cedar::SyntaxProblem> problems;
    auto policies = vocabulary::parse_policies(sources, problems);
    print_problems(problems);
    if (!problems.empty())
        return problem_count(problems.size());
    return policies;
}

std::string decision_text(bool allowed) { return allowed ? "allow" : "deny"; }

std::string list_of(std::vector<std::string> const& names)
{
    std::string list;
    for (auto const& name : names)
        list += (list.empty() ? "" : ", ") + printable(name);
    return list.empty() ? "none" : list;
}

JsonArray names_json(std::vector<std::string> const& names)
{
    JsonArray array;
    for (auto const& name : names)
        array.emplace_back(name);
    return array;
}

} // namespace writ::cli

// SPDX-License-Identifier: Apache-2.0
//
// Policies from any bytes. What parses, prints, and parses to the same print; so it does through JSON. Laid out, it says the same, and stays as it is.
#include "base/assert.h"
#include "base/bytes.h"
#include "cedar/formatter.h"
#include "cedar/policy_json.h"
#include "cedar/printer.h"

#include <cstddef>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    using namespace writ::cedar;
    std::vector<SyntaxProblem> problems;
    auto const set = PolicySet::parse_numbered({ { "fuzz", std::string(writ::as_text({ bytes, size })) } }, problems);
    for (auto const& policy : set.policies()) {
        auto const printed = to_string(*policy);
        std::vector<SyntaxProblem> again;
        auto const reread = PolicySet::parse_numbered({ { "printed", printed } }, again);
        ASSERT(again.empty() && reread.size() == 1 && to_string(*reread.policies()[0]) == printed);
    }
    if (!problems.empty())
        return 0;
    auto const json = to_json(set);
    auto const from_json = parse_policy_set_json(json);
    ASSERT(from_json.is_ok() && to_json(*from_json) == json);
    auto const formatted = format_policies({ "fuzz", std::string(writ::as_text({ bytes, size })) }, problems);
    auto const reread = PolicySet::parse_numbered({ { "formatted", formatted } }, problems);
    ASSERT(problems.empty() && to_json(reread) == json);
    ASSERT(format_policies({ "formatted", formatted }, problems) == formatted);
    return 0;
}

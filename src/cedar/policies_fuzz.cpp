// SPDX-License-Identifier: Apache-2.0
//
// Policies from any bytes. What parses, prints, and parses to the same print.
#include "base/assert.h"
#include "base/bytes.h"
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
    return 0;
}

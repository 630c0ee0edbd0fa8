// SPDX-License-Identifier: Apache-2.0
//
// A schema from any bytes, then a policy against it.
#include "base/bytes.h"
#include "cedar/validator.h"

#include <cstddef>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    using namespace writ::cedar;
    std::string const text(writ::as_text({ bytes, size }));
    std::vector<SyntaxProblem> problems;
    auto const schema = Schema::parse({ { "fuzz", text } }, problems);
    if (!schema || schema->actions().size() > 8)
        return 0;
    auto const set = PolicySet::parse({ { "p", "permit (principal, action, resource) when { context has a.b && principal.a == resource.b && principal.hasTag(\"a\") };" } }, problems);
    static_cast<void>(validate(set, *schema));
    static_cast<void>(validate(set, *schema, ValidationMode::permissive));
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// A schema from any bytes, in Cedar's syntax or JSON: each form is translated to the other and back. Then a policy against it.
#include "base/assert.h"
#include "base/bytes.h"
#include "cedar/schema_syntax.h"
#include "cedar/validator.h"

#include <cstddef>

namespace {

using namespace writ::cedar;

void translate(SchemaSyntax const& syntax)
{
    auto const json = to_json(syntax);
    auto const from_json = parse_schema_json(json);
    ASSERT(from_json.is_ok() && to_json(*from_json) == json);
    std::vector<SyntaxProblem> problems;
    auto const printed = to_string(syntax);
    auto const again = parse_schema_syntax({ "printed", printed }, problems);
    ASSERT(problems.empty() && to_string(again) == printed);
}

void read_json(std::string_view text)
{
    auto const json = writ::parse_json(text);
    if (json.is_error())
        return;
    auto const syntax = parse_schema_json(*json);
    std::vector<SyntaxProblem> problems;
    if (syntax.is_ok() && Schema::resolve({ *syntax }, problems))
        translate(*syntax);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    std::string const text(writ::as_text({ bytes, size }));
    read_json(text);
    std::vector<SyntaxProblem> problems;
    auto const schema = Schema::parse({ { "fuzz", text } }, problems);
    if (!schema)
        return 0;
    translate(parse_schema_syntax({ "fuzz", text }, problems));
    if (schema->actions().size() > 8)
        return 0;
    auto const set = PolicySet::parse({ { "p", "permit (principal, action, resource) when { context has a.b && principal.a == resource.b && principal.hasTag(\"a\") };" } }, problems);
    static_cast<void>(validate(set, *schema));
    static_cast<void>(validate(set, *schema, ValidationMode::permissive));
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
//
// What names somebody: SPIFFE IDs, claims, bundles, and a workload's template and pattern.
#include "identity/bundle.h"
#include "identity/workload.h"

#include <cstddef>
#include <cstdint>

using namespace writ;
using namespace writ::identity;

namespace {

void try_id(std::string_view text)
{
    auto const id = SpiffeId::parse(text);
    if (id.is_ok())
        ASSERT(SpiffeId::create(id->trust_domain(), id->path()).value() == *id);
}

void try_workload(std::string const& text)
{
    auto const middle = text.size() / 2;
    Workload workload;
    workload.id_template = text.substr(0, middle);
    workload.match = { { "unix.user", { text.substr(middle) } } };
    if (check_workload(workload).is_error())
        return;
    auto const id = match_workload(workload, { "unix", { { "unix.user", { text.substr(middle) } } } });
    ASSERT(!id || !id->path().starts_with("/writ/"));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string const text(reinterpret_cast<char const*>(data), size);
    try_id(text);
    try_workload(text);
    if (auto const object = parse_json_object(text); object.is_ok()) {
        if (auto const claims = parse_claims(*object); claims.is_ok())
            ASSERT(parse_claims(to_json(*claims)).value() == *claims);
    }
    if (auto const bundle = parse_bundle(text); bundle.is_ok())
        ASSERT(parse_bundle(to_text(JsonValue(to_json(*bundle)))).is_ok());
    return 0;
}

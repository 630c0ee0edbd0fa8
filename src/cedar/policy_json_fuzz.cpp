// SPDX-License-Identifier: Apache-2.0
//
// Policies in their JSON form: what is read is written so that it reads as the same.
#include "cedar/policy_json.h"

#include <cstddef>
#include <cstdint>

using namespace writ;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    auto const json = parse_json(std::string_view(reinterpret_cast<char const*>(data), size));
    if (json.is_error())
        return 0;
    if (auto const policy = cedar::parse_policy_json(*json); policy.is_ok()) {
        auto const written = cedar::to_json(*policy);
        auto const again = cedar::parse_policy_json(written);
        ASSERT(again.is_ok() && cedar::to_json(*again) == written);
    }
    if (auto const set = cedar::parse_policy_set_json(*json); set.is_ok()) {
        auto const written = cedar::to_json(*set);
        auto const again = cedar::parse_policy_set_json(written);
        ASSERT(again.is_ok() && cedar::to_json(*again) == written);
    }
    return 0;
}

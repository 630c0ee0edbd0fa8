// SPDX-License-Identifier: Apache-2.0
//
// Trust policies. A quorum that reads can be asked, and all of its witnesses together meet it.
#include "tlog/policy.h"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    using namespace writ;
    using namespace writ::tlog;
    auto const policy = parse_log_policy(as_text({ bytes, size }));
    if (policy.is_error())
        return 0;
    std::vector<Cosignature> all;
    for (std::size_t i = 0; i < policy->quorum.witnesses.size(); ++i)
        all.push_back({ .witness = i, .time = {}, .line = {} });
    ASSERT(policy->quorum.is_met(all));
    ASSERT(policy->quorum.least() <= all.size());
    ASSERT((policy->quorum.least() == 0) == policy->quorum.is_met({}));
    return 0;
}

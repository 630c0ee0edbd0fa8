// SPDX-License-Identifier: Apache-2.0
#include "agent/run_identity.h"

#include "agent/svid_cache.h"

namespace writ::agent {

net::Task<Result<SecretText>> run_identity_token(LoopbackDesk& desk, WatchedRun run, std::string audience)
{
    auto opened = attest::open_process(run.process);
    auto const pidfd = CO_TRY(opened);
    auto attested = co_await desk.attestor.attest_beside(run.process.pid, pidfd.get());
    auto process = CO_TRY(attested);
    std::vector<std::string> audiences { std::move(audience) };
    auto fetched = co_await desk.svids.jwt(std::move(process.claims), std::move(audiences), run.workload);
    auto const svids = CO_TRY(fetched);
    for (auto const& svid : svids) {
        if (svid.id == run.workload)
            co_return svid.token->duplicate();
    }
    co_return permission_denied("the run's process is not `" + run.workload + "` any more");
}

} // namespace writ::agent

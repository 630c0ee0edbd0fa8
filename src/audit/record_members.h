// SPDX-License-Identifier: Apache-2.0
//
// The members of a record that are plain texts and lists of texts: one table for both directions, so that what is written is read, under the
// same name. Private to audit.
#pragma once

#include "audit/record.h"

#include <array>
#include <utility>

namespace writ::audit {

inline constexpr std::array<std::pair<RecordType, std::string_view>, 8> type_names = { {
    { RecordType::decision, "decision" },
    { RecordType::issuance, "issuance" },
    { RecordType::revocation, "revocation" },
    { RecordType::run_start, "run_start" },
    { RecordType::run_end, "run_end" },
    { RecordType::administration, "administration" },
    { RecordType::startup, "startup" },
    { RecordType::retention, "retention" },
} };

template <typename R, typename Visit> void visit_texts(R& record, Visit const& visit)
{
    visit("trace", record.trace);
    visit("request", record.request);
    visit("caller", record.caller);
    visit("workload", record.workload);
    visit("workload_type", record.workload_type);
    visit("workload_name", record.workload_name);
    visit("pipeline", record.pipeline);
    visit("team", record.team);
    visit("run", record.run);
    visit("purpose", record.purpose);
    visit("posture", record.posture);
    visit("action", record.action);
    visit("endpoint", record.endpoint);
    visit("outcome", record.outcome);
    visit("reason", record.reason);
    visit("salt_digest", record.salt_digest);
}

template <typename R, typename Visit> void visit_lists(R& record, Visit const& visit)
{
    visit("classification", record.classification);
    visit("policies", record.policies);
    visit("policy_errors", record.policy_errors);
    visit("redacted", record.redacted);
    visit("asserted", record.asserted);
}

template <typename E, typename Visit> void visit_entity(E& entity, Visit const& visit)
{
    visit("type", entity.type);
    visit("id", entity.id);
    visit("version", entity.version);
    visit("digest", entity.digest);
    visit("alias", entity.alias);
}

template <typename C, typename Visit> void visit_credential(C& credential, Visit const& visit)
{
    visit("kind", credential.kind);
    visit("id", credential.id);
    visit("scope", credential.scope);
    visit("lease", credential.lease);
}

} // namespace writ::audit

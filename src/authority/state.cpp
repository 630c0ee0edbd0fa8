// SPDX-License-Identifier: Apache-2.0
#include "authority/state.h"

namespace writ::authority {

net::Task<Result<std::uint64_t>> append_record(AuthorityState& state, audit::Record record)
{
    // SECURITY: here and nowhere else, so that no record goes around it.
    if (!state.snapshot->redaction.is_empty())
        audit::redact(record, state.snapshot->redaction, state.salt.value());
    auto* const log = state.audit.get();
    auto appended = co_await net::await_callback<Result<std::uint64_t>>(
        [log, &record](net::Completion<Result<std::uint64_t>> done) { log->append(record, std::move(done)); });
    if (appended.is_error()) {
        ++state.metrics.audit_failures;
        co_return std::move(appended).error().in("audit log");
    }
    ++state.metrics.audit_records;
    co_return appended;
}

net::Task<Result<Recorded>> record_or_spool(AuthorityState& state, audit::Record record, bool may_spool)
{
    if (!may_spool) {
        auto appended = co_await append_record(state, std::move(record));
        co_return Recorded { CO_TRY(appended) };
    }
    auto recorded = co_await state.outage->record(std::move(record), may_spool);
    ++(recorded.is_ok() ? state.metrics.audit_records : state.metrics.audit_failures);
    co_return recorded;
}

} // namespace writ::authority

// SPDX-License-Identifier: Apache-2.0
#include "authority/state.h"

#include <algorithm>
#include <mutex>

namespace writ::authority {

namespace {

// Answers of several appends. They come on the log's thread, and refusals on the caller's.
class Gathering {
public:
    using Numbers = std::vector<Result<std::uint64_t>>;

    Gathering(std::size_t count, net::Completion<Numbers> done)
        : numbers_(count, Result<std::uint64_t>(std::uint64_t(0)))
        , missing_(count)
        , done_(std::move(done))
    {
    }

    void answer(std::size_t at, Result<std::uint64_t> number)
    {
        std::unique_lock lock(mutex_);
        numbers_[at] = std::move(number);
        if (--missing_ > 0)
            return;
        lock.unlock();
        done_(std::move(numbers_));
    }

private:
    std::mutex mutex_;
    Numbers numbers_;
    std::size_t missing_;
    net::Completion<Numbers> done_;
};

net::Task<Gathering::Numbers> append_all(audit::AuditLog* log, std::vector<DecisionRecord> const& records)
{
    co_return co_await net::await_callback<Gathering::Numbers>([log, &records](net::Completion<Gathering::Numbers> done) {
        auto const gathering = std::make_shared<Gathering>(records.size(), std::move(done));
        for (std::size_t i = 0; i < records.size(); ++i)
            log->append(records[i].record, [gathering, i](Result<std::uint64_t> number) { gathering->answer(i, std::move(number)); });
    });
}

// SECURITY: what is to be durable passes here, on its way to the log and to the spool, and nowhere else: no record goes around it.
void redact(AuthorityState const& state, audit::Record& record)
{
    if (!state.snapshot->redaction.is_empty())
        audit::redact(record, state.snapshot->redaction, state.salt.value());
}

} // namespace

net::Task<Result<std::uint64_t>> append_record(AuthorityState& state, audit::Record record)
{
    redact(state, record);
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
    redact(state, record);
    auto recorded = co_await state.outage->record(std::move(record), may_spool);
    ++(recorded.is_ok() ? state.metrics.audit_records : state.metrics.audit_failures);
    co_return recorded;
}

net::Task<Result<std::vector<Recorded>>> record_or_spool(AuthorityState& state, std::vector<DecisionRecord> records)
{
    std::vector<Recorded> recorded;
    if (records.empty())
        co_return recorded;
    for (auto& one : records)
        redact(state, one.record);
    auto const may_all_spool = std::ranges::all_of(records, [](auto const& one) { return one.may_spool; });
    Gathering::Numbers numbers;
    if (!may_all_spool || !state.outage->is_spooling())
        numbers = co_await append_all(state.audit.get(), records);
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (i < numbers.size() && numbers[i].is_ok()) {
            recorded.push_back({ *numbers[i] });
            continue;
        }
        Result<Recorded> kept = Recorded {};
        if (records[i].may_spool)
            kept = co_await state.outage->record(std::move(records[i].record), true);
        else
            kept = Error(numbers[i].error()).in("audit log");
        if (kept.is_error()) {
            ++state.metrics.audit_failures;
            co_return std::move(kept).error();
        }
        recorded.push_back(*kept);
    }
    state.metrics.audit_records += records.size();
    co_return recorded;
}

cedar::Decider& decider_of(AuthorityState& state, std::shared_ptr<Snapshot const> const& snapshot)
{
    if (state.deciding.snapshot != snapshot)
        state.deciding = { snapshot, std::make_unique<cedar::Decider>(*snapshot->engine) };
    return *state.deciding.decider;
}

} // namespace writ::authority

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

net::Task<Gathering::Numbers> append_all(audit::AuditLog* log, std::vector<std::string> const& texts)
{
    co_return co_await net::await_callback<Gathering::Numbers>([log, &texts](net::Completion<Gathering::Numbers> done) {
        auto const gathering = std::make_shared<Gathering>(texts.size(), std::move(done));
        for (std::size_t i = 0; i < texts.size(); ++i)
            log->append_text(texts[i], [gathering, i](Result<std::uint64_t> number) { gathering->answer(i, std::move(number)); });
    });
}

// SECURITY: what is to be durable passes here, on its way to the log and to the spool, and nowhere else: no record goes around it.
void redact(AuthorityState const& state, audit::Record& record)
{
    if (!state.snapshot->redaction.is_empty())
        audit::redact(record, state.snapshot->redaction, state.salt.value());
}

// As it will be in the log, and on the account of who made it necessary.
std::string written(AuthorityState& state, audit::Record record)
{
    redact(state, record);
    auto text = audit::to_json_text(record);
    state.meter.charge(RecordMeter::key_of(record.caller, record.workload), text.size(), state.clock.monotonic());
    return text;
}

} // namespace

net::Task<Result<std::uint64_t>> append_record(AuthorityState& state, audit::Record record)
{
    auto const text = written(state, std::move(record));
    auto* const log = state.audit.get();
    auto appended = co_await net::await_callback<Result<std::uint64_t>>(
        [log, &text](net::Completion<Result<std::uint64_t>> done) { log->append_text(text, std::move(done)); });
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
    auto recorded = co_await state.outage->record(written(state, std::move(record)), may_spool);
    ++(recorded.is_ok() ? state.metrics.audit_records : state.metrics.audit_failures);
    co_return recorded;
}

net::Task<Result<std::vector<Recorded>>> record_or_spool(AuthorityState& state, std::vector<DecisionRecord> records)
{
    std::vector<Recorded> recorded;
    if (records.empty())
        co_return recorded;
    std::vector<std::string> texts;
    for (auto& one : records)
        texts.push_back(written(state, std::move(one.record)));
    auto const may_all_spool = std::ranges::all_of(records, [](auto const& one) { return one.may_spool; });
    Gathering::Numbers numbers;
    if (!may_all_spool || !state.outage->is_spooling())
        numbers = co_await append_all(state.audit.get(), texts);
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (i < numbers.size() && numbers[i].is_ok()) {
            recorded.push_back({ *numbers[i] });
            continue;
        }
        Result<Recorded> kept = Recorded {};
        if (records[i].may_spool)
            kept = co_await state.outage->record(std::move(texts[i]), true);
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

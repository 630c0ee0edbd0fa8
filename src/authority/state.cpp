// SPDX-License-Identifier: Apache-2.0
#include "authority/state.h"

#include <mutex>

namespace writ::authority {

namespace {

// Answers of several appends. They come on the log's thread, and refusals on the caller's.
class Gathering {
public:
    using Numbers = Result<std::vector<std::uint64_t>>;

    Gathering(std::size_t count, net::Completion<Numbers> done)
        : numbers_(count)
        , missing_(count)
        , done_(std::move(done))
    {
    }

    void answer(std::size_t at, Result<std::uint64_t> const& number)
    {
        std::unique_lock lock(mutex_);
        if (number.is_ok())
            numbers_[at] = *number;
        else if (!error_)
            error_ = number.error();
        if (--missing_ > 0)
            return;
        lock.unlock();
        done_(error_ ? Numbers(*error_) : Numbers(std::move(numbers_)));
    }

private:
    std::mutex mutex_;
    std::vector<std::uint64_t> numbers_;
    std::optional<Error> error_; // the first
    std::size_t missing_;
    net::Completion<Numbers> done_;
};

} // namespace

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

net::Task<Result<std::vector<std::uint64_t>>> append_records(AuthorityState& state, std::vector<audit::Record> records)
{
    if (records.empty())
        co_return std::vector<std::uint64_t>();
    auto* const log = state.audit.get();
    auto appended = co_await net::await_callback<Gathering::Numbers>([log, &records](net::Completion<Gathering::Numbers> done) {
        auto const gathering = std::make_shared<Gathering>(records.size(), std::move(done));
        for (std::size_t i = 0; i < records.size(); ++i)
            log->append(records[i], [gathering, i](Result<std::uint64_t> number) { gathering->answer(i, number); });
    });
    if (appended.is_error()) {
        ++state.metrics.audit_failures;
        co_return std::move(appended).error().in("audit log");
    }
    state.metrics.audit_records += records.size();
    co_return appended;
}

cedar::Decider& decider_of(AuthorityState& state, std::shared_ptr<Snapshot const> const& snapshot)
{
    if (state.deciding.snapshot != snapshot)
        state.deciding = { snapshot, std::make_unique<cedar::Decider>(*snapshot->engine) };
    return *state.deciding.decider;
}

} // namespace writ::authority

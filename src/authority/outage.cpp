// SPDX-License-Identifier: Apache-2.0
#include "authority/outage.h"

#include "base/logger.h"

namespace writ::authority {

namespace {

// A full disk does not get empty sooner by our asking.
constexpr Duration drain_interval = std::chrono::milliseconds(500);
constexpr Duration stop_poll = std::chrono::milliseconds(5);
// Records read from the log at once.
constexpr std::size_t batch_records = 1000;

std::string time_of(std::string const& text)
{
    auto const record = audit::parse_record(text);
    return record.is_ok() ? to_rfc3339(record->time) : "an unknown time";
}

std::string gap_record(audit::SpoolContents const& contents, Timestamp now)
{
    audit::Record record;
    record.type = audit::RecordType::administration;
    record.time = now;
    record.caller = "authority";
    record.action = "outage";
    record.outcome = "ok";
    if (contents.texts.empty())
        return {};
    record.reason = "the audit log could not be written; from " + time_of(contents.texts.front()) + " to " + time_of(contents.texts.back()) + " "
        + std::to_string(contents.texts.size()) + " records were spooled, and follow their time here, before this one";
    return audit::to_json_text(record);
}

} // namespace

net::Task<Result<>> Outage::spool(std::string text)
{
    auto* const to = spool_.get();
    auto const size = log_.log().size();
    auto kept = co_await net::await_callback<Result<>>(
        [to, &text, size](net::Completion<Result<>> done) { to->append(std::move(text), size, std::move(done)); });
    if (kept.is_ok())
        ++spooled_;
    co_return kept;
}

net::Task<Result<Recorded>> Outage::record(std::string text, bool may_spool)
{
    // While others wait there, what may goes behind them: the order in the spool is the order in the log.
    if (may_spool && is_spooling()) {
        auto const kept = co_await spool(text);
        if (kept.is_ok())
            co_return Recorded {};
    }
    auto* const log = &log_;
    auto appended = co_await net::await_callback<Result<std::uint64_t>>(
        [log, &text](net::Completion<Result<std::uint64_t>> done) { log->append_text(text, std::move(done)); });
    if (appended.is_ok())
        co_return Recorded { *appended };
    if (!may_spool)
        co_return std::move(appended).error().in("audit log");
    auto const kept = co_await spool(std::move(text));
    if (kept.is_error())
        co_return Error(appended.error().code, "audit log: " + appended.error().message + "; spool: " + kept.error().message);
    if (!std::exchange(is_told_, true))
        log_error("THE AUDIT LOG CANNOT BE WRITTEN; decisions whose policies say so are served, and their records spooled",
            { { "error", appended.error().message } });
    co_return Recorded {};
}

// What a life before this one has brought into the log, or the log has kept of a write that it reported lost, is not brought there again.
Result<> Outage::find_drained()
{
    auto const end = log_.log().size();
    for (auto index = spool_->log_size(); index < end;) {
        auto const texts = TRY(log_.log().read_range(index, batch_records));
        if (texts.empty())
            return corruption("record " + std::to_string(index) + " cannot be read");
        for (auto const& text : texts)
            ++found_[writ::to_text(text)];
        index += texts.size();
    }
    is_searched_ = true;
    return {};
}

net::Task<Result<>> Outage::seal()
{
    auto* const to = spool_.get();
    auto const now = clock_.now();
    co_return co_await net::await_callback<Result<>>([to, now](net::Completion<Result<>> done) {
        to->seal([now](audit::SpoolContents const& contents) { return gap_record(contents, now); }, std::move(done));
    });
}

net::Task<Result<>> Outage::drain()
{
    if (!is_searched_) {
        auto const searched = find_drained();
        if (searched.is_error())
            co_return searched.error();
    }
    auto* const log = &log_;
    for (;;) {
        for (; next_ < spool_->count(); ++next_) {
            if (is_stopping_)
                co_return unavailable("the authority stops");
            auto const text = spool_->text(next_);
            if (auto const found = found_.find(text); found != found_.end() && found->second > 0) {
                --found->second;
                continue;
            }
            auto const appended = co_await net::await_callback<Result<std::uint64_t>>(
                [log, &text](net::Completion<Result<std::uint64_t>> done) { log->append_text(text, std::move(done)); });
            if (appended.is_error())
                co_return appended.error();
        }
        if (spool_->is_sealed())
            break;
        auto const sealed = co_await seal();
        if (sealed.is_error())
            co_return sealed.error();
    }
    auto const count = spool_->count() - 1;
    auto const cleared = spool_->clear();
    if (cleared.is_error())
        co_return cleared.error();
    next_ = 0;
    is_searched_ = false;
    is_told_ = false;
    found_.clear();
    ++gaps_;
    log_warning("the audit log is written again; what was spooled is in it", { { "records", count } });
    co_return Result<>();
}

net::Task<> Outage::keep()
{
    while (!is_stopping_) {
        co_await net::delay(drain_interval);
        if (is_stopping_ || spool_->is_empty() || log_.log().is_refusing())
            continue;
        is_draining_ = true;
        auto const drained = co_await drain();
        is_draining_ = false;
        if (drained.is_error())
            log_warning("spooled records wait for the audit log", { { "records", spool_->count() }, { "error", drained.error().message } });
    }
}

net::Task<> Outage::stop()
{
    is_stopping_ = true;
    while (is_draining_) // LIMIT: one record's sync
        co_await net::delay(stop_poll);
}

OutageState Outage::state() const { return { .waiting = spool_->count(), .spooled = spooled_, .gaps = gaps_ }; }

JsonObject to_json(OutageState const& state)
{
    return { { "waiting", state.waiting }, { "spooled", state.spooled }, { "gaps", state.gaps } };
}

std::string outage_to_prometheus(OutageState const& state)
{
    return "# HELP writ_audit_spool_waiting Records in the spool, which the log could not take yet.\n# TYPE writ_audit_spool_waiting gauge\n"
           "writ_audit_spool_waiting "
        + std::to_string(state.waiting)
        + "\n# HELP writ_audit_spooled_total Records that were spooled.\n# TYPE writ_audit_spooled_total counter\nwrit_audit_spooled_total "
        + std::to_string(state.spooled) + "\n";
}

} // namespace writ::authority

// SPDX-License-Identifier: Apache-2.0
#include "authority/clock_watch.h"

#include "base/logger.h"

#include <cmath>
#include <cstdio>

namespace writ::authority {

namespace {

constexpr Duration interval = std::chrono::seconds(1);

net::Task<> record_step(AuthorityState& state, std::string what)
{
    audit::Record record;
    record.type = audit::RecordType::administration;
    record.time = state.clock.now();
    record.caller = "authority";
    record.outcome = "clock_step";
    record.reason = std::move(what);
    auto const appended = co_await append_record(state, std::move(record));
    if (appended.is_error())
        log_error("a step of the clock is not on record", { { "error", appended.error().message } });
}

} // namespace

std::optional<Duration> ClockWatch::look(Timestamp now, Monotonic monotonic)
{
    auto const step = (now - now_) - (monotonic - monotonic_);
    now_ = now;
    monotonic_ = monotonic;
    return step >= clock_step_min || step <= -clock_step_min ? std::optional(step) : std::nullopt;
}

std::string describe_step(Duration step)
{
    char seconds[64];
    std::snprintf(seconds, sizeof seconds, "%.1f s", std::abs(std::chrono::duration<double>(step).count()));
    return std::string("the clock was set ") + (step < Duration::zero() ? "back by " : "forward by ") + seconds;
}

net::Task<> watch_clock(AuthorityState& state)
{
    ClockWatch watch(state.clock.now(), state.clock.monotonic());
    for (;;) {
        co_await net::delay(interval);
        auto const step = watch.look(state.clock.now(), state.clock.monotonic());
        if (!step)
            continue;
        auto what = describe_step(*step);
        log_error(what, { { "now", to_rfc3339(state.clock.now()) } });
        co_await record_step(state, std::move(what));
    }
}

net::Task<std::string> describe_clock_at_start(AuthorityState& state)
{
    using Found = Result<std::vector<audit::StoredRecord>>;
    auto* const log = state.audit.get();
    audit::RecordFilter filter;
    filter.limit = 1;
    auto const found = co_await net::await_callback<Found>([log, &filter](net::Completion<Found> done) { log->query(filter, std::move(done)); });
    if (found.is_error() || found->empty() || found->front().record.time < state.clock.now() + clock_step_min)
        co_return "";
    auto what = "the clock says " + to_rfc3339(state.clock.now()) + ", and the newest record is of " + to_rfc3339(found->front().record.time);
    log_error(what, {});
    co_return what;
}

} // namespace writ::authority

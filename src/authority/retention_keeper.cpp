// SPDX-License-Identifier: Apache-2.0
#include "authority/retention_keeper.h"

#include "base/logger.h"
#include "tlog/tile.h"

#include <algorithm>
#include <charconv>

namespace writ::authority {

namespace {

// Soon after something was dropped, or a start: exports and the journal still catch up then. Later now and then.
constexpr Duration between_rounds_min = std::chrono::seconds(5), between_rounds_max = std::chrono::hours(1);
// LIMIT: of one round, so that a decision never waits for more than a few milliseconds of it; the next one follows at once.
constexpr std::uint64_t bundles_max = 32;
constexpr Duration age_min = std::chrono::hours(1), age_max = std::chrono::hours(24 * 365 * 100);
constexpr std::uint64_t size_min = 1'000'000;

Result<std::uint64_t> number_before(std::string_view text, std::string_view unit)
{
    std::uint64_t number = 0;
    auto const digits = text.substr(0, text.size() - unit.size());
    auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || number > 1'000'000)
        return invalid_argument("`" + std::string(text) + "` does not begin with a number up to 1,000,000");
    return number;
}

} // namespace

Result<Duration> parse_retention_age(std::string_view text)
{
    for (auto const& [unit, length] : { std::pair<std::string_view, Duration>("d", std::chrono::hours(24)), { "h", std::chrono::hours(1) } }) {
        if (!text.ends_with(unit))
            continue;
        auto const age = length * static_cast<std::int64_t>(TRY(number_before(text, unit)));
        if (age < age_min || age > age_max)
            return invalid_argument("an age is from 1h to 36500d");
        return age;
    }
    return invalid_argument("`" + std::string(text) + "` is no age: 400d, 36h");
}

Result<std::uint64_t> parse_retention_size(std::string_view text)
{
    for (auto const& [unit, size] :
        { std::pair<std::string_view, std::uint64_t>("MB", 1'000'000), { "GB", 1'000'000'000 }, { "TB", 1'000'000'000'000 } }) {
        if (!text.ends_with(unit))
            continue;
        auto const bytes = TRY(number_before(text, unit)) * size;
        if (bytes < size_min)
            return invalid_argument("a size is at least 1MB");
        return bytes;
    }
    return invalid_argument("`" + std::string(text) + "` is no size: 500MB, 10GB, 2TB");
}

net::Task<> RetentionKeeper::keep()
{
    auto pause = between_rounds_min;
    while (limits_.is_set()) {
        auto const dropped = co_await round();
        if (dropped.is_error())
            log_warning("retention drops nothing; it is tried again", { { "error", dropped.error().message } });
        bool const has_dropped = dropped.is_ok() && *dropped;
        co_await net::delay(has_dropped ? Duration(0) : pause);
        pause = has_dropped ? between_rounds_min : std::min(2 * pause, between_rounds_max);
    }
}

net::Task<Result<bool>> RetentionKeeper::round()
{
    auto const& log = state_.audit->log();
    auto const kept = log.first_kept();
    auto old = too_old(kept);
    auto const by_age = CO_TRY(old);
    auto const by_size = too_large(kept);
    auto const cutoff = log.droppable_before(unless_needed(std::max(by_age, by_size)));
    if (cutoff <= kept)
        co_return false;
    audit::Record record;
    record.type = audit::RecordType::retention;
    record.time = state_.clock.now();
    record.caller = "authority";
    record.dropped_before = cutoff;
    record.outcome = "ok";
    record.reason = "records " + std::to_string(kept) + " to " + std::to_string(cutoff - 1) + " dropped by retention: "
        + (by_age >= by_size ? "too old" : "too many bytes");
    auto const appended = co_await append_record(state_, std::move(record));
    if (appended.is_error())
        co_return appended.error();
    auto dropped = state_.audit->drop_before(cutoff);
    auto const first_kept = CO_TRY(dropped);
    log_info("audit records were dropped by retention", { { "first_kept", first_kept }, { "record", *appended } });
    co_return true;
}

// A bundle may go when its youngest record may.
Result<std::uint64_t> RetentionKeeper::too_old(std::uint64_t first) const
{
    auto const& log = state_.audit->log();
    auto cutoff = first;
    if (!limits_.age)
        return cutoff;
    auto const oldest = state_.clock.now() - *limits_.age;
    for (std::uint64_t bundles = 0; bundles < bundles_max && cutoff + tlog::tile_width <= log.size(); ++bundles) {
        auto const entry = TRY(log.read(cutoff + tlog::tile_width - 1));
        auto const record = audit::parse_record(as_text(entry));
        if (record.is_error() || record->time >= oldest) // what cannot be dated stays
            break;
        cutoff += tlog::tile_width;
    }
    return cutoff;
}

std::uint64_t RetentionKeeper::too_large(std::uint64_t first) const
{
    if (!limits_.bytes)
        return first;
    auto const size_of = [this](std::uint64_t index) {
        std::error_code error;
        auto const size = std::filesystem::file_size(state_.log_folder / tlog::TileName { .level = std::nullopt, .index = index }.path(), error);
        return error ? 0 : std::uint64_t(size);
    };
    auto const begin = first / tlog::tile_width, end = state_.audit->log().size() / tlog::tile_width;
    std::uint64_t kept = 0;
    auto index = end;
    while (index > begin && kept <= *limits_.bytes)
        kept += size_of(--index);
    // `index` is the newest bundle that does not fit, if one does not.
    auto const cutoff = kept > *limits_.bytes ? (index + 1) * tlog::tile_width : first;
    return std::min(cutoff, first + bundles_max * tlog::tile_width);
}

std::uint64_t RetentionKeeper::unless_needed(std::uint64_t cutoff)
{
    auto const needed = state_.exports ? state_.exports->first_needed() : cutoff;
    if (cutoff > needed && !is_held_up_)
        log_warning("retention waits for exports that have not sent what it would drop", { { "wanted", cutoff }, { "needed", needed } });
    is_held_up_ = cutoff > needed;
    return std::min(cutoff, needed);
}

} // namespace writ::authority

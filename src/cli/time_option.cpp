// SPDX-License-Identifier: Apache-2.0
#include "cli/time_option.h"

#include <charconv>

namespace writ::cli {

namespace {

// LIMIT: a thousand years; what is older than any log means all of it.
constexpr std::int64_t seconds_max = std::int64_t(1000) * 366 * 24 * 3600;

std::int64_t seconds_of(char unit)
{
    switch (unit) {
    case 's': return 1;
    case 'm': return 60;
    case 'h': return 3600;
    case 'd': return std::int64_t(24) * 3600;
    case 'w': return std::int64_t(7) * 24 * 3600;
    default: return 0;
    }
}

} // namespace

Result<Timestamp> parse_time_option(std::string_view text, Timestamp now)
{
    auto const unit = text.empty() ? 0 : seconds_of(text.back());
    std::int64_t count = 0;
    auto const* const end = text.data() + (text.empty() ? 0 : text.size() - 1);
    auto const [read, error] = std::from_chars(text.data(), end, count);
    if (unit != 0 && error == std::errc() && read == end && count >= 0 && count <= seconds_max / unit)
        return now - std::chrono::seconds(count * unit);
    auto time = parse_rfc3339(text);
    if (time.is_error())
        return invalid_argument("`" + std::string(text) + "` is neither a time such as 2026-11-23T20:05:41Z nor a span such as 90s, 30m, 2h, 7d or 4w");
    return time;
}

Result<std::optional<Timestamp>> parse_since(std::string_view text)
{
    if (text.empty())
        return std::optional<Timestamp>();
    return std::optional(TRY(parse_time_option(text, SystemClock().now()).in("--since")));
}

} // namespace writ::cli

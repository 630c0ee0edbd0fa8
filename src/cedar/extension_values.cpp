// SPDX-License-Identifier: Apache-2.0
//
// What the constructors `decimal`, `datetime`, `duration` and `ip` read, and how such values are written.
// https://docs.cedarpolicy.com/policies/syntax-operators.html
#include "cedar/text.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace writ::cedar {

namespace {

constexpr std::int64_t milliseconds_per_day = 86'400'000;

// A cursor over a short text of fixed form.
class Scanner {
public:
    explicit Scanner(std::string_view text)
        : rest_(text)
    {
    }

    [[nodiscard]] bool at_end() const { return rest_.empty(); }

    bool skip(std::string_view wanted)
    {
        if (!rest_.starts_with(wanted))
            return false;
        rest_.remove_prefix(wanted.size());
        return true;
    }

    std::string_view digits()
    {
        std::size_t length = 0;
        while (length < rest_.size() && rest_[length] >= '0' && rest_[length] <= '9')
            ++length;
        auto const found = rest_.substr(0, length);
        rest_.remove_prefix(length);
        return found;
    }

    // Exactly `count` digits (at most nine), or nothing.
    std::optional<int> number(std::size_t count)
    {
        if (rest_.size() < count)
            return std::nullopt;
        int value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (rest_[i] < '0' || rest_[i] > '9')
                return std::nullopt;
            value = value * 10 + (rest_[i] - '0');
        }
        rest_.remove_prefix(count);
        return value;
    }

private:
    std::string_view rest_;
};

// The value of digits, or nothing beyond 64 unsigned bits.
std::optional<std::uint64_t> unsigned_of(std::string_view digits)
{
    std::uint64_t value = 0;
    for (char const c : digits)
        if (__builtin_mul_overflow(value, std::uint64_t { 10 }, &value) || __builtin_add_overflow(value, static_cast<std::uint64_t>(c - '0'), &value))
            return std::nullopt;
    return value;
}

std::optional<std::int64_t> to_signed(unsigned __int128 magnitude, bool negative)
{
    auto const limit = static_cast<unsigned __int128>(std::numeric_limits<std::int64_t>::max()) + (negative ? 1 : 0);
    if (magnitude > limit)
        return std::nullopt;
    auto const value = static_cast<__int128>(magnitude);
    return static_cast<std::int64_t>(negative ? -value : value);
}

Error wrong(std::string_view type, std::string_view text)
{
    return invalid_argument("`" + std::string(text.substr(0, 60)) + "` is no " + std::string(type));
}

std::string padded(std::int64_t number, std::size_t width)
{
    auto text = std::to_string(number);
    return std::string(width - std::min(width, text.size()), '0') + text;
}

// `hh:mm:ss` and what follows, in milliseconds of UTC.
std::optional<std::int64_t> parse_time_of_day(Scanner& scan)
{
    auto const hour = scan.number(2);
    if (!hour || *hour > 23 || !scan.skip(":"))
        return std::nullopt;
    auto const minute = scan.number(2);
    if (!minute || *minute > 59 || !scan.skip(":"))
        return std::nullopt;
    auto const second = scan.number(2);
    if (!second || *second > 59)
        return std::nullopt;
    std::optional<int> millisecond = 0;
    if (scan.skip("."))
        millisecond = scan.number(3);
    if (!millisecond)
        return std::nullopt;
    return ((*hour * 60 + *minute) * 60 + *second) * std::int64_t { 1000 } + *millisecond;
}

// `Z`, `+hhmm`, `-hhmm` in milliseconds to subtract.
std::optional<std::int64_t> parse_offset(Scanner& scan)
{
    if (scan.skip("Z"))
        return 0;
    bool const east = scan.skip("+");
    if (!east && !scan.skip("-"))
        return std::nullopt;
    auto const hour = scan.number(2);
    auto const minute = hour ? scan.number(2) : std::nullopt;
    if (!minute || *hour > 23 || *minute > 59)
        return std::nullopt;
    std::int64_t const offset = (*hour * 60 + *minute) * std::int64_t { 60'000 };
    return east ? offset : -offset;
}

} // namespace

Result<Decimal> parse_decimal(std::string_view text)
{
    Scanner scan(text);
    bool const negative = scan.skip("-");
    auto const whole = scan.digits();
    bool const dot = scan.skip(".");
    auto fraction = std::string(scan.digits());
    if (whole.empty() || !dot || fraction.empty() || fraction.size() > 4 || !scan.at_end())
        return wrong("decimal: write one to four digits after a point", text);
    fraction.resize(4, '0');
    auto const units = unsigned_of(whole);
    auto const parts = unsigned_of(fraction);
    auto const value = units ? to_signed(static_cast<unsigned __int128>(*units) * 10'000 + *parts, negative) : std::nullopt;
    if (!value)
        return wrong("decimal of 64 bits", text);
    return Decimal { *value };
}

Result<Datetime> parse_datetime(std::string_view text)
{
    using namespace std::chrono;
    Scanner scan(text);
    auto const year_number = scan.number(4);
    bool const form = year_number && scan.skip("-");
    auto const month_number = form ? scan.number(2) : std::nullopt;
    bool const more = month_number && scan.skip("-");
    auto const day_number = more ? scan.number(2) : std::nullopt;
    if (!day_number)
        return wrong("datetime: write `2026-11-23` or `2026-11-23T20:05:41.000Z`", text);
    year_month_day const date { year(*year_number), month(static_cast<unsigned>(*month_number)), day(static_cast<unsigned>(*day_number)) };
    if (!date.ok())
        return wrong("datetime: there is no such day", text);
    auto const days = sys_days(date).time_since_epoch().count();
    if (scan.at_end())
        return Datetime { days * milliseconds_per_day };
    auto const time = scan.skip("T") ? parse_time_of_day(scan) : std::nullopt;
    auto const offset = time ? parse_offset(scan) : std::nullopt;
    if (!offset || !scan.at_end())
        return wrong("datetime: write `2026-11-23T20:05:41.000Z`", text);
    return Datetime { days * milliseconds_per_day + *time - *offset };
}

Result<DurationValue> parse_duration(std::string_view text)
{
    struct Unit {
        std::string_view name;
        std::uint64_t milliseconds;
    };
    static constexpr std::array<Unit, 5> units { { { "d", 86'400'000 }, { "h", 3'600'000 }, { "m", 60'000 }, { "s", 1000 }, { "ms", 1 } } };
    Scanner scan(text);
    bool const negative = scan.skip("-");
    unsigned __int128 total = 0;
    std::ptrdiff_t next = 0;
    while (!scan.at_end()) {
        auto const digits = scan.digits();
        auto const count = digits.empty() ? std::nullopt : unsigned_of(digits);
        // `ms` before `m`, which begins it.
        auto const unit = scan.skip("ms") ? units.end() - 1 : std::find_if(units.begin(), units.end(), [&](Unit const& u) { return scan.skip(u.name); });
        if (!count || unit - units.begin() < next || unit == units.end())
            return wrong("duration: write `1d2h3m4s5ms`, in this order", text);
        total += static_cast<unsigned __int128>(*count) * unit->milliseconds;
        next = unit - units.begin() + 1;
    }
    auto const value = next > 0 ? to_signed(total, negative) : std::nullopt;
    if (!value)
        return wrong("duration of 64 bits of milliseconds", text);
    return DurationValue { *value };
}

std::string decimal_text(Decimal decimal)
{
    auto const magnitude = decimal.ten_thousandths < 0 ? -static_cast<__int128>(decimal.ten_thousandths) : decimal.ten_thousandths;
    auto fraction = padded(static_cast<std::int64_t>(magnitude % 10'000), 4);
    while (fraction.size() > 1 && fraction.back() == '0')
        fraction.pop_back();
    return (decimal.ten_thousandths < 0 ? "-" : "") + std::to_string(static_cast<std::int64_t>(magnitude / 10'000)) + "." + fraction;
}

std::string duration_text(DurationValue duration) { return std::to_string(duration.milliseconds) + "ms"; }

std::optional<std::string> datetime_text(Datetime datetime)
{
    using namespace std::chrono;
    auto day_number = datetime.milliseconds / milliseconds_per_day;
    auto rest = datetime.milliseconds % milliseconds_per_day;
    if (rest < 0) {
        rest += milliseconds_per_day;
        --day_number;
    }
    // 0000-01-01 and 9999-12-31 in days since 1970.
    if (day_number < -719'528 || day_number > 2'932'896)
        return std::nullopt;
    year_month_day const date { sys_days(days(static_cast<int>(day_number))) };
    return padded(static_cast<int>(date.year()), 4) + "-" + padded(static_cast<unsigned>(date.month()), 2) + "-" + padded(static_cast<unsigned>(date.day()), 2) + "T"
        + padded(rest / 3'600'000, 2) + ":" + padded(rest / 60'000 % 60, 2) + ":" + padded(rest / 1000 % 60, 2) + "." + padded(rest % 1000, 3) + "Z";
}

} // namespace writ::cedar

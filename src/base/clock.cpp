// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <array>
#include <cstdio>
#include <optional>

namespace writ {

namespace {

// Reads digits from the front of a text; remembers whether anything went wrong.
class Scanner {
public:
    explicit Scanner(std::string_view text)
        : rest_(text)
    {
    }

    int digits(std::size_t count)
    {
        if (rest_.size() < count)
            return fail();
        int number = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (rest_[i] < '0' || rest_[i] > '9')
                return fail();
            number = number * 10 + (rest_[i] - '0');
        }
        rest_.remove_prefix(count);
        return number;
    }

    bool accept(char expected)
    {
        if (rest_.empty() || (rest_.front() | 0x20) != (expected | 0x20))
            return false;
        rest_.remove_prefix(1);
        return true;
    }

    void expect(char expected)
    {
        if (!accept(expected))
            fail();
    }

    [[nodiscard]] bool at_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }
    [[nodiscard]] bool is_good() const { return good_; }
    [[nodiscard]] bool is_at_end() const { return rest_.empty(); }

    int fail()
    {
        good_ = false;
        return 0;
    }

private:
    std::string_view rest_;
    bool good_ = true;
};

Duration scan_fraction(Scanner& scanner)
{
    if (!scanner.accept('.'))
        return Duration(0);
    std::int64_t micros = 0;
    int seen = 0;
    for (; scanner.at_digit() && seen < 9; ++seen) {
        auto const digit = scanner.digits(1);
        if (seen < 6)
            micros = micros * 10 + digit;
    }
    if (seen == 0)
        scanner.fail();
    for (; seen < 6; ++seen)
        micros *= 10;
    return Duration(micros);
}

std::chrono::minutes scan_offset(Scanner& scanner)
{
    if (scanner.accept('Z'))
        return std::chrono::minutes(0);
    int const sign = scanner.accept('-') ? -1 : 1;
    if (sign > 0)
        scanner.expect('+');
    int const hours = scanner.digits(2);
    scanner.expect(':');
    int const minutes = scanner.digits(2);
    if (hours > 23 || minutes > 59)
        scanner.fail();
    return std::chrono::minutes(sign * (hours * 60 + minutes));
}

} // namespace

Timestamp SystemClock::now() const { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

Monotonic SystemClock::monotonic() const { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }

std::string to_rfc3339(Timestamp time)
{
    auto const day = std::chrono::floor<std::chrono::days>(time);
    std::chrono::year_month_day const date(day);
    std::chrono::hh_mm_ss const clock(time - day);
    std::array<char, 64> text {};
    auto const length = std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
        static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
    return { text.data(), static_cast<std::size_t>(length) };
}

Result<Timestamp> parse_rfc3339(std::string_view text)
{
    Scanner scanner(text);
    auto const year = scanner.digits(4);
    scanner.expect('-');
    auto const month = scanner.digits(2);
    scanner.expect('-');
    auto const day = scanner.digits(2);
    scanner.expect('T');
    auto const hour = scanner.digits(2);
    scanner.expect(':');
    auto const minute = scanner.digits(2);
    scanner.expect(':');
    auto const second = scanner.digits(2);
    auto const fraction = scan_fraction(scanner);
    auto const offset = scan_offset(scanner);

    std::chrono::year_month_day const date(
        std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)), std::chrono::day(static_cast<unsigned>(day)));
    // A leap second (second 60) is refused: neither POSIX time nor our records can hold it.
    if (!scanner.is_good() || !scanner.is_at_end() || year < 1 || !date.ok() || hour > 23 || minute > 59 || second > 59)
        return invalid_argument("`" + std::string(text.substr(0, 40)) + "` is not an RFC 3339 time such as 2026-11-23T20:05:41Z");
    return Timestamp(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second)
        + fraction - offset;
}

std::int64_t to_unix_seconds(Timestamp time) { return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(); }

Timestamp from_unix_seconds(std::int64_t seconds) { return Timestamp(std::chrono::seconds(seconds)); }

} // namespace writ

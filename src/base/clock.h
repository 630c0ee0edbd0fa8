// SPDX-License-Identifier: Apache-2.0
//
// Time is a parameter: everything that asks for it takes a Clock. Only base and programs touch the real one.
#pragma once

#include "base/result.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace writ {

using Duration = std::chrono::microseconds;
using Timestamp = std::chrono::sys_time<Duration>; // UTC, microseconds
using Monotonic = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// Thread-safe.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Timestamp now() const = 0;
    [[nodiscard]] virtual Monotonic monotonic() const = 0;
};

class SystemClock final : public Clock {
public:
    [[nodiscard]] Timestamp now() const override;
    [[nodiscard]] Monotonic monotonic() const override;
};

// A test's clock: stands still until told. Both times move together.
class ManualClock final : public Clock {
public:
    explicit ManualClock(Timestamp start)
        : now_(start.time_since_epoch().count())
    {
    }
    [[nodiscard]] Timestamp now() const override { return Timestamp(Duration(now_.load())); }
    [[nodiscard]] Monotonic monotonic() const override { return Monotonic(Duration(now_.load())); }
    void advance(Duration by) { now_ += by.count(); }
    void set(Timestamp time) { now_ = time.time_since_epoch().count(); }

private:
    std::atomic<std::int64_t> now_;
};

// RFC 3339 in UTC with microseconds, always 27 characters: 2026-11-23T20:05:41.000000Z
std::string to_rfc3339(Timestamp);
// Accepts any RFC 3339 date-time of the years 0001 to 9999, offsets and 0 to 9 fraction digits (further digits than six are cut).
Result<Timestamp> parse_rfc3339(std::string_view);

// Whole seconds since 1970, as JWT's NumericDate (RFC 7519 §2) has them; rounds down.
std::int64_t to_unix_seconds(Timestamp);
Timestamp from_unix_seconds(std::int64_t);

} // namespace writ

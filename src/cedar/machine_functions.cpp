// SPDX-License-Identifier: Apache-2.0
//
// The extension functions over slots. The plain engine's are in functions.cpp; a property test holds the two together.
#include "cedar/functions.h"
#include "cedar/machine.h"

#include <algorithm>

namespace writ::cedar {

namespace {

enum class Function : std::uint8_t {
    ip,
    decimal,
    datetime,
    duration,
    less_than,
    less_than_or_equal,
    greater_than,
    greater_than_or_equal,
    is_ipv4,
    is_ipv6,
    is_loopback,
    is_multicast,
    is_in_range,
    offset,
    duration_since,
    to_date,
    to_time,
    to_milliseconds,
    to_seconds,
    to_minutes,
    to_hours,
    to_days,
};

struct Row {
    std::string_view name;
    Slot::Tag object;
    std::optional<Slot::Tag> argument;
};

using Tag = Slot::Tag;
constexpr std::array<Row, 22> rows { { { "ip", Tag::string, {} }, { "decimal", Tag::string, {} }, { "datetime", Tag::string, {} }, { "duration", Tag::string, {} },
    { "lessThan", Tag::decimal, Tag::decimal }, { "lessThanOrEqual", Tag::decimal, Tag::decimal }, { "greaterThan", Tag::decimal, Tag::decimal },
    { "greaterThanOrEqual", Tag::decimal, Tag::decimal }, { "isIpv4", Tag::ip_address, {} }, { "isIpv6", Tag::ip_address, {} }, { "isLoopback", Tag::ip_address, {} },
    { "isMulticast", Tag::ip_address, {} }, { "isInRange", Tag::ip_address, Tag::ip_address }, { "offset", Tag::datetime, Tag::duration },
    { "durationSince", Tag::datetime, Tag::datetime }, { "toDate", Tag::datetime, {} }, { "toTime", Tag::datetime, {} }, { "toMilliseconds", Tag::duration, {} },
    { "toSeconds", Tag::duration, {} }, { "toMinutes", Tag::duration, {} }, { "toHours", Tag::duration, {} }, { "toDays", Tag::duration, {} } } };

constexpr std::int64_t unit_of(Function function)
{
    switch (function) {
    case Function::to_seconds: return 1000;
    case Function::to_minutes: return 60'000;
    case Function::to_hours: return 3'600'000;
    case Function::to_days: return 86'400'000;
    default: return 1;
    }
}

} // namespace

std::optional<std::uint8_t> function_index(std::string_view name)
{
    auto const* const row = std::find_if(rows.begin(), rows.end(), [&](Row const& r) { return r.name == name; });
    return row == rows.end() ? std::nullopt : std::optional(static_cast<std::uint8_t>(row - rows.begin()));
}

std::size_t function_arguments(std::uint8_t function) { return rows.at(function).argument ? 2 : 1; }

bool Machine::call(Node const& node, Slot& result)
{
    auto const& row = rows.at(node.function);
    Slot argument;
    // All arguments are worth something before their number is looked at; an error is an error either way.
    if (node.count != (row.argument ? 2U : 1U) || !run(child(node, 0), result))
        return false;
    if (row.argument && (!run(child(node, 1), argument) || argument.tag != *row.argument))
        return false;
    if (result.tag != row.object)
        return false;
    return row.object == Tag::string ? construct(node.function, result) : call_method(node.function, result, argument);
}

bool Machine::construct(std::uint8_t function, Slot& slot)
{
    auto const text = slot.string();
    auto const take = [&](auto const& parsed, Tag tag, auto member) {
        if (parsed.is_ok())
            slot = Slot::of(std::int64_t { (*parsed).*member }, tag);
        return parsed.is_ok();
    };
    switch (static_cast<Function>(function)) {
    case Function::decimal: return take(parse_decimal(text), Tag::decimal, &Decimal::ten_thousandths);
    case Function::datetime: return take(parse_datetime(text), Tag::datetime, &Datetime::milliseconds);
    case Function::duration: return take(parse_duration(text), Tag::duration, &DurationValue::milliseconds);
    default: break;
    }
    auto const parsed = parse_ip_address(text);
    if (parsed.is_error())
        return false;
    auto* const kept = arena_.make<IpAddress>(1);
    *kept = *parsed;
    slot = Slot();
    slot.tag = Tag::ip_address;
    slot.address = kept;
    return true;
}

bool Machine::call_method(std::uint8_t number, Slot& slot, Slot const& argument)
{
    auto const function = static_cast<Function>(number);
    std::int64_t moved = 0;
    auto const set = [&](Slot value) {
        slot = value;
        return true;
    };
    switch (function) {
    case Function::less_than: return set(Slot::of(slot.number < argument.number));
    case Function::less_than_or_equal: return set(Slot::of(slot.number <= argument.number));
    case Function::greater_than: return set(Slot::of(slot.number > argument.number));
    case Function::greater_than_or_equal: return set(Slot::of(slot.number >= argument.number));
    case Function::is_ipv4: return set(Slot::of(!slot.address->is_v6));
    case Function::is_ipv6: return set(Slot::of(slot.address->is_v6));
    case Function::is_loopback: return set(Slot::of(is_loopback(*slot.address)));
    case Function::is_multicast: return set(Slot::of(is_multicast(*slot.address)));
    case Function::is_in_range: return set(Slot::of(is_in_range(*slot.address, *argument.address)));
    case Function::offset: return !__builtin_add_overflow(slot.number, argument.number, &moved) && set(Slot::of(moved, Tag::datetime));
    case Function::duration_since: return !__builtin_sub_overflow(slot.number, argument.number, &moved) && set(Slot::of(moved, Tag::duration));
    case Function::to_date: return !__builtin_sub_overflow(slot.number, time_of_day(slot.number), &moved) && set(Slot::of(moved, Tag::datetime));
    case Function::to_time: return set(Slot::of(time_of_day(slot.number), Tag::duration));
    default: return set(Slot::of(slot.number / unit_of(function)));
    }
}

} // namespace writ::cedar

// SPDX-License-Identifier: Apache-2.0
//
// The functions and methods of the extension types. https://docs.cedarpolicy.com/policies/syntax-operators.html
#include "cedar/evaluator.h"
#include "cedar/functions.h"
#include "cedar/value_json.h"

#include <algorithm>

namespace writ::cedar {

namespace {

constexpr std::int64_t milliseconds_per_day = 86'400'000;

using Arguments = std::vector<Value>;

template <typename T>
Result<T const*> argument(Arguments const& arguments, std::size_t index, std::string_view wanted)
{
    if (auto const* found = std::get_if<T>(&arguments[index].storage()))
        return found;
    return wrong_type(wanted, arguments[index]);
}

template <typename Compare>
Result<Value> decimals(Arguments const& arguments, Compare&& compare)
{
    auto const* const left = TRY(argument<Decimal>(arguments, 0, "decimal"));
    return Value(compare(*left, *TRY(argument<Decimal>(arguments, 1, "decimal"))));
}

template <typename Ask>
Result<Value> address(Arguments const& arguments, Ask&& ask)
{
    return Value(bool(ask(*TRY(argument<IpAddress>(arguments, 0, "ipaddr")))));
}

Result<Value> offset(Arguments const& arguments)
{
    auto const* const from = TRY(argument<Datetime>(arguments, 0, "datetime"));
    auto const* const by = TRY(argument<DurationValue>(arguments, 1, "duration"));
    Datetime moved;
    if (__builtin_add_overflow(from->milliseconds, by->milliseconds, &moved.milliseconds))
        return invalid_argument("overflow in `offset`");
    return Value(moved);
}

Result<Value> duration_since(Arguments const& arguments)
{
    auto const* const to = TRY(argument<Datetime>(arguments, 0, "datetime"));
    auto const* const from = TRY(argument<Datetime>(arguments, 1, "datetime"));
    DurationValue between;
    if (__builtin_sub_overflow(to->milliseconds, from->milliseconds, &between.milliseconds))
        return invalid_argument("overflow in `durationSince`");
    return Value(between);
}

Result<Value> to_date(Arguments const& arguments)
{
    auto const milliseconds = TRY(argument<Datetime>(arguments, 0, "datetime"))->milliseconds;
    Datetime date;
    if (__builtin_sub_overflow(milliseconds, time_of_day(milliseconds), &date.milliseconds))
        return invalid_argument("overflow in `toDate`");
    return Value(date);
}

Result<Value> to_time(Arguments const& arguments)
{
    return Value(DurationValue { time_of_day(TRY(argument<Datetime>(arguments, 0, "datetime"))->milliseconds) });
}

Result<Value> in_units(Arguments const& arguments, std::int64_t unit)
{
    return Value(TRY(argument<DurationValue>(arguments, 0, "duration"))->milliseconds / unit);
}

Result<Value> construct(std::string_view name, Arguments const& arguments)
{
    return extension_value(name, *TRY(argument<std::string>(arguments, 0, "string")));
}

using Function = Result<Value> (*)(Arguments const&);

struct Row {
    std::string_view name;
    std::size_t arguments;
    Function function;
};

constexpr std::array<Row, 22> rows { {
    { "decimal", 1, [](Arguments const& a) { return construct("decimal", a); } },
    { "datetime", 1, [](Arguments const& a) { return construct("datetime", a); } },
    { "duration", 1, [](Arguments const& a) { return construct("duration", a); } },
    { "ip", 1, [](Arguments const& a) { return construct("ip", a); } },
    { "lessThan", 2, [](Arguments const& a) { return decimals(a, std::less<> {}); } },
    { "lessThanOrEqual", 2, [](Arguments const& a) { return decimals(a, std::less_equal<> {}); } },
    { "greaterThan", 2, [](Arguments const& a) { return decimals(a, std::greater<> {}); } },
    { "greaterThanOrEqual", 2, [](Arguments const& a) { return decimals(a, std::greater_equal<> {}); } },
    { "isIpv4", 1, [](Arguments const& a) { return address(a, [](IpAddress const& ip) { return !ip.is_v6; }); } },
    { "isIpv6", 1, [](Arguments const& a) { return address(a, [](IpAddress const& ip) { return ip.is_v6; }); } },
    { "isLoopback", 1, [](Arguments const& a) { return address(a, is_loopback); } },
    { "isMulticast", 1, [](Arguments const& a) { return address(a, is_multicast); } },
    { "isInRange", 2,
        [](Arguments const& a) -> Result<Value> {
            auto const* const inner = TRY(argument<IpAddress>(a, 0, "ipaddr"));
            return Value(is_in_range(*inner, *TRY(argument<IpAddress>(a, 1, "ipaddr"))));
        } },
    { "offset", 2, offset },
    { "durationSince", 2, duration_since },
    { "toDate", 1, to_date },
    { "toTime", 1, to_time },
    { "toMilliseconds", 1, [](Arguments const& a) { return in_units(a, 1); } },
    { "toSeconds", 1, [](Arguments const& a) { return in_units(a, 1000); } },
    { "toMinutes", 1, [](Arguments const& a) { return in_units(a, 60'000); } },
    { "toHours", 1, [](Arguments const& a) { return in_units(a, 3'600'000); } },
    { "toDays", 1, [](Arguments const& a) { return in_units(a, milliseconds_per_day); } },
} };

bool same_bits(IpAddress const& left, IpAddress const& right, unsigned bits)
{
    for (unsigned i = 0; i < bits; i += 8) {
        auto const mask = bits - i >= 8 ? 0xFFU : 0xFFU << (8 - (bits - i)) & 0xFFU;
        if (((left.bytes.at(i / 8) ^ right.bytes.at(i / 8)) & mask) != 0)
            return false;
    }
    return true;
}

} // namespace

std::int64_t time_of_day(std::int64_t milliseconds)
{
    auto const rest = milliseconds % milliseconds_per_day;
    return rest < 0 ? rest + milliseconds_per_day : rest;
}

bool is_loopback(IpAddress const& address)
{
    if (!address.is_v6)
        return address.bytes[0] == 127 && address.prefix >= 8;
    return address.prefix == 128 && address.bytes[15] == 1 && std::all_of(address.bytes.begin(), address.bytes.end() - 1, [](auto byte) { return byte == 0; });
}

bool is_multicast(IpAddress const& address)
{
    return address.is_v6 ? address.bytes[0] == 0xFF && address.prefix >= 8 : (address.bytes[0] & 0xF0U) == 0xE0U && address.prefix >= 4;
}

bool is_in_range(IpAddress const& inner, IpAddress const& outer)
{
    return inner.is_v6 == outer.is_v6 && inner.prefix >= outer.prefix && same_bits(inner, outer, outer.prefix);
}

std::optional<std::size_t> argument_count(std::string_view name)
{
    auto const* const row = std::find_if(rows.begin(), rows.end(), [&](Row const& r) { return r.name == name; });
    return row == rows.end() ? std::nullopt : std::optional(row->arguments);
}

Result<Value> call_function(std::string_view name, std::vector<Value> const& arguments)
{
    auto const* const row = std::find_if(rows.begin(), rows.end(), [&](Row const& r) { return r.name == name; });
    if (row == rows.end())
        return invalid_argument("`" + std::string(name) + "` is no function");
    if (arguments.size() != row->arguments)
        return invalid_argument("`" + std::string(name) + "` takes " + std::to_string(row->arguments) + " arguments, found " + std::to_string(arguments.size()));
    return row->function(arguments);
}

} // namespace writ::cedar

// SPDX-License-Identifier: Apache-2.0
#include "cedar/value.h"

#include "cedar/text.h"

#include <algorithm>

namespace writ::cedar {

Value Value::set(std::vector<Value> elements)
{
    std::sort(elements.begin(), elements.end());
    elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
    Value value;
    value.storage_ = std::make_shared<Set const>(std::move(elements));
    return value;
}

Value Value::set_of(std::vector<std::string> const& texts)
{
    std::vector<Value> elements;
    elements.reserve(texts.size());
    for (auto const& text : texts)
        elements.emplace_back(text);
    return set(std::move(elements));
}

Value Value::record(Record members)
{
    Value value;
    value.storage_ = std::make_shared<Record const>(std::move(members));
    return value;
}

namespace {

template <typename T>
std::strong_ordering compare(T const& left, T const& right)
{
    return left <=> right;
}

std::strong_ordering compare(std::shared_ptr<Set const> const& left, std::shared_ptr<Set const> const& right)
{
    if (left == right)
        return std::strong_ordering::equal;
    return std::lexicographical_compare_three_way(left->begin(), left->end(), right->begin(), right->end());
}

std::strong_ordering compare(std::shared_ptr<Record const> const& left, std::shared_ptr<Record const> const& right)
{
    if (left == right)
        return std::strong_ordering::equal;
    return std::lexicographical_compare_three_way(left->begin(), left->end(), right->begin(), right->end(), [](auto const& a, auto const& b) {
        auto const by_name = a.first <=> b.first;
        return by_name != 0 ? by_name : a.second <=> b.second;
    });
}

std::string text_of(bool truth) { return truth ? "true" : "false"; }
std::string text_of(std::int64_t number) { return std::to_string(number); }
std::string text_of(std::string const& text) { return quoted(text); }
std::string text_of(EntityUid const& uid) { return to_string(uid); }
std::string text_of(Decimal decimal) { return "decimal(\"" + decimal_text(decimal) + "\")"; }
std::string text_of(DurationValue duration) { return "duration(\"" + duration_text(duration) + "\")"; }
std::string text_of(IpAddress const& address) { return "ip(\"" + ip_address_text(address) + "\")"; }

std::string text_of(Datetime datetime)
{
    if (auto const text = datetime_text(datetime))
        return "datetime(\"" + *text + "\")";
    // Reached by arithmetic only: no text of a year beyond 9999 is accepted.
    return "datetime(\"1970-01-01\").offset(duration(\"" + duration_text({ datetime.milliseconds }) + "\"))";
}

std::string text_of(std::shared_ptr<Set const> const& set)
{
    std::string text = "[";
    for (auto const& element : *set)
        text += (text.size() > 1 ? ", " : "") + to_string(element);
    return text + "]";
}

std::string text_of(std::shared_ptr<Record const> const& record)
{
    std::string text = "{";
    for (auto const& [name, member] : *record)
        text += (text.size() > 1 ? ", " : "") + quoted(name) + ": " + to_string(member);
    return text + "}";
}

} // namespace

std::strong_ordering operator<=>(Value const& left, Value const& right)
{
    if (auto const by_type = left.storage_.index() <=> right.storage_.index(); by_type != 0)
        return by_type;
    return std::visit(
        [&](auto const& value) -> std::strong_ordering { return compare(value, std::get<std::decay_t<decltype(value)>>(right.storage_)); },
        left.storage_);
}

std::string to_string(EntityUid const& uid) { return uid.type + "::" + quoted(uid.id); }

std::string to_string(Value const& value)
{
    return std::visit([](auto const& stored) { return text_of(stored); }, value.storage());
}

std::string_view type_name(Value const& value)
{
    static constexpr std::array<std::string_view, std::variant_size_v<Value::Storage>> names { "bool", "long", "string", "entity", "set", "record",
        "decimal", "datetime", "duration", "ipaddr" };
    return names.at(value.storage().index());
}

} // namespace writ::cedar

// SPDX-License-Identifier: Apache-2.0
#include "audit/record_items.h"

#include "base/limits.h"
#include "base/utf8.h"

#include <utility>

namespace writ::audit {

namespace {

// LIMIT: of an item, so that whatever texts it is about it can be recorded; what is longer ends with `…`.
constexpr std::size_t type_bytes_max = 256;
constexpr std::size_t id_bytes_max = 1024;
constexpr std::size_t name_bytes_max = 256;
constexpr std::size_t names_max = 16;
constexpr std::string_view ellipsis = "\xE2\x80\xA6";

void append_cut(std::string& out, std::string_view text, std::size_t bytes_max)
{
    if (text.size() <= bytes_max)
        append_json_string(out, text);
    else
        append_json_string(out, std::string(utf8_prefix(text, bytes_max)).append(ellipsis));
}

Result<std::vector<std::string>> names_of(JsonObject const& item, std::string_view member)
{
    return item.contains(member) ? strings_member(item, member) : std::vector<std::string>();
}

Result<RecordedItem> parse_item(JsonValue const& value)
{
    if (!value.is_object())
        return invalid_argument("an item is an object");
    auto const& item = value.as_object();
    auto const decision = TRY(string_member(item, "decision"));
    if (decision != "allow" && decision != "deny")
        return invalid_argument("a decision is allow or deny");
    auto type = TRY(string_member(item, "type"));
    auto id = TRY(string_member(item, "id"));
    auto policies = TRY(names_of(item, "policies"));
    auto errors = TRY(names_of(item, "policy_errors"));
    return RecordedItem { std::string(type), std::string(id), decision == "allow", std::move(policies), std::move(errors) };
}

Result<std::vector<RecordedItem>> read_items(std::string_view text)
{
    auto const value = TRY(parse_json(text, { .size_max = limits::record_bytes_max }));
    if (!value.is_array())
        return invalid_argument("items are an array");
    std::vector<RecordedItem> items;
    items.reserve(value.as_array().size());
    for (auto const& item : value.as_array())
        items.push_back(TRY(parse_item(item)));
    return items;
}

} // namespace

void ItemWriter::add(std::string_view type, std::string_view id, bool allowed, std::span<std::string_view const> policies,
    std::span<std::string_view const> policy_errors)
{
    text_ += text_.empty() ? "[{\"type\":" : ",{\"type\":";
    append_cut(text_, type, type_bytes_max);
    text_ += ",\"id\":";
    append_cut(text_, id, id_bytes_max);
    text_ += allowed ? ",\"decision\":\"allow\"" : ",\"decision\":\"deny\"";
    add_names(",\"policies\":[", policies);
    add_names(",\"policy_errors\":[", policy_errors);
    text_ += '}';
}

void ItemWriter::add_names(std::string_view member, std::span<std::string_view const> names)
{
    if (names.empty())
        return;
    text_ += member;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0)
            text_ += ',';
        if (i == names_max) {
            append_json_string(text_, ellipsis);
            break;
        }
        append_cut(text_, names[i], name_bytes_max);
    }
    text_ += ']';
}

std::string ItemWriter::take()
{
    text_ += text_.empty() ? "[]" : "]";
    return std::exchange(text_, {});
}

Result<std::vector<RecordedItem>> parse_items(std::string_view text)
{
    auto items = read_items(text);
    if (items.is_error())
        return corruption("items of a record: " + items.error().message);
    return items;
}

Result<std::vector<Record>> single_records(Record const& record)
{
    if (record.items.empty())
        return std::vector<Record> { record };
    auto shared = record;
    shared.items.clear();
    std::vector<Record> records;
    for (auto& item : TRY(parse_items(record.items))) {
        auto& made = records.emplace_back(shared);
        made.resource = recorded_entity(std::move(item.type), std::move(item.id));
        made.allowed = item.allowed;
        made.policies = std::move(item.policies);
        made.policy_errors = std::move(item.policy_errors);
    }
    return records;
}

} // namespace writ::audit

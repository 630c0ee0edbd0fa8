// SPDX-License-Identifier: Apache-2.0
#include "audit/record_items.h"

#include "base/limits.h"
#include "base/utf8.h"

#include <algorithm>
#include <utility>

namespace writ::audit {

namespace {

// LIMIT: a policy's id, a version; so that whatever texts an item is about it can be recorded.
constexpr std::size_t name_bytes_max = 256;
constexpr std::size_t names_max = 16;
// LIMIT: outcomes that the writer remembers; others are stated anew.
constexpr std::size_t stated_max = 16;
// LIMIT: what ItemWriter may have written: nearly full, one item more, and an outcome, each of whose bytes may take six.
constexpr std::size_t items_text_max = items_bytes_max + 6 * (item_type_bytes_max + item_id_bytes_max + 2 * (names_max + 1) * name_bytes_max) + 4096;
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

// Of a list, an element after the other.
class ItemReader {
public:
    Result<> take(JsonValue const& element)
    {
        if (element.is_object())
            return take_object(element.as_object());
        if (element.is_string())
            return add(std::string_view(element.as_string()), {});
        auto const number = TRY(as_count(element));
        if (number >= outcomes_.size())
            return invalid_argument("it names an outcome that is not stated");
        selected_ = number;
        return {};
    }
    std::vector<RecordedItem> take_items() { return std::move(items_); }

private:
    static Result<std::size_t> as_count(JsonValue const& element)
    {
        if (!element.is_int64() || element.as_int64() < 0)
            return invalid_argument("an element is an outcome, its number, or an item");
        return static_cast<std::size_t>(element.as_int64());
    }

    // An outcome if it has a decision, an item if it has an id; it may be both.
    Result<> take_object(JsonObject const& object)
    {
        if (object.contains("decision")) {
            selected_ = outcomes_.size();
            outcomes_.push_back(TRY(parse_outcome(object)));
        }
        if (!object.contains("id"))
            return object.contains("decision") ? Result<>() : invalid_argument("an element has a decision or an id");
        return add(TRY(string_member(object, "id")), object);
    }

    static Result<RecordedItem> parse_outcome(JsonObject const& object)
    {
        auto const decision = TRY(string_member(object, "decision"));
        if (decision != "allow" && decision != "deny")
            return invalid_argument("a decision is allow or deny");
        RecordedItem outcome;
        outcome.type = TRY(string_member(object, "type"));
        outcome.allowed = decision == "allow";
        outcome.policies = TRY(names_of(object, "policies"));
        outcome.policy_errors = TRY(names_of(object, "policy_errors"));
        outcome.asserted = TRY(names_of(object, "asserted"));
        return outcome;
    }

    Result<> add(std::string_view id, JsonObject const& more)
    {
        if (outcomes_.empty())
            return invalid_argument("an item has no outcome before it");
        if (items_.size() == items_max)
            return invalid_argument("there are more than " + std::to_string(items_max));
        auto& item = items_.emplace_back(outcomes_[selected_]);
        item.id = id;
        item.version = string_or(more, "version", "");
        item.digest = string_or(more, "digest", "");
        item.alias = string_or(more, "alias", "");
        return {};
    }

    std::vector<RecordedItem> outcomes_; // without ids
    std::size_t selected_ = 0;
    std::vector<RecordedItem> items_;
};

Result<std::vector<RecordedItem>> read_items(std::string_view text)
{
    auto const value = TRY(parse_json(text, { .size_max = items_text_max }));
    if (!value.is_array())
        return invalid_argument("items are an array");
    ItemReader reader;
    for (auto const& element : value.as_array())
        TRY(reader.take(element));
    return reader.take_items();
}

bool are_same(std::vector<std::string> const& names, std::span<std::string_view const> others)
{
    return std::ranges::equal(names, others);
}

RecordedEntity entity_of(RecordedItem& item)
{
    auto entity = recorded_entity(std::move(item.type), std::move(item.id));
    if (!item.version.empty())
        entity.version = std::move(item.version);
    entity.digest = std::move(item.digest);
    entity.alias = std::move(item.alias);
    return entity;
}

} // namespace

bool ItemWriter::Stated::is(ItemOutcome const& outcome) const
{
    return type == outcome.type && allowed == outcome.allowed && is_resource_asserted == outcome.is_resource_asserted && are_same(policies, outcome.policies) && are_same(policy_errors, outcome.policy_errors);
}

void ItemWriter::add(std::string_view id)
{
    begin_element();
    append_cut(text_, id, item_id_bytes_max);
    ++count_;
}

void ItemWriter::add(RecordedEntity const& resource)
{
    if (resource.digest.empty() && resource.alias.empty())
        return add(resource.id);
    begin_element();
    text_ += "{\"id\":";
    append_cut(text_, resource.id, item_id_bytes_max);
    for (auto const& [member, text] : { std::pair("version", &resource.version), std::pair("digest", &resource.digest), std::pair("alias", &resource.alias) }) {
        if (text->empty())
            continue;
        text_.append(",\"").append(member).append("\":");
        append_cut(text_, *text, name_bytes_max);
    }
    text_ += '}';
    ++count_;
}

void ItemWriter::select(ItemOutcome const& outcome)
{
    if (selected_ < stated_.size() && stated_[selected_].is(outcome))
        return;
    for (selected_ = 0; selected_ < stated_.size(); ++selected_) {
        if (!stated_[selected_].is(outcome))
            continue;
        begin_element();
        text_ += std::to_string(stated_[selected_].number);
        return;
    }
    state(outcome);
}

void ItemWriter::state(ItemOutcome const& outcome)
{
    begin_element();
    text_ += "{\"type\":";
    append_cut(text_, outcome.type, item_type_bytes_max);
    text_ += outcome.allowed ? ",\"decision\":\"allow\"" : ",\"decision\":\"deny\"";
    add_names(",\"policies\":[", outcome.policies);
    add_names(",\"policy_errors\":[", outcome.policy_errors);
    if (outcome.is_resource_asserted)
        text_ += R"(,"asserted":["resource"])";
    text_ += '}';
    auto const number = states_++;
    if (stated_.size() == stated_max)
        return;
    stated_.push_back({ std::string(outcome.type), outcome.allowed, { outcome.policies.begin(), outcome.policies.end() },
        { outcome.policy_errors.begin(), outcome.policy_errors.end() }, outcome.is_resource_asserted, number });
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
    auto text = std::move(text_);
    *this = {};
    return text;
}

Result<std::vector<RecordedItem>> parse_items(std::string_view text)
{
    auto items = read_items(text);
    if (items.is_error())
        return corruption("items of a record: " + items.error().message);
    return items;
}

std::size_t count_items(JsonArray const& elements)
{
    auto const is_item = [](JsonValue const& element) { return element.is_string() || (element.is_object() && element.as_object().contains("id")); };
    return static_cast<std::size_t>(std::ranges::count_if(elements, is_item));
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
        made.resource = entity_of(item);
        made.allowed = item.allowed;
        made.policies = std::move(item.policies);
        made.policy_errors = std::move(item.policy_errors);
        add_asserted(made.asserted, item.asserted);
    }
    return records;
}

} // namespace writ::audit

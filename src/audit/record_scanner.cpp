// SPDX-License-Identifier: Apache-2.0
#include "audit/record_scanner.h"

#include "audit/record_items.h"
#include "base/json.h"

#include <charconv>
#include <cstring>

namespace writ::audit {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

void add_item(ScannedRecord& record, ScannedEntity resource, std::uint32_t outcome)
{
    if (outcome >= record.outcomes.size() || record.items.size() == items_max)
        return;
    resource.type = record.outcomes[outcome].type;
    record.items.push_back({ resource, outcome });
}

} // namespace

void ScannedRecord::clear()
{
    trace = request = caller = workload = workload_name = run = purpose = action = endpoint = decision = lease = {};
    resource = model = {};
    datasets.clear();
    policies.clear();
    classification.clear();
    asserted.clear();
    outcomes.clear();
    items.clear();
}

void RecordScanner::skip_space()
{
    while (at_ != end_ && is_space(*at_))
        ++at_;
}

bool RecordScanner::take(char c)
{
    skip_space();
    if (at_ == end_ || *at_ != c)
        return false;
    ++at_;
    return true;
}

// Behind the closing quote of a string whose opening one was taken.
bool RecordScanner::skip_string()
{
    for (;;) {
        auto const* const quote = static_cast<char const*>(std::memchr(at_, '"', static_cast<std::size_t>(end_ - at_)));
        if (quote == nullptr)
            return false;
        // An odd number of backslashes before it makes it a character of the string.
        auto const* before = quote;
        while (before != at_ && before[-1] == '\\')
            --before;
        bool const is_end = (quote - before) % 2 == 0;
        at_ = quote + 1;
        if (is_end)
            return true;
    }
}

bool RecordScanner::scan_string(std::string_view& text)
{
    if (!take('"'))
        return false;
    auto const* const begin = at_;
    if (!skip_string())
        return false;
    std::string_view const raw(begin, static_cast<std::size_t>(at_ - begin - 1));
    if (raw.find('\\') == std::string_view::npos) {
        text = raw;
        return true;
    }
    return unescape(raw, text);
}

// Seldom: the strict parser does it.
bool RecordScanner::unescape(std::string_view raw, std::string_view& text)
{
    auto const parsed = parse_json("\"" + std::string(raw) + "\"", { .size_max = limits::record_bytes_max + 2, .depth_max = 1 });
    if (parsed.is_error() || !parsed->is_string())
        return false;
    if (unescaped_used_ == unescaped_.size())
        unescaped_.emplace_back();
    auto& kept = unescaped_[unescaped_used_++];
    kept = parsed->as_string();
    text = kept;
    return true;
}

bool RecordScanner::skip_nested()
{
    for (int depth = 0; at_ != end_;) {
        char const c = *at_++;
        if (c == '"') {
            if (!skip_string())
                return false;
        } else if (c == '{' || c == '[') {
            ++depth;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return true;
        }
    }
    return false;
}

bool RecordScanner::skip_value()
{
    skip_space();
    if (at_ == end_)
        return false;
    if (*at_ == '"') {
        ++at_;
        return skip_string();
    }
    if (*at_ == '{' || *at_ == '[')
        return skip_nested();
    auto const* const begin = at_;
    while (at_ != end_ && *at_ != ',' && *at_ != '}' && *at_ != ']' && !is_space(*at_))
        ++at_;
    return at_ != begin;
}

// As string_or() has it: what is no text is none.
bool RecordScanner::scan_text_or_skip(std::string_view& text)
{
    skip_space();
    return at_ != end_ && *at_ == '"' ? scan_string(text) : skip_value();
}

template <typename Member> bool RecordScanner::scan_object(Member const& member)
{
    if (!take('{'))
        return false;
    if (take('}'))
        return true;
    do {
        std::string_view name;
        if (!scan_string(name) || !take(':') || !member(name))
            return false;
    } while (take(','));
    return take('}');
}

template <typename Element> bool RecordScanner::scan_array(Element const& element)
{
    if (!take('['))
        return false;
    if (take(']'))
        return true;
    do {
        if (!element())
            return false;
    } while (take(','));
    return take(']');
}

bool RecordScanner::scan_entity(ScannedEntity& entity)
{
    return scan_object([&](std::string_view name) {
        if (name == "type")
            return scan_text_or_skip(entity.type);
        if (name == "id")
            return scan_text_or_skip(entity.id);
        return name == "version" ? scan_text_or_skip(entity.version) : skip_value();
    });
}

bool RecordScanner::scan_entities(std::vector<ScannedEntity>& entities)
{
    return scan_array([&] { return scan_entity(entities.emplace_back()); });
}

bool RecordScanner::is_next(char c)
{
    skip_space();
    return at_ != end_ && *at_ == c;
}

bool RecordScanner::scan_names(std::vector<std::string_view>& names)
{
    if (!is_next('['))
        return skip_value();
    return scan_array([this, &names] { return is_next('"') ? scan_string(names.emplace_back()) : skip_value(); });
}

// An outcome if it has a decision, an item if it has an id (record_items.h).
bool RecordScanner::scan_item_object(ScannedRecord& record, std::uint32_t& outcome)
{
    ScannedOutcome stated;
    ScannedEntity resource;
    bool has_decision = false, has_id = false;
    bool const is_whole = scan_object([&](std::string_view name) {
        if (name == "type")
            return scan_text_or_skip(stated.type);
        if (name == "id")
            return (has_id = true) && scan_text_or_skip(resource.id);
        if (name == "version")
            return scan_text_or_skip(resource.version);
        if (name == "decision")
            return (has_decision = true) && scan_text_or_skip(stated.decision);
        if (name == "asserted")
            return scan_names(stated.asserted);
        return name == "policies" ? scan_names(stated.policies) : skip_value();
    });
    if (has_decision && record.outcomes.size() <= items_max) {
        outcome = static_cast<std::uint32_t>(record.outcomes.size());
        record.outcomes.push_back(std::move(stated));
    }
    if (has_id)
        add_item(record, resource, outcome);
    return is_whole;
}

bool RecordScanner::scan_outcome_number(ScannedRecord const& record, std::uint32_t& outcome)
{
    auto const* const begin = at_;
    if (!skip_value())
        return false;
    std::uint32_t number = 0;
    if (auto const read = std::from_chars(begin, at_, number); read.ec == std::errc() && read.ptr == at_ && number < record.outcomes.size())
        outcome = number;
    return true;
}

// The parser leaves items to who reads them, so whatever array it takes is taken here.
bool RecordScanner::scan_items(ScannedRecord& record)
{
    std::uint32_t outcome = 0;
    return scan_array([&] {
        if (is_next('{'))
            return scan_item_object(record, outcome);
        if (!is_next('"'))
            return scan_outcome_number(record, outcome);
        ScannedEntity resource;
        bool const is_whole = scan_string(resource.id);
        add_item(record, resource, outcome);
        return is_whole;
    });
}

bool RecordScanner::scan_texts(std::vector<std::string_view>& texts)
{
    return scan_array([&] { return scan_string(texts.emplace_back()); });
}

bool RecordScanner::scan_credential(ScannedRecord& record)
{
    return scan_object([&](std::string_view name) { return name == "lease" ? scan_text_or_skip(record.lease) : skip_value(); });
}

bool RecordScanner::scan_type(ScannedRecord& record)
{
    std::string_view text;
    if (!scan_string(text))
        return false;
    auto const type = parse_record_type(text);
    if (type.is_ok())
        record.type = *type;
    return type.is_ok();
}

bool RecordScanner::scan_time(Timestamp& time)
{
    std::string_view text;
    if (!scan_string(text))
        return false;
    auto const parsed = parse_rfc3339(text);
    if (parsed.is_ok())
        time = *parsed;
    return parsed.is_ok();
}

bool RecordScanner::scan_member(std::string_view name, ScannedRecord& record)
{
    static constexpr std::pair<std::string_view, std::string_view ScannedRecord::*> texts[] = { { "trace", &ScannedRecord::trace },
        { "caller", &ScannedRecord::caller }, { "workload", &ScannedRecord::workload }, { "workload_name", &ScannedRecord::workload_name }, { "run", &ScannedRecord::run },
        { "purpose", &ScannedRecord::purpose }, { "action", &ScannedRecord::action }, { "request", &ScannedRecord::request },
        { "endpoint", &ScannedRecord::endpoint }, { "decision", &ScannedRecord::decision } };
    for (auto const& [known, member] : texts) {
        if (name == known)
            return scan_text_or_skip(record.*member);
    }
    if (name == "resource")
        return scan_entity(record.resource);
    if (name == "model")
        return scan_entity(record.model);
    if (name == "datasets")
        return scan_entities(record.datasets);
    if (name == "items")
        return scan_items(record);
    if (name == "policies")
        return scan_texts(record.policies);
    if (name == "classification")
        return scan_texts(record.classification);
    if (name == "asserted")
        return scan_texts(record.asserted);
    return name == "credential" ? scan_credential(record) : skip_value();
}

bool RecordScanner::scan(std::string_view text, ScannedRecord& record)
{
    at_ = text.data();
    end_ = at_ + text.size();
    unescaped_used_ = 0;
    record.clear();
    bool has_type = false, has_time = false;
    bool const is_object = scan_object([&](std::string_view name) {
        if (name == "type")
            return has_type = scan_type(record);
        if (name == "time")
            return has_time = scan_time(record.time);
        return scan_member(name, record);
    });
    skip_space();
    return is_object && at_ == end_ && has_type && has_time;
}

} // namespace writ::audit

// SPDX-License-Identifier: Apache-2.0
#include "audit/record.h"

#include "audit/record_members.h"

#include <limits>

namespace writ::audit {

namespace {

// LIMIT: a record is flat but for lists of claims and entities, and the context, which a caller may nest as any JSON.
constexpr JsonLimits record_limits { .size_max = limits::record_bytes_max, .depth_max = limits::json_depth_max + 2 };

auto reader_of(JsonObject const& object)
{
    return [&object](std::string_view name, std::string& text) { text = string_or(object, name, ""); };
}

Result<std::optional<Timestamp>> time_at(JsonObject const& object, std::string_view name)
{
    if (!object.contains(name))
        return std::optional<Timestamp>();
    return std::optional(TRY(parse_rfc3339(TRY(string_member(object, name)))));
}

Result<std::optional<std::uint64_t>> count_at(JsonObject const& object, std::string_view name)
{
    if (!object.contains(name))
        return std::optional<std::uint64_t>();
    auto const number = TRY(integer_member(object, name));
    if (number < 0)
        return invalid_argument("`" + std::string(name) + "` is negative");
    return std::optional(static_cast<std::uint64_t>(number));
}

Result<std::vector<std::string>> texts_at(JsonObject const& object, std::string_view name)
{
    if (!object.contains(name))
        return std::vector<std::string>();
    return strings_member(object, name);
}

RecordedEntity entity_of(JsonObject const& object)
{
    RecordedEntity entity;
    visit_entity(entity, reader_of(object));
    return entity;
}

Result<std::optional<RecordedEntity>> entity_at(JsonObject const& object, std::string_view name)
{
    if (!object.contains(name))
        return std::optional<RecordedEntity>();
    return std::optional(entity_of(*TRY(object_member(object, name))));
}

Result<std::vector<RecordedEntity>> entities_at(JsonObject const& object, std::string_view name)
{
    std::vector<RecordedEntity> entities;
    if (!object.contains(name))
        return entities;
    for (auto const& element : *TRY(array_member(object, name))) {
        if (!element.is_object())
            return invalid_argument("`" + std::string(name) + "` has objects");
        entities.push_back(entity_of(element.as_object()));
    }
    return entities;
}

Result<std::optional<RecordedDeclarations>> declarations_at(JsonObject const& object)
{
    if (!object.contains("declarations"))
        return std::optional<RecordedDeclarations>();
    auto const& written = *TRY(object_member(object, "declarations"));
    auto const version = TRY(count_at(written, "version")).value_or(0);
    return std::optional(RecordedDeclarations { .version = version,
        .digest = std::string(string_or(written, "digest", "")),
        .schema = std::string(string_or(written, "schema", "")) });
}

Result<> read_context(JsonObject const& object, Record& record)
{
    record.context_cut = string_or(object, "context_cut", "");
    if (object.contains("context"))
        record.context = to_text(*TRY(object_member(object, "context")));
    return {};
}

// Those without a version are of before there was one, and read as the first.
Result<> check_version(JsonObject const& object)
{
    auto const version = TRY(count_at(object, "v")).value_or(record_version);
    if (version > static_cast<std::uint64_t>(record_version))
        return invalid_argument("of version " + std::to_string(version) + ", which a later program wrote");
    return {};
}

Result<std::optional<RecordedCredential>> credential_at(JsonObject const& object)
{
    if (!object.contains("credential"))
        return std::optional<RecordedCredential>();
    auto const& written = *TRY(object_member(object, "credential"));
    RecordedCredential credential;
    visit_credential(credential, reader_of(written));
    credential.expires = TRY(time_at(written, "expires"));
    return std::optional(std::move(credential));
}

Result<std::vector<RecordedClaim>> claims_at(JsonObject const& object)
{
    std::vector<RecordedClaim> claims;
    if (!object.contains("claims"))
        return claims;
    for (auto const& element : *TRY(array_member(object, "claims"))) {
        if (!element.is_object())
            return invalid_argument("a claim is an object");
        auto const& claim = element.as_object();
        claims.push_back({ .name = std::string(TRY(string_member(claim, "name"))),
            .values = TRY(strings_member(claim, "values")),
            .provider = std::string(string_or(claim, "provider", "")) });
    }
    return claims;
}

Result<std::optional<bool>> decision_at(JsonObject const& object)
{
    if (!object.contains("decision"))
        return std::optional<bool>();
    auto const text = TRY(string_member(object, "decision"));
    if (text != "allow" && text != "deny")
        return corruption("`decision` is allow or deny");
    return std::optional(text == "allow");
}

Result<Record> record_of(JsonObject const& object)
{
    TRY(check_version(object));
    Record record;
    record.type = TRY(parse_record_type(TRY(string_member(object, "type"))));
    record.time = TRY(parse_rfc3339(TRY(string_member(object, "time"))));
    visit_texts(record, reader_of(object));
    Result<> lists;
    visit_lists(record, [&](std::string_view name, std::vector<std::string>& texts) {
        if (auto read = texts_at(object, name); read.is_ok())
            texts = std::move(read).value();
        else
            lists = read.error();
    });
    TRY(std::move(lists));
    record.rank = TRY(count_at(object, "rank"));
    record.claims = TRY(claims_at(object));
    record.claims_cut = TRY(count_at(object, "claims_cut")).value_or(0);
    record.resource = TRY(entity_at(object, "resource"));
    record.model = TRY(entity_at(object, "model"));
    record.allowed = TRY(decision_at(object));
    record.datasets = TRY(entities_at(object, "datasets"));
    TRY(read_context(object, record));
    if (object.contains("items"))
        record.items = to_text(JsonValue(*TRY(array_member(object, "items"))));
    record.policy_version = TRY(count_at(object, "policy_version")).value_or(0);
    record.credential = TRY(credential_at(object));
    record.decision = TRY(count_at(object, "decision_record"));
    if (auto const latency = TRY(count_at(object, "latency_us")))
        record.latency = Duration(static_cast<std::int64_t>(*latency));
    record.declarations = TRY(declarations_at(object));
    record.dropped_before = TRY(count_at(object, "dropped_before"));
    return record;
}

} // namespace

RecordedEntity recorded_entity(std::string type, std::string id)
{
    std::string version;
    if (auto const at = id.rfind('@'); type.ends_with("Version") && at != std::string::npos)
        version = id.substr(at + 1);
    return { std::move(type), std::move(id), std::move(version), "" };
}

std::string_view to_string(RecordType type)
{
    for (auto const& [known, name] : type_names)
        if (known == type)
            return name;
    ASSERT(false && "a record type without a name");
}

Result<RecordType> parse_record_type(std::string_view text)
{
    for (auto const& [type, name] : type_names)
        if (name == text)
            return type;
    return invalid_argument("`" + std::string(text) + "` is not a type of record");
}

Result<Record> parse_record(std::string_view text)
{
    auto const object = parse_json_object(text, record_limits);
    auto record = object.is_ok() ? record_of(*object) : Result<Record>(object.error());
    if (record.is_error())
        return corruption("record: " + record.error().message);
    return record;
}

} // namespace writ::audit

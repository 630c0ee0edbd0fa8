// SPDX-License-Identifier: Apache-2.0
#include "audit/record.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <utility>

namespace writ::audit {

namespace {

constexpr std::array<std::pair<RecordType, std::string_view>, 7> type_names = { {
    { RecordType::decision, "decision" },
    { RecordType::issuance, "issuance" },
    { RecordType::revocation, "revocation" },
    { RecordType::run_start, "run_start" },
    { RecordType::run_end, "run_end" },
    { RecordType::administration, "administration" },
    { RecordType::startup, "startup" },
} };

// LIMIT: nested once less than any claim needs; a record is flat but for lists of claims.
constexpr JsonLimits record_limits { .size_max = limits::record_bytes_max, .depth_max = 8 };

// LIMIT: what a text may take in a record that would otherwise be too long. A record has 24 texts and two lists, which together fit.
constexpr std::size_t shortened_bytes = 2048;

// One table for both directions: a member that is written is read, under the same name.
template <typename R, typename Visit> void visit_texts(R& record, Visit const& visit)
{
    visit("trace", record.trace);
    visit("caller", record.caller);
    visit("workload", record.workload);
    visit("workload_name", record.workload_name);
    visit("pipeline", record.pipeline);
    visit("team", record.team);
    visit("run", record.run);
    visit("purpose", record.purpose);
    visit("posture", record.posture);
    visit("action", record.action);
    visit("outcome", record.outcome);
    visit("reason", record.reason);
}

template <typename E, typename Visit> void visit_entity(E& entity, Visit const& visit)
{
    visit("type", entity.type);
    visit("id", entity.id);
    visit("version", entity.version);
    visit("digest", entity.digest);
}

template <typename C, typename Visit> void visit_credential(C& credential, Visit const& visit)
{
    visit("kind", credential.kind);
    visit("id", credential.id);
    visit("scope", credential.scope);
    visit("lease", credential.lease);
}

auto reader_of(JsonObject const& object)
{
    return [&object](std::string_view name, std::string& text) { text = string_or(object, name, ""); };
}

// An object's members as text, without making the object: every credential waits for its record. Names need no escapes.
class ObjectWriter {
public:
    explicit ObjectWriter(std::string& out)
        : out_(out)
    {
        out_ += '{';
    }
    void finish() { out_ += '}'; }

    std::string& member(std::string_view name)
    {
        out_ += is_first_ ? "\"" : ",\"";
        out_ += name;
        out_ += "\":";
        is_first_ = false;
        return out_;
    }
    void text(std::string_view name, std::string_view text) { append_json_string(member(name), text); }
    template <typename Number> void number(std::string_view name, Number number) { member(name) += std::to_string(number); }

private:
    std::string& out_;
    bool is_first_ = true;
};

auto members_of(ObjectWriter& object)
{
    return [&object](std::string_view name, std::string const& text) {
        if (!text.empty())
            object.text(name, text);
    };
}

template <typename Elements, typename Append> void append_array(std::string& out, Elements const& elements, Append const& append)
{
    out += '[';
    for (bool is_first = true; auto const& element : elements) {
        if (!std::exchange(is_first, false))
            out += ',';
        append(out, element);
    }
    out += ']';
}

void append_texts(std::string& out, std::vector<std::string> const& texts) { append_array(out, texts, append_json_string); }

void append_claim(std::string& out, RecordedClaim const& claim)
{
    ObjectWriter object(out);
    object.text("name", claim.name);
    append_texts(object.member("values"), claim.values);
    object.text("provider", claim.provider);
    object.finish();
}

void add_entity(ObjectWriter& object, std::string_view name, std::optional<RecordedEntity> const& entity)
{
    if (!entity)
        return;
    ObjectWriter written(object.member(name));
    visit_entity(*entity, members_of(written));
    written.finish();
}

void add_credential(ObjectWriter& object, std::optional<RecordedCredential> const& credential)
{
    if (!credential)
        return;
    ObjectWriter written(object.member("credential"));
    visit_credential(*credential, members_of(written));
    if (credential->expires)
        written.text("expires", to_rfc3339(*credential->expires));
    written.finish();
}

// With the first `kept` claims; says how many were cut.
std::string written(Record const& record, std::size_t kept)
{
    std::string text;
    text.reserve(1024);
    ObjectWriter object(text);
    object.text("type", to_string(record.type));
    object.text("time", to_rfc3339(record.time));
    visit_texts(record, members_of(object));
    if (kept > 0)
        append_array(object.member("claims"), std::span(record.claims).first(kept), append_claim);
    if (kept < record.claims.size())
        object.number("claims_cut", record.claims.size() - kept);
    add_entity(object, "resource", record.resource);
    add_entity(object, "model", record.model);
    if (record.allowed)
        object.text("decision", *record.allowed ? "allow" : "deny");
    if (!record.policies.empty())
        append_texts(object.member("policies"), record.policies);
    if (!record.policy_errors.empty())
        append_texts(object.member("policy_errors"), record.policy_errors);
    if (record.policy_version != 0)
        object.number("policy_version", record.policy_version);
    add_credential(object, record.credential);
    if (record.decision)
        object.number("decision_record", *record.decision);
    if (record.latency)
        object.number("latency_us", record.latency->count());
    object.finish();
    return text;
}

bool fits(std::string const& text) { return text.size() <= limits::record_bytes_max; }

// As many claims as fit, and how many were cut. Claims are the one part of a record that a workload can make long by itself.
std::string without_last_claims(Record const& record)
{
    auto size = written(record, 0).size() + std::string_view(R"(,"claims":[])").size();
    std::size_t kept = 0;
    for (std::string claim; kept < record.claims.size(); ++kept, claim.clear()) {
        append_claim(claim, record.claims[kept]);
        size += claim.size() + 1;
        if (size > limits::record_bytes_max)
            break;
    }
    return written(record, kept);
}

// At most what JSON makes of it: a control character becomes `\u0001`, a byte that is not UTF-8 the three of U+FFFD.
std::size_t written_size(char character)
{
    auto const byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7f)
        return 6;
    return byte < 0x80 ? 2 : 3;
}

std::size_t written_size(std::string const& text)
{
    std::size_t size = std::string_view(R"("",)").size();
    for (auto const character : text)
        size += written_size(character);
    return size;
}

void shorten(std::string& text)
{
    std::size_t size = 0, length = 0;
    while (length < text.size() && size + written_size(text[length]) <= shortened_bytes)
        size += written_size(text[length++]);
    if (length == text.size())
        return;
    // A character cut in two is repaired when the text is written.
    text = text.substr(0, length) + "\xE2\x80\xA6";
}

void shorten(std::vector<std::string>& texts)
{
    std::size_t size = 0, count = 0;
    while (count < texts.size() && size + written_size(texts[count]) <= shortened_bytes)
        size += written_size(texts[count++]);
    if (count == texts.size())
        return;
    texts.resize(count);
    texts.emplace_back("\xE2\x80\xA6");
}

// SECURITY: a decision must be recordable whatever texts it is about, or long names would be a way to stop the authority, or to go unseen.
Record shortened(Record record)
{
    auto const cut = [](std::string_view, std::string& text) { shorten(text); };
    visit_texts(record, cut);
    if (record.resource)
        visit_entity(*record.resource, cut);
    if (record.model)
        visit_entity(*record.model, cut);
    if (record.credential)
        visit_credential(*record.credential, cut);
    shorten(record.policies);
    shorten(record.policy_errors);
    return record;
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

Result<std::optional<RecordedEntity>> entity_at(JsonObject const& object, std::string_view name)
{
    if (!object.contains(name))
        return std::optional<RecordedEntity>();
    RecordedEntity entity;
    visit_entity(entity, reader_of(*TRY(object_member(object, name))));
    return std::optional(std::move(entity));
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
    Record record;
    record.type = TRY(parse_record_type(TRY(string_member(object, "type"))));
    record.time = TRY(parse_rfc3339(TRY(string_member(object, "time"))));
    visit_texts(record, reader_of(object));
    record.claims = TRY(claims_at(object));
    record.resource = TRY(entity_at(object, "resource"));
    record.model = TRY(entity_at(object, "model"));
    record.allowed = TRY(decision_at(object));
    record.policies = TRY(texts_at(object, "policies"));
    record.policy_errors = TRY(texts_at(object, "policy_errors"));
    record.policy_version = TRY(count_at(object, "policy_version")).value_or(0);
    record.credential = TRY(credential_at(object));
    record.decision = TRY(count_at(object, "decision_record"));
    if (auto const latency = TRY(count_at(object, "latency_us")))
        record.latency = Duration(static_cast<std::int64_t>(*latency));
    return record;
}

} // namespace

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

std::string to_json_text(Record const& record)
{
    auto text = written(record, record.claims.size());
    if (!fits(text))
        text = without_last_claims(record);
    if (!fits(text))
        text = without_last_claims(shortened(record));
    ASSERT(fits(text));
    return text;
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

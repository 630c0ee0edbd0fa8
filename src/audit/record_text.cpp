// SPDX-License-Identifier: Apache-2.0
//
// A record as text. Whatever it is about, it fits: claims are cut first, then texts, lists and the context.
#include "audit/record_members.h"
#include "crypto/digest.h"

#include <algorithm>
#include <span>

namespace writ::audit {

namespace {

// LIMIT: what a text or a list may take in a record that would otherwise be too long. A record has 32 texts and six lists, which together fit.
constexpr std::size_t shortened_bytes = 1536;

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

void append_entity(std::string& out, RecordedEntity const& entity)
{
    ObjectWriter object(out);
    visit_entity(entity, members_of(object));
    object.finish();
}

void add_entity(ObjectWriter& object, std::string_view name, std::optional<RecordedEntity> const& entity)
{
    if (entity)
        append_entity(object.member(name), *entity);
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

void add_declarations(ObjectWriter& object, std::optional<RecordedDeclarations> const& declarations)
{
    if (!declarations)
        return;
    ObjectWriter written(object.member("declarations"));
    written.number("version", declarations->version);
    written.text("digest", declarations->digest);
    if (!declarations->schema.empty())
        written.text("schema", declarations->schema);
    written.finish();
}

void add_context(ObjectWriter& object, Record const& record)
{
    if (record.context.size() > context_bytes_max)
        object.text("context_cut", to_hex(crypto::sha256(as_bytes(record.context))));
    else if (!record.context.empty())
        object.member("context") += record.context;
    else if (!record.context_cut.empty())
        object.text("context_cut", record.context_cut);
}

// With the first `kept` claims; says how many were cut.
std::string written(Record const& record, std::size_t kept)
{
    std::string text;
    text.reserve(1024);
    ObjectWriter object(text);
    object.number("v", record_version);
    object.text("type", to_string(record.type));
    object.text("time", to_rfc3339(record.time));
    visit_texts(record, members_of(object));
    if (record.rank)
        object.number("rank", *record.rank);
    if (kept > 0)
        append_array(object.member("claims"), std::span(record.claims).first(kept), append_claim);
    if (auto const cut = record.claims_cut + record.claims.size() - kept; cut > 0)
        object.number("claims_cut", cut);
    add_entity(object, "resource", record.resource);
    add_entity(object, "model", record.model);
    if (record.allowed)
        object.text("decision", *record.allowed ? "allow" : "deny");
    if (!record.datasets.empty())
        append_array(object.member("datasets"), record.datasets, append_entity);
    visit_lists(record, [&object](std::string_view name, std::vector<std::string> const& texts) {
        if (!texts.empty())
            append_texts(object.member(name), texts);
    });
    add_context(object, record);
    if (!record.items.empty())
        object.member("items") += record.items;
    if (record.policy_version != 0)
        object.number("policy_version", record.policy_version);
    add_credential(object, record.credential);
    if (record.decision)
        object.number("decision_record", *record.decision);
    if (record.latency)
        object.number("latency_us", record.latency->count());
    add_declarations(object, record.declarations);
    if (record.dropped_before)
        object.number("dropped_before", *record.dropped_before);
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

void shorten(std::vector<RecordedEntity>& entities)
{
    std::size_t size = 0;
    auto const written_size_of = [](RecordedEntity const& entity) {
        std::string text;
        append_entity(text, entity);
        return text.size();
    };
    auto const fits = [&](RecordedEntity const& entity) { return (size += written_size_of(entity)) <= shortened_bytes; };
    entities.erase(std::find_if_not(entities.begin(), entities.end(), fits), entities.end());
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
    visit_lists(record, [](std::string_view, std::vector<std::string>& texts) { shorten(texts); });
    shorten(record.datasets);
    if (record.declarations) {
        shorten(record.declarations->digest);
        shorten(record.declarations->schema);
    }
    shorten(record.context_cut);
    // INVARIANT: who writes items leaves room for the rest.
    record.items.clear();
    if (!record.context.empty())
        record.context_cut = to_hex(crypto::sha256(as_bytes(std::exchange(record.context, ""))));
    return record;
}

} // namespace

std::size_t whole_bytes(Record const& record) { return written(record, record.claims.size()).size(); }

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

} // namespace writ::audit

// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include "base/json_document.h"
#include "base/secret.h"
#include "base/utf8.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <cmath>
#include <set>

namespace writ {

namespace {

namespace json = boost::json;

// SECURITY: secrets are sent in JSON: what a value was in is overwritten before it is anybody else's.
class WipingMemory final : public json::memory_resource {
    void* do_allocate(std::size_t size, std::size_t alignment) override { return json::storage_ptr()->allocate(size, alignment); }
    void do_deallocate(void* memory, std::size_t size, std::size_t alignment) override
    {
        wipe(memory, size);
        json::storage_ptr()->deallocate(memory, size, alignment);
    }
    [[nodiscard]] bool do_is_equal(memory_resource const& other) const noexcept override { return this == &other; }
};

json::storage_ptr wiping_memory()
{
    static WipingMemory memory;
    return &memory;
}

// As much as a usual request has.
constexpr std::size_t first_block_bytes = 1024;

// Builds a value from the parser's events; exists because boost::json::parse keeps the last of two equal names in silence.
class StrictHandler {
public:
    static constexpr std::size_t max_object_size = std::size_t(-1);
    static constexpr std::size_t max_array_size = std::size_t(-1);
    static constexpr std::size_t max_key_size = std::size_t(-1);
    static constexpr std::size_t max_string_size = std::size_t(-1);

    StrictHandler(json::storage_ptr memory, std::string& problem)
        : problem_(problem)
        , result_(std::move(memory))
    {
    }
    ~StrictHandler() { wipe_text(); }
    StrictHandler(StrictHandler const&) = delete;
    StrictHandler& operator=(StrictHandler const&) = delete;

    JsonValue take() { return std::move(result_); }

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code&)
    {
        auto& value = place();
        value.emplace_object();
        open_.push_back(&value);
        return true;
    }
    bool on_object_end(std::size_t, json::error_code&) { return close(); }
    bool on_array_begin(json::error_code&)
    {
        auto& value = place();
        value.emplace_array();
        open_.push_back(&value);
        return true;
    }
    bool on_array_end(std::size_t, json::error_code&) { return close(); }
    bool on_key_part(json::string_view part, std::size_t, json::error_code&) { return append(part); }
    bool on_key(json::string_view part, std::size_t, json::error_code& error)
    {
        auto const name = whole(part);
        auto const [member, is_new] = open_.back()->as_object().emplace(name, nullptr);
        if (!is_new) {
            problem_ = "duplicate name `" + std::string(name.substr(0, 60)) + "`";
            error = json::error::syntax;
            return false;
        }
        named_ = &member->value();
        text_.clear();
        return true;
    }
    bool on_string_part(json::string_view part, std::size_t, json::error_code&) { return append(part); }
    bool on_string(json::string_view part, std::size_t, json::error_code&)
    {
        place().emplace_string().assign(whole(part));
        text_.clear();
        return true;
    }
    bool on_number_part(json::string_view, json::error_code&) { return true; }
    bool on_int64(std::int64_t number, json::string_view, json::error_code&) { return add(number); }
    bool on_uint64(std::uint64_t number, json::string_view, json::error_code&) { return add(number); }
    bool on_double(double number, json::string_view, json::error_code& error)
    {
        // `1e999` and, in Boost, `0e999`: JSON has no text for what they become.
        if (!std::isfinite(number)) {
            problem_ = "a number that is too large";
            error = json::error::syntax;
            return false;
        }
        return add(number);
    }
    bool on_bool(bool truth, json::error_code&) { return add(truth); }
    bool on_null(json::error_code&) { return add(nullptr); }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }

private:
    bool append(json::string_view part)
    {
        if (text_.size() + part.size() > text_.capacity()) {
            std::string larger;
            larger.reserve(2 * (text_.size() + part.size()));
            larger = text_;
            wipe_text();
            text_.swap(larger);
        }
        text_.append(part.data(), part.size());
        return true;
    }

    // A text of which this is the last part; most have one alone, which is not copied first.
    json::string_view whole(json::string_view part)
    {
        if (text_.empty())
            return part;
        append(part);
        return text_;
    }

    void wipe_text()
    {
        text_.resize(text_.capacity());
        wipe(text_.data(), text_.size());
    }

    // Where the next value goes. The pointers stay good: a container grows only while it is the innermost open one.
    JsonValue& place()
    {
        if (open_.empty())
            return result_;
        if (auto* array = open_.back()->if_array())
            return array->emplace_back(nullptr);
        return *named_;
    }

    template <typename Scalar> bool add(Scalar scalar)
    {
        place() = scalar;
        return true;
    }

    bool close()
    {
        open_.pop_back();
        return true;
    }

    std::string& problem_;
    JsonValue result_;
    std::vector<JsonValue*> open_;
    JsonValue* named_ = nullptr; // the member whose name was read last
    std::string text_;
};

Result<JsonValue> parse_into(json::storage_ptr memory, std::string_view text, JsonLimits limits)
{
    if (text.size() > limits.size_max)
        return resource_exhausted("JSON of " + std::to_string(text.size()) + " bytes is over the limit of " + std::to_string(limits.size_max));
    json::parse_options options;
    options.max_depth = limits.depth_max;
    std::string problem;
    json::basic_parser<StrictHandler> parser(options, std::move(memory), problem);
    json::error_code error;
    auto const consumed = parser.write_some(false, text.data(), text.size(), error);
    if (!error && consumed < text.size()) {
        if (text.find_first_not_of(" \t\r\n", consumed) != std::string_view::npos)
            return invalid_argument("JSON has more after its end, at byte " + std::to_string(consumed));
    }
    if (error || !parser.done())
        return invalid_argument("JSON is wrong at byte " + std::to_string(consumed) + ": " + (problem.empty() ? error.message() : problem));
    return parser.handler().take();
}

Error not_an_object() { return invalid_argument("JSON must be an object"); }

Error wrong_member(std::string_view name, std::string_view wanted)
{
    return invalid_argument("member `" + std::string(name) + "` must be " + std::string(wanted));
}

} // namespace

Result<JsonValue> parse_json(std::string_view text, JsonLimits limits)
{
    // All of a value's parts lie in blocks of its own, which go together: a request's body is read, looked at and thrown away.
    return parse_into(json::make_shared_resource<json::monotonic_resource>(first_block_bytes, wiping_memory()), text, limits);
}

Result<JsonObject> parse_json_object(std::string_view text, JsonLimits limits)
{
    auto value = TRY(parse_json(text, limits));
    if (!value.is_object())
        return not_an_object();
    return std::move(value.as_object());
}

struct JsonDocument::Memory {
    json::monotonic_resource blocks { first_block_bytes, wiping_memory() };
    std::optional<JsonValue> value; // in the blocks, so it goes before them
};

JsonDocument::JsonDocument(std::unique_ptr<Memory> memory) : memory_(std::move(memory)) { }
JsonDocument::~JsonDocument() = default;
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;

Result<JsonDocument> JsonDocument::parse_object(std::string_view text, JsonLimits limits)
{
    auto memory = std::make_unique<Memory>();
    memory->value.emplace(TRY(parse_into(&memory->blocks, text, limits)));
    if (!memory->value->is_object())
        return not_an_object();
    return JsonDocument(std::move(memory));
}

JsonObject const& JsonDocument::object() const { return memory_->value->get_object(); }

std::string to_text(JsonValue const& value) { return json::serialize(value); }
std::string to_text(JsonObject const& object) { return json::serialize(object); }

void append_json_string(std::string& out, std::string_view text)
{
    // All are looked at whatever the first ones are: so many go at a time.
    bool is_plain = true;
    for (auto const character : text)
        is_plain &= character >= 0x20 && character < 0x7f && character != '"' && character != '\\';
    if (!is_plain) {
        out += json::serialize(json::string(repaired_utf8(text)));
        return;
    }
    out += '"';
    out += text;
    out += '"';
}

Result<std::string_view> string_member(JsonObject const& object, std::string_view name)
{
    auto const* value = object.if_contains(name);
    if (value == nullptr || !value->is_string())
        return wrong_member(name, "a string");
    return std::string_view(value->as_string());
}

Result<std::int64_t> integer_member(JsonObject const& object, std::string_view name)
{
    auto const* value = object.if_contains(name);
    if (value == nullptr || !value->is_int64())
        return wrong_member(name, "an integer");
    return value->as_int64();
}

Result<bool> bool_member(JsonObject const& object, std::string_view name)
{
    auto const* value = object.if_contains(name);
    if (value == nullptr || !value->is_bool())
        return wrong_member(name, "true or false");
    return value->as_bool();
}

Result<JsonObject const*> object_member(JsonObject const& object, std::string_view name)
{
    auto const* value = object.if_contains(name);
    if (value == nullptr || !value->is_object())
        return wrong_member(name, "an object");
    return &value->as_object();
}

Result<JsonArray const*> array_member(JsonObject const& object, std::string_view name)
{
    auto const* value = object.if_contains(name);
    if (value == nullptr || !value->is_array())
        return wrong_member(name, "an array");
    return &value->as_array();
}

Result<std::vector<std::string>> strings_member(JsonObject const& object, std::string_view name)
{
    std::vector<std::string> strings;
    for (auto const& element : *TRY(array_member(object, name))) {
        if (!element.is_string())
            return wrong_member(name, "an array of strings");
        strings.emplace_back(element.as_string());
    }
    return strings;
}

std::string_view string_or(JsonObject const& object, std::string_view name, std::string_view otherwise)
{
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string_view(value->as_string()) : otherwise;
}

} // namespace writ

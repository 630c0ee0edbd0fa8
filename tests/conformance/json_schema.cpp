// SPDX-License-Identifier: Apache-2.0
#include "json_schema.h"

#include "base/clock.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <regex>

namespace writ::conformance {

namespace {

// LIMIT: of references within references; a schema that needs more refers to itself without end.
constexpr int depth_max = 200;

// Where subschemas stand: under the keyword itself, in a list under it, or under names.
constexpr std::array single_subschemas { "additionalProperties", "items", "not", "if", "then", "else", "propertyNames", "contains" };
constexpr std::array listed_subschemas { "allOf", "anyOf", "oneOf", "prefixItems" };
constexpr std::array named_subschemas { "properties", "patternProperties", "$defs", "dependentSchemas" };
// `documentation` and `example` are no keywords of the draft; they say what `description` and `examples` do.
constexpr std::array plain_keywords { "$id", "$schema", "$ref", "$comment", "title", "description", "example", "examples", "default",
    "deprecated", "documentation", "type", "enum", "const", "format", "pattern", "minLength", "maxLength", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems", "uniqueItems", "required", "dependentRequired", "minProperties",
    "maxProperties" };
constexpr std::array formats { "uri", "uri-reference", "uuid", "date-time", "regex" };

template <typename List> bool is_in(List const& list, std::string_view name) { return std::ranges::find(list, name) != list.end(); }

std::string pointer_token(std::string_view token)
{
    std::string text;
    for (std::size_t i = 0; i < token.size(); ++i) {
        if (token[i] == '~' && i + 1 < token.size())
            text += token[++i] == '1' ? '/' : '~';
        else
            text += token[i];
    }
    return text;
}

JsonValue const* step(JsonValue const& value, std::string const& name)
{
    if (value.is_object())
        return value.as_object().if_contains(name);
    if (!value.is_array() || name.empty() || name.find_first_not_of("0123456789") != std::string::npos || name.size() > 9)
        return nullptr;
    auto const index = static_cast<std::size_t>(std::stoul(name));
    return index < value.as_array().size() ? &value.as_array()[index] : nullptr;
}

JsonValue const* at_pointer(JsonValue const* value, std::string_view pointer)
{
    while (value != nullptr && !pointer.empty()) {
        if (pointer.front() != '/')
            return nullptr; // an anchor, which no schema here has
        pointer.remove_prefix(1);
        auto const token = pointer.substr(0, pointer.find('/'));
        pointer.remove_prefix(token.size());
        value = step(*value, pointer_token(token));
    }
    return value;
}

bool is_integer(JsonValue const& value)
{
    if (value.is_int64() || value.is_uint64())
        return true;
    return value.is_double() && std::isfinite(value.as_double()) && std::floor(value.as_double()) == value.as_double();
}

bool is_number(JsonValue const& value) { return value.is_number(); }

bool is_of_type(JsonValue const& value, std::string_view type)
{
    if (type == "null")
        return value.is_null();
    if (type == "boolean")
        return value.is_bool();
    if (type == "object")
        return value.is_object();
    if (type == "array")
        return value.is_array();
    if (type == "string")
        return value.is_string();
    if (type == "number")
        return is_number(value);
    return type == "integer" && is_integer(value);
}

double number_of(JsonValue const& value)
{
    if (value.is_int64())
        return static_cast<double>(value.as_int64());
    return value.is_uint64() ? static_cast<double>(value.as_uint64()) : value.as_double();
}

bool matches(std::string const& text, std::string const& pattern) { return std::regex_search(text, std::regex(pattern)); }

bool has_twins(JsonArray const& array)
{
    for (auto const* element = array.begin(); element != array.end(); ++element)
        if (std::find(array.begin(), element, *element) != element)
            return true;
    return false;
}

std::size_t length_of(std::string_view text)
{
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U; }));
}

} // namespace

bool is_of_format(std::string_view format, std::string const& text)
{
    static std::regex const uuid("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$");
    static std::regex const uri("^[A-Za-z][A-Za-z0-9+.-]*:[^\\s<>\"{}|\\\\^`]*$");
    static std::regex const uri_reference("^[^\\s<>\"{}|\\\\^`]*$");
    if (format == "uuid")
        return std::regex_match(text, uuid);
    if (format == "uri")
        return std::regex_match(text, uri);
    if (format == "uri-reference")
        return std::regex_match(text, uri_reference);
    if (format == "date-time")
        return parse_rfc3339(text).is_ok();
    if (format == "regex") {
        try {
            std::regex const compiled(text);
            return true;
        } catch (std::regex_error const&) {
            return false;
        }
    }
    return false;
}

// Walks a schema and all it holds.
class SchemaChecker {
public:
    SchemaChecker(SchemaSet const& set, std::string base, std::vector<std::string>& problems)
        : set_(set)
        , base_(std::move(base))
        , problems_(problems)
    {
    }

    void check(JsonValue const& schema, std::string const& place)
    {
        if (schema.is_bool())
            return;
        if (!schema.is_object())
            return problems_.push_back(place + ": a schema is an object or a boolean");
        for (auto const& member : schema.as_object())
            check_keyword(member.key(), member.value(), place + "/" + std::string(member.key()));
    }

private:
    void check_keyword(std::string_view name, JsonValue const& value, std::string const& place)
    {
        if (is_in(single_subschemas, name))
            return check(value, place);
        if (is_in(listed_subschemas, name)) {
            if (!value.is_array())
                return problems_.push_back(place + ": no list");
            for (auto const& schema : value.as_array())
                check(schema, place);
            return;
        }
        if (is_in(named_subschemas, name)) {
            if (!value.is_object())
                return problems_.push_back(place + ": no object");
            for (auto const& member : value.as_object())
                check(member.value(), place + "/" + std::string(member.key()));
            return;
        }
        if (!is_in(plain_keywords, name))
            return problems_.push_back(place + ": unknown keyword");
        if (name == "$ref" && (!value.is_string() || set_.resolve(base_, value.as_string()).schema == nullptr))
            problems_.push_back(place + ": leads nowhere");
        if (name == "format" && (!value.is_string() || !is_in(formats, std::string_view(value.as_string()))))
            problems_.push_back(place + ": unknown format");
        if (name == "$id" && place != "/$id")
            problems_.push_back(place + ": unknown keyword here");
    }

    SchemaSet const& set_;
    std::string base_;
    std::vector<std::string>& problems_;
};

class SchemaValidator {
public:
    explicit SchemaValidator(SchemaSet const& set)
        : set_(set)
    {
    }

    std::vector<std::string> errors(SchemaSet::Place place, JsonValue const& instance, std::string const& where, int depth) const
    {
        if (place.schema == nullptr)
            return { where + ": the schema's reference leads nowhere" };
        if (depth > depth_max)
            return { where + ": the schema refers to itself without end" };
        if (place.schema->is_bool())
            return place.schema->as_bool() ? std::vector<std::string>() : std::vector<std::string> { where + ": nothing may be here" };
        std::vector<std::string> found;
        Checked const checked { place.schema->as_object(), place.base, instance, where, depth, found };
        check_any(checked);
        if (instance.is_object())
            check_object(checked, instance.as_object());
        if (instance.is_array())
            check_array(checked, instance.as_array());
        if (instance.is_string())
            check_text(checked, std::string(instance.as_string()));
        if (instance.is_number())
            check_number(checked, number_of(instance));
        check_combinations(checked);
        return found;
    }

private:
    struct Checked {
        JsonObject const& schema;
        std::string const& base;
        JsonValue const& instance;
        std::string const& where;
        int depth;
        std::vector<std::string>& found;

        [[nodiscard]] JsonValue const* keyword(std::string_view name) const { return schema.if_contains(name); }
        void fail(std::string const& why) const { found.push_back(where + ": " + why); }
    };

    std::vector<std::string> errors_of(Checked const& at, JsonValue const& schema, JsonValue const& instance, std::string const& where) const
    {
        return errors({ at.base, &schema }, instance, where, at.depth + 1);
    }
    bool is_valid(Checked const& at, JsonValue const& schema) const { return errors_of(at, schema, at.instance, at.where).empty(); }
    void apply(Checked const& at, JsonValue const& schema, JsonValue const& instance, std::string const& where) const
    {
        auto more = errors_of(at, schema, instance, where);
        at.found.insert(at.found.end(), more.begin(), more.end());
    }

    void check_any(Checked const& at) const
    {
        if (auto const* reference = at.keyword("$ref")) {
            auto more = errors(set_.resolve(at.base, reference->as_string()), at.instance, at.where, at.depth + 1);
            at.found.insert(at.found.end(), more.begin(), more.end());
        }
        if (auto const* type = at.keyword("type")) {
            auto const fits = [&](JsonValue const& name) { return is_of_type(at.instance, name.as_string()); };
            if (type->is_array() ? std::ranges::none_of(type->as_array(), fits) : !fits(*type))
                at.fail("is not of type " + to_text(*type));
        }
        if (auto const* values = at.keyword("enum"); values && std::ranges::find(values->as_array(), at.instance) == values->as_array().end())
            at.fail("is none of " + to_text(*values));
        if (auto const* value = at.keyword("const"); value && *value != at.instance)
            at.fail("is not " + to_text(*value));
    }

    void check_combinations(Checked const& at) const
    {
        auto const count_valid = [&](JsonValue const& schemas) {
            return std::ranges::count_if(schemas.as_array(), [&](JsonValue const& schema) { return is_valid(at, schema); });
        };
        if (auto const* all = at.keyword("allOf"))
            for (auto const& schema : all->as_array())
                apply(at, schema, at.instance, at.where);
        if (auto const* any = at.keyword("anyOf"); any && count_valid(*any) == 0)
            at.fail("is valid under none of `anyOf`");
        if (auto const* one = at.keyword("oneOf"))
            if (auto const valid = count_valid(*one); valid != 1)
                at.fail("is valid under " + std::to_string(valid) + " of `oneOf`");
        if (auto const* negated = at.keyword("not"); negated && is_valid(at, *negated))
            at.fail("is what it must not be");
        if (auto const* condition = at.keyword("if"))
            if (auto const* branch = at.keyword(is_valid(at, *condition) ? "then" : "else"))
                apply(at, *branch, at.instance, at.where);
    }

    void check_object(Checked const& at, JsonObject const& object) const
    {
        if (auto const* required = at.keyword("required"))
            for (auto const& name : required->as_array())
                if (!object.contains(name.as_string()))
                    at.fail("has no `" + std::string(name.as_string()) + "`");
        if (auto const* dependent = at.keyword("dependentRequired"))
            for (auto const& rule : dependent->as_object())
                for (auto const& name : rule.value().as_array())
                    if (object.contains(rule.key()) && !object.contains(name.as_string()))
                        at.fail("has `" + std::string(rule.key()) + "` but no `" + std::string(name.as_string()) + "`");
        if (auto const* least = at.keyword("minProperties"); least && static_cast<double>(object.size()) < number_of(*least))
            at.fail("has too few members");
        if (auto const* most = at.keyword("maxProperties"); most && static_cast<double>(object.size()) > number_of(*most))
            at.fail("has too many members");
        for (auto const& member : object)
            check_member(at, std::string(member.key()), member.value());
        if (auto const* dependent = at.keyword("dependentSchemas"))
            for (auto const& rule : dependent->as_object())
                if (object.contains(rule.key()))
                    apply(at, rule.value(), at.instance, at.where);
    }

    void check_member(Checked const& at, std::string const& name, JsonValue const& value) const
    {
        auto const where = at.where + "/" + name;
        bool is_named = false;
        if (auto const* properties = at.keyword("properties"))
            if (auto const* schema = properties->as_object().if_contains(name)) {
                is_named = true;
                apply(at, *schema, value, where);
            }
        if (auto const* patterns = at.keyword("patternProperties"))
            for (auto const& pattern : patterns->as_object())
                if (matches(name, std::string(pattern.key()))) {
                    is_named = true;
                    apply(at, pattern.value(), value, where);
                }
        if (auto const* others = at.keyword("additionalProperties"); others && !is_named)
            apply(at, *others, value, where);
        if (auto const* names = at.keyword("propertyNames"))
            apply(at, *names, JsonValue(name), where);
    }

    void check_array(Checked const& at, JsonArray const& array) const
    {
        auto const size = static_cast<double>(array.size());
        if (auto const* least = at.keyword("minItems"); least && size < number_of(*least))
            at.fail("has too few elements");
        if (auto const* most = at.keyword("maxItems"); most && size > number_of(*most))
            at.fail("has too many elements");
        auto const* const firsts = at.keyword("prefixItems");
        auto const first_count = firsts ? firsts->as_array().size() : 0;
        for (std::size_t i = 0; i < array.size(); ++i) {
            auto const where = at.where + "/" + std::to_string(i);
            if (i < first_count)
                apply(at, firsts->as_array()[i], array[i], where);
            else if (auto const* items = at.keyword("items"))
                apply(at, *items, array[i], where);
        }
        if (auto const* unique = at.keyword("uniqueItems"); unique && unique->as_bool() && has_twins(array))
            at.fail("has an element twice");
        auto const fits = [&](JsonValue const& element) { return errors_of(at, *at.keyword("contains"), element, at.where).empty(); };
        if (at.keyword("contains") && std::ranges::none_of(array, fits))
            at.fail("has no element that `contains` wants");
    }

    void check_text(Checked const& at, std::string const& text) const
    {
        if (auto const* least = at.keyword("minLength"); least && static_cast<double>(length_of(text)) < number_of(*least))
            at.fail("is too short");
        if (auto const* most = at.keyword("maxLength"); most && static_cast<double>(length_of(text)) > number_of(*most))
            at.fail("is too long");
        if (auto const* pattern = at.keyword("pattern"); pattern && !matches(text, std::string(pattern->as_string())))
            at.fail("does not match " + to_text(*pattern));
        if (auto const* format = at.keyword("format"); format && set_.asserts_format_ && !is_of_format(format->as_string(), text))
            at.fail("is no " + std::string(format->as_string()));
    }

    static void check_number(Checked const& at, double number)
    {
        if (auto const* least = at.keyword("minimum"); least && number < number_of(*least))
            at.fail("is too small");
        if (auto const* most = at.keyword("maximum"); most && number > number_of(*most))
            at.fail("is too large");
        if (auto const* least = at.keyword("exclusiveMinimum"); least && number <= number_of(*least))
            at.fail("is too small");
        if (auto const* most = at.keyword("exclusiveMaximum"); most && number >= number_of(*most))
            at.fail("is too large");
    }

    SchemaSet const& set_;
};

Result<std::string> SchemaSet::add(JsonObject schema)
{
    auto const id = std::string(TRY(string_member(schema, "$id")));
    if (!schemas_.emplace(id, std::move(schema)).second)
        return invalid_argument("there are two schemas `" + id + "`");
    return id;
}

JsonValue const* SchemaSet::find(std::string const& id) const
{
    auto const found = schemas_.find(id);
    return found == schemas_.end() ? nullptr : &found->second;
}

SchemaSet::Place SchemaSet::resolve(std::string const& base, std::string_view reference) const
{
    auto const hash = reference.find('#');
    auto const document = reference.substr(0, hash);
    auto const pointer = hash == std::string_view::npos ? std::string_view() : reference.substr(hash + 1);
    auto id = base;
    if (document.find(':') != std::string_view::npos)
        id = document;
    else if (!document.empty())
        id = base.substr(0, base.rfind('/') + 1) + std::string(document);
    auto const* const root = find(id);
    return { id, at_pointer(root, pointer) };
}

std::vector<std::string> SchemaSet::check(std::string const& id) const
{
    std::vector<std::string> problems;
    auto const* const schema = find(id);
    if (schema == nullptr)
        return { "no schema `" + id + "`" };
    SchemaChecker(*this, id, problems).check(*schema, "");
    return problems;
}

std::vector<std::string> SchemaSet::validate(std::string const& reference, JsonValue const& instance) const
{
    return SchemaValidator(*this).errors(resolve("", reference), instance, "", 0);
}

} // namespace writ::conformance

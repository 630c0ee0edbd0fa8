// SPDX-License-Identifier: Apache-2.0
#include "issue/aws_sts/sts_answer.h"

#include "base/utf8.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <vector>

namespace writ::issue {

namespace {

// LIMIT: elements within one another; STS has five.
constexpr std::size_t depth_max = 16;
// LIMIT: of an error's message, for the operator's log.
constexpr std::size_t message_bytes_max = 300;

using Sink = std::function<void(std::string_view name, std::string text)>;

Result<std::string> decode(std::string_view text)
{
    static constexpr std::array<std::pair<std::string_view, char>, 5> entities { { { "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' }, { "&quot;", '"' }, { "&apos;", '\'' } } };
    std::string decoded;
    while (!text.empty()) {
        if (text.front() != '&') {
            decoded += text.front();
            text.remove_prefix(1);
            continue;
        }
        auto const* const entity = std::find_if(entities.begin(), entities.end(), [text](auto const& known) { return text.starts_with(known.first); });
        if (entity == entities.end())
            return invalid_argument("an entity that is not one of XML's five");
        decoded += entity->second;
        text.remove_prefix(entity->first.size());
    }
    return decoded;
}

std::string_view name_of_tag(std::string_view tag) { return tag.substr(0, tag.find_first_of(" \t\r\n/")); }

// Hands on every element that has no elements in it.
Result<> read_leaves(std::string_view xml, Sink const& sink)
{
    std::vector<std::string_view> open;
    bool is_leaf = false;
    for (auto place = xml.find('<'); place != std::string_view::npos; place = xml.find('<')) {
        auto const text = xml.substr(0, place);
        xml.remove_prefix(place + 1);
        auto const end = xml.find('>');
        if (end == std::string_view::npos)
            return invalid_argument("a tag that does not end");
        auto const tag = xml.substr(0, end);
        xml.remove_prefix(end + 1);
        if (tag.starts_with('?'))
            continue;
        if (tag.starts_with('!'))
            return invalid_argument("a document type, comment or section");
        if (tag.starts_with('/')) {
            if (open.empty() || open.back() != tag.substr(1))
                return invalid_argument("an element that ends and did not begin");
            if (is_leaf)
                sink(open.back(), TRY(decode(text)));
            open.pop_back();
            is_leaf = false;
        } else if (!tag.ends_with('/')) {
            if (open.size() == depth_max)
                return invalid_argument("elements nested too deep");
            open.push_back(name_of_tag(tag));
            is_leaf = true;
        }
    }
    if (!open.empty())
        return invalid_argument("an element that does not end");
    return {};
}

// Texts of an answer that may hold secrets: wiped, whatever becomes of them.
struct Fields {
    std::optional<SecretText> access_key, secret, token, expiration;
    bool has_repeated = false;

    std::optional<SecretText>* place_of(std::string_view name)
    {
        if (name == "AccessKeyId")
            return &access_key;
        if (name == "SecretAccessKey")
            return &secret;
        if (name == "SessionToken")
            return &token;
        return name == "Expiration" ? &expiration : nullptr;
    }

    void take(std::string_view name, std::string text)
    {
        SecretText value(std::move(text));
        auto* const place = place_of(name);
        if (place == nullptr)
            return;
        has_repeated = has_repeated || place->has_value();
        place->emplace(std::move(value));
    }
};

bool is_header_text(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

} // namespace

Result<StsCredentials> parse_sts_credentials(std::string_view xml)
{
    if (xml.size() > sts_answer_bytes_max)
        return invalid_argument("the answer of STS is too long");
    Fields fields;
    TRY(read_leaves(xml, [&fields](std::string_view name, std::string text) { fields.take(name, std::move(text)); }).in("answer of STS"));
    if (fields.has_repeated || !fields.access_key || !fields.secret || !fields.token || !fields.expiration)
        return invalid_argument("the answer of STS has not each of `AccessKeyId`, `SecretAccessKey`, `SessionToken` and `Expiration` once");
    // What is put into JSON and headers by clients; anything else is no credential.
    for (auto const* field : { &*fields.access_key, &*fields.secret, &*fields.token }) {
        if (!is_header_text(field->reveal()))
            return invalid_argument("the answer of STS has a credential that is empty or no plain text");
    }
    auto const expires = TRY(parse_rfc3339(fields.expiration->reveal()).in("answer of STS: Expiration"));
    return StsCredentials { fields.access_key->reveal(), std::move(*fields.secret), std::move(*fields.token), expires };
}

StsError parse_sts_error(std::string_view body)
{
    StsError error;
    auto const sink = [&error](std::string_view name, std::string text) {
        if (name == "Code" && error.code.empty())
            error.code = std::move(text);
        else if (name == "Message" && error.message.empty())
            error.message = std::move(text);
    };
    auto const read = read_leaves(body.substr(0, sts_answer_bytes_max), sink);
    if (read.is_error())
        error = {};
    for (auto* text : { &error.code, &error.message }) {
        std::replace_if(text->begin(), text->end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
        *text = std::string(utf8_prefix(*text, message_bytes_max));
    }
    return error;
}

} // namespace writ::issue

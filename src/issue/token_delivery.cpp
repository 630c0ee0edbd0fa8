// SPDX-License-Identifier: Apache-2.0
#include "issue/token_delivery.h"

#include <algorithm>

namespace writ::issue {

namespace {

Result<std::vector<TokenPlace>> parse_places(JsonObject const& settings)
{
    std::vector<TokenPlace> places;
    if (!settings.contains("places"))
        return places;
    for (auto const& item : *TRY(array_member(settings, "places"))) {
        if (!item.is_object())
            return invalid_argument("a place is an object");
        auto const& place = item.as_object();
        places.push_back({ std::string(TRY(string_member(place, "client"))), std::string(TRY(string_member(place, "url"))), std::string(TRY(string_member(place, "username"))) });
    }
    return places;
}

constexpr std::string_view token_mark = "{token}";
// LIMIT: far above a line of .netrc.
constexpr std::size_t file_content_bytes_max = 4096;
constexpr std::size_t token_field_bytes_max = 200;

SecretText file_of(TokenDelivery const& delivery, SecretText token)
{
    auto const place = delivery.file_content.find(token_mark);
    if (place == std::string::npos)
        return token;
    auto const& content = delivery.file_content;
    return SecretText(content.substr(0, place) + token.reveal() + content.substr(place + token_mark.size()));
}

} // namespace

Result<> check_file_content(std::string_view content)
{
    auto const place = content.find(token_mark);
    if (place == std::string_view::npos || content.find(token_mark, place + 1) != std::string_view::npos)
        return invalid_argument("has one `{token}`, where the token goes");
    if (content.size() > file_content_bytes_max || content.find('\0') != std::string_view::npos)
        return invalid_argument("is a text of " + std::to_string(file_content_bytes_max) + " bytes at most");
    return {};
}

Result<> check_token_field(std::string_view field)
{
    auto const colon = field.find(": ");
    std::string name(field.substr(0, std::min(colon, field.size())));
    std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    auto const is_of_name = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
    auto const is_plain = [](char c) { return c >= ' ' && c <= '~'; };
    if (colon == std::string_view::npos || name.empty() || !std::ranges::all_of(name, is_of_name) || !std::ranges::all_of(field, is_plain) || field.size() > token_field_bytes_max)
        return invalid_argument("is a field's name and its value, `name: value`, " + std::to_string(token_field_bytes_max) + " bytes of ASCII at most");
    constexpr std::string_view taken[] = { "host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive", "expect" };
    if (std::ranges::find(taken, name) != std::end(taken))
        return invalid_argument("`" + name + "` is no field to show a token in");
    return check_file_content(field.substr(colon + 2));
}

Result<TokenDelivery> parse_token_delivery(JsonObject const& settings)
{
    TokenDelivery delivery;
    delivery.file = TRY(string_member(settings, "file"));
    delivery.file_variable = TRY(string_member(settings, "file_variable"));
    delivery.variable = TRY(string_member(settings, "variable"));
    for (auto const& member : *TRY(object_member(settings, "environment"))) {
        if (!member.value().is_string())
            return invalid_argument("a variable of `environment` is text");
        delivery.environment.emplace(member.key(), member.value().as_string());
    }
    delivery.places = TRY(parse_places(settings));
    delivery.file_content = string_or(settings, "file_content", "");
    if (delivery.file_variable.empty() && delivery.variable.empty() && delivery.places.empty())
        return invalid_argument("a token comes as a file, in a variable, or to who asks for it");
    return delivery;
}

void deliver_token(Credential& credential, TokenDelivery const& delivery, SecretText value)
{
    credential.environment = delivery.environment;
    for (auto const& place : delivery.places)
        credential.places.push_back({ place.client, place.url, place.username, value.duplicate() });
    if (!delivery.variable.empty())
        credential.variables.push_back({ delivery.variable, value.duplicate() });
    if (!delivery.file_variable.empty())
        credential.files.push_back({ delivery.file, delivery.file_variable, file_of(delivery, std::move(value)) });
}

Result<Scopes> parse_scopes(std::string_view text)
{
    Scopes scopes;
    while (!text.empty()) {
        auto const scope = text.substr(0, text.find(' '));
        for (char const c : scope) {
            if (c <= ' ' || c > '~' || c == '"' || c == '\\')
                return invalid_argument("a scope has printable ASCII without `\"` and `\\`");
        }
        if (!scope.empty())
            scopes.emplace(scope);
        text.remove_prefix(std::min(text.size(), scope.size() + 1));
    }
    return scopes;
}

Result<Scopes> scopes_of(JsonObject const& settings, std::span<Access const> accesses)
{
    auto const& declared = *TRY(object_member(settings, "scopes"));
    Scopes scopes;
    for (auto const& access : accesses) {
        auto const* text = declared.if_contains(access.action);
        if (text == nullptr || !text->is_string())
            return permission_denied("no scope is declared for action `" + access.action + "`");
        scopes.merge(TRY(parse_scopes(text->as_string())));
    }
    return scopes;
}

std::string to_text(Scopes const& scopes)
{
    std::string text;
    for (auto const& scope : scopes)
        text += (text.empty() ? "" : " ") + scope;
    return text;
}

std::string words_of(std::span<Access const> accesses, Scopes const& scopes)
{
    std::string words;
    for (auto const& [action, resource] : accesses)
        words += (words.empty() ? "" : ", ") + action + " " + std::string(string_or(resource, "name", ""));
    return scopes.empty() ? words : words + " (" + to_text(scopes) + ")";
}

Result<CredentialPlan> plan_token(std::string kind, JsonObject const& settings, std::span<Access const> accesses)
{
    if (accesses.empty())
        return invalid_argument("a token is for something");
    auto const scopes = TRY(scopes_of(settings, accesses));
    auto delivery = TRY(parse_token_delivery(settings));
    auto target = settings;
    target["scope"] = to_text(scopes);
    return CredentialPlan { std::move(kind), "", words_of(accesses, scopes), writ::to_text(JsonValue(target)), std::move(delivery.environment) };
}

} // namespace writ::issue

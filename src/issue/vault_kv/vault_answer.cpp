// SPDX-License-Identifier: Apache-2.0
#include "issue/vault_kv/vault_answer.h"

#include "base/utf8.h"

#include <algorithm>

namespace writ::issue {

namespace {

// LIMIT: what an operator reads of somebody else's words.
constexpr std::size_t words_bytes_max = 300;

std::string words_of(net::Response const& response)
{
    std::string words;
    auto const object = parse_json_object(response.body);
    auto const errors = object.is_ok() ? strings_member(*object, "errors") : Result<std::vector<std::string>>(object.error());
    if (errors.is_ok()) {
        for (auto const& error : *errors)
            words += (words.empty() ? ": " : "; ") + error;
    }
    words = std::string(utf8_prefix(words, words_bytes_max));
    std::replace_if(words.begin(), words.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
    return words;
}

// 412: a standby that does not have it yet; 472, 473: standbys that serve nobody.
ErrorCode code_of(int status)
{
    if (status >= 500 || status == 429 || status == 408 || status == 412 || status == 472 || status == 473)
        return ErrorCode::unavailable;
    if (status == 404)
        return ErrorCode::not_found;
    return status == 401 || status == 403 ? ErrorCode::permission_denied : ErrorCode::invalid_argument;
}

Error error_with(ErrorCode code, net::Response const& response) { return { code, "Vault answered " + std::to_string(response.status) + words_of(response) }; }

} // namespace

Error error_of_vault(net::Response const& response) { return error_with(code_of(response.status), response); }

Error error_of_vault_login(net::Response const& response)
{
    return error_with(response.status == 400 || response.status == 404 ? ErrorCode::permission_denied : code_of(response.status), response);
}

Result<SecretText> parse_vault_login(std::string_view body)
{
    auto const object = TRY(parse_json_object(body));
    auto const& auth = *TRY(object_member(object, "auth"));
    auto const token = TRY(string_member(auth, "client_token"));
    // SECURITY: a line end in it would become another header of ours.
    if (token.empty() || !std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; }))
        return invalid_argument("`client_token` is no token");
    return SecretText(std::string(token));
}

Result<StoredSecret> parse_vault_secret(std::string_view body, std::string_view field)
{
    auto const object = TRY(parse_json_object(body));
    auto const& outer = *TRY(object_member(object, "data"));
    auto const& values = *TRY(object_member(outer, "data"));
    auto const& metadata = *TRY(object_member(outer, "metadata"));
    auto const version = TRY(integer_member(metadata, "version"));
    if (version < 1)
        return invalid_argument("`version` is a number from 1");
    if (!field.empty() && !values.contains(field))
        return not_found("the secret has no field `" + std::string(field) + "`");
    SecretText value(field.empty() ? to_text(values) : std::string(TRY(string_member(values, field))));
    if (value.is_empty() || value.reveal().find('\0') != std::string::npos)
        return invalid_argument("the field is empty, or has a NUL: it becomes a file or a variable");
    return StoredSecret { std::move(value), static_cast<std::uint64_t>(version) };
}

} // namespace writ::issue

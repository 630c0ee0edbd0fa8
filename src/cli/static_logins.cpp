// SPDX-License-Identifier: Apache-2.0
#include "cli/static_logins.h"

#include "base/json.h"

#include <algorithm>

namespace writ::cli {

namespace {

// LIMIT: as much of a configuration as docker_config.h reads.
constexpr std::size_t config_bytes_max = 1U << 20U;

void add(std::vector<std::string>& names, std::string_view name)
{
    if (!name.empty() && names.size() < logins_max && std::find(names.begin(), names.end(), name) == names.end())
        names.emplace_back(name);
}

constexpr std::string_view blanks = " \t\r\n";

// The next word of a netrc: up to a blank, or quoted, or nothing at its end.
std::string_view take_word(std::string_view& text)
{
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    if (text.starts_with('"')) {
        auto const end = std::min(text.find('"', 1), text.size());
        auto const word = text.substr(1, end - 1);
        text.remove_prefix(std::min(end + 1, text.size()));
        return word;
    }
    auto const word = text.substr(0, text.find_first_of(blanks));
    text.remove_prefix(word.size());
    return word;
}

void skip_line(std::string_view& text) { text.remove_prefix(std::min(text.find('\n'), text.size())); }

// A macro ends with an empty line.
void skip_macro(std::string_view& text) { text.remove_prefix(std::min(text.find("\n\n"), text.size())); }

bool has_login(JsonObject const& entry)
{
    return std::any_of(entry.begin(), entry.end(), [](auto const& member) {
        bool const is_secret = member.key() == "auth" || member.key() == "password" || member.key() == "identitytoken" || member.key() == "registrytoken";
        return is_secret && member.value().is_string() && !member.value().as_string().empty();
    });
}

// What is behind a key of YAML or JSON says something.
bool has_value(std::string_view rest)
{
    rest.remove_prefix(rest.starts_with('"') || rest.starts_with('\'') ? 1 : 0);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (!rest.starts_with(':'))
        return false;
    rest.remove_prefix(1);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    return !rest.empty() && rest.find_first_of("\r\n#,}") != 0 && !rest.starts_with("\"\"") && !rest.starts_with("''") && !rest.starts_with("null");
}

} // namespace

std::optional<LoginUrl> parse_login_url(std::string_view url)
{
    auto const colon = url.find("://");
    if (colon == std::string_view::npos || colon == 0)
        return std::nullopt;
    LoginUrl parts { .scheme = std::string(url.substr(0, colon)), .user = {}, .password = {}, .host = {}, .rest = {} };
    auto rest = url.substr(colon + 3);
    auto const authority = rest.substr(0, rest.find_first_of("/?#"));
    if (auto const at = authority.rfind('@'); at != std::string_view::npos) {
        auto const login = authority.substr(0, at);
        auto const split = std::min(login.find(':'), login.size());
        parts.user = login.substr(0, split);
        parts.password = split == login.size() ? "" : login.substr(split + 1);
        rest.remove_prefix(at + 1);
    }
    parts.rest = rest;
    parts.host = rest.substr(0, rest.find_first_of("/?#"));
    return parts.host.empty() ? std::nullopt : std::optional(std::move(parts));
}

std::vector<std::string> netrc_machines(std::string_view text)
{
    std::vector<std::string> machines;
    std::string_view machine;
    for (auto word = take_word(text); !word.empty() || !text.empty(); word = take_word(text)) {
        if (word.starts_with('#'))
            skip_line(text);
        else if (word == "macdef")
            skip_macro(text);
        else if (word == "machine")
            machine = take_word(text);
        else if (word == "default")
            machine = word;
        else if (word == "login" || word == "account")
            take_word(text);
        else if (word == "password" && !take_word(text).empty())
            add(machines, machine);
    }
    return machines;
}

std::vector<std::string> stored_git_hosts(std::string_view text)
{
    std::vector<std::string> hosts;
    while (!text.empty()) {
        auto const line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (auto const url = parse_login_url(line); url && !url->password.empty())
            add(hosts, url->host);
    }
    return hosts;
}

std::vector<std::string> inline_registries(std::string_view text)
{
    std::vector<std::string> registries;
    auto const config = parse_json_object(text, { .size_max = config_bytes_max });
    auto const* const auths = config.is_ok() ? config->if_contains("auths") : nullptr;
    if (auths == nullptr || !auths->is_object())
        return registries;
    for (auto const& member : auths->as_object()) {
        if (member.value().is_object() && has_login(member.value().as_object()))
            add(registries, member.key());
    }
    return registries;
}

std::vector<std::string> kubeconfig_secrets(std::string_view text)
{
    static constexpr std::string_view keys[] = { "token", "tokenFile", "password", "client-key-data", "client-key" };
    std::vector<std::string> found;
    for (auto const key : keys) {
        for (auto at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
            bool const is_whole = at == 0 || std::string_view(" \t\n\"'{,").find(text[at - 1]) != std::string_view::npos;
            if (is_whole && has_value(text.substr(at + key.size())))
                add(found, key);
        }
    }
    return found;
}

} // namespace writ::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/git_credential.h"

#include <charconv>

namespace writ::cli {

namespace {

// LIMIT: variables of that kind that a user has.
constexpr unsigned own_settings_max = 10'000;

unsigned own_settings(Variables const& own)
{
    auto const found = own.find("GIT_CONFIG_COUNT");
    unsigned count = 0;
    if (found == own.end())
        return 0;
    auto const* const end = found->second.data() + found->second.size();
    auto const [stop, error] = std::from_chars(found->second.data(), end, count);
    return error == std::errc() && stop == end && count <= own_settings_max ? count : 0;
}

} // namespace

std::string git_quoted(std::string_view text)
{
    std::string result = "\"";
    for (char const c : text) {
        if (c == '"' || c == '\\')
            result += '\\';
        result += c;
    }
    return result + "\"";
}

Result<std::string> parse_git_question(std::string_view text)
{
    Variables values;
    while (!text.empty() && text.front() != '\n') {
        auto const line = text.substr(0, text.find('\n'));
        auto const equals = line.find('=');
        if (equals == std::string_view::npos || line.find('\0') != std::string_view::npos)
            return invalid_argument("git asks in lines of `key=value`");
        values.insert_or_assign(std::string(line.substr(0, equals)), std::string(line.substr(equals + 1)));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    if (values["protocol"].empty() || values["host"].empty())
        return invalid_argument("git asks for a protocol and a host");
    if (values["host"].find_first_of("/@?#\\") != std::string::npos)
        return invalid_argument("`" + values["host"] + "` is no host");
    auto const& path = values["path"];
    return values["protocol"] + "://" + values["host"] + (path.empty() ? "" : "/" + path);
}

Result<SecretText> git_answer(PlacedToken const& token)
{
    std::string answer = "username=" + token.username + "\npassword=";
    if ((token.username + token.secret.reveal()).find_first_of(std::string_view("\n\0", 2)) != std::string::npos)
        return invalid_argument("a token with a line break is none that git can send");
    answer += token.secret.reveal();
    answer += "\npassword_expiry_utc=" + std::to_string(to_unix_seconds(token.expires)) + "\n";
    return SecretText(std::move(answer));
}

std::string git_config_text(std::vector<Place> const& places, std::string_view command)
{
    std::string text;
    for (auto const& place : places) {
        // The empty one takes away those that the user has, which would be asked first, and told what they are not to keep.
        text += "[credential " + git_quoted(place.url) + "]\n\thelper =\n\thelper = " + git_quoted("!" + std::string(command)) + "\n\tuseHttpPath = true\n";
    }
    return text;
}

Variables git_variables(Variables const& own, Path const& file)
{
    auto const count = own_settings(own);
    auto const number = std::to_string(count);
    return { { "GIT_CONFIG_COUNT", std::to_string(count + 1) }, { "GIT_CONFIG_KEY_" + number, "include.path" }, { "GIT_CONFIG_VALUE_" + number, file.string() } };
}

} // namespace writ::cli

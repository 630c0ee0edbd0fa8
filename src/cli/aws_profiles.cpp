// SPDX-License-Identifier: Apache-2.0
#include "cli/aws_profiles.h"

#include "base/assert.h"

#include <algorithm>

namespace writ::cli {

namespace {

constexpr std::size_t name_bytes_max = 200;

bool is_plain_name(std::string_view name)
{
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+@/=:";
    return !name.empty() && name.size() <= name_bytes_max && name.find_first_not_of(allowed) == std::string_view::npos;
}

std::string_view trimmed(std::string_view text)
{
    constexpr std::string_view blanks = " \t\r";
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

// Of `[profile NAME]` or `[NAME]`; empty: no section, or one of another kind (`[sso-session x]`).
std::string_view section_name(std::string_view line)
{
    line = trimmed(line);
    auto const end = line.find(']');
    if (!line.starts_with('[') || end == std::string_view::npos)
        return {};
    auto name = trimmed(line.substr(1, end - 1));
    constexpr std::string_view profile = "profile ";
    if (name.starts_with(profile))
        name = trimmed(name.substr(profile.size()));
    if (name.size() > 2 && name.starts_with('"') && name.ends_with('"'))
        name = name.substr(1, name.size() - 2);
    return is_plain_name(name) ? name : std::string_view();
}

} // namespace

std::set<std::string> aws_profile_names(std::string_view text)
{
    std::set<std::string> names;
    while (!text.empty() && names.size() < aws_profiles_max) {
        auto const line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (auto const name = section_name(line); !name.empty())
            names.emplace(name);
    }
    return names;
}

std::string aws_config_text(std::set<std::string> const& profiles, std::string_view region, std::string_view command)
{
    // Without a credential_process, the default profile finds the container endpoint, which costs no process.
    std::string text = "[default]\nregion = " + std::string(region) + "\n";
    for (auto const& name : profiles) {
        if (name != "default")
            text += "\n[profile " + name + "]\nregion = " + std::string(region) + "\ncredential_process = " + std::string(command) + " --profile " + name + "\n";
    }
    return text;
}

std::string quote_for_process(std::string_view word)
{
    ASSERT(word.find_first_of("\"\n\\") == std::string_view::npos);
    return word.find(' ') == std::string_view::npos ? std::string(word) : "\"" + std::string(word) + "\"";
}

} // namespace writ::cli

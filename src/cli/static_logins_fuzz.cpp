// SPDX-License-Identifier: Apache-2.0
//
// Whatever lies in a home: .netrc, git's stored credentials and configuration, Docker's and kubectl's.
#include "cli/git_settings.h"
#include "cli/static_logins.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace writ::cli;
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    for (auto const& names : { netrc_machines(text), stored_git_hosts(text), inline_registries(text), kubeconfig_secrets(text) }) {
        if (names.size() > logins_max)
            std::abort();
    }
    auto const settings = parse_git_config(text, "/home/a/.gitconfig");
    for (auto const& secret : git_static_credentials(settings)) {
        // What is named has no password in it.
        if (auto const url = parse_login_url(secret.key.substr(std::min(secret.key.size(), secret.key.find('.') + 1))); url && !url->password.empty())
            std::abort();
    }
    auto const written = git_precedence_text(settings, { { "git", "https://git.example", "" } }, [](auto) { return true; });
    // git would read it to its end: one setting after another.
    if (parse_git_config(written, "").empty())
        std::abort();
    return 0;
}

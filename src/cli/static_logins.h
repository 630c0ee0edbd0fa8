// SPDX-License-Identifier: Apache-2.0
//
// Files in which people's programs keep logins: which of them have a secret, and for whom; never the secret. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace writ::cli {

// LIMIT: logins of one file that are named.
inline constexpr std::size_t logins_max = 200;

// `https://user:password@git.example:8443/team`
struct LoginUrl {
    std::string scheme, user, password;
    std::string host; // with its port: `git.example:8443`
    std::string rest; // host and what is behind it
};
// Nothing: it is no `SCHEME://HOST…`.
std::optional<LoginUrl> parse_login_url(std::string_view url);

// SPEC: .netrc as curl reads it: machines that a password is said for, `default` among them.
std::vector<std::string> netrc_machines(std::string_view text);
// SPEC: git-credential-store(1), "Storage format": hosts with a password.
std::vector<std::string> stored_git_hosts(std::string_view text);
// Of Docker's config.json and containers' auth.json: registries whose login stands in the file itself. Nothing of what is no such file.
std::vector<std::string> inline_registries(std::string_view text);
// `token`, `client-key-data`, `password`…: what users of a kubeconfig have in the file; of its YAML only where words stand is looked at.
std::vector<std::string> kubeconfig_secrets(std::string_view text);

} // namespace writ::cli

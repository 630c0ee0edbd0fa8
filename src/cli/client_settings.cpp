// SPDX-License-Identifier: Apache-2.0
#include "cli/client_settings.h"

#include <algorithm>

namespace writ::cli {

namespace {

constexpr std::string_view folder_variables[] = { "CLOUDSDK_CONFIG", "AZURE_CONFIG_DIR" };

std::string text_of(Variables const& variables, std::string const& name)
{
    auto const found = variables.find(name);
    return found == variables.end() ? "" : found->second;
}

// SECURITY: a proxy would be told the run's handle, and could ask nothing for it: clients that heed proxies keep to themselves what is for this machine.
void keep_from_proxies(Variables const& own, Variables& settings)
{
    static constexpr std::string_view proxies[] = { "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy" };
    if (std::none_of(std::begin(proxies), std::end(proxies), [&own](auto const name) { return own.contains(std::string(name)); }))
        return;
    // Python's clients read the lower case first, others the upper.
    auto const lower = text_of(own, "no_proxy");
    auto const exceptions = lower.empty() ? text_of(own, "NO_PROXY") : lower;
    if (exceptions == "*")
        return;
    auto const merged = exceptions + (exceptions.empty() ? "" : ",") + "127.0.0.1,localhost";
    settings.emplace("NO_PROXY", merged);
    settings.emplace("no_proxy", merged);
}

} // namespace

Variables client_settings(std::set<std::string> const& families, Variables const& own, Path const& folder)
{
    Variables settings;
    if (families.contains("Google Cloud"))
        settings.emplace("CLOUDSDK_CONFIG", (folder / "gcloud").string());
    if (families.contains("Azure"))
        settings.emplace("AZURE_CONFIG_DIR", (folder / "azure").string());
    if (!settings.empty() || families.contains("Databricks"))
        keep_from_proxies(own, settings);
    return settings;
}

Result<> create_client_folders(Variables const& settings)
{
    for (auto const& variable : folder_variables) {
        if (auto const found = settings.find(std::string(variable)); found != settings.end())
            TRY(create_folder(found->second).in("folder of settings"));
    }
    return {};
}

} // namespace writ::cli

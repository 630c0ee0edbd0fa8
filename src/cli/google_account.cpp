// SPDX-License-Identifier: Apache-2.0
#include "cli/google_account.h"

#include "base/json.h"

namespace writ::cli {

std::string google_account_text(std::string_view agent, Path const& handle)
{
    JsonObject const account { { "type", "external_account" }, { "audience", "//iam.googleapis.com/locations/global/workloadIdentityPools/writ/providers/run" },
        { "subject_token_type", "urn:ietf:params:oauth:token-type:jwt" }, { "token_url", "http://" + std::string(agent) + "/google/v1/token" },
        { "credential_source", JsonObject { { "file", handle.string() } } } };
    return to_text(account);
}

Result<> write_google_account(Variables const& own, Path const& run_folder, Variables& environment)
{
    std::error_code error;
    auto const home = own.find("HOME");
    bool const has_login = home != own.end() && std::filesystem::exists(Path(home->second) / ".config/gcloud/application_default_credentials.json", error);
    auto const agent = environment.find("GCE_METADATA_HOST");
    if (!has_login || agent == environment.end())
        return {};
    auto const file = run_folder / "google-account.json";
    TRY(create_file(file, as_bytes(google_account_text(agent->second, run_folder / "handle"))).in("Google account"));
    environment["google_application_credentials"] = file.string();
    return {};
}

} // namespace writ::cli

// SPDX-License-Identifier: Apache-2.0
//
// Node's clients of Google take the login in ~/.config/gcloud wherever CLOUDSDK_CONFIG points, before they ask a metadata server. A variable that they alone read comes before that.
#pragma once

#include "cli/static_credentials.h"

namespace writ::cli {

// SPEC: Google, AIP-4117: a file of external account credentials. The token that it is exchanged for is the agent's to give; what is shown for it is the run's handle.
std::string google_account_text(std::string_view agent, Path const& handle);

// Where there is such a login, a file in the run's folder that wins over it. `environment` is the run's, with GCE_METADATA_HOST.
Result<> write_google_account(Variables const& own, Path const& run_folder, Variables& environment);

} // namespace writ::cli

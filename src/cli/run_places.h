// SPDX-License-Identifier: Apache-2.0
//
// How a run's git, Docker and their like come to ask Writ for the places that the run has tokens for: settings in the run's own folder, beside what the user has.
#pragma once

#include "cli/placed_token.h"
#include "cli/static_credentials.h"

namespace writ::cli {

// `answer` is what the agent said of the run. Writes the files, and what names them to `environment`.
Result<> write_place_settings(Session const&, JsonObject const& answer, Variables const& own, Variables& environment);

} // namespace writ::cli

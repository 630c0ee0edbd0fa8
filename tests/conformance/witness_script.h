// SPDX-License-Identifier: Apache-2.0
//
// Test scripts of a witness in the form of rsc.io/script: commands, then files (txtar). The commands that configure and start litewitness
// and its witnessctl are carried out on our witness instead; `hurl FILE` sends it what the file has. Pages for people, bastions and keys
// that are not Ed25519 are skipped by rule; a command that is not known is a failure.
#pragma once

#include "tally.h"

namespace writ::conformance {

[[nodiscard]] bool is_witness_script(std::string_view text);
void run_witness_script(std::string const& name, std::string_view text, Tally& tally);

} // namespace writ::conformance

// SPDX-License-Identifier: Apache-2.0
//
// `--witness KEY` and `--witness-quorum N`, for commands that check cosignatures.
#pragma once

#include "cli/commands.h"
#include "tlog/cosignature.h"

namespace writ::cli {

struct WitnessOptions {
    std::vector<std::string> keys;
    std::size_t quorum = 0; // 0: all of them
};
void add_witness_options(CLI::App&, WitnessOptions&);
Result<tlog::WitnessQuorum> quorum_of(WitnessOptions const&);

} // namespace writ::cli

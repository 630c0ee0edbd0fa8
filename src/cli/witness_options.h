// SPDX-License-Identifier: Apache-2.0
//
// `--witness KEY` and `--witness-quorum N`, or `--policy FILE`, for commands that check cosignatures.
#pragma once

#include "cli/commands.h"
#include "tlog/policy.h"

namespace writ::cli {

struct WitnessOptions {
    std::vector<std::string> keys;
    std::size_t quorum = 0; // 0: all of them
    std::string policy;     // a file (C2SP tlog-policy), instead of the two
};
void add_witness_options(CLI::App&, WitnessOptions&);
// The quorum, and the logs that a policy names.
Result<tlog::LogPolicy> policy_of(WitnessOptions const&);

} // namespace writ::cli

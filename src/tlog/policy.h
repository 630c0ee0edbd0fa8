// SPDX-License-Identifier: Apache-2.0
//
// Trust policies of transparency logs as files (C2SP tlog-policy): which logs, which witnesses, and which of them make a checkpoint valid.
#pragma once

#include "tlog/cosignature.h"

#include <string>
#include <vector>

namespace writ::tlog {

// LIMIT: the specification asks for 32 of each kind.
inline constexpr std::size_t policy_logs_max = 64;
inline constexpr std::size_t policy_groups_max = 64;
inline constexpr std::size_t policy_bytes_max = 64U << 10U;

struct LogPolicy {
    std::vector<NoteVerifier> logs;
    std::vector<std::string> log_urls; // of each; empty: none
    WitnessQuorum quorum;
    std::vector<std::string> witness_urls; // of each witness of the quorum; empty: none
};

// invalid_argument: names the line.
Result<LogPolicy> parse_log_policy(std::string_view);

} // namespace writ::tlog

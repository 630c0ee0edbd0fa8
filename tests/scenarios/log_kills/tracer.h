// SPDX-License-Identifier: Apache-2.0
//
// Runs a program and kills it when it is about to make its Nth system call, whichever of its threads that is (ptrace). Linux alone.
#pragma once

#include "base/result.h"

#include <vector>

struct Traced {
    std::string output;
    bool was_killed = false; // or it ended before its Nth call
    int exit_code = 0;
};
writ::Result<Traced> run_until_call(std::vector<std::string> const& command, std::uint64_t call);

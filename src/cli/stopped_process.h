// SPDX-License-Identifier: Apache-2.0
//
// A child that has its program loaded and has not run an instruction of it: what can be attested, and given its environment, before it does
// anything. docs/decisions/0006-attestation-at-exec.md
#pragma once

#include "base/result.h"

#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace writ::cli {

// LIMIT: variables that can be added, and the bytes of all of them.
inline constexpr std::size_t added_variables_max = 64;
inline constexpr std::size_t added_bytes_max = 64U << 10U;

class StoppedProcess {
public:
    // Finds the program as execvp(3) does and stops it behind its exec. not_found, permission_denied: as execve(2) says. The child dies
    // with this process.
    static Result<StoppedProcess> start(std::vector<std::string> const& arguments);
    ~StoppedProcess(); // kills it, unless it was resumed
    StoppedProcess(StoppedProcess const&) = delete;
    StoppedProcess& operator=(StoppedProcess const&) = delete;
    StoppedProcess(StoppedProcess&& other) noexcept;
    StoppedProcess& operator=(StoppedProcess&&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }

    // Sets variables and takes others away. No text of them is in any process's arguments or in this one's environment.
    Result<> change_environment(std::map<std::string, std::string> const& set, std::vector<std::string> const& unset);
    // Lets it run; the caller waits for its end.
    Result<pid_t> resume();

private:
    explicit StoppedProcess(pid_t pid)
        : pid_(pid)
    {
    }
    pid_t pid_;
};

} // namespace writ::cli

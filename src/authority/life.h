// SPDX-License-Identifier: Apache-2.0
//
// How the authority's last life ended, for the record of this one's start. A file is there only between a clean end and the next start.
#pragma once

#include "base/durable_file.h"

#include <string>

namespace writ::authority {

class Life {
public:
    // `records`: of the log as it was found; none means that there was no life before.
    static Result<Life> begin(Path ended_file, std::uint64_t records);
    // In a few words.
    [[nodiscard]] std::string const& last() const { return last_; }
    Result<> end() const;

private:
    Life(Path ended_file, std::string last)
        : ended_file_(std::move(ended_file))
        , last_(std::move(last))
    {
    }
    Path ended_file_;
    std::string last_;
};

} // namespace writ::authority

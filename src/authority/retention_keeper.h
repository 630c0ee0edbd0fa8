// SPDX-License-Identifier: Apache-2.0
//
// Drops old audit records, by age and by size, an hour after the other: on record first, then the files. Never what a declared export has
// not sent. On the authority's loop.
#pragma once

#include "authority/state.h"

namespace writ::authority {

struct RetentionLimits {
    std::optional<Duration> age;        // records older than it may go
    std::optional<std::uint64_t> bytes; // of records' files; the oldest beyond it may go
    [[nodiscard]] bool is_set() const { return age || bytes; }
};
// `400d`, `36h`; at least an hour. `10GB`, `500MB`, `2TB`: powers of ten; at least 1 MB.
Result<Duration> parse_retention_age(std::string_view);
Result<std::uint64_t> parse_retention_size(std::string_view);

class RetentionKeeper {
public:
    RetentionKeeper(AuthorityState& state, RetentionLimits limits)
        : state_(state)
        , limits_(limits)
    {
    }

    // For ever. Spawned once.
    net::Task<> keep();
    // One look. Returns whether something was dropped.
    net::Task<Result<bool>> round();

private:
    [[nodiscard]] Result<std::uint64_t> too_old(std::uint64_t first) const;
    [[nodiscard]] std::uint64_t too_large(std::uint64_t first) const;
    [[nodiscard]] std::uint64_t unless_needed(std::uint64_t cutoff);

    AuthorityState& state_;
    RetentionLimits const limits_;
    bool is_held_up_ = false; // by an export; said once
};

} // namespace writ::authority

// SPDX-License-Identifier: Apache-2.0
//
// Where records are read from: the open log, or a log's files alone. Thread-compatible.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <cstdint>
#include <string>

namespace writ::audit {

class RecordSource {
public:
    virtual ~RecordSource() = default;
    // Records that can be read; what is newer is for the next question.
    [[nodiscard]] virtual std::uint64_t size() const = 0;
    // Retention has dropped those before it.
    [[nodiscard]] virtual std::uint64_t first_kept() const = 0;
    // corruption: not as it was written. not_found: beyond size(), or not kept any more.
    [[nodiscard]] virtual Result<Bytes> read(std::uint64_t sequence) const = 0;
    // The latest signed checkpoint, as published.
    [[nodiscard]] virtual Result<std::string> checkpoint() const = 0;
};

} // namespace writ::audit

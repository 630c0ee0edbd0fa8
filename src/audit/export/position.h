// SPDX-License-Identifier: Apache-2.0
//
// How far an export has come: a small file that is replaced at once, `exports/NAME.json` in the data folder. Thread-compatible.
#pragma once

#include "base/durable_file.h"

#include <optional>

namespace writ::audit {

class PositionFile {
public:
    PositionFile(Path const& folder, std::string const& export_name);

    // The first record that has not arrived; nothing if there is no file. corruption: it is not what store() writes.
    [[nodiscard]] Result<std::optional<std::uint64_t>> load() const;
    [[nodiscard]] Result<> store(std::uint64_t next) const;
    [[nodiscard]] Result<> remove() const;

private:
    Path file_;
    std::string name_;
};
// Of a file's text; for the fuzzer.
Result<std::uint64_t> parse_position(std::string_view text);

} // namespace writ::audit

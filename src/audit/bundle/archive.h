// SPDX-License-Identifier: Apache-2.0
//
// A tar archive (POSIX ustar) of small files, in one form only: the same files give the same bytes, and no other bytes are read. So that
// whoever has an archive can unpack it with `tar`, and not a byte of it is without meaning. Thread-safe.
#pragma once

#include "base/bytes.h"

#include <string>
#include <vector>

namespace writ::audit {

struct ArchivedFile {
    std::string name; // `records/17.json`: letters, digits, `.`, `-`, `_` and `/`, at most 99
    std::string content;
    bool operator==(ArchivedFile const&) const = default;
};

// LIMIT: of an archive that is read, and of the files in it.
inline constexpr std::size_t archive_bytes_max = 256U << 20U;
inline constexpr std::size_t archive_files_max = 50'000;

// REQUIRES: names as above, each once.
std::string to_archive(std::vector<ArchivedFile> const&);
// corruption: not what to_archive() writes.
Result<std::vector<ArchivedFile>> parse_archive(std::string_view);

} // namespace writ::audit

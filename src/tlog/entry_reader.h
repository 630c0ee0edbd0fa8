// SPDX-License-Identifier: Apache-2.0
//
// Single entries out of full bundles in a folder, without reading all of them: who asks questions reads hundreds of entries, few of which lie together.
// Remembers where the entries of the last bundle are, since those of one run do. Thread-safe.
#pragma once

#include "base/unique_fd.h"
#include "tlog/tile.h"

#include <mutex>
#include <optional>
#include <vector>

namespace writ::tlog {

class EntryReader {
public:
    explicit EntryReader(Path log_folder);

    // Checked against its leaf hash: corruption, naming the entry, if it is not what was written. Nothing if its bundle or tile is not there (any more), or not full.
    Result<std::optional<Bytes>> read(std::uint64_t index);

private:
    struct Bundle {
        std::uint64_t number = 0;
        UniqueFd entries, leaves;
        std::vector<std::uint32_t> offsets; // of the first entries, each behind its length; as far as one was asked for
        std::uint32_t next = 0;             // where the length of the one behind those is
    };
    bool open(std::uint64_t number);
    static bool find(Bundle&, std::uint64_t place);
    static Result<std::optional<Bytes>> read_checked(Bundle&, std::uint64_t index);

    Path const folder_;
    std::mutex mutex_;
    std::optional<Bundle> last_; // under mutex_
};

} // namespace writ::tlog

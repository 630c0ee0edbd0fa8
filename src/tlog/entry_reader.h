// SPDX-License-Identifier: Apache-2.0
//
// Single entries out of full bundles in a folder, without reading all of them: who asks questions reads hundreds of entries, few of which lie together.
// Keeps the last bundle open, since those of one run do, and remembers of many where their entries are: a trace comes back to each run. Thread-safe.
#pragma once

#include "base/unique_fd.h"
#include "tlog/tile.h"

#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace writ::tlog {

class EntryReader {
public:
    explicit EntryReader(Path log_folder);

    // Checked against its leaf hash: corruption, naming the entry, if it is not what was written. Nothing if its bundle or tile is not there (any more), or not full.
    Result<std::optional<Bytes>> read(std::uint64_t index);

private:
    // LIMIT: about a kilobyte each.
    static constexpr std::size_t remembered_bundles_max = 512;
    struct Bundle {
        std::uint64_t number = 0;
        UniqueFd entries, leaves;
    };
    struct Places {
        std::vector<std::uint32_t> offsets; // of the first entries, each behind its length; as far as one was asked for
        std::uint32_t next = 0;             // where the length of the one behind those is
    };
    bool open(std::uint64_t number);
    Places& places_of(std::uint64_t number);
    static bool find(Bundle const&, Places&, std::uint64_t place);
    static Result<std::optional<Bytes>> read_checked(Bundle const&, Places&, std::uint64_t index);

    Path const folder_;
    std::mutex mutex_;
    std::optional<Bundle> last_;                       // under mutex_, as the next
    std::unordered_map<std::uint64_t, Places> places_; // by bundle
};

} // namespace writ::tlog

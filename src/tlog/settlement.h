// SPDX-License-Identifier: Apache-2.0
//
// Makes published files durable, long after they appeared and many at once, so that the journal need not keep their entries. Private to
// tlog. add() and settle() may be called by two threads.
#pragma once

#include "tlog/tile.h"

#include <mutex>
#include <set>

namespace writ::tlog {

class Settlement {
public:
    explicit Settlement(Path log_folder)
        : folder_(std::move(log_folder))
    {
    }

    // Full files that are in place; with them, and what was added before, the first `size` entries are in full tiles.
    void add(std::vector<TileName> const& files, std::uint64_t size);

    // Syncs all that was added and the checkpoint. Returns how many entries are in tiles for good. After an error it is never tried again:
    // what a failed sync has lost only the journal has, and the next open writes it again.
    Result<std::uint64_t> settle();

private:
    Result<> sync(std::vector<TileName> const& files);

    Path folder_;
    std::mutex mutex_;
    std::vector<TileName> added_; // under mutex_
    std::uint64_t size_ = 0;      // under mutex_
    bool is_settling_ = true;     // settle()'s
};

} // namespace writ::tlog

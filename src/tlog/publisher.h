// SPDX-License-Identifier: Apache-2.0
//
// Follows the sealer with files, a few times a second: tiles, bundles, the public checkpoint; and settles them when that lets a segment of
// the journal go. Private to tlog. Thread-safe.
#pragma once

#include "tlog/journal.h"
#include "tlog/publication.h"

#include <atomic>

namespace writ::tlog {

class Publisher {
public:
    struct Parts {
        TileStore& tiles;
        Tail& tail;
        Sealer& sealer;
        Journal& journal;
    };
    // The parts outlive it. `published` is the public checkpoint, `publication` what was published with it. `broken`: files of ours were
    // removed or altered by somebody else.
    Publisher(Parts, Publication, std::string published, std::function<void(Error const&)> broken);
    ~Publisher(); // publishes all that is sealed
    Publisher(Publisher const&) = delete;
    Publisher& operator=(Publisher const&) = delete;

    void sealed(); // the sealer has more
    // Calls back once published() covers `size` records, which it sees to at once; with an error if that never comes.
    void when_published(std::uint64_t size, std::function<void(Result<>)> done);
    [[nodiscard]] std::string published() const;

private:
    struct Awaiting {
        std::uint64_t size;
        std::function<void(Result<>)> done;
    };
    void work();
    void follow();
    void satisfy();
    bool wait_for_work();
    bool is_ending() const;
    Result<> publish();
    Result<> check_in_place() const;
    void let_go();
    Result<> settle(std::uint64_t size);

    Parts const parts_;
    std::function<void(Error const&)> const broken_;
    Publication publication_;            // the thread's
    std::vector<std::string> unsettled_; // the thread's
    bool is_settling_ = true;            // the thread's: until a sync fails
    std::string attempted_;              // the thread's: the public checkpoint, if a write was reported lost and was not
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::string published_; // under mutex_, as all below
    std::uint64_t published_size_;
    std::vector<Awaiting> awaiting_;
    bool is_over_ = false; // nothing is published any more
    bool is_ending_ = false;
    std::thread thread_; // last: it uses all of the above
};

} // namespace writ::tlog

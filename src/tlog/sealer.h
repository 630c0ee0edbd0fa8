// SPDX-License-Identifier: Apache-2.0
//
// Signs the tree as it grows: at once for whoever waits for a proof, else now and then. A checkpoint is in the strict store before anybody
// sees it. Tiles and files come later (publisher.h): proofs do not need them. Private to tlog. Thread-safe.
#pragma once

#include "tlog/log_storage.h"
#include "tlog/note.h"
#include "tlog/tail.h"
#include "tlog/tile.h"

#include <condition_variable>
#include <map>
#include <thread>

namespace writ::tlog {

struct Sealed {
    Checkpoint checkpoint;
    std::string note;
    TiledTree tree;
};
using SealedPtr = std::shared_ptr<Sealed const>;

// The next checkpoint, in the store in place of `stored`. Tiles that the tree filled go behind `filled`.
struct Growth {
    SealedPtr sealed;
    std::vector<TileFile> filled;
};
Result<Growth> grow(TiledTree, std::vector<GroupPtr> const&, NoteSigner const&);

class Sealer {
public:
    struct Callbacks {
        std::function<void()> sealed;
        // The strict store holds what we did not write: somebody else signs this log, or altered it. Nothing is signed any more.
        std::function<void(Error const&)> broken;
    };
    // `latest` is what the store holds. The tail outlives it.
    Sealer(NoteSigner, std::unique_ptr<CheckpointStore>, Tail const&, SealedPtr latest, Callbacks);
    ~Sealer();
    void end(); // seals all that is durable, and nothing more
    Sealer(Sealer const&) = delete;
    Sealer& operator=(Sealer const&) = delete;

    // The tail has grown to `size`.
    void grown(std::uint64_t size);
    [[nodiscard]] SealedPtr latest() const;
    // Calls back once latest() has at least `size`; with an error if that never comes.
    void when_sealed(std::uint64_t size, std::function<void(Result<>)> done);

    // A tile that was filled and not forgotten.
    [[nodiscard]] std::optional<Bytes> recent_tile(TileName const&) const;
    // Full tiles of a tree of `size` are in the store.
    void forget_before(std::uint64_t size);

private:
    struct Awaiting {
        std::uint64_t size;
        std::function<void(Result<>)> done;
    };
    bool is_wanted() const;
    void work();
    bool wait_for_work();
    bool is_ending() const;
    Result<> seal();
    Result<> store(std::string const& note);
    void publish(Growth);
    void give_up(Error const&);

    NoteSigner const signer_;
    std::unique_ptr<CheckpointStore> const store_;
    Tail const& tail_;
    Callbacks const callbacks_;
    std::string stored_;    // the thread's: what the store holds
    std::string attempted_; // the thread's: or this, if a write was reported lost
    mutable std::mutex mutex_;
    std::condition_variable grown_;
    SealedPtr latest_; // under mutex_, as all below
    std::uint64_t size_;
    std::vector<Awaiting> awaiting_;
    std::map<TileName, Bytes> recent_;
    bool is_broken_ = false;
    bool is_ending_ = false;
    std::thread thread_; // last: it uses all of the above
};

} // namespace writ::tlog

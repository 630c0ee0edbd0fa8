// SPDX-License-Identifier: Apache-2.0
//
// Where a log keeps what it publishes, in two halves. The strict one is tiny and must never go back or fork: the newest signed checkpoint,
// replaced by compare-and-swap. The loose one is bulky and may be late, lose what was not settled, or serve an old object: tiles and
// bundles, which the journal can write again until they are settled. A file and a folder here; a row of PostgreSQL and S3 elsewhere.
// storage_conformance.h is the test of both contracts.
#pragma once

#include "base/bytes.h"

#include <memory>
#include <string>
#include <vector>

namespace writ::tlog {

// One text. Thread-compatible. Whoever holds the object holds the log: create it under the backend's lock.
class CheckpointStore {
public:
    virtual ~CheckpointStore() = default;

    // The newest checkpoint; empty: there was never one. corruption: what is there is not what replace() wrote.
    virtual Result<std::string> load() = 0;

    // Puts `next` where `expected` is, in one step. After success load() never again gives an older one, whatever process is killed.
    // conflict: something else is there, or nothing any more, and it stays. After any other error one of the two is there.
    virtual Result<> replace(std::string_view expected, std::string_view next) = 0;
};

// LIMIT: of what the strict store holds: an origin of 255 bytes and our own signature.
inline constexpr std::size_t checkpoint_bytes_max = 960;

// Objects by path (`tile/0/x001/234`, `checkpoint`). Thread-safe.
class TileStore {
public:
    virtual ~TileStore() = default;

    // Afterwards readers see all of the bytes, or after power loss before settle() perhaps none of them; never a part as long as the
    // process lives. A path that is taken has the same bytes, or those of a write that failed: they are replaced.
    virtual Result<> put(std::string const& path, BytesView) = 0;

    // For the one object that changes. Readers see the old bytes or the new, also after power loss.
    virtual Result<> replace(std::string const& path, BytesView) = 0;

    // not_found, or resource_exhausted if it is longer than size_max.
    virtual Result<Bytes> get(std::string const& path, std::size_t size_max) const = 0;

    // Best effort: the object of this path, and all whose path goes on below it with a `/`.
    virtual void remove(std::string const& path) = 0;

    // After success the objects of these paths survive power loss. After an error nobody knows which of them do.
    virtual Result<> settle(std::vector<std::string> const& paths) = 0;

    // Those that are not there or do not have this many bytes, without reading them; for a look over all of them at every start. Size 0: any.
    struct Expected {
        std::string path;
        std::size_t size;
    };
    virtual Result<std::vector<std::string>> find_damaged(std::vector<Expected> const&) const = 0;
};

// LIMIT: of the public `checkpoint`, which may carry witnesses' signatures.
inline constexpr std::size_t public_checkpoint_bytes_max = 64U << 10U;

struct LogStorage {
    std::unique_ptr<CheckpointStore> checkpoints;
    std::unique_ptr<TileStore> tiles;
};

} // namespace writ::tlog

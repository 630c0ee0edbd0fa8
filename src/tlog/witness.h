// SPDX-License-Identifier: Apache-2.0
//
// A witness (C2SP tlog-witness): cosigns a log's checkpoint if everything that it has cosigned of that log is in it, and remembers what it
// cosigned before it says so. One process holds a folder at a time (flock). Thread-safe; a call waits for the disk.
#pragma once

#include "base/durable_file.h"
#include "base/unique_fd.h"
#include "tlog/cosignature.h"
#include "tlog/witness_request.h"

#include <map>
#include <memory>
#include <mutex>

namespace writ::tlog {

struct WitnessOptions {
    Path folder; // one file for each origin: the checkpoint cosigned last, with the log's signatures and ours
    WitnessSigner signer;
    std::vector<NoteVerifier> logs; // their names are the origins; several keys may sign for one
};

// What goes back over HTTP.
struct WitnessAnswer {
    int status = 200;
    std::string content_type;
    std::string body;
    std::string reason; // for the operator's log; empty: nothing to say
};

class Witness {
public:
    // corruption: a file is not what was written. conflict: another process holds the folder.
    static Result<std::unique_ptr<Witness>> open(WitnessOptions);

    // SPEC: C2SP tlog-witness, add-checkpoint; `request` is the body.
    WitnessAnswer add_checkpoint(std::string_view request, Timestamp now);
    // The checkpoint cosigned last; `origin_hash` is SHA-256 of the origin, in hexadecimal.
    [[nodiscard]] WitnessAnswer latest(std::string_view origin_hash) const;

private:
    struct Known {
        std::vector<NoteVerifier> keys;
        Checkpoint checkpoint; // size 0: none was cosigned yet
        std::string note;      // empty: none
    };
    Witness(WitnessOptions options, UniqueFd lock)
        : options_(std::move(options))
        , lock_(std::move(lock))
    {
    }
    Result<> read_back(std::string const& origin, Known& known) const;
    WitnessAnswer advance(Known& known, AddCheckpoint const& request, Checkpoint checkpoint, std::string signed_note, Timestamp now);
    [[nodiscard]] Path file_of(std::string const& origin) const;

    WitnessOptions const options_;
    UniqueFd const lock_;
    mutable std::mutex mutex_;
    std::map<std::string, Known, std::less<>> logs_; // by origin; what is in them is under mutex_
};

// SHA-256 of an origin, in hexadecimal.
std::string origin_hash(std::string_view origin);

} // namespace writ::tlog

// SPDX-License-Identifier: Apache-2.0
//
// Has witnesses cosign the log's checkpoints, in the background: nobody who asks for a credential waits for it. A round takes the newest
// checkpoint to all of them; what a quorum has cosigned is final, kept durably, and served. docs/decisions/0009 says why. One loop.
#pragma once

#include "authority/witness_client.h"
#include "base/durable_file.h"
#include "net/notification.h"

namespace writ::authority {

struct WitnessingOptions {
    std::vector<WitnessAddress> witnesses; // empty: nothing is ever final
    tlog::WitnessQuorum quorum; // of those witnesses, in their order
    std::vector<Bytes> roots; // of the witnesses' HTTPS, DER
    // Start although the log is behind what a witness has seen of it: somebody has decided that the records between are lost.
    bool accepts_rollback = false;
};

struct WitnessState {
    std::string name, url;
    std::uint64_t size = 0; // of the newest checkpoint that it has cosigned
    std::optional<Timestamp> time; // of that cosignature
    std::uint64_t failures = 0;    // since start
    std::string error;             // of the last attempt; empty: it went well
    bool is_conflicting = false;   // it has seen another log, or a longer one
};

struct FinalCheckpoint {
    std::uint64_t size = 0; // 0: none yet
    std::string note;
    std::vector<tlog::Cosignature> cosignatures;
};

class Witnessing {
public:
    // Reads back what was final; `log` outlives it. corruption: that is not what was written.
    static Result<std::unique_ptr<Witnessing>> create(
        tlog::Log const& log, tlog::NoteVerifier verifier, Path final_file, WitnessingOptions, Clock const&);
    ~Witnessing();
    Witnessing(Witnessing const&) = delete;
    Witnessing& operator=(Witnessing const&) = delete;

    // Asks the witnesses what they have seen. corruption: one shows a checkpoint, signed by this log's own key, that what is on disk does
    // not lead to. Those that do not answer are named in the operator's log and not waited for.
    net::Task<Result<>> check_rollback(net::EventLoop&);
    // Rounds, until the loop ends.
    void start(net::EventLoop&);
    // No more of them. Returns when nothing is on its way to the disk: the loop may end then.
    net::Task<> stop();

    // The newest checkpoint, with the cosignatures that it has.
    [[nodiscard]] std::string checkpoint() const;
    [[nodiscard]] FinalCheckpoint const& final_checkpoint() const;
    [[nodiscard]] std::size_t quorum() const; // the fewest witnesses that make a checkpoint final; 0: nothing ever is
    [[nodiscard]] std::vector<WitnessState> witnesses() const;
    // Whether a checkpoint of at least `size` became final before the timeout.
    net::Task<bool> wait_final(std::uint64_t size, Duration timeout) const;

private:
    struct State;
    explicit Witnessing(std::shared_ptr<State>);
    std::shared_ptr<State> state_;
};

} // namespace writ::authority

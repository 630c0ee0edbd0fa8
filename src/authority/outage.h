// SPDX-License-Identifier: Apache-2.0
//
// Records during an outage of the audit log: those that may be are spooled, and brought into the log in order when it takes records again,
// with one that names the gap. docs/decisions/0011 says why. One loop.
#pragma once

#include "audit/audit_log.h"
#include "audit/spool.h"
#include "base/json.h"
#include "net/task.h"

#include <map>

namespace writ::authority {

// Durable, in one of two places.
struct Recorded {
    std::optional<std::uint64_t> sequence; // none: in the spool, and in the log later
};

struct OutageState {
    std::size_t waiting = 0;   // records in the spool
    std::uint64_t spooled = 0; // since start
    std::uint64_t gaps = 0;    // outages that are over, since start
};

class Outage {
public:
    // Both outlive it.
    Outage(audit::AuditLog& log, std::unique_ptr<audit::Spool> spool, Clock const& clock)
        : log_(log)
        , spool_(std::move(spool))
        , clock_(clock)
    {
    }
    Outage(Outage const&) = delete;
    Outage& operator=(Outage const&) = delete;

    // INVARIANT: no record (as its text), no credential: durable in the log or, if it may and the log takes none, in the spool.
    net::Task<Result<Recorded>> record(std::string text, bool may_spool);
    // Empties the spool whenever the log can be written.
    net::Task<> keep();
    // No more of that. Returns when nothing is on its way to a disk: the loop may end then.
    net::Task<> stop();
    // Whether records wait, behind which others go.
    [[nodiscard]] bool is_spooling() const { return !spool_->is_empty() && !spool_->is_sealed(); }
    [[nodiscard]] OutageState state() const;

private:
    net::Task<Result<>> spool(std::string text);
    net::Task<Result<>> drain();
    net::Task<Result<>> seal();
    Result<> find_drained();

    audit::AuditLog& log_;
    std::unique_ptr<audit::Spool> const spool_;
    Clock const& clock_;
    std::size_t next_ = 0;       // of the spool's records the first that is not known to be in the log
    bool is_searched_ = false;   // whether `found_` has been looked for in this life
    std::map<std::string, std::size_t, std::less<>> found_; // records of the log since the outage began, and how often
    std::uint64_t spooled_ = 0, gaps_ = 0;
    bool is_told_ = false;
    bool is_stopping_ = false, is_draining_ = false;
};

JsonObject to_json(OutageState const&);
std::string outage_to_prometheus(OutageState const&);

} // namespace writ::authority

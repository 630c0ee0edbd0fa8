// SPDX-License-Identifier: Apache-2.0
//
// Sessions at clouds for the runs of this node: asked of the authority when a job's client first wants one, kept in memory until their end draws near.
// One asking at a time for each; while the authority is away, what it gave before, until that ends. One loop.
#pragma once

#include "agent/agent_files.h"
#include "net/notification.h"

#include <algorithm>
#include <map>
#include <memory>

namespace writ::agent {

// LIMIT: sessions that are kept: some for each run a node can have.
inline constexpr std::size_t sessions_max = 16'384;

struct CloudSession {
    std::string kind; // `aws_sts`
    std::string id; // access key: no secret
    Timestamp expires;
    Timestamp renew_at;
    std::shared_ptr<SecretText const> document; // JSON, as the issuer wrote it
};

// When to ask for the next one: 20 minutes before the end, since clients ask again at 15 and want more than they have; half-way for short ones.
Timestamp session_renewal(Timestamp now, Timestamp expires);

class SessionCache {
public:
    SessionCache(net::EventLoop& loop, AuthorityClient& authority, Clock const& clock)
        : loop_(loop)
        , authority_(authority)
        , clock_(clock)
    {
    }
    SessionCache(SessionCache const&) = delete;
    SessionCache& operator=(SessionCache const&) = delete;

    // One session for these uses of the run, which are of one provider. permission_denied: policy says no (any more). unavailable: nothing is kept and the
    // authority, or the cloud, does not answer.
    net::Task<Result<CloudSession>> get(std::string run, std::vector<SessionUse> uses);
    // Begins to ask for it, so that it is there when the job wants it.
    void prepare(std::string run, std::vector<SessionUse> uses);

    void forget(std::string const& run); // it has ended
    void doubt(); // declarations changed: what is kept is served again only once the authority has decided anew, or cannot be asked

private:
    struct Entry {
        std::optional<CloudSession> session;
        std::optional<crypto::PrivateKey> key; // of certificates for it; never leaves the node
        std::uint64_t doubts = 0; // of what is kept, so far
        std::uint64_t settled = 0; // doubts that an answer has settled
        bool is_asking = false;
        bool is_forgotten = false;
        net::Notification answered;
        std::optional<Error> failure; // of the last asking
        Monotonic ask_again {}; // not before, after a failure
    };
    using Key = std::pair<std::string, std::string>; // run, uses

    [[nodiscard]] bool is_good(Entry const& entry) const;
    [[nodiscard]] bool is_due(Entry const& entry) const;
    net::Task<> ask(std::shared_ptr<Entry> entry, std::string run, std::vector<SessionUse> uses);
    Result<std::shared_ptr<Entry>> entry_of(Key const& key);

    net::EventLoop& loop_;
    AuthorityClient& authority_;
    Clock const& clock_;
    std::map<Key, std::shared_ptr<Entry>> entries_;
};

} // namespace writ::agent

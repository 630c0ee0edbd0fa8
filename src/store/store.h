// SPDX-License-Identifier: Apache-2.0
//
// What the authority keeps beside its log: small interfaces, one for each kind of state. Every change is durable when it returns. Used on
// one thread. Errors: conflict, not_found as stated; resource_exhausted for a full disk; unavailable or corruption otherwise.
#pragma once

#include "base/bytes.h"
#include "identity/lease.h"
#include "identity/run.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace writ::store {

// All versions of what is declared, as opaque text.
class DeclarationStore {
public:
    virtual ~DeclarationStore() = default;
    struct Version {
        std::uint64_t number = 0; // 0: nothing was ever declared
        std::string text;
    };
    virtual Result<Version> latest() = 0;
    virtual Result<Version> version(std::uint64_t number) = 0; // not_found
    // conflict: `version.number` is not one more than the latest's.
    virtual Result<> save(Version const& version, Timestamp) = 0;
    // What the policies of some version were held to, by its SHA-256 (hexadecimal). The same again is nothing new.
    virtual Result<> keep_schema(std::string const& digest, std::string const& text) = 0;
    virtual Result<std::string> schema(std::string const& digest) = 0; // not_found
};

// Keys, sealed by whoever stores them. The name says what for.
class KeyStore {
public:
    virtual ~KeyStore() = default;
    struct SealedKey {
        std::string name;
        Bytes sealed;
        Bytes certificate; // DER, of keys that have one
        Timestamp created;
        Timestamp expires;
    };
    virtual Result<std::vector<SealedKey>> keys() = 0; // oldest first
    virtual Result<> add(SealedKey const&) = 0;        // conflict: the name is taken
};

class RunStore {
public:
    virtual ~RunStore() = default;
    virtual Result<> add(identity::Run const&) = 0;
    virtual Result<identity::Run> find(std::string const& id) = 0; // not_found
    virtual Result<> touch(std::string const& id, Timestamp seen) = 0;
    virtual Result<> end(std::string const& id, Timestamp, std::string const& reason) = 0; // of an ended run: nothing happens
    virtual Result<std::vector<identity::Run>> live_runs(std::string const& agent) = 0;    // of all agents if empty
    virtual Result<std::vector<identity::Run>> newest_runs(std::size_t limit) = 0;
    // Those that ended before, and of which no lease is left; how many went, no more than `limit`.
    virtual Result<std::size_t> forget_ended(Timestamp before, std::size_t limit) = 0;
};

struct LeaseFilter {
    std::string run, workload;
    bool open_only = false; // not ended
    std::size_t limit = 1000;
};

class LeaseStore {
public:
    virtual ~LeaseStore() = default;
    virtual Result<> add(identity::Lease const&) = 0;
    virtual Result<identity::Lease> find(std::string const& id) = 0;           // not_found
    virtual Result<> update(identity::Lease const&) = 0;                       // state, issuance, expires, reason, revoking, ended
    virtual Result<> update_all(std::vector<identity::Lease> const&) = 0;      // the same of several: all, or none
    virtual Result<std::vector<identity::Lease>> list(LeaseFilter const&) = 0; // newest first
    // Open ones by their ids, from the one behind `id` on (empty: the first): page after page they are all, whatever ends meanwhile.
    virtual Result<std::vector<identity::Lease>> open_after(std::string const& id, LeaseFilter const&) = 0;
    // Open leases that are to end: expired, or already revoking or pending, the latter but for those of the CredentialProviders in `without`. Oldest first.
    virtual Result<std::vector<identity::Lease>> due(Timestamp now, std::size_t limit, std::vector<std::string> const& without = {}) = 0;
    // Those that ended before; how many went, no more than `limit`.
    virtual Result<std::size_t> forget_ended(Timestamp before, std::size_t limit) = 0;
    virtual Result<std::size_t> count_open() = 0;
};

// One-time tokens by which agents join; only their SHA-256 is kept.
class JoinTokenStore {
public:
    virtual ~JoinTokenStore() = default;
    struct JoinToken {
        std::string digest; // hexadecimal
        std::string agent;  // SPIFFE ID that whoever brings it becomes
        Timestamp expires;
    };
    virtual Result<> add(JoinToken const&) = 0;
    // Takes it away: a second call with the same digest is not_found, in whichever order they come. Expired ones are not_found too.
    virtual Result<JoinToken> redeem(std::string const& digest, Timestamp now) = 0;
};

class AgentStore {
public:
    virtual ~AgentStore() = default;
    struct Agent {
        std::string id;
        Timestamp joined;
        Timestamp seen;
        bool banned = false;
    };
    virtual Result<> add(Agent const&) = 0;                // joins again: replaces
    virtual Result<Agent> find(std::string const& id) = 0; // not_found
    virtual Result<std::vector<Agent>> list() = 0;
};

// Secrets of other systems, sealed by whoever stores them; each has versions.
class SecretStore {
public:
    virtual ~SecretStore() = default;
    struct SealedSecret {
        std::string name;
        std::uint64_t version = 0; // from 1
        Bytes key; // sealed: what the value is sealed with
        Bytes sealed;
        Timestamp created;
    };
    virtual Result<SealedSecret> newest(std::string const& name) = 0; // not_found
    // conflict: its version is not one more than the newest, or not 1 of a name that is new. Versions up to `drop_to` go in the same transaction.
    virtual Result<> add(SealedSecret const&, std::uint64_t drop_to) = 0;
    virtual Result<> remove(std::string const& name) = 0; // with all versions; not_found
    virtual Result<std::vector<SealedSecret>> list(std::size_t limit) = 0; // by name, oldest version first; without key and value
    virtual Result<std::size_t> count_names() = 0;
};

// All that is sealed with the key-encryption key, wherever it is kept.
class SealedStore {
public:
    virtual ~SealedStore() = default;
    enum class Kind : std::uint8_t { key, secret, lease };
    struct Item {
        Kind kind = Kind::key;
        std::string name; // of the key or secret; the lease's id
        std::uint64_t version = 0; // of a secret
        Bytes sealed;
    };
    using Seal = std::function<Result<Bytes>(Item const&)>;
    // Each for what is made of it, in one transaction: all, or none if one fails.
    virtual Result<> replace(Seal const&) = 0;
};

// Runs that were decided on before they start: what their one-time tokens are good for. Only the tokens' SHA-256 are kept.
class RunGrantStore {
public:
    virtual ~RunGrantStore() = default;
    struct RunGrant {
        std::string digest; // hexadecimal
        std::string id; // `grant-` and 20 base32 characters
        std::string workload; // SPIFFE ID
        std::string purpose;
        std::string uses; // JSON
        std::uint64_t record = 0; // of the grant, in the log
        Timestamp expires;
    };
    virtual Result<> add(RunGrant const&) = 0;
    virtual Result<RunGrant> find(std::string const& digest, Timestamp now) = 0; // not_found: there is none, or it has expired
    virtual Result<> redeem(std::string const& digest, Timestamp now) = 0; // once; not_found: as above
    virtual Result<std::size_t> count(std::string const& workload, Timestamp now) = 0; // of all if empty; what has expired goes
    virtual Result<std::vector<RunGrant>> list(std::string const& workload, Timestamp now, std::size_t limit) = 0; // of all if empty; newest first
    virtual Result<> remove(std::string const& id) = 0; // not_found
};

struct Store {
    std::unique_ptr<DeclarationStore> declarations;
    std::unique_ptr<KeyStore> keys;
    std::unique_ptr<RunStore> runs;
    std::unique_ptr<LeaseStore> leases;
    std::unique_ptr<JoinTokenStore> join_tokens;
    std::unique_ptr<AgentStore> agents;
    std::unique_ptr<SecretStore> secrets;
    std::unique_ptr<RunGrantStore> run_grants;
    std::unique_ptr<SealedStore> sealed;
};

} // namespace writ::store

// SPDX-License-Identifier: Apache-2.0
//
// What an agent keeps on its own disk: its identity, and the runs it watches, so that a killed agent that comes back knows both. JSON, mode
// 0600.
#pragma once

#include "agent/authority_client.h"
#include "attest/unix/cgroup.h"
#include "attest/unix/process.h"
#include "base/durable_file.h"

#include <map>

namespace writ::agent {

inline constexpr std::string_view aws_session_kind = "aws_sts";

// What a run may open sessions for, as the authority decided at its start; it decides again each time.
struct SessionUse {
    std::string provider; // CredentialProvider
    std::string action;
    std::string resource_type, resource_id;
    std::string kind = std::string(aws_session_kind);
};

// Where the run's clients of one kind are given a provider's token, if they ask.
struct RunPlace {
    std::string provider, client, url, username;
    bool operator==(RunPlace const&) const = default;
};

struct WatchedRun {
    std::string id;
    std::string workload; // SPIFFE ID
    std::string workload_name;
    std::string purpose;
    attest::ProcessIdentity process;
    attest::ProcessCgroup cgroup; // of its own, where the kernel allows it
    uid_t uid = static_cast<uid_t>(-1);
    gid_t gid = static_cast<gid_t>(-1); // -1: a folder of before there was one
    Timestamp started;
    Timestamp expires; // of the lease that ends first
    std::vector<std::string> leases;
    std::vector<SessionUse> sessions;
    std::vector<SessionUse> deliveries; // what comes as files (delivery.h)
    std::map<std::string, std::vector<std::string>> delivered_files; // their names, by provider
    std::vector<RunPlace> places;
    std::string handle_digest; // SHA-256 of the run's handle, hexadecimal; empty: it has none

    // Those of a provider, or of a resource; of the first provider if it is empty. Of that kind alone.
    [[nodiscard]] std::vector<SessionUse> uses_of(std::string_view provider_or_resource, std::string_view kind = aws_session_kind) const;
    // Of that kind, as they come.
    [[nodiscard]] std::vector<std::string> providers_of(std::string_view kind) const;
};

// not_found: this agent never joined.
Result<AgentIdentity> load_identity(Path const& folder);
// Whether it has one that is good now.
bool has_identity(Path const& folder, Timestamp now);
Result<> save_identity(Path const& folder, AgentIdentity const&);

Result<std::vector<WatchedRun>> load_runs(Path const& folder); // none: empty
// The local endpoint's port. not_found: it never had one.
Result<std::uint16_t> load_loopback_port(Path const& file);
Result<> save_loopback_port(Path const& file, std::uint16_t port);

Result<> save_runs(Path const& folder, std::vector<WatchedRun> const&);

} // namespace writ::agent

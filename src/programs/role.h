// SPDX-License-Identifier: Apache-2.0
//
// What authority, agent and dev have in common: options, folders, and how the process is set up.
#pragma once

#include "authority/authority.h"
#include "base/logger.h"
#include "cli/commands.h"

#include <memory>

namespace writ::programs {

struct RoleOptions {
    std::string data;
    std::string trust_domain = "writ.internal";
    std::string listen;
    std::string public_host;
    std::string retention_age, retention_size; // empty: audit records stay
    std::string log_level = "info";
    std::string log_format = "text";
    std::vector<std::string> witnesses; // URL=KEY
    std::size_t witness_quorum = 0;     // 0: more than half
    std::string witness_policy;         // a file (C2SP tlog-policy), instead of the two
    std::string witness_roots;          // PEM; empty: the system's
    bool accepts_rollback = false;
    std::string spool;
    std::size_t spool_bytes = audit::spool_bytes_default;
    std::uint64_t record_rate = authority::record_rate_default >> 10U; // KiB
};

void add_role_options(CLI::App&, cli::Session&, RoleOptions&);
void add_authority_options(CLI::App&, RoleOptions&, std::string const& listen);
// Of an agent's endpoint for clients of clouds; 0: the last one, or any.
void add_loopback_option(CLI::App&, std::uint16_t& port);

// Files for their owner alone, no core dumps, logging as asked.
Result<> set_up_process(RoleOptions const&);
Result<Path> create_run_folder(cli::Session const&);
Path data_folder_of(RoleOptions const&);
// Where podman and CRI-O keep what they know of containers and images, root's or this user's.
Path default_container_storage();

// The authority on SQLite and files, with every issuer there is.
Result<std::unique_ptr<authority::Authority>> start_authority(
    net::EventLoop&, cli::Session const&, RoleOptions const&, Path const& data, Clock const&, RandomSource&);

} // namespace writ::programs

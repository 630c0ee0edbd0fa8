// SPDX-License-Identifier: Apache-2.0
//
// The authority: attests joining agents, decides, issues and records. Serves HTTPS for everybody and a unix socket for administration. One
// loop, one thread.
#pragma once

#include "authority/endpoints.h"
#include "authority/retention_keeper.h"
#include "net/address.h"
#include "net/http_server.h"
#include "net/tls.h"

namespace writ::authority {

struct AuthorityOptions {
    Path data_folder;
    std::string trust_domain;
    net::TcpAddress listen; // port 0: the kernel chooses
    // Host name or address under which agents and relying parties reach it; empty: the listening address. It is in `iss` and in the
    // certificate.
    std::string public_host;
    std::string admin_socket;
    WitnessingOptions witnessing {};
    audit::SpoolOptions spool {}; // an empty folder: `spool` in the data folder
    RetentionLimits retention {}; // of audit records; none: they stay
    std::uint64_t record_rate = record_rate_default; // bytes of records a second that one workload may make; 0: any
};

using IssuersByKind = std::map<std::string, std::unique_ptr<issue::CredentialIssuer>, std::less<>>;

class Authority {
public:
    // Opens what is in the data folder, or begins a new trust domain there; listens; spawns its tasks. conflict: another process has the
    // folder.
    static Result<std::unique_ptr<Authority>> start(
        net::EventLoop&, AuthorityOptions, store::Store, IssuersByKind, Clock const&, RandomSource&);
    ~Authority();
    Authority(Authority const&) = delete;
    Authority& operator=(Authority const&) = delete;

    [[nodiscard]] std::string const& issuer() const;
    [[nodiscard]] std::string admin_socket() const;
    [[nodiscard]] Router const& router() const;

    net::Task<> shutdown();

private:
    struct Parts;
    explicit Authority(std::unique_ptr<Parts>);
    std::unique_ptr<Parts> parts_;
};

} // namespace writ::authority

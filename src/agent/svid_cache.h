// SPDX-License-Identifier: Apache-2.0
//
// SVIDs for attested processes: fetched from the authority once for each set of claims, and kept until half of their life is over or
// something changed there. One loop.
#pragma once

#include "agent/authority_client.h"
#include "identity/claim.h"
#include "net/notification.h"

#include <map>

namespace writ::agent {

// LIMIT: sets of claims (and audiences) that are remembered.
inline constexpr std::size_t cached_max = 4096;

struct X509Svid {
    std::string id;
    std::vector<Bytes> certificates;
    Timestamp expires;
    std::optional<std::int64_t> record {}; // number of its issuance's record
};

struct X509Svids {
    std::vector<X509Svid> svids;                    // at least one
    std::shared_ptr<SecretBytes const> private_key; // PKCS#8, of all of them
    Timestamp renew_at;
    Timestamp expires {}; // the first of them
};

struct JwtSvid {
    std::string id;
    std::shared_ptr<SecretText const> token;
    Timestamp expires;
    std::optional<std::int64_t> record {};
};

class SvidCache {
public:
    SvidCache(AuthorityClient& authority, Clock const& clock)
        : authority_(authority)
        , clock_(clock)
    {
    }
    SvidCache(SvidCache const&) = delete;
    SvidCache& operator=(SvidCache const&) = delete;

    // permission_denied: no workload has these claims. While the authority is away, what it gave before, until that expires.
    net::Task<Result<X509Svids>> x509(identity::Claims claims);
    net::Task<Result<std::vector<JwtSvid>>> jwt(identity::Claims claims, std::vector<std::string> audience, std::string id);

    void forget(); // when declarations or bundle changed

private:
    struct CachedJwt {
        std::vector<JwtSvid> svids;
        Timestamp renew_at;
    };

    std::optional<X509Svids> prolong_x509(std::string const& key);

    AuthorityClient& authority_;
    Clock const& clock_;
    std::map<std::string, X509Svids> x509_;
    std::map<std::string, CachedJwt> jwt_;
    std::uint64_t generation_ = 0; // counts forget(): an answer that was asked for before is not kept after
};

} // namespace writ::agent

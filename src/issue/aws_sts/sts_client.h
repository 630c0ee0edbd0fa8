// SPDX-License-Identifier: Apache-2.0
//
// Asks STS services for sessions: with a web-identity token in the form, or signed with the keys of a session before. Keeps their connections. Used on
// one loop.
#pragma once

#include "issue/aws_sts/aws_sts.h"
#include "issue/aws_sts/sts_answer.h"
#include "issue/token_services.h"

namespace writ::issue {

// Where an STS is, and what its certificate is verified with.
struct StsAddress {
    std::string endpoint; // that check_token_service() takes
    std::string ca_file; // PEM; empty: the system's roots
    std::string region; // that signatures are for
};

class StsClient {
public:
    StsClient(Clock const&, TokenServiceLimits);

    // Tried again while the STS does not answer, or says that it is its own fault. permission_denied: it refuses.
    net::Task<Result<StsCredentials>> ask(StsAddress address, net::Parameters form);
    // `as`: whose session asks.
    net::Task<Result<StsCredentials>> ask_as(StsAddress address, net::Parameters form, StsCredentials as);

private:
    net::Task<Result<StsCredentials>> exchange(StsAddress address, net::Request request);

    Clock const& clock_;
    TokenServices services_;
};

} // namespace writ::issue

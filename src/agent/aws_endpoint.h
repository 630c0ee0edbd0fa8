// SPDX-License-Identifier: Apache-2.0
//
// How AWS's own clients get a run's session from the agent: the container credentials endpoint (AWS_CONTAINER_CREDENTIALS_FULL_URI), IMDSv2 for clients that know
// nothing else, and the output of a credential_process.
#pragma once

#include "agent/loopback.h"

#include <map>

namespace writ::agent {

// What a job's clients are told: addresses and the run's handle, which by itself opens nothing.
std::map<std::string, std::string> aws_environment(std::uint16_t loopback_port, std::string const& provider, SecretText const& handle);

inline constexpr std::string_view aws_credentials_path = "/aws/v1/credentials/"; // and a provider or a resource

// GET: the container endpoint. `caller` was identified by its process and its handle.
net::Task<net::Response> answer_aws_container(LoopbackDesk& desk, LoopbackCaller caller, std::string provider_or_resource);

// `/latest/…`: PUT api/token, GET meta-data/iam/security-credentials/[provider]. `caller` was identified by its process; its token, besides, is of that run.
net::Task<net::Response> answer_imds(LoopbackDesk& desk, LoopbackCaller caller, net::Request request);

// SPEC: AWS CLI user guide, Sourcing credentials with an external process: version 1.
Result<std::string> credential_process_output(SecretText const& document);

// Tokens of IMDSv2, each of one run. One loop.
class ImdsTokens {
public:
    ImdsTokens(RandomSource& random, Clock const& clock)
        : random_(random)
        , clock_(clock)
    {
    }
    std::string issue(std::string run, std::chrono::seconds lifetime);
    [[nodiscard]] bool is_of(std::string_view token, std::string const& run) const;

private:
    struct Token {
        std::string run;
        Monotonic expires;
    };
    RandomSource& random_;
    Clock const& clock_;
    std::map<std::string, Token, std::less<>> tokens_; // by SHA-256
};

} // namespace writ::agent

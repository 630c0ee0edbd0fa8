// SPDX-License-Identifier: Apache-2.0
//
// The agent's side of the authority's API: mutual TLS with the agent's identity, errors as the authority meant them. One loop.
#pragma once

#include "base/json.h"
#include "identity/bundle.h"
#include "net/address.h"
#include "net/http_client.h"

#include <memory>
#include <optional>

namespace writ::agent {

// Who the agent is to the authority.
struct AgentIdentity {
    std::string id; // SPIFFE ID
    std::string trust_domain;
    std::string issuer;              // the authority's URL
    std::vector<Bytes> certificates; // DER, leaf first
    SecretBytes private_key;         // PKCS#8
    Timestamp issued, expires;
    std::uint64_t version = 0; // of the declarations, when last heard of
    identity::Bundle bundle;
};

class AuthorityClient {
public:
    AuthorityClient(net::TcpAddress authority, Clock const& clock)
        : authority_(std::move(authority))
        , clock_(clock)
    {
    }

    // A token is `SECRET.SHA256 of the root certificate in hexadecimal`: the server must show a path to that root before it is shown the
    // secret.
    net::Task<Result<AgentIdentity>> join(SecretText token);
    // From now on all calls are made as this identity.
    Result<> use(AgentIdentity const&);
    // The same agent with a new key and certificate.
    net::Task<Result<AgentIdentity>> renew();

    // Any status. unavailable: the authority is not reached.
    net::Task<Result<net::Response>> send(
        std::string method, std::string path, net::Parameters query, JsonValue body, Duration deadline = std::chrono::seconds(60));
    // A JSON object, or the error that the authority's problem details tell.
    net::Task<Result<JsonObject>> post(std::string path, JsonValue body);

private:
    net::Task<Result<AgentIdentity>> ask_for_identity(net::HttpClient& client, std::string path, JsonObject request);

    net::TcpAddress authority_;
    Clock const& clock_;
    std::shared_ptr<net::HttpClient> client_;
};

// The error that a response of status 400 and above tells.
Error to_error(net::Response const&);

} // namespace writ::agent

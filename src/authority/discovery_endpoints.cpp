// SPDX-License-Identifier: Apache-2.0
#include "authority/endpoints.h"

namespace writ::authority {

namespace {

net::Response cacheable(JsonObject const& object)
{
    auto response = json_response(object);
    response.headers.set("cache-control", "public, max-age=300");
    return response;
}

// SPEC: OpenID Connect Discovery 1.0 §3, RFC 8414 §2.
Reply openid_configuration(Desk desk, Call)
{
    auto const& issuer = desk.state.issuer;
    co_return cacheable({ { "issuer", issuer }, { "jwks_uri", issuer + "/.well-known/jwks.json" },
        { "token_endpoint", issuer + "/oauth2/token" }, { "response_types_supported", JsonArray { "id_token" } },
        { "subject_types_supported", JsonArray { "public" } }, { "id_token_signing_alg_values_supported", JsonArray { "ES256", "RS256" } },
        { "grant_types_supported", JsonArray { "urn:ietf:params:oauth:grant-type:token-exchange" } },
        { "claims_supported", JsonArray { "iss", "sub", "aud", "exp", "iat", "jti", "act" } } });
}

Reply jwks(Desk desk, Call) { co_return cacheable(identity::to_jwk_set(desk.state.keys.bundle().jwt_keys, "sig")); }

Reply spiffe_bundle(Desk desk, Call) { co_return cacheable(identity::to_json(desk.state.keys.bundle())); }

// SPEC: AuthZEN Authorization API 1.0 §9.
Reply authzen_configuration(Desk desk, Call)
{
    auto const& issuer = desk.state.issuer;
    co_return cacheable({ { "policy_decision_point", issuer }, { "access_evaluation_endpoint", issuer + "/access/v1/evaluation" },
        { "access_evaluations_endpoint", issuer + "/access/v1/evaluations" },
        { "search_subject_endpoint", issuer + "/access/v1/search/subject" },
        { "search_resource_endpoint", issuer + "/access/v1/search/resource" },
        { "search_action_endpoint", issuer + "/access/v1/search/action" } });
}

// A line of the file that `TrustedUserCAKeys` of an OpenSSH server names.
Reply ssh_user_ca(Desk desk, Call)
{
    co_return text_response(crypto::ssh_public_key(desk.state.keys.ssh_user_ca().public_key(), "writ@" + desk.state.trust_domain) + "\n", "text/plain; charset=utf-8");
}

} // namespace

void add_discovery_routes(Router& router, Desk desk)
{
    add_route(router, desk, "GET", "/.well-known/openid-configuration", Access::anyone, openid_configuration);
    add_route(router, desk, "GET", "/.well-known/jwks.json", Access::anyone, jwks);
    add_route(router, desk, "GET", "/.well-known/spiffe-bundle", Access::anyone, spiffe_bundle);
    add_route(router, desk, "GET", "/.well-known/ssh-user-ca.pub", Access::anyone, ssh_user_ca);
    add_route(router, desk, "GET", "/.well-known/authzen-configuration", Access::anyone, authzen_configuration);
}

} // namespace writ::authority

// SPDX-License-Identifier: Apache-2.0
//
// A double of Vault for unit tests: a JWT method that checks who asks, one secret of a KV engine, and tokens that are good until they are given back. The real server is in
// tests/scenarios/vault_test.py.
#pragma once

#include "base/random.h"
#include "crypto/jwt.h"
#include "issue/issuer_conformance.h"
#include "net/http_server.h"

#include <gtest/gtest.h>

namespace writ::issue {

class VaultDouble {
public:
    using Fault = IssuerTarget::Fault;

    VaultDouble(net::EventLoop& loop, crypto::PublicKey key, Clock const& clock)
        : key_(std::move(key))
        , clock_(clock)
        , server_(loop, [this](net::Request request) { return answer(this, std::move(request)); })
    {
        auto listener = net::listen_tcp(loop, { "127.0.0.1", 0 }).value();
        address_ = "http://" + net::to_string(listener->address());
        server_.serve(std::move(listener));
    }

    [[nodiscard]] std::string const& address() const { return address_; }

    std::set<std::string> tokens; // that are good
    std::size_t logins = 0, requests = 0;
    JsonObject data { { "key", "sk-1" }, { "count", 3 } };
    std::string name_space; // that is asked for
    JsonObject claims {}; // of the last login
    Fault fault = Fault::busy;
    int faults = 0; // of the next requests

private:
    static net::Task<net::Response> answer(VaultDouble* vault, net::Request request)
    {
        ++vault->requests;
        bool const is_faulty = vault->faults > 0;
        vault->faults -= is_faulty ? 1 : 0;
        if (is_faulty && vault->fault == Fault::silent)
            co_await net::delay(std::chrono::seconds(2));
        if (is_faulty && vault->fault == Fault::busy)
            co_return net::Response { 503, {}, R"({"errors":["Vault is sealed"]})" };
        if (is_faulty && vault->fault == Fault::refusing)
            co_return net::Response { 403, {}, R"({"errors":["permission\ndenied"]})" };
        if (is_faulty && vault->fault == Fault::garbled)
            co_return net::Response { 200, {}, "<html>welcome</html>" };
        co_return vault->serve(request);
    }

    net::Response serve(net::Request const& request)
    {
        if (std::string(request.headers.get("x-vault-namespace").value_or("")) != name_space)
            return { 404, {}, R"({"errors":["no handler for route"]})" };
        if (request.method == "POST" && request.path == "/v1/auth/jwt/login")
            return log_in(request);
        std::string const token(request.headers.get("x-vault-token").value_or(""));
        if (!tokens.contains(token))
            return { 403, {}, R"({"errors":["permission denied"]})" };
        if (request.method == "POST" && request.path == "/v1/auth/token/revoke-self") {
            tokens.erase(token);
            return { 204, {}, "" };
        }
        if (request.method == "GET" && request.path == "/v1/secret/data/openai/research")
            return { 200, {}, to_text(JsonObject { { "data", JsonObject { { "data", data }, { "metadata", JsonObject { { "version", 7 } } } } } }) };
        return { 404, {}, R"({"errors":[]})" };
    }

    net::Response log_in(net::Request const& request)
    {
        static constexpr crypto::Algorithm accepted[] = { crypto::Algorithm::rs256 };
        auto const body = parse_json_object(request.body).value();
        auto const parsed = crypto::UnverifiedJwt::parse(std::string(body.at("jwt").as_string()));
        auto const verified = parsed.is_ok() ? parsed->verify(key_, { accepted, "vault.example", "https://authority.example" }, clock_) : Result<crypto::Jwt>(parsed.error());
        if (verified.is_error() || body.at("role").as_string() != "trainer")
            return { 400, {}, R"({"errors":["error validating token: invalid audience (aud) claim"]})" };
        claims = verified->claims();
        ++logins;
        auto const token = "hvs." + random_.base32(24);
        tokens.insert(token);
        return { 200, {}, to_text(JsonObject { { "auth", JsonObject { { "client_token", token }, { "lease_duration", 3600 } } } }) };
    }

    crypto::PublicKey key_;
    Clock const& clock_;
    SystemRandom random_;
    std::string address_;
    net::HttpServer server_;
};

} // namespace writ::issue

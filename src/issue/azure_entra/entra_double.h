// SPDX-License-Identifier: Apache-2.0
//
// A double of Entra's token endpoint for unit tests: checks the assertion as a relying party does, and knows which token may do what. What real clients talk to is in
// tests/ecosystem.
#pragma once

#include "base/random.h"
#include "crypto/jwt.h"
#include "net/http_server.h"

#include <gtest/gtest.h>

namespace writ::issue {

class EntraDouble {
public:
    EntraDouble(net::EventLoop& loop, crypto::PublicKey key, Clock const& clock)
        : key_(std::move(key))
        , clock_(clock)
        , server_(loop, [this](net::Request request) { return answer(this, std::move(request)); })
    {
        auto listener = net::listen_tcp(loop, { "127.0.0.1", 0 }).value();
        url_ = "http://" + net::to_string(listener->address());
        server_.serve(std::move(listener));
    }

    [[nodiscard]] std::string const& url() const { return url_; }

    struct Token {
        std::string client_id, scope;
        Timestamp expires;
    };
    std::map<std::string, Token> tokens;
    std::set<std::string> writers; // client IDs whose application may write; others read
    std::size_t requests = 0;
    int failures = 0; // of the next requests, with status 503
    std::string refusal; // an AADSTS code, instead of a token
    std::chrono::seconds lifetime = std::chrono::minutes(4); // nobody asks for it
    std::string path;

private:
    static net::Task<net::Response> answer(EntraDouble* entra, net::Request request) { co_return entra->serve(request); }

    static net::Response refuse(int status, std::string const& code, std::string const& description)
    {
        return { status, {}, R"({"error":")" + code + R"(","error_description":")" + description + R"("})" };
    }

    net::Response serve(net::Request const& request)
    {
        ++requests;
        path = request.path;
        if (failures-- > 0)
            return refuse(503, "temporarily_unavailable", "AADSTS90033: later");
        if (!refusal.empty())
            return refuse(400, "invalid_client", refusal + ": no\\r\\nTrace ID: 1");
        auto const form = net::parse_form(request.body).value();
        static constexpr crypto::Algorithm accepted[] = { crypto::Algorithm::rs256 };
        auto const token
            = crypto::UnverifiedJwt::parse(form.get("client_assertion").value_or("")).value().verify(key_, { accepted, "api://AzureADTokenExchange", {} }, clock_);
        if (token.is_error() || form.get("grant_type") != "client_credentials" || form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
            return refuse(401, "invalid_client", "AADSTS700212: audience");
        auto const name = random_.base32(100);
        tokens.emplace(name, Token { std::string(*form.get("client_id")), std::string(*form.get("scope")), clock_.now() + lifetime });
        return { 200, {}, R"({"token_type":"Bearer","expires_in":)" + std::to_string(lifetime.count()) + R"(,"access_token":")" + name + R"("})" };
    }

    crypto::PublicKey key_;
    Clock const& clock_;
    SystemRandom random_;
    std::string url_;
    net::HttpServer server_;
};

} // namespace writ::issue

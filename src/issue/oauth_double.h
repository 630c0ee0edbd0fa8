// SPDX-License-Identifier: Apache-2.0
//
// A double of an OAuth 2.0 token endpoint for unit tests: checks who asks as the specifications have it, gives opaque tokens, and knows what each is good for.
#pragma once

#include "base/random.h"
#include "crypto/jwt.h"
#include "issue/issuer_conformance.h"
#include "issue/token_delivery.h"
#include "net/http_server.h"

#include <gtest/gtest.h>

namespace writ::issue {

class OauthDouble {
public:
    using Fault = IssuerTarget::Fault;

    OauthDouble(net::EventLoop& loop, crypto::PublicKey key, Clock const& clock)
        : key_(std::move(key))
        , clock_(clock)
        , server_(loop, [this](net::Request request) { return answer(this, std::move(request)); })
    {
        auto listener = net::listen_tcp(loop, { "127.0.0.1", 0 }).value();
        url_ = "http://" + net::to_string(listener->address()) + "/oauth/token";
        server_.serve(std::move(listener));
    }

    [[nodiscard]] std::string const& url() const { return url_; }

    struct Token {
        Scopes scopes;
        Timestamp expires;
        net::Parameters form;
    };
    std::map<std::string, Token> tokens;
    std::size_t requests = 0;
    Duration lifetime = std::chrono::minutes(20);
    Fault fault = Fault::busy;
    int faults = 0; // of the next requests
    std::string client_secret = "correct horse+battery:staple";
    JsonObject claims {}; // of the last assertion
    bool knows_client = false; // whoever it is, when a token is revoked

private:
    static net::Task<net::Response> answer(OauthDouble* endpoint, net::Request request)
    {
        ++endpoint->requests;
        bool const is_faulty = endpoint->faults > 0;
        endpoint->faults -= is_faulty ? 1 : 0;
        if (is_faulty && endpoint->fault == Fault::silent)
            co_await net::delay(std::chrono::seconds(2));
        co_return endpoint->grant(request, is_faulty);
    }

    net::Response grant(net::Request const& request, bool is_faulty)
    {
        if (is_faulty && fault == Fault::busy)
            return { 503, {}, R"({"error":"temporarily_unavailable"})" };
        if (is_faulty && fault == Fault::refusing)
            return { 400, {}, R"({"error":"invalid_grant","error_description":"not\nyou"})" };
        if (is_faulty && fault == Fault::garbled)
            return { 200, {}, "<html>welcome</html>" };
        auto const form = form_of(request);
        if (request.path == "/oauth/revoke" && !is_faulty)
            return revoke(request);
        if (request.path != "/oauth/token" || !knows(request, form))
            return { 401, {}, R"({"error":"invalid_client"})" };
        Token token { parse_scopes(text_of(form, "scope")).value(), clock_.now() + lifetime, form };
        if (is_faulty && fault == Fault::wider)
            token.scopes.insert("admin");
        if (is_faulty && fault == Fault::overlong)
            token.expires += std::chrono::hours(1);
        auto const name = random_.base32(40);
        JsonObject const response { { "access_token", name }, { "token_type", "Bearer" },
            { "expires_in", std::chrono::duration_cast<std::chrono::seconds>(token.expires - clock_.now()).count() }, { "scope", to_text(token.scopes) } };
        tokens.emplace(name, std::move(token));
        return { 200, {}, writ::to_text(JsonValue(response)) };
    }

    net::Response revoke(net::Request const& request)
    {
        auto const form = form_of(request);
        // RFC 7009 §2.1: of its own clients it wants to know who asks; others have no secret.
        bool const is_known = !form.get("grant_type") && (knows_client || is_client(request, form));
        if (!is_known)
            return { 401, {}, R"({"error":"invalid_client"})" };
        tokens.erase(text_of(form, "token"));
        return { 200, {}, "" };
    }

    static net::Parameters form_of(net::Request const& request)
    {
        if (request.headers.get("content-type") != "application/json")
            return net::parse_form(request.body).value();
        net::Parameters form;
        for (auto const& member : parse_json_object(request.body).value())
            form.add(std::string(member.key()), std::string(member.value().as_string()));
        return form;
    }

    bool knows(net::Request const& request, net::Parameters const& form)
    {
        auto const grant = text_of(form, "grant_type");
        if (grant == "urn:ietf:params:oauth:grant-type:token-exchange")
            return text_of(form, "subject_token_type").starts_with("urn:ietf:params:oauth:token-type:") && verifies(text_of(form, "subject_token"), "third.example");
        if (grant == "urn:ietf:params:oauth:grant-type:jwt-bearer")
            return verifies(text_of(form, "assertion"), "third.example");
        return grant == "client_credentials" && is_client(request, form);
    }

    bool is_client(net::Request const& request, net::Parameters const& form)
    {
        if (form.get("client_assertion"))
            return verifies(text_of(form, "client_assertion"), url_) && claims.at("iss").as_string() == "writ/1" && claims.at("sub").as_string() == "writ/1";
        if (form.get("client_secret"))
            return text_of(form, "client_id") == "writ/1" && text_of(form, "client_secret") == client_secret;
        // What RFC 6749 §2.3.1 makes of `writ/1` and of the secret.
        return request.headers.get("authorization") == "Basic " + to_base64(as_bytes("writ%2F1:correct+horse%2Bbattery%3Astaple"));
    }

    bool verifies(std::string const& token, std::string const& audience)
    {
        static constexpr crypto::Algorithm accepted[] = { crypto::Algorithm::rs256 };
        auto const parsed = crypto::UnverifiedJwt::parse(token);
        if (parsed.is_error())
            return false;
        auto const verified = parsed->verify(key_, { accepted, audience, {} }, clock_);
        if (verified.is_ok())
            claims = verified->claims();
        return verified.is_ok();
    }

    static std::string text_of(net::Parameters const& form, std::string_view name) { return std::string(form.get(name).value_or("")); }

    crypto::PublicKey key_;
    Clock const& clock_;
    SystemRandom random_;
    std::string url_;
    net::HttpServer server_;
};

} // namespace writ::issue

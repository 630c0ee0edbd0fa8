// SPDX-License-Identifier: Apache-2.0
//
// A double of Google's Security Token Service and IAM Credentials for unit tests: checks the assertion as a relying party does, impersonates, narrows, and tells what
// a narrowed token's boundary allows. What real clients talk to is in tests/ecosystem.
#pragma once

#include "base/random.h"
#include "crypto/jwt.h"
#include "net/http_server.h"

#include <gtest/gtest.h>

namespace writ::issue {

class GcpDouble {
public:
    GcpDouble(net::EventLoop& loop, crypto::PublicKey key, Clock const& clock)
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
        std::string kind; // `federated`, `account`, `narrow`
        Timestamp expires;
        JsonArray rules;
    };
    std::map<std::string, Token> tokens;
    std::size_t requests = 0;
    int failures = 0; // of the next requests, with status 503
    std::string refusal; // of generateAccessToken, instead of a token
    Duration overlong = {}; // how much longer than asked tokens live
    bool is_lazy = false; // gives the wide token back for the narrow one
    std::string path; // of the last impersonation

    // SPEC: Credential Access Boundaries, for expressions as ours are: three clauses with a quoted text each.
    [[nodiscard]] bool allows(std::string const& token, std::string const& role, std::string const& bucket, std::string const& object, std::string const& listed) const
    {
        auto const found = tokens.find(token);
        if (found == tokens.end() || found->second.kind != "narrow" || found->second.expires <= clock_.now())
            return false;
        return std::any_of(found->second.rules.begin(), found->second.rules.end(), [&](JsonValue const& item) {
            auto const& rule = item.as_object();
            if (rule.at("availableResource").as_string() != "//storage.googleapis.com/projects/_/buckets/" + bucket)
                return false;
            auto const& given = rule.at("availablePermissions").as_array().front().as_string();
            if (given != "inRole:roles/storage.objectUser" && given != "inRole:" + role)
                return false;
            auto const* condition = rule.if_contains("availabilityCondition");
            return condition == nullptr || holds(condition->as_object().at("expression").as_string().c_str(), "projects/_/buckets/" + bucket + "/objects/" + object, listed);
        });
    }

private:
    static bool holds(std::string expression, std::string const& name, std::string const& listed)
    {
        auto const quoted = [&expression](std::string const& before) {
            auto const begin = expression.find(before);
            if (begin == std::string::npos)
                return std::string("\n");
            auto const text = begin + before.size();
            return expression.substr(text, expression.find('\'', text) - text);
        };
        return name == quoted("resource.name == '") || name.starts_with(quoted("resource.name.startsWith('"))
            || (!listed.empty() && listed.starts_with(quoted("objectListPrefix', '').startsWith('")));
    }

    static net::Task<net::Response> answer(GcpDouble* google, net::Request request) { co_return google->serve(request); }

    net::Response serve(net::Request const& request)
    {
        ++requests;
        if (failures-- > 0)
            return { 503, {}, R"({"error":{"code":503,"status":"UNAVAILABLE","message":"later"}})" };
        if (request.path == "/v1/token")
            return exchange(net::parse_form(request.body).value());
        path = request.path;
        return impersonate(request);
    }

    net::Response exchange(net::Parameters const& form)
    {
        if (form.get("subject_token_type") == "urn:ietf:params:oauth:token-type:jwt")
            return federate(form);
        auto const wide = tokens.find(std::string(form.get("subject_token").value_or("")));
        if (wide == tokens.end() || wide->second.kind != "account")
            return { 400, {}, R"({"error":"invalid_request","error_description":"no such token"})" };
        if (is_lazy)
            return { 200, {}, R"({"access_token":")" + wide->first + R"(","token_type":"Bearer"})" };
        auto const options = parse_json_object(form.get("options").value_or("")).value();
        return give({ "narrow", wide->second.expires, options.at("accessBoundary").at("accessBoundaryRules").as_array() }, "");
    }

    net::Response federate(net::Parameters const& form)
    {
        static constexpr crypto::Algorithm accepted[] = { crypto::Algorithm::rs256 };
        auto const token = crypto::UnverifiedJwt::parse(form.get("subject_token").value_or("")).value().verify(key_, { accepted, "https://iam.example/pool", {} }, clock_);
        if (token.is_error() || form.get("audience") != "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/w")
            return { 400, {}, R"({"error":"invalid_grant","error_description":"not <you>"})" };
        return give({ "federated", clock_.now() + std::chrono::hours(1), {} }, R"(,"expires_in":3600)");
    }

    net::Response impersonate(net::Request const& request)
    {
        auto const bearer = std::string(request.headers.get("authorization").value_or("")).substr(7);
        if (!tokens.contains(bearer) || tokens.at(bearer).kind != "federated")
            return { 401, {}, R"({"error":{"code":401,"status":"UNAUTHENTICATED","message":"who"}})" };
        if (!refusal.empty())
            return { 403, {}, R"({"error":{"code":403,"status":")" + refusal + R"(","message":"iam.serviceAccounts.getAccessToken"}})" };
        auto const asked = parse_json_object(request.body).value();
        Token token { "account", clock_.now() + std::chrono::seconds(std::stoi(std::string(asked.at("lifetime").as_string()))) + overlong, {} };
        auto const name = random_.base32(100);
        auto const expires = to_rfc3339(token.expires);
        tokens.emplace(name, std::move(token));
        return { 200, {}, R"({"accessToken":")" + name + R"(","expireTime":")" + expires + R"("})" };
    }

    net::Response give(Token token, std::string const& more)
    {
        auto const name = random_.base32(100);
        tokens.emplace(name, std::move(token));
        return { 200, {}, R"({"access_token":")" + name + R"(","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer")" + more + "}" };
    }

    crypto::PublicKey key_;
    Clock const& clock_;
    SystemRandom random_;
    std::string url_;
    net::HttpServer server_;
};

} // namespace writ::issue

// SPDX-License-Identifier: Apache-2.0
//
// A double of an STS for unit tests: checks the token as a relying party does, or the signature of a session before, gives sessions, and answers what a
// session's policy allows. The real one is in tests/ecosystem.
#pragma once

#include "base/random.h"
#include "crypto/jwt.h"
#include "identity/workload.h"
#include "issue/aws_sts/sigv4.h"
#include "net/http_server.h"

#include <gtest/gtest.h>

namespace writ::issue {

class StsDouble {
public:
    StsDouble(net::EventLoop& loop, crypto::PublicKey key, Clock const& clock)
        : key_(std::move(key))
        , clock_(clock)
        , server_(loop, [this](net::Request request) { return answer(this, std::move(request)); })
    {
        auto listener = net::listen_tcp(loop, { "127.0.0.1", 0 }).value();
        url_ = "http://" + net::to_string(listener->address());
        server_.serve(std::move(listener));
    }

    [[nodiscard]] std::string const& url() const { return url_; }

    struct Session {
        net::Parameters form;
        JsonObject claims, policy;
        Timestamp expires;
        std::string secret, token;
    };
    std::map<std::string, Session> sessions; // by access key
    std::size_t requests = 0;
    int failures = 0; // of the next requests, with status 503
    std::string refusal; // an error's code, instead of a session
    Duration overlong = {}; // how much longer than asked sessions live

    // As IAM has it, for policies with what ours use.
    [[nodiscard]] bool allows(std::string const& access_key, std::string const& action, std::string const& arn, std::string const& prefix = "") const
    {
        for (auto const& item : sessions.at(access_key).policy.at("Statement").as_array()) {
            auto const& statement = item.as_object();
            if (fits_one(statement.at("Action").as_array(), action) && fits_one(statement.at("Resource").as_array(), arn) && condition_holds(statement, prefix))
                return true;
        }
        return false;
    }

private:
    static bool fits_one(JsonArray const& patterns, std::string_view text)
    {
        return std::any_of(patterns.begin(), patterns.end(), [text](auto const& pattern) { return identity::fits_pattern(std::string(pattern.as_string()), text); });
    }

    static bool condition_holds(JsonObject const& statement, std::string const& prefix)
    {
        auto const* condition = statement.if_contains("Condition");
        return condition == nullptr || fits_one(condition->as_object().at("StringLike").as_object().at("s3:prefix").as_array(), prefix);
    }

    static net::Task<net::Response> answer(StsDouble* sts, net::Request request) { co_return sts->assume(request); }

    net::Response assume(net::Request const& request)
    {
        ++requests;
        if (failures-- > 0)
            return { 503, {}, "<ErrorResponse><Error><Code>ServiceUnavailable</Code></Error></ErrorResponse>" };
        if (!refusal.empty())
            return { 403, {}, "<ErrorResponse><Error><Code>" + refusal + "</Code><Message>not &lt;you&gt;</Message></Error></ErrorResponse>" };
        Session session;
        session.form = net::parse_form(request.body).value();
        auto const is_chained = text_of(session, "Action") == "AssumeRole";
        if (is_chained && !is_signed(request, text_of(session, "RoleArn")))
            return { 403, {}, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>" };
        if (!is_chained) {
            static constexpr crypto::Algorithm accepted[] = { crypto::Algorithm::rs256 };
            auto const token = crypto::UnverifiedJwt::parse(text_of(session, "WebIdentityToken")).value().verify(key_, { accepted, "sts.example", {} }, clock_);
            if (token.is_error())
                return { 400, {}, "<ErrorResponse><Error><Code>InvalidIdentityToken</Code></Error></ErrorResponse>" };
            session.claims = token->claims();
        }
        session.policy = parse_json_object(text_of(session, "Policy")).value();
        session.expires = clock_.now() + std::chrono::seconds(std::stoi(text_of(session, "DurationSeconds"))) + overlong;
        auto const key = "ASIA" + random_.base32(16);
        auto const expires = to_rfc3339(session.expires);
        session.secret = random_.base32(40);
        session.token = random_.base32(100);
        auto const secret = session.secret, token = session.token;
        sessions.emplace(key, std::move(session));
        return { 200, {}, "<?xml version=\"1.0\"?><AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
                "<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>" + key + "</AccessKeyId><SecretAccessKey>" + secret
                + "</SecretAccessKey><SessionToken>" + token + "</SessionToken><Expiration>" + expires
                + "</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>" };
    }

    // With the keys of a session that is there, and that may assume that role.
    [[nodiscard]] bool is_signed(net::Request const& request, std::string const& role) const
    {
        auto const authorization = std::string(request.headers.get("authorization").value_or(""));
        auto const begin = authorization.find("Credential=") + 11;
        auto const found = sessions.find(authorization.substr(begin, authorization.find('/') - begin));
        if (found == sessions.end() || request.headers.get("x-amz-security-token") != found->second.token || !allows(found->first, "sts:AssumeRole", role))
            return false;
        Sigv4Options options;
        options.region = "eu-central-1";
        options.service = "sts";
        auto const date = std::string(request.headers.get("x-amz-date").value_or(""));
        options.time = parse_rfc3339(date.substr(0, 4) + "-" + date.substr(4, 2) + "-" + date.substr(6, 5) + ":" + date.substr(11, 2) + ":" + date.substr(13)).value();
        net::Headers headers;
        for (auto const* name : { "accept", "content-type", "host" })
            headers.add(name, std::string(request.headers.get(name).value_or("")));
        Sigv4Credentials const keys { found->first, SecretText(found->second.secret), SecretText(found->second.token) };
        return sign_in_headers({ request.method, request.path, headers, request.body }, keys, options).headers.get("authorization") == authorization;
    }

    static std::string text_of(Session const& session, std::string_view name) { return std::string(session.form.get(name).value_or("")); }

    crypto::PublicKey key_;
    Clock const& clock_;
    SystemRandom random_;
    std::string url_;
    net::HttpServer server_;
};

} // namespace writ::issue

// SPDX-License-Identifier: Apache-2.0
#include "agent/authority_client.h"

#include "crypto/key.h"

namespace writ::agent {

namespace {

constexpr std::string_view authority_path = "/writ/authority";

net::Request json_request(std::string method, std::string path, net::Parameters query, JsonValue const& body)
{
    net::Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.query = std::move(query);
    if (!body.is_null()) {
        request.headers.set("content-type", "application/json");
        request.body = to_text(body);
    }
    return request;
}

ErrorCode parse_error_code(std::string_view name)
{
    for (auto const code : { ErrorCode::invalid_argument, ErrorCode::unauthenticated, ErrorCode::permission_denied, ErrorCode::not_found,
             ErrorCode::conflict, ErrorCode::resource_exhausted, ErrorCode::unavailable, ErrorCode::corruption }) {
        if (to_string(code) == name)
            return code;
    }
    return ErrorCode::internal;
}

Result<AgentIdentity> parse_identity(JsonObject const& answer)
{
    AgentIdentity identity;
    identity.id = TRY(string_member(answer, "agent_id"));
    identity.trust_domain = TRY(string_member(answer, "trust_domain"));
    identity.issuer = TRY(string_member(answer, "issuer"));
    identity.expires = TRY(parse_rfc3339(TRY(string_member(answer, "expires"))));
    identity.version = static_cast<std::uint64_t>(TRY(integer_member(answer, "version")));
    for (auto const& certificate : TRY(strings_member(answer, "certificates")))
        identity.certificates.push_back(TRY(parse_base64(certificate)));
    identity.bundle = TRY(identity::parse_bundle(to_text(JsonValue(*TRY(object_member(answer, "bundle"))))));
    if (identity.certificates.empty() || identity.bundle.x509_roots.empty())
        return invalid_argument("the authority's answer lacks certificates");
    return identity;
}

} // namespace

Error to_error(net::Response const& response)
{
    auto const problem = parse_json_object(response.body);
    if (problem.is_error())
        return unavailable("the authority answered with status " + std::to_string(response.status));
    auto const code = parse_error_code(string_or(*problem, "code", ""));
    auto const detail = string_or(*problem, "detail", "");
    return { code, detail.empty() ? "the authority refused: " + std::string(to_string(code)) : std::string(detail) };
}

net::Task<Result<AgentIdentity>> AuthorityClient::ask_for_identity(net::HttpClient& client, std::string path, JsonObject request)
{
    auto generated = crypto::PrivateKey::generate(crypto::KeyType::p256);
    auto const key = CO_TRY(generated);
    request.emplace("public_key", to_base64(key.public_key().to_spki()));
    auto sent = co_await client.send(json_request("POST", std::move(path), {}, JsonValue(std::move(request))));
    auto const response = CO_TRY(sent);
    if (response.status != 200)
        co_return to_error(response);
    auto answer = parse_json_object(response.body);
    auto const object = CO_TRY(answer);
    auto parsed = parse_identity(object);
    auto identity = CO_TRY(parsed);
    identity.private_key = key.to_pkcs8();
    identity.issued = clock_.now();
    co_return identity;
}

net::Task<Result<AgentIdentity>> AuthorityClient::join(SecretText token)
{
    auto const dot = token.reveal().rfind('.');
    if (dot == std::string::npos)
        co_return invalid_argument("a join token has the form SECRET.SHA256; make one with `writ token create`");
    auto parsed = parse_hex(std::string_view(token.reveal()).substr(dot + 1));
    if (parsed.is_error() || parsed->size() != 32)
        co_return invalid_argument(
            "a join token ends in the SHA-256 of the authority's root certificate; make one with `writ token create`");
    net::TlsClientOptions options;
    options.pinned_root_sha256 = std::move(parsed).value();
    options.server_id_path = std::string(authority_path);
    auto created = net::TlsClientContext::create(std::move(options), clock_);
    net::HttpClientOptions client_options;
    client_options.tls = CO_TRY(created);
    net::HttpClient client(authority_, std::move(client_options));
    co_return co_await ask_for_identity(client, "/v1/agent/join", { { "token", token.reveal() } });
}

Result<> AuthorityClient::use(AgentIdentity const& identity)
{
    net::TlsClientOptions options;
    options.roots = identity.bundle.x509_roots;
    options.server_id = "spiffe://" + identity.trust_domain + std::string(authority_path);
    options.identity = net::TlsIdentity { identity.certificates, identity.private_key.duplicate() };
    net::HttpClientOptions client_options;
    client_options.tls = TRY(net::TlsClientContext::create(std::move(options), clock_));
    client_options.idle_connections_max = 16;
    client_ = std::make_shared<net::HttpClient>(authority_, std::move(client_options));
    return {};
}

net::Task<Result<AgentIdentity>> AuthorityClient::renew()
{
    auto const client = client_; // may be replaced meanwhile
    ASSERT(client);
    co_return co_await ask_for_identity(*client, "/v1/agent/renew", {});
}

net::Task<Result<net::Response>> AuthorityClient::send(
    std::string method, std::string path, net::Parameters query, JsonValue body, Duration deadline)
{
    auto const client = client_;
    if (!client)
        co_return unavailable("the agent has not joined yet");
    co_return co_await client->send(json_request(std::move(method), std::move(path), std::move(query), body), deadline);
}

net::Task<Result<JsonObject>> AuthorityClient::post(std::string path, JsonValue body)
{
    auto sent = co_await send("POST", std::move(path), {}, std::move(body));
    auto const response = CO_TRY(sent);
    if (response.status != 200)
        co_return to_error(response);
    co_return parse_json_object(response.body);
}

} // namespace writ::agent

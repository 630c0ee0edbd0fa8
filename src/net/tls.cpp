// SPDX-License-Identifier: Apache-2.0
#include "net/tls.h"

#include "net/tls_stream.h"

#include <algorithm>

namespace writ::net {

namespace {

// How both sides speak: TLS 1.3, no session that outlives its connection.
Result<SslContextPtr> create_context(SSL_METHOD const* method)
{
    SslContextPtr context(SSL_CTX_new(method));
    if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1)
        return unavailable("set up TLS: " + take_openssl_error());
    SSL_CTX_set_security_level(context.get(), 2);
    // SECURITY: a resumed session would carry on with a certificate that has expired, or a root that was removed, meanwhile.
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context.get(), 0);
    // What is sent is what the identity has, and not what OpenSSL finds besides.
    SSL_CTX_set_mode(context.get(), SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_RELEASE_BUFFERS);
    require_peer_verification(context.get());
    return context;
}

Result<> use_identity(SSL_CTX* context, TlsIdentity const& identity)
{
    auto const certificates = TRY(parse_x509s(identity.certificates));
    auto const key = TRY(parse_pkcs8(identity.private_key));
    if (certificates.empty())
        return invalid_argument("a TLS identity has no certificate");
    if (SSL_CTX_use_certificate(context, certificates[0].get()) != 1 || SSL_CTX_use_PrivateKey(context, key.get()) != 1
        || SSL_CTX_check_private_key(context) != 1)
        return invalid_argument("use a TLS identity: " + take_openssl_error());
    for (std::size_t i = 1; i < certificates.size(); ++i)
        if (SSL_CTX_add1_chain_cert(context, certificates[i].get()) != 1)
            return invalid_argument("use a TLS identity: " + take_openssl_error());
    return {};
}

Result<TlsRoots> parse_roots(std::vector<Bytes> const& ders)
{
    return TlsRoots(std::make_shared<std::vector<X509Ptr> const>(TRY(parse_x509s(ders).in("root"))));
}

int verify_mode_of(ClientCertificates certificates)
{
    switch (certificates) {
    case ClientCertificates::ignored: return SSL_VERIFY_NONE;
    case ClientCertificates::optional: return SSL_VERIFY_PEER;
    case ClientCertificates::required: return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
    return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

Result<SslContextPtr> create_server_context(TlsIdentity const& identity, ClientCertificates certificates)
{
    auto context = TRY(create_context(TLS_server_method()));
    SSL_CTX_set_verify(context.get(), verify_mode_of(certificates), nullptr);
    TRY(use_identity(context.get(), identity));
    return context;
}

Result<SslContextPtr> create_client_context(TlsIdentity const* identity)
{
    auto context = TRY(create_context(TLS_client_method()));
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    if (identity)
        TRY(use_identity(context.get(), *identity));
    return context;
}

bool is_dns_name(std::string const& host) { return !host.empty() && to_socket_address(TcpAddress { host, 0 }).is_error(); }

Task<Result<std::unique_ptr<Stream>>> fail(Error error) { co_return error; }

} // namespace

struct TlsServerContext::State {
    SslContextPtr context;
    ClientCertificates certificates;
    TlsRoots client_roots;
    Clock const& clock;
};

TlsServerContext::TlsServerContext(std::unique_ptr<State> state)
    : state_(std::move(state))
{
}

TlsServerContext::~TlsServerContext() = default;

Result<std::shared_ptr<TlsServerContext>> TlsServerContext::create(
    TlsIdentity const& identity, ClientCertificates certificates, std::vector<Bytes> const& client_roots, Clock const& clock)
{
    auto context = TRY(create_server_context(identity, certificates));
    auto roots = TRY(parse_roots(client_roots));
    State state { .context = std::move(context), .certificates = certificates, .client_roots = std::move(roots), .clock = clock };
    return std::shared_ptr<TlsServerContext>(new TlsServerContext(std::make_unique<State>(std::move(state))));
}

Result<> TlsServerContext::replace_identity(TlsIdentity const& identity)
{
    state_->context = TRY(create_server_context(identity, state_->certificates));
    return {};
}

Result<> TlsServerContext::replace_client_roots(std::vector<Bytes> const& client_roots)
{
    state_->client_roots = TRY(parse_roots(client_roots));
    return {};
}

Task<Result<std::unique_ptr<Stream>>> TlsServerContext::accept(std::unique_ptr<Stream> plain) const
{
    SslPtr ssl(SSL_new(state_->context.get()));
    if (!ssl)
        return fail(unavailable("set up TLS: " + take_openssl_error()));
    SSL_set_accept_state(ssl.get());
    auto verification = std::make_unique<PeerVerification>(
        PeerVerification { .roots = state_->client_roots, .expected = {}, .now = state_->clock.now(), .problem = "" });
    return shake_hands(std::move(ssl), std::move(plain), std::move(verification));
}

struct TlsClientContext::State {
    SslContextPtr context;
    TlsRoots roots;
    ExpectedPeer server;
    Clock const& clock;
};

TlsClientContext::TlsClientContext(std::unique_ptr<State> state)
    : state_(std::move(state))
{
}

TlsClientContext::~TlsClientContext() = default;

Result<std::shared_ptr<TlsClientContext>> TlsClientContext::create(TlsClientOptions options, Clock const& clock)
{
    if (options.server_id.empty() && options.server_id_path.empty() && options.server_name.empty())
        return invalid_argument("a TLS client must know who its server is");
    if (options.pinned_root_sha256 && options.pinned_root_sha256->size() != 32)
        return invalid_argument("a pin is the 32 bytes of a SHA-256");
    auto context = TRY(create_client_context(options.identity ? &*options.identity : nullptr));
    auto roots = TRY(parse_roots(options.roots));
    ExpectedPeer server { .pinned_root_sha256 = std::move(options.pinned_root_sha256),
        .spiffe_id = std::move(options.server_id),
        .spiffe_id_path = std::move(options.server_id_path),
        .name = std::move(options.server_name) };
    State state { .context = std::move(context), .roots = std::move(roots), .server = std::move(server), .clock = clock };
    return std::shared_ptr<TlsClientContext>(new TlsClientContext(std::make_unique<State>(std::move(state))));
}

Result<> TlsClientContext::replace_identity(TlsIdentity const& identity)
{
    state_->context = TRY(create_client_context(&identity));
    return {};
}

Result<> TlsClientContext::replace_roots(std::vector<Bytes> const& roots)
{
    state_->roots = TRY(parse_roots(roots));
    return {};
}

Task<Result<std::unique_ptr<Stream>>> TlsClientContext::connect(std::unique_ptr<Stream> plain, std::string host) const
{
    SslPtr ssl(SSL_new(state_->context.get()));
    if (!ssl)
        return fail(unavailable("set up TLS: " + take_openssl_error()));
    SSL_set_connect_state(ssl.get());
    if (is_dns_name(host) && SSL_set_tlsext_host_name(ssl.get(), host.c_str()) != 1)
        return fail(invalid_argument("`" + host + "` cannot be sent as server name"));
    auto verification = std::make_unique<PeerVerification>(
        PeerVerification { .roots = state_->roots, .expected = state_->server, .now = state_->clock.now(), .problem = "" });
    return shake_hands(std::move(ssl), std::move(plain), std::move(verification));
}

} // namespace writ::net

// SPDX-License-Identifier: Apache-2.0
#include "net/tls.h"

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/notification.h"
#include "net/tls_openssl.h"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

namespace writ::net {
namespace {

using namespace std::chrono_literals;

auto const noon = parse_rfc3339("2026-11-23T12:00:00Z").value();
constexpr auto authority_id = "spiffe://example.org/writ/authority";
constexpr auto workload_id = "spiffe://example.org/ns/train/job";

using ExtensionPtr = std::unique_ptr<X509_EXTENSION, OpensslDeleter<X509_EXTENSION_free>>;

struct Certified {
    X509Ptr certificate;
    PrivateKeyPtr key;
};

void add_extension(X509* certificate, int nid, std::string const& value)
{
    ExtensionPtr const extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()));
    ASSERT_TRUE(extension) << value;
    X509_add_ext(certificate, extension.get(), -1);
}

struct Profile {
    std::string alternative_names = ""; // as OpenSSL's configuration writes them
    bool is_ca = false;
    Duration lifetime = 1h;
};

// Signed by `issuer`, or by itself.
Certified certify(Profile const& profile, Certified const* issuer)
{
    static long serial = 1;
    Certified result { X509Ptr(X509_new()), PrivateKeyPtr(EVP_EC_gen("P-256")) };
    auto* const certificate = result.certificate.get();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    ASN1_TIME_set(X509_getm_notBefore(certificate), to_unix_seconds(noon - 1min));
    ASN1_TIME_set(X509_getm_notAfter(certificate), to_unix_seconds(noon + profile.lifetime));
    auto const name = "test " + std::to_string(serial);
    X509_NAME_add_entry_by_txt(
        X509_get_subject_name(certificate), "CN", MBSTRING_ASC, reinterpret_cast<unsigned char const*>(name.c_str()), -1, -1, 0);
    auto const& signer = issuer ? *issuer : result;
    X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate.get()));
    X509_set_pubkey(certificate, result.key.get());
    add_extension(certificate, NID_basic_constraints, profile.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_extension(certificate, NID_key_usage, profile.is_ca ? "critical,keyCertSign" : "critical,digitalSignature");
    if (!profile.alternative_names.empty())
        add_extension(certificate, NID_subject_alt_name, profile.alternative_names);
    EXPECT_GT(X509_sign(certificate, signer.key.get(), EVP_sha256()), 0);
    return result;
}

SecretBytes pkcs8_of(EVP_PKEY* key)
{
    std::unique_ptr<PKCS8_PRIV_KEY_INFO, OpensslDeleter<PKCS8_PRIV_KEY_INFO_free>> const info(EVP_PKEY2PKCS8(key));
    unsigned char* der = nullptr;
    auto const size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der);
    Bytes bytes(der, der + size);
    OPENSSL_free(der);
    return SecretBytes(std::move(bytes));
}

Bytes sha256_of(Bytes const& der)
{
    Bytes digest(32);
    EVP_Digest(der.data(), der.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    return digest;
}

// A certificate authority that issues what a test needs.
struct Issuer {
    Certified root = certify({ .is_ca = true, .lifetime = 24h }, nullptr);

    [[nodiscard]] Bytes der() const { return to_der(root.certificate.get()); }
    [[nodiscard]] TlsIdentity issue(Profile const& profile, bool with_root = false) const
    {
        auto const leaf = certify(profile, &root);
        TlsIdentity identity { .certificates = { to_der(leaf.certificate.get()) }, .private_key = pkcs8_of(leaf.key.get()) };
        if (with_root)
            identity.certificates.push_back(der());
        return identity;
    }
    [[nodiscard]] TlsIdentity issue(std::string const& spiffe_id) const { return issue({ .alternative_names = "URI:" + spiffe_id }); }
};

// What came of one handshake and the bytes after it.
struct Outcome {
    std::optional<Error> server_error;
    std::optional<Error> client_error;
    TlsPeer server_saw;
    TlsPeer client_saw;
    std::string echoed;
    Notification server_done;
};

Task<> accept_and_echo(Listener& listener, TlsServerContext& server, Outcome& outcome)
{
    auto accepted = co_await listener.accept();
    accepted.value()->set_deadline(5s);
    auto secured = co_await server.accept(std::move(accepted).value());
    if (secured.is_error()) {
        outcome.server_error = secured.error();
    } else {
        outcome.server_saw = std::get<TlsPeer>(secured.value()->peer());
        Bytes buffer(1000);
        auto size = co_await secured.value()->read_some(buffer);
        while (size.is_ok() && size.value() > 0) {
            auto const written = co_await secured.value()->write(BytesView(buffer).first(size.value()));
            EXPECT_TRUE(written.is_ok());
            size = co_await secured.value()->read_some(buffer);
        }
        EXPECT_TRUE(size.is_ok()) << size.error().message;
        co_await secured.value()->finish();
    }
    outcome.server_done.notify();
}

Task<Result<std::string>> echo(Stream& stream, std::string text)
{
    auto written = co_await stream.write(as_bytes(text));
    CO_TRY(written);
    co_await stream.finish();
    std::string answer;
    Bytes buffer(1000);
    for (;;) {
        auto read = co_await stream.read_some(buffer);
        auto const size = CO_TRY(read);
        if (size == 0)
            co_return answer;
        answer += as_text(BytesView(buffer).first(size));
    }
}

Task<> connect_and_speak(Listener& listener, TlsClientContext& client, std::string text, Outcome& outcome)
{
    auto connected = co_await connect(listener.address(), 5s);
    connected.value()->set_deadline(5s);
    auto secured = co_await client.connect(std::move(connected).value(), "localhost");
    if (secured.is_error()) {
        outcome.client_error = secured.error();
    } else {
        outcome.client_saw = std::get<TlsPeer>(secured.value()->peer());
        auto echoed = co_await echo(*secured.value(), std::move(text));
        if (echoed.is_ok())
            outcome.echoed = std::move(echoed).value();
        else
            outcome.client_error = echoed.error();
        secured.value()->close();
    }
    co_await outcome.server_done.wait_past(0, 5s);
}

class Tls : public testing::Test {
protected:
    std::shared_ptr<TlsServerContext> server(TlsIdentity const& identity, ClientCertificates certificates = ClientCertificates::ignored)
    {
        return TlsServerContext::create(identity, certificates, { issuer_.der() }, clock_).value();
    }
    std::shared_ptr<TlsClientContext> client(TlsClientOptions options)
    {
        if (options.roots.empty() && !options.pinned_root_sha256)
            options.roots = { issuer_.der() };
        return TlsClientContext::create(std::move(options), clock_).value();
    }
    Outcome meet(
        std::shared_ptr<TlsServerContext> const& server, std::shared_ptr<TlsClientContext> const& client, std::string text = "hello")
    {
        EventLoop loop;
        auto const listener = listen_tcp(loop, { "127.0.0.1", 0 }).value();
        Outcome outcome;
        loop.spawn(accept_and_echo(*listener, *server, outcome));
        loop.run(connect_and_speak(*listener, *client, std::move(text), outcome));
        return outcome;
    }
    // That the client refuses this server, and the reason has these words.
    void expect_refused(TlsIdentity const& identity, TlsClientOptions options, std::string const& words)
    {
        auto const outcome = meet(server(identity), client(std::move(options)));
        ASSERT_TRUE(outcome.client_error) << words;
        EXPECT_EQ(outcome.client_error->code, ErrorCode::unauthenticated);
        EXPECT_NE(outcome.client_error->message.find(words), std::string::npos) << outcome.client_error->message;
        EXPECT_TRUE(outcome.server_error);
    }

    Issuer issuer_;
    ManualClock clock_ { noon };
};

TEST_F(Tls, both_sides_learn_who_the_other_is)
{
    std::string const text(300'000, 'x');
    auto const outcome = meet(server(issuer_.issue(authority_id), ClientCertificates::required),
        client({ .server_id = authority_id, .identity = issuer_.issue(workload_id) }), text);
    EXPECT_FALSE(outcome.client_error) << outcome.client_error->message;
    EXPECT_FALSE(outcome.server_error);
    EXPECT_EQ(outcome.echoed, text);
    EXPECT_EQ(outcome.server_saw.spiffe_id, workload_id);
    EXPECT_EQ(outcome.client_saw.spiffe_id, authority_id);
    EXPECT_TRUE(outcome.server_saw.is_verified());
    EXPECT_EQ(outcome.server_saw.certificates->back(), issuer_.der());
}

TEST_F(Tls, client_refuses_a_server_that_is_not_who_it_must_be)
{
    expect_refused(issuer_.issue(workload_id), { .server_id = authority_id }, "not `spiffe://example.org/writ/authority`");
    expect_refused(issuer_.issue(authority_id), { .server_id_path = "/writ/other" }, "whose path is not `/writ/other`");
    expect_refused(
        issuer_.issue({ .alternative_names = "DNS:authority.internal" }), { .server_name = "other.internal" }, "not for `other.internal`");
    expect_refused(issuer_.issue({ .alternative_names = "DNS:127.0.0.1" }), { .server_name = "127.0.0.1" }, "not for `127.0.0.1`");
    expect_refused(Issuer().issue(authority_id), { .server_id = authority_id }, "issuer certificate");
    expect_refused(issuer_.issue({ .alternative_names = "URI:" + std::string(authority_id), .lifetime = -1s }),
        { .server_id = authority_id }, "expired");
    expect_refused(issuer_.issue({ .alternative_names = "URI:" + std::string(authority_id) + ",URI:spiffe://example.org/b" }),
        { .server_id = authority_id }, "the peer is ``");
    expect_refused(
        issuer_.issue({ .alternative_names = "URI:" + std::string(authority_id), .is_ca = true }), { .server_id = authority_id }, "");
}

TEST_F(Tls, client_accepts_each_way_to_name_a_server)
{
    auto const named = [&](char const* names, TlsClientOptions options) {
        return meet(server(issuer_.issue(Profile { .alternative_names = names })), client(std::move(options))).echoed;
    };
    EXPECT_EQ(named("URI:spiffe://other.org/writ/authority", { .server_id_path = "/writ/authority" }), "hello");
    EXPECT_EQ(named("DNS:authority.internal", { .server_name = "authority.internal" }), "hello");
    EXPECT_EQ(named("IP:127.0.0.1", { .server_name = "127.0.0.1" }), "hello");
    EXPECT_TRUE(TlsClientContext::create({ .roots = { issuer_.der() } }, clock_).is_error()) << "a client that would believe anybody";
}

TEST_F(Tls, a_pinned_root_must_be_the_one_that_is_sent_and_has_signed)
{
    auto const pinned
        = [&] { return TlsClientOptions { .pinned_root_sha256 = sha256_of(issuer_.der()), .server_id_path = "/writ/authority" }; };
    Profile const profile { .alternative_names = "URI:" + std::string(authority_id) };
    EXPECT_EQ(meet(server(issuer_.issue(profile, true)), client(pinned())).echoed, "hello");
    expect_refused(issuer_.issue(profile), pinned(), "issuer certificate"); // the root was not sent
    expect_refused(Issuer().issue(profile, true), pinned(), "");            // another root was
    auto forged = Issuer().issue(profile);
    forged.certificates.push_back(issuer_.der()); // the pinned root was sent, but did not sign
    expect_refused(forged, pinned(), "issuer certificate");
}

TEST_F(Tls, server_turns_away_clients_that_do_not_verify)
{
    auto const options = [](std::optional<TlsIdentity> identity) {
        return TlsClientOptions { .server_id = authority_id, .identity = std::move(identity) };
    };
    auto const stranger = Issuer().issue(workload_id);
    for (auto const certificates : { ClientCertificates::optional, ClientCertificates::required }) {
        auto const outcome = meet(server(issuer_.issue(authority_id), certificates),
            client(options(TlsIdentity { .certificates = stranger.certificates, .private_key = stranger.private_key.duplicate() })));
        EXPECT_EQ(outcome.server_error.value().code, ErrorCode::unauthenticated);
        EXPECT_EQ(outcome.client_error.value().code, ErrorCode::unauthenticated) << "the client is told";
    }
    auto const without = meet(server(issuer_.issue(authority_id), ClientCertificates::required), client(options(std::nullopt)));
    EXPECT_EQ(without.server_error.value().code, ErrorCode::unauthenticated);
    auto const anonymous = meet(server(issuer_.issue(authority_id), ClientCertificates::optional), client(options(std::nullopt)));
    EXPECT_EQ(anonymous.echoed, "hello");
    EXPECT_FALSE(anonymous.server_saw.is_verified());
}

TEST_F(Tls, uses_the_clock_it_was_given_and_the_roots_and_identities_of_the_moment)
{
    auto const standing_server = server(issuer_.issue(authority_id), ClientCertificates::required);
    auto const standing_client = client({ .server_id = authority_id, .identity = issuer_.issue(workload_id) });
    EXPECT_EQ(meet(standing_server, standing_client).echoed, "hello");

    clock_.advance(2h); // all leaves have expired
    EXPECT_EQ(meet(standing_server, standing_client).client_error.value().code, ErrorCode::unauthenticated);
    clock_.set(noon);

    Issuer const next;
    ASSERT_TRUE(standing_server->replace_identity(next.issue(authority_id)).is_ok());
    EXPECT_TRUE(meet(standing_server, standing_client).client_error);
    ASSERT_TRUE(standing_client->replace_roots({ issuer_.der(), next.der() }).is_ok());
    EXPECT_EQ(meet(standing_server, standing_client).echoed, "hello");

    ASSERT_TRUE(standing_server->replace_client_roots({ next.der() }).is_ok());
    EXPECT_EQ(meet(standing_server, standing_client).server_error.value().code, ErrorCode::unauthenticated);
    ASSERT_TRUE(standing_client->replace_identity(next.issue("spiffe://example.org/b")).is_ok());
    EXPECT_EQ(meet(standing_server, standing_client).server_saw.spiffe_id, "spiffe://example.org/b");
}

TEST_F(Tls, refuses_identities_that_do_not_fit_together)
{
    auto const right = issuer_.issue(authority_id);
    TlsIdentity const mixed { .certificates = right.certificates, .private_key = pkcs8_of(certify({}, nullptr).key.get()) };
    EXPECT_EQ(TlsServerContext::create(mixed, ClientCertificates::ignored, {}, clock_).error().code, ErrorCode::invalid_argument);
    EXPECT_TRUE(server(right)->replace_identity({}).is_error());
    auto trailing = right.certificates[0];
    trailing.push_back(0);
    EXPECT_TRUE(server(right)->replace_client_roots({ trailing }).is_error());
}

Task<Response> tell_who_asks(Request request) { co_return Response { .status = 200, .headers = {}, .body = describe(request.peer) }; }

TEST_F(Tls, carries_http_on_kept_connections)
{
    EventLoop loop;
    HttpServer http(loop, tell_who_asks);
    auto listener = listen_tcp(loop, { "127.0.0.1", 0 }).value();
    auto const address = listener->address();
    http.serve_tls(std::move(listener), server(issuer_.issue(authority_id), ClientCertificates::optional));
    HttpClient requester(address, { .tls = client({ .server_id = authority_id, .identity = issuer_.issue(workload_id) }) });
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(loop.run(requester.send({})).value().body, workload_id);
    EXPECT_EQ(http.connection_count(), 1U);

    HttpClient plain(address);
    EXPECT_TRUE(loop.run(plain.send({})).is_error());
}

TEST_F(Tls, waits_no_longer_for_a_handshake_than_its_deadline)
{
    EventLoop loop;
    HttpServer http(loop, tell_who_asks, { .handshake_deadline = 20ms });
    auto listener = listen_tcp(loop, { "127.0.0.1", 0 }).value();
    auto const address = listener->address();
    http.serve_tls(std::move(listener), server(issuer_.issue(authority_id)));
    auto const silent = [](Address to) -> Task<std::size_t> {
        auto connected = co_await connect(to, 5s);
        Bytes buffer(100);
        auto const size = co_await connected.value()->read_some(buffer);
        co_return size.is_ok() ? size.value() : 0;
    };
    EXPECT_EQ(loop.run(silent(address)), 0U);
}

} // namespace
} // namespace writ::net

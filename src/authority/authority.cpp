// SPDX-License-Identifier: Apache-2.0
#include "authority/authority.h"

#include "authority/clock_watch.h"
#include "authority/export_declaration.h"
#include "authority/key_encryption_key.h"
#include "authority/life.h"
#include "authority/token_verification.h"
#include "base/logger.h"
#include "vocabulary/schema.h"

#include <unistd.h>

namespace writ::authority {

namespace {

constexpr Duration server_svid_lifetime = std::chrono::hours(24);
constexpr Duration shutdown_grace = std::chrono::seconds(5);
constexpr std::string_view authority_path = "/writ/authority";

Result<std::shared_ptr<Snapshot const>> load_snapshot(store::DeclarationStore& declarations, std::string_view trust_domain)
{
    auto const latest = TRY(declarations.latest());
    auto documents = latest.number == 0 ? Result<DocumentSet>(DocumentSet()) : parse_document_set(latest.text);
    std::vector<Problem> problems;
    auto snapshot = compile_snapshot(latest.number, TRY(std::move(documents)), trust_domain, problems);
    // They were checked when they were applied; what was right then and is wrong now is a newer program's stricter reading.
    if (!snapshot)
        return corruption("declarations version " + std::to_string(latest.number) + ": " + to_string(problems.front()));
    return snapshot;
}

std::string host_text(net::TcpAddress const& address)
{
    return net::to_string(net::Address(address)); // brackets around IPv6, port behind
}

bool is_ip_address(std::string const& host) { return net::to_socket_address(net::TcpAddress { host, 1 }).is_ok(); }

net::Task<> answer_startup(AuthorityState& state, std::string last_life)
{
    auto const clock = co_await describe_clock_at_start(state);
    audit::Record record;
    record.type = audit::RecordType::startup;
    record.time = state.clock.now();
    record.caller = "authority";
    record.policy_version = state.snapshot->version;
    // A newer program may hold the policies to a newer schema.
    if (auto const stored = state.store.declarations->version(record.policy_version); stored.is_ok())
        record.declarations = recorded_declarations(stored->number, stored->text);
    record.outcome = "ok";
    record.salt_digest = state.salt->digest();
    record.reason = "authority of " + state.trust_domain + " at " + state.issuer + "; " + last_life + (clock.empty() ? "" : "; " + clock);
    auto const appended = co_await append_record(state, std::move(record));
    if (appended.is_error())
        log_error("the audit log takes no records", { { "error", appended.error().message } });
}

} // namespace

struct Authority::Parts {
    net::EventLoop& loop;
    AuthorityOptions options;
    std::unique_ptr<AuthorityState> state;
    std::unique_ptr<LeaseKeeper> leases {};
    std::unique_ptr<RunRegistry> runs {};
    std::unique_ptr<RunSessions> sessions {};
    std::unique_ptr<RetentionKeeper> retention {};
    std::unique_ptr<LogQuota> refusals {}; // lines about them
    Router router {};
    std::shared_ptr<net::TlsServerContext> tls {};
    std::unique_ptr<net::HttpServer> public_server {};
    std::unique_ptr<net::HttpServer> admin_server {};
    std::string admin_socket {};
    std::optional<Life> life {};

    [[nodiscard]] Caller caller_of(net::Request const& request) const;
    [[nodiscard]] Caller caller_of_certificate(std::string const& spiffe_id) const;
    [[nodiscard]] Result<net::TlsIdentity> new_identity() const;
    Result<> begin_exports() const;
    Result<> listen(std::unique_ptr<net::Listener> public_listener);
    static net::Task<net::Response> answer(Parts* parts, net::Request request);
    static net::Task<> keep_identity(Parts* parts);
};

Caller Authority::Parts::caller_of_certificate(std::string const& spiffe_id) const
{
    auto const id = identity::SpiffeId::parse(spiffe_id);
    if (id.is_error() || id->trust_domain() != state->trust_domain)
        return {};
    if (!id->path().starts_with("/writ/"))
        return { Caller::Kind::workload, id->text() };
    auto const agent = state->store.agents->find(id->text());
    if (agent.is_ok() && !agent->banned)
        return { Caller::Kind::agent, id->text() };
    return {};
}

// Who calls: by the socket, by the certificate, by a token. In this order; a caller is one of them.
Caller Authority::Parts::caller_of(net::Request const& request) const
{
    if (auto const* peer = std::get_if<net::UnixPeer>(&request.peer)) {
        // SECURITY: the socket's mode may have been changed; whose process it is may not.
        if (peer->uid == ::geteuid() || peer->uid == 0)
            return { Caller::Kind::administrator, "uid:" + std::to_string(peer->uid) };
        return {};
    }
    if (auto const* peer = std::get_if<net::TlsPeer>(&request.peer); peer != nullptr && peer->is_verified() && !peer->spiffe_id.empty())
        return caller_of_certificate(peer->spiffe_id);
    auto const authorization = request.headers.get("authorization").value_or("");
    constexpr std::string_view bearer = "Bearer ";
    if (!authorization.starts_with(bearer) || request.path == "/oauth2/token")
        return {};
    auto const token = verify_own_token(*state, authorization.substr(bearer.size()));
    if (token.is_error()) {
        if (auto const left_out = refusals->next("bearer tokens"))
            log_info("a bearer token was refused", { { "error", token.error().message }, { "left_out", *left_out } });
        return {};
    }
    return { Caller::Kind::workload, std::string(token->subject()) };
}

net::Task<net::Response> Authority::Parts::answer(Parts* parts, net::Request request)
{
    auto const caller = parts->caller_of(request);
    auto response = co_await parts->router.answer(request, caller);
    ++parts->state->metrics.requests;
    if (response.status >= 400)
        ++parts->state->metrics.requests_failed;
    co_return response;
}

Result<net::TlsIdentity> Authority::Parts::new_identity() const
{
    auto const key = TRY(crypto::PrivateKey::generate(crypto::KeyType::p256));
    auto const id = TRY(identity::SpiffeId::create(state->trust_domain, authority_path));
    issue::X509SvidRequest request { id, key.public_key().to_spki(), server_svid_lifetime, {}, {} };
    for (auto const& host : { options.listen.host, options.public_host }) {
        if (!host.empty())
            (is_ip_address(host) ? request.ip_addresses : request.dns_names).push_back(host);
    }
    if (options.listen.host == "127.0.0.1" || options.listen.host == "::1")
        request.dns_names.emplace_back("localhost");
    auto const svid = TRY(state->keys.x509().issue(request, state->clock.now(), state->random));
    return net::TlsIdentity { { svid.certificate, state->keys.root_certificate() }, key.to_pkcs8() };
}

net::Task<> Authority::Parts::keep_identity(Parts* parts)
{
    for (;;) {
        co_await net::delay(server_svid_lifetime / 2);
        auto const identity = parts->new_identity();
        auto const replaced = identity.is_ok() ? parts->tls->replace_identity(*identity) : Result<>(identity.error());
        if (replaced.is_error())
            log_error("the server's certificate was not renewed", { { "error", replaced.error().message } });
    }
}

Result<> Authority::Parts::begin_exports() const
{
    auto const folder = options.data_folder / "exports";
    TRY(create_folder(folder));
    auto const& log = state->audit->log();
    state->exports = std::make_unique<audit::Exporter>(log, state->trust_domain + "/log", folder, state->clock);
    state->exports->declare(exports_of(state->snapshot->declarations));
    return {};
}

Result<> Authority::Parts::listen(std::unique_ptr<net::Listener> public_listener)
{
    tls = TRY(net::TlsServerContext::create(
        TRY(new_identity()), net::ClientCertificates::optional, state->keys.bundle().x509_roots, state->clock));
    auto const handler = [this](net::Request request) { return answer(this, std::move(request)); };
    public_server = std::make_unique<net::HttpServer>(loop, handler);
    public_server->serve_tls(std::move(public_listener), tls);
    auto admin_listener = TRY(net::listen_unix(loop, options.admin_socket, 0600));
    admin_socket = options.admin_socket;
    admin_server = std::make_unique<net::HttpServer>(loop, handler);
    admin_server->serve(std::move(admin_listener));
    return {};
}

Authority::Authority(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts))
{
}

Authority::~Authority() = default;

std::string const& Authority::issuer() const { return parts_->state->issuer; }
std::string Authority::admin_socket() const { return parts_->admin_socket; }
Router const& Authority::router() const { return parts_->router; }

Result<std::unique_ptr<Authority>> Authority::start(
    net::EventLoop& loop, AuthorityOptions options, store::Store store, IssuersByKind issuers, Clock const& clock, RandomSource& random)
{
    TRY(identity::check_trust_domain(options.trust_domain));
    // The port is known before the issuer's URL can be.
    auto public_listener = TRY(net::listen_tcp(loop, options.listen).in("listen on " + host_text(options.listen)));
    auto where = std::get<net::TcpAddress>(public_listener->address());
    if (!options.public_host.empty())
        where.host = options.public_host;
    auto const issuer = "https://" + host_text(where);

    auto const key_encryption_key = TRY(open_key_encryption_key(options.data_folder, *store.sealed, random));
    auto keys = TRY(Keyring::open(*store.keys, key_encryption_key, options.trust_domain, issuer, clock.now(), random));
    auto signer = TRY(open_log_signer(*store.keys, key_encryption_key, options.trust_domain, clock.now(), random));
    auto snapshot = TRY(load_snapshot(*store.declarations, options.trust_domain));
    TRY(store.declarations->keep_schema(schema_digest(), std::string(vocabulary::schema_text())));
    auto const log_folder = options.data_folder / "log";
    auto const verifier = signer.verifier();
    auto audit
        = TRY(audit::AuditLog::open({ .folder = log_folder, .signer = std::move(signer) }, options.data_folder / "audit-index.db", clock));

    auto salt = TRY(audit::Salt::open(options.data_folder / "audit-salt", random).in("salt of the audit log"));

    auto parts = std::make_unique<Parts>(Parts { loop, options,
        std::make_unique<AuthorityState>(AuthorityState { clock, random, options.trust_domain, issuer, std::move(store), std::move(audit),
            log_folder, std::move(keys), std::move(issuers), std::move(snapshot), {}, {}, std::move(salt) }) });
    parts->state->secrets = std::make_unique<SecretKeeper>(*parts->state->store.secrets, key_encryption_key.duplicate(), random);
    parts->state->meter = RecordMeter(options.record_rate);
    parts->state->replays = std::make_unique<ReplayDesk>(log_folder, clock);
    auto& witnessing = parts->state->witnessing;
    witnessing = TRY(
        Witnessing::create(parts->state->audit->log(), verifier, log_folder / "final", std::move(options.witnessing), clock).in("witnesses"));
    TRY(loop.run(witnessing->check_rollback(loop)));
    if (options.spool.folder.empty())
        options.spool.folder = options.data_folder / "spool";
    parts->state->outage = std::make_unique<Outage>(*parts->state->audit, TRY(audit::Spool::open(options.spool).in("spool")), clock);
    parts->life = TRY(Life::begin(options.data_folder / "ended-cleanly", parts->state->audit->log().size()));
    TRY(parts->begin_exports());
    parts->leases = std::make_unique<LeaseKeeper>(*parts->state);
    parts->runs = std::make_unique<RunRegistry>(*parts->state, *parts->leases);
    parts->sessions = std::make_unique<RunSessions>(*parts->state, *parts->leases);
    parts->refusals = std::make_unique<LogQuota>(clock);
    parts->router.bound_log(*parts->refusals);
    add_all_routes(parts->router, { *parts->state, *parts->leases, *parts->runs, *parts->sessions });
    parts->retention = std::make_unique<RetentionKeeper>(*parts->state, options.retention);
    TRY(parts->listen(std::move(public_listener)));
    loop.spawn(answer_startup(*parts->state, parts->life->last()));
    witnessing->start(loop);
    loop.spawn(parts->state->outage->keep());
    loop.spawn(parts->leases->keep(&loop));
    loop.spawn(parts->runs->keep_counts());
    loop.spawn(parts->retention->keep());
    loop.spawn(Parts::keep_identity(parts.get()));
    loop.spawn(watch_clock(*parts->state));
    log_info("authority serves",
        { { "issuer", issuer }, { "trust_domain", options.trust_domain }, { "admin", options.admin_socket },
            { "policy_version", parts->state->snapshot->version } });
    return std::unique_ptr<Authority>(new Authority(std::move(parts))); // NOLINT: the constructor is private
}

net::Task<> Authority::shutdown()
{
    parts_->state->replays->end();
    co_await parts_->admin_server->shutdown(shutdown_grace);
    co_await parts_->public_server->shutdown(shutdown_grace);
    co_await parts_->runs->record_counts();
    co_await parts_->state->witnessing->stop();
    co_await parts_->state->outage->stop();
    auto const ended = parts_->life->end();
    if (ended.is_error())
        log_warning("the next start will take this one's end for a crash", { { "error", ended.error().message } });
}

} // namespace writ::authority

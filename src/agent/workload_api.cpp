// SPDX-License-Identifier: Apache-2.0
#include "agent/workload_api.h"

#include "agent/receipts.h"
#include "base/logger.h"
#include "crypto/jwt.h"
#include "identity/spiffe_id.h"

#include <algorithm>
#include <workload.pb.h>

namespace writ::agent {

namespace {

using GrpcReply = net::Task<net::GrpcStatus>;

// A stream that has nothing to renew is still looked at now and then.
constexpr Duration push_longest = std::chrono::hours(1);
constexpr Duration push_shortest = std::chrono::milliseconds(200);

net::GrpcStatus status_of(Error const& error) { return { net::grpc_code_of(error.code), error.message }; }

// SPEC: SPIFFE_Workload_Endpoint §6.1: without this header a request may have been forged through somebody else's client (SSRF).
std::optional<net::GrpcStatus> refuse_forged(net::GrpcCall const& call)
{
    if (call.metadata().get("workload.spiffe.io").value_or("") != "true")
        return net::GrpcStatus { net::GrpcCode::invalid_argument, "the metadata `workload.spiffe.io: true` is missing" };
    return std::nullopt;
}

net::Task<Result<attest::AttestedProcess>> attest_peer(WorkloadDesk const& desk, net::GrpcCall const& call)
{
    auto const* peer = std::get_if<net::UnixPeer>(&call.peer());
    if (peer == nullptr)
        co_return unauthenticated("the Workload API is for processes of this machine");
    if (!desk.joined)
        co_return unavailable("the agent has not joined yet");
    auto found = co_await desk.attestor.attest_beside(peer->pid, peer->pidfd->get());
    auto attested = CO_TRY(found);
    if (attested.uid != peer->uid)
        co_return unauthenticated("the caller changed its user after it connected");
    co_return attested;
}

std::string trust_domain_id(WorkloadDesk const& desk) { return "spiffe://" + desk.identity.trust_domain; }

std::string joined(std::vector<Bytes> const& certificates)
{
    std::string text;
    for (auto const& certificate : certificates)
        text += as_text(certificate);
    return text;
}

// Waits for the next reason to push: a change, `renew_at`, or the end of the call, which it tells.
net::Task<bool> wait_for_news(WorkloadDesk const& desk, net::GrpcCall const& call, std::uint64_t seen, Timestamp renew_at)
{
    auto const left = std::clamp(Duration(renew_at - desk.clock.now()), push_shortest, push_longest);
    std::vector<net::Watch> watches;
    watches.emplace_back(desk.changed, seen);
    watches.emplace_back(call.over(), 0);
    co_await net::wait_for_any(std::move(watches), left);
    co_return call.is_over();
}

// LIMIT: a client of gRPC takes 8 KiB of metadata unless told otherwise; a receipt is some 3 KiB, as base64 4.
constexpr std::size_t receipts_bytes_max = 7U << 10U;

// The number of each SVID's record, and the receipts for a client that wants them: they take a while. An SVID goes without one that cannot be had.
template <typename Svids> net::Task<> add_receipts(WorkloadDesk const& desk, net::GrpcCall& call, Svids const& svids)
{
    bool const wants_receipts = call.metadata().get("writ-receipt").value_or("") == "true";
    std::size_t bytes = 0;
    for (auto const& svid : svids) {
        if (!svid.record)
            continue;
        call.add_response_metadata("writ-record", std::to_string(*svid.record));
        if (!wants_receipts)
            continue;
        auto const receipt = co_await fetch_receipt(desk.authority, static_cast<std::uint64_t>(*svid.record));
        if (receipt.is_error()) {
            log_info("a receipt cannot be had", { { "record", std::uint64_t(*svid.record) }, { "error", receipt.error().message } });
            continue;
        }
        bytes += receipt->reveal().size() * 4 / 3;
        if (bytes <= receipts_bytes_max)
            call.add_response_metadata("writ-receipt-bin", receipt->reveal());
    }
}

std::string x509_response(WorkloadDesk const& desk, X509Svids const& found)
{
    workload::X509SvidResponse response;
    for (auto const& svid : found.svids) {
        auto* const message = response.add_svids();
        message->set_spiffe_id(svid.id);
        message->set_x509_svid(joined(svid.certificates));
        message->set_x509_svid_key(std::string(as_text(found.private_key->reveal())));
        message->set_bundle(joined(desk.identity.bundle.x509_roots));
    }
    return response.SerializeAsString();
}

GrpcReply fetch_x509_svid(WorkloadDesk const* desk, net::GrpcCall& call)
{
    if (auto refused = refuse_forged(call))
        co_return *refused;
    std::string last;
    for (;;) {
        auto const seen = desk->changed.version();
        auto attested = co_await attest_peer(*desk, call); // each time: the process may be another program by now
        if (attested.is_error())
            co_return status_of(attested.error());
        auto found = co_await desk->svids.x509(std::move(attested->claims));
        if (found.is_error())
            co_return status_of(found.error());
        auto response = x509_response(*desk, *found);
        if (last.empty())
            co_await add_receipts(*desk, call, found->svids);
        if (response != last) {
            last = response;
            auto const sent = co_await call.send(std::move(response));
            if (sent.is_error())
                co_return net::GrpcStatus {};
        }
        if (co_await wait_for_news(*desk, call, seen, found->renew_at))
            co_return net::GrpcStatus {};
    }
}

std::string x509_bundles_response(WorkloadDesk const& desk)
{
    workload::X509BundlesResponse response;
    (*response.mutable_bundles())[trust_domain_id(desk)] = joined(desk.identity.bundle.x509_roots);
    return response.SerializeAsString();
}

std::string jwt_bundles_response(WorkloadDesk const& desk)
{
    workload::JwtBundlesResponse response;
    (*response.mutable_bundles())[trust_domain_id(desk)]
        = to_text(JsonValue(identity::to_jwk_set(desk.identity.bundle.jwt_keys, "jwt-svid")));
    return response.SerializeAsString();
}

// Bundles are for those who are somebody, as SVIDs are.
GrpcReply fetch_bundles(WorkloadDesk const* desk, net::GrpcCall& call, std::string (*response_of)(WorkloadDesk const&))
{
    if (auto refused = refuse_forged(call))
        co_return *refused;
    std::string last;
    for (;;) {
        auto const seen = desk->changed.version();
        auto attested = co_await attest_peer(*desk, call);
        if (attested.is_error())
            co_return status_of(attested.error());
        auto const found = co_await desk->svids.x509(std::move(attested->claims));
        if (found.is_error())
            co_return status_of(found.error());
        auto response = response_of(*desk);
        if (response != last) {
            last = response;
            auto const sent = co_await call.send(std::move(response));
            if (sent.is_error())
                co_return net::GrpcStatus {};
        }
        if (co_await wait_for_news(*desk, call, seen, desk->clock.now() + push_longest))
            co_return net::GrpcStatus {};
    }
}

GrpcReply fetch_jwt_svid(WorkloadDesk const* desk, net::GrpcCall& call)
{
    if (auto refused = refuse_forged(call))
        co_return *refused;
    workload::JwtSvidRequest request;
    if (!request.ParseFromString(call.request()) || request.audience().empty())
        co_return net::GrpcStatus { net::GrpcCode::invalid_argument, "an audience is needed" };
    auto attested = co_await attest_peer(*desk, call);
    if (attested.is_error())
        co_return status_of(attested.error());
    std::vector<std::string> audience(request.audience().begin(), request.audience().end());
    auto const found = co_await desk->svids.jwt(std::move(attested->claims), std::move(audience), request.spiffe_id());
    if (found.is_error())
        co_return status_of(found.error());
    workload::JwtSvidResponse response;
    for (auto const& svid : *found) {
        auto* const message = response.add_svids();
        message->set_spiffe_id(svid.id);
        message->set_svid(svid.token->reveal());
    }
    co_await add_receipts(*desk, call, *found);
    auto const sent = co_await call.send(response.SerializeAsString());
    (void)sent.is_ok(); // the client has gone; nobody is left to be told
    co_return net::GrpcStatus {};
}

void set_value(google::protobuf::Value& to, JsonValue const& from)
{
    switch (from.kind()) {
    case boost::json::kind::null: to.set_null_value(google::protobuf::NULL_VALUE); break;
    case boost::json::kind::bool_: to.set_bool_value(from.as_bool()); break;
    case boost::json::kind::int64: to.set_number_value(static_cast<double>(from.as_int64())); break;
    case boost::json::kind::uint64: to.set_number_value(static_cast<double>(from.as_uint64())); break;
    case boost::json::kind::double_: to.set_number_value(from.as_double()); break;
    case boost::json::kind::string: to.set_string_value(std::string(from.as_string())); break;
    case boost::json::kind::array:
        to.mutable_list_value(); // there even if it is empty
        for (auto const& element : from.as_array())
            set_value(*to.mutable_list_value()->add_values(), element);
        break;
    case boost::json::kind::object:
        to.mutable_struct_value();
        for (auto const& member : from.as_object())
            set_value((*to.mutable_struct_value()->mutable_fields())[std::string(member.key())], member.value());
        break;
    }
}

// SPEC: JWT-SVID §5: verified with the bundle of the subject's trust domain, meant for the audience, not expired.
Result<crypto::Jwt> validate(WorkloadDesk const& desk, std::string const& token, std::string const& audience)
{
    auto const parsed = TRY(crypto::UnverifiedJwt::parse(token));
    auto const* key = desk.identity.bundle.find_jwt_key(parsed.key_id_without_verifying());
    if (key == nullptr)
        return invalid_argument("the token is of no key of this trust domain");
    crypto::Algorithm const accepted[] = { key->algorithm };
    auto jwt = TRY(parsed.verify(key->key, { .accepted = accepted, .audience = audience, .issuer = std::nullopt }, desk.clock));
    auto const id = TRY(identity::SpiffeId::parse(jwt.subject()));
    if (id.trust_domain() != desk.identity.trust_domain)
        return invalid_argument("the token's subject is of another trust domain");
    return jwt;
}

GrpcReply validate_jwt_svid(WorkloadDesk const* desk, net::GrpcCall& call)
{
    if (auto refused = refuse_forged(call))
        co_return *refused;
    workload::ValidateJwtSvidRequest request;
    if (!request.ParseFromString(call.request()) || request.audience().empty() || request.svid().empty())
        co_return net::GrpcStatus { net::GrpcCode::invalid_argument, "audience and svid are needed" };
    if (auto const attested = co_await attest_peer(*desk, call); attested.is_error())
        co_return status_of(attested.error());
    auto const jwt = validate(*desk, request.svid(), request.audience());
    if (jwt.is_error())
        co_return net::GrpcStatus { net::GrpcCode::invalid_argument, jwt.error().message };
    workload::ValidateJwtSvidResponse response;
    response.set_spiffe_id(std::string(jwt->subject()));
    for (auto const& claim : jwt->claims())
        set_value((*response.mutable_claims()->mutable_fields())[std::string(claim.key())], claim.value());
    auto const sent = co_await call.send(response.SerializeAsString());
    (void)sent.is_ok();
    co_return net::GrpcStatus {};
}

} // namespace

void add_workload_api(net::GrpcServer& server, WorkloadDesk const* desk)
{
    server.add("/SpiffeWorkloadAPI/FetchX509SVID", [desk](net::GrpcCall& call) { return fetch_x509_svid(desk, call); });
    server.add(
        "/SpiffeWorkloadAPI/FetchX509Bundles", [desk](net::GrpcCall& call) { return fetch_bundles(desk, call, x509_bundles_response); });
    server.add("/SpiffeWorkloadAPI/FetchJWTSVID", [desk](net::GrpcCall& call) { return fetch_jwt_svid(desk, call); });
    server.add(
        "/SpiffeWorkloadAPI/FetchJWTBundles", [desk](net::GrpcCall& call) { return fetch_bundles(desk, call, jwt_bundles_response); });
    server.add("/SpiffeWorkloadAPI/ValidateJWTSVID", [desk](net::GrpcCall& call) { return validate_jwt_svid(desk, call); });
}

} // namespace writ::agent

// SPDX-License-Identifier: Apache-2.0
#include "authority/withdrawal.h"

#include "authority/recipient.h"

namespace writ::authority {

Result<identity::Lease> hold_token(AuthorityState& state, HeldToken const& token, SecretText const& withdrawal, Question const& question, Answer const& answer)
{
    identity::Lease lease;
    lease.id = "lease-" + state.random.base32(20);
    lease.run = question.run;
    lease.workload = question.principal.id;
    lease.kind = token.kind;
    lease.provider = token.provider;
    lease.credential = token.credential;
    lease.scope = token.scope;
    JsonObject const target { { "sealed", to_base64(state.secrets->seal(lease.id, withdrawal)) } };
    lease.target = writ::to_text(JsonValue(target));
    lease.action = question.action;
    lease.resource_type = question.resource.type;
    lease.resource_id = question.resource.id;
    lease.decision = answer.record.value_or(0);
    lease.state = identity::LeaseState::active;
    lease.created = state.clock.now();
    lease.expires = token.expires;
    TRY(state.store.leases->add(lease));
    ++state.metrics.leases_created;
    return lease;
}

Result<> note_issuance(store::Store& store, std::string const& id, std::uint64_t issuance)
{
    auto lease = TRY(store.leases->find(id));
    lease.issuance = issuance;
    return store.leases->update(lease);
}

net::Task<Result<>> withdraw_token(AuthorityState& state, identity::Lease lease)
{
    if (lease.expires <= state.clock.now())
        co_return Result<>();
    auto const issuer = state.issuers.find(lease.kind);
    if (issuer == state.issuers.end())
        co_return unavailable("nothing here issues credentials of type `" + lease.kind + "`");
    auto parsed = parse_json_object(lease.target);
    auto const target = CO_TRY(parsed);
    auto member = string_member(target, "sealed");
    auto decoded = parse_base64(CO_TRY(member));
    auto const sealed = CO_TRY(decoded);
    auto opened = state.secrets->unseal(lease.id, sealed);
    auto withdrawal = CO_TRY(opened);
    auto id = identity::SpiffeId::parse(lease.workload);
    auto recipient = recipient_of(state, { CO_TRY(id), lease.run, "", lease.expires });
    co_return co_await issuer->second->withdraw(std::move(withdrawal), std::move(recipient));
}

} // namespace writ::authority

// SPDX-License-Identifier: Apache-2.0
#include "authority/run_sessions.h"

#include "authority/credential_source.h"
#include "authority/recipient.h"
#include "authority/withdrawal.h"
#include "base/logger.h"

#include <algorithm>

namespace writ::authority {

namespace {

// LIMIT: uses of one run, as at its start.
constexpr std::size_t uses_max = 100;

// What an agent puts into a run's folder and environment.
SecretText delivery_of(issue::Credential const& credential)
{
    JsonObject environment;
    for (auto const& [name, value] : credential.environment)
        environment.emplace(name, value);
    for (auto const& [name, value] : credential.variables)
        environment.insert_or_assign(name, value.reveal());
    JsonArray files;
    for (auto const& file : credential.files)
        files.push_back(JsonObject { { "name", file.name }, { "variable", file.variable }, { "content", file.content.reveal() } });
    JsonArray places;
    for (auto const& place : credential.places)
        places.push_back(JsonObject { { "client", place.client }, { "url", place.url }, { "username", place.username }, { "secret", place.secret.reveal() } });
    JsonObject document { { "environment", std::move(environment) }, { "files", std::move(files) }, { "places", std::move(places) } };
    if (credential.key_file)
        document.emplace("key_file", JsonObject { { "name", credential.key_file->name }, { "variable", credential.key_file->variable } });
    return SecretText(writ::to_text(JsonValue(document)));
}

} // namespace

// One request, as far as it has come.
struct RunSessions::Asked {
    std::shared_ptr<Snapshot const> snapshot;
    Principal principal;
    identity::Run run;
    std::string caller, trace;
    identity::SpiffeId workload;
    Duration lifetime_max; // the workload's identity
    vocabulary::Measured measured;
    std::optional<crypto::PublicKey> public_key;
    CredentialProvider const* provider = nullptr;
    JsonObject settings {};
    std::vector<std::pair<Question, Answer>> allowed {};
    std::vector<issue::Access> accesses {};
    std::vector<Denial> denials {};
};

net::Task<Result<>> RunSessions::decide(Asked& asked, std::vector<identity::Use> uses)
{
    for (auto const& use : uses) {
        Question question;
        question.trace = asked.trace;
        question.caller = asked.caller;
        question.principal = asked.principal;
        question.measured = asked.measured;
        question.run = asked.run.id;
        question.purpose = asked.run.purpose;
        question.action = use.action;
        question.resource = { use.resource_type, use.resource_id };
        auto decided = co_await decide_and_record(state_, asked.snapshot, question);
        auto answer = CO_TRY(decided);
        if (!answer.allowed) {
            asked.denials.push_back({ use.action, question.resource, std::move(answer.missing), answer.record });
            continue;
        }
        auto source = source_of(*asked.snapshot, question.resource);
        if (!source)
            co_return conflict("`" + use.resource_id + "` has no credential any more");
        if (asked.provider != nullptr && asked.provider != source->provider)
            co_return invalid_argument("one session is of one CredentialProvider");
        asked.provider = source->provider;
        asked.settings = std::move(source->settings);
        asked.accesses.push_back({ use.action, std::move(source->resource) });
        asked.allowed.emplace_back(std::move(question), std::move(answer));
    }
    co_return Result<>();
}

bool RunSessions::has_ended(std::string const& run) const
{
    auto const found = state_.store.runs->find(run);
    return found.is_error() || found->ended;
}

net::Task<Result<OpenedSession>> RunSessions::issue(Asked& asked)
{
    auto const issuer = state_.issuers.find(asked.provider->type);
    if (issuer == state_.issuers.end() || issuer->second->revocable() != nullptr)
        co_return invalid_argument("CredentialProvider `" + asked.provider->name + "` opens no sessions");
    std::vector<cedar::EntityUid> resources;
    for (auto const& [question, answer] : asked.allowed)
        resources.push_back(question.resource);
    auto planned = issuer->second->plan(asked.settings, asked.accesses);
    if (planned.is_error())
        co_return not_issued(planned.error(), resources);
    auto const plan = std::move(planned).value();
    auto const expires = state_.clock.now() + std::min(asked.provider->lifetime, asked.lifetime_max);
    auto recipient = recipient_of(state_, { asked.workload, asked.run.id, asked.run.purpose, expires });
    recipient.public_key = asked.public_key;
    auto created = co_await issuer->second->create(plan, std::move(recipient));
    if (created.is_error())
        co_return not_issued(created.error(), resources);
    auto credential = std::move(created).value();
    OpenedSession session { plan.kind, credential.id.empty() ? plan.name : credential.id, plan.scope, std::min(credential.expires.value_or(expires), expires),
        issuer->second->is_delivered() ? delivery_of(credential) : std::move(credential.document), {} };
    HeldToken const held { asked.provider->name, session.kind, session.id, session.scope, session.expires };
    bool const is_over = has_ended(asked.run.id); // while its system was asked
    // One record for each thing that it opens, so that who-used finds each.
    for (auto const& [question, answer] : asked.allowed) {
        identity::Lease lease; // of a token that can be taken back
        if (!credential.withdrawal.is_empty()) {
            auto kept = hold_token(state_, held, credential.withdrawal, question, answer);
            lease = CO_TRY(kept);
        }
        if (is_over)
            continue;
        auto record = record_of(*asked.snapshot, question, audit::RecordType::issuance, state_.clock.now());
        record.allowed = true;
        record.policies = answer.policies;
        record.policy_version = asked.snapshot->version;
        record.credential = audit::RecordedCredential { session.kind, session.id, session.scope, lease.id, session.expires };
        record.decision = answer.record;
        record.outcome = "ok";
        auto const recorded = co_await record_or_spool(state_, std::move(record), answer.may_spool);
        if (recorded.is_error())
            co_return recorded.error();
        auto const updated = lease.id.empty() ? Result<>() : note_issuance(state_.store, lease.id, recorded->sequence.value_or(0));
        if (updated.is_error())
            co_return updated.error();
    }
    if (is_over || has_ended(asked.run.id)) {
        // Nobody ends what its end has not seen; the keeper does.
        auto const ended = co_await leases_.take_back_run(asked.run.id, "authority", "the run has ended");
        if (ended.is_error())
            log_warning("a token of a run that has ended was not taken back yet", { { "run", asked.run.id }, { "error", ended.error().message } });
        co_return not_found("the run has ended");
    }
    ++state_.metrics.sessions_opened;
    co_return session;
}

net::Task<Result<OpenedSession>> RunSessions::open(SessionRequest request)
{
    if (request.uses.empty() || request.uses.size() > uses_max)
        co_return invalid_argument("a session has 1 to " + std::to_string(uses_max) + " uses");
    auto found = state_.store.runs->find(request.run);
    auto const run = CO_TRY(found);
    // SECURITY: to another agent, somebody else's run is not there.
    if (run.agent != request.agent || run.ended)
        co_return not_found("no live run `" + request.run + "`");
    auto const snapshot = state_.snapshot;
    auto object = parse_json_object(run.claims);
    auto parsed = object.is_ok() ? identity::parse_claims(*object) : Result<identity::Claims>(object.error());
    auto const claims = CO_TRY(parsed);
    auto identified = identify(*snapshot, claims);
    std::erase_if(identified, [&run](auto const& one) { return one.id.text() != run.workload; });
    if (identified.empty())
        co_return permission_denied("the run's process is not `" + run.workload + "` any more");
    auto const& workload = identified.front();
    Asked asked { snapshot, principal_of(workload, claims), run, request.agent, request.trace, workload.id, workload.workload->svid_lifetime,
        measured_of(claims, run.agent, request.address, run.started), std::move(request.public_key) };
    auto const decided = co_await decide(asked, std::move(request.uses));
    if (decided.is_error())
        co_return decided.error();
    if (asked.allowed.empty()) {
        OpenedSession denied;
        denied.denials = std::move(asked.denials);
        co_return denied;
    }
    if (has_ended(request.run)) // while the log was written
        co_return not_found("the run has ended");
    co_return co_await issue(asked);
}

} // namespace writ::authority

// SPDX-License-Identifier: Apache-2.0
#include "authority/decision.h"

#include "authority/declared_versions.h"
#include "vocabulary/outage.h"

#include "cedar/value_json.h"
#include "crypto/digest.h"
#include "vocabulary/facts.h"

#include <algorithm>

namespace writ::authority {

namespace {

using cedar::Value;

// `spiffe://a/b/{unix.user}/c` as a pattern in which `*` is one path segment.
bool fits_template(std::string_view id_template, std::string_view id)
{
    while (!id_template.empty() && !id.empty()) {
        if (id_template.front() == '{') {
            auto const close = id_template.find('}');
            if (close == std::string_view::npos)
                return false;
            id_template.remove_prefix(close + 1);
            // What follows a claim in the same segment is matched from its end.
            auto const tail = id_template.substr(0, id_template.find('/'));
            auto const segment = id.substr(0, id.find('/'));
            if (segment.size() <= tail.size() || !segment.ends_with(tail) || tail.find('{') != std::string_view::npos)
                return false;
            id_template.remove_prefix(tail.size());
            id.remove_prefix(segment.size());
        } else if (id_template.front() == id.front()) {
            id_template.remove_prefix(1);
            id.remove_prefix(1);
        } else {
            return false;
        }
    }
    return id_template.empty() && id.empty();
}

// What of a context is not in the record already, as canonical JSON: a map of Cedar is in order. Empty if there is nothing.
std::string recorded_context(cedar::Record context)
{
    for (auto const* name : { "purpose", "run", "time" })
        context.erase(name);
    if (auto const posture = context.find("posture"); posture != context.end() && posture->second == Value::record({}))
        context.erase(posture);
    return context.empty() ? "" : writ::to_text(JsonValue(cedar::to_json(context)));
}

std::string posture_digest(cedar::Record const& context)
{
    static auto const no_posture = to_hex(crypto::sha256(as_bytes("{}")));
    auto const posture = context.find("posture");
    if (posture == context.end() || posture->second == Value::record({}))
        return no_posture;
    return to_hex(crypto::sha256(as_bytes(writ::to_text(cedar::to_json(posture->second)))));
}

// What nobody but whoever asked says. That a version has the digest that is recorded is declared; that it is in play is not.
std::vector<std::string> asserted_in(Snapshot const& snapshot, Question const& question)
{
    std::vector<std::string> asserted;
    if (question.is_subject_asserted)
        asserted.emplace_back("workload");
    if (!question.resource.type.empty() && snapshot.entities.find(resolved(snapshot, question.resource)) == nullptr)
        asserted.emplace_back("resource");
    if (question.model)
        asserted.emplace_back("model");
    if (!question.datasets.empty())
        asserted.emplace_back("datasets");
    if (!question.endpoint.empty())
        asserted.emplace_back("endpoint");
    return asserted;
}

template <typename T>
std::vector<std::string> classification_in(DeclaredByName<T> const& declared, std::string_view name)
{
    auto const found = declared.find(name);
    return found == declared.end() ? std::vector<std::string>() : found->second.value.classification;
}

} // namespace

cedar::Entity entity_of(Principal const& principal)
{
    cedar::Record tags;
    if (principal.claims) {
        for (auto const& [name, values] : principal.claims->values)
            tags.emplace(name, Value::set_of(values));
    }
    return vocabulary::workload_entity(
        { principal.type, principal.id, principal.name, principal.pipeline, principal.team }, std::move(tags));
}

cedar::EntityStore entities_for(Snapshot const& snapshot, Principal const& principal, std::vector<cedar::Entity> const& foreign)
{
    cedar::EntityStore entities(&snapshot.entities);
    for (auto const& entity : foreign)
        if (snapshot.entities.find(entity.uid) == nullptr)
            entities.add(entity);
    auto entity = entity_of(principal);
    if (entities.find(entity.uid) == nullptr)
        entities.add(std::move(entity));
    return entities;
}

Principal principal_of_id(Snapshot const& snapshot, std::string const& id)
{
    Principal principal;
    principal.id = id;
    identity::Workload const* found = nullptr;
    for (auto const& [name, workload] : snapshot.declarations.workloads) {
        if (!fits_template(workload.value.id_template, id))
            continue;
        if (found != nullptr)
            return principal;
        found = &workload.value;
    }
    if (found != nullptr) {
        principal.name = found->name;
        principal.pipeline = found->pipeline;
        principal.team = found->team;
    }
    return principal;
}

std::vector<IdentifiedWorkload> identify(Snapshot const& snapshot, identity::Claims const& claims)
{
    auto const& providers = snapshot.declarations.trust_providers;
    if (std::none_of(
            providers.begin(), providers.end(), [&](auto const& provider) { return provider.second.value.type == claims.provider; }))
        return {};
    std::vector<IdentifiedWorkload> found;
    for (auto const& [name, workload] : snapshot.declarations.workloads) {
        if (auto id = identity::match_workload(workload.value, claims))
            found.push_back({ &workload.value, std::move(*id) });
    }
    return found;
}

Principal principal_of(IdentifiedWorkload const& identified, identity::Claims const& claims)
{
    auto const& workload = *identified.workload;
    return { "Workload", identified.id.text(), workload.name, workload.pipeline, workload.team, claims };
}

vocabulary::Measured measured_of(identity::Claims const& claims, std::string const& agent, std::string const& address, Timestamp attested)
{
    auto const first = [&claims](std::string const& name) {
        auto const* const values = claims.find(name);
        return values == nullptr || values->empty() ? std::string() : values->front();
    };
    return { .executable_digest = first("unix.sha256"),
        .image_digest = first("unix.image"),
        .node = agent,
        .address = address,
        .attested = attested };
}

std::vector<audit::RecordedClaim> recorded_claims(std::optional<identity::Claims> const& claims)
{
    std::vector<audit::RecordedClaim> recorded;
    if (claims) {
        for (auto const& [name, values] : claims->values)
            recorded.push_back({ name, values, claims->provider });
    }
    return recorded;
}

std::vector<std::string> classification_of(Snapshot const& snapshot, cedar::EntityUid const& resource)
{
    auto const& declared = snapshot.declarations;
    auto const name = std::string_view(resource.id).substr(0, resource.type.ends_with("Version") ? resource.id.rfind('@') : std::string::npos);
    if (resource.type.starts_with("Dataset"))
        return classification_in(declared.datasets, name);
    return resource.type.starts_with("Model") ? classification_in(declared.models, name) : std::vector<std::string>();
}

audit::Record record_of(Snapshot const& snapshot, Question const& question, audit::RecordType type, Timestamp now)
{
    audit::Record record;
    record.type = type;
    record.time = now;
    record.trace = question.trace;
    record.request = question.request;
    record.caller = question.caller;
    record.workload = question.principal.id;
    if (question.principal.type != "Workload")
        record.workload_type = question.principal.type;
    record.workload_name = question.principal.name;
    record.pipeline = question.principal.pipeline;
    record.team = question.principal.team;
    record.run = question.run;
    record.rank = question.rank;
    record.purpose = question.purpose;
    record.claims = recorded_claims(question.principal.claims);
    record.action = question.action;
    if (!question.resource.type.empty())
        record.resource = described(snapshot, question.resource);
    if (question.model)
        record.model = described(snapshot, { question.model->type, question.model->id });
    for (auto const& dataset : question.datasets)
        record.datasets.push_back(described(snapshot, { dataset.type, dataset.id }));
    record.endpoint = question.endpoint;
    record.asserted = asserted_in(snapshot, question);
    return record;
}

void record_posture(audit::Record& record, vocabulary::Measured const& measured)
{
    cedar::Record const context { { "posture", Value::record(vocabulary::posture_of(measured)) } };
    record.context = recorded_context(context);
    record.posture = posture_digest(context);
}

void record_grounds(audit::Record& record, Snapshot const& snapshot, cedar::Record const& context)
{
    record.context = recorded_context(context);
    record.posture = posture_digest(context);
    record.policy_version = snapshot.version;
}

net::Task<Result<Answer>> decide_and_record(AuthorityState& state, std::shared_ptr<Snapshot const> snapshot, Question question)
{
    auto const began = state.clock.monotonic();
    auto const now = state.clock.now();
    auto const entities = entities_for(*snapshot, question.principal, question.foreign);
    // Names become versions before a decision; the record says which alias was asked for.
    auto const resource = resolved(*snapshot, question.resource);
    cedar::Request const request { { question.principal.type, question.principal.id }, { "Action", question.action }, resource,
        vocabulary::context_of({ question.purpose, question.run, now }, question.measured, question.context) };
    auto decision = snapshot->engine->decide(decider_of(state, snapshot), request, &entities);

    Answer answer;
    answer.allowed = decision.allowed;
    if (!decision.allowed)
        answer.missing = cedar::explain_denial(request, snapshot->policies, entities);
    auto record = record_of(*snapshot, question, audit::RecordType::decision, now);
    record_grounds(record, *snapshot, request.context);
    record.classification = classification_of(*snapshot, question.resource);
    record.allowed = decision.allowed;
    record.policies = decision.determining;
    for (auto const& error : decision.errors)
        record.policy_errors.push_back(error.policy + ": " + error.message);
    record.latency = state.clock.monotonic() - began;
    record.outcome = "ok";
    (decision.allowed ? state.metrics.decisions_allowed : state.metrics.decisions_denied) += 1;
    answer.policies = std::move(decision.determining);
    answer.may_spool = vocabulary::may_spool(snapshot->spooling, answer.policies);
    auto recorded = co_await record_or_spool(state, std::move(record), answer.may_spool);
    answer.record = CO_TRY(recorded).sequence;
    co_return answer;
}

JsonArray to_json(std::vector<cedar::MissingFact> const& facts)
{
    JsonArray array;
    for (auto const& fact : facts)
        array.push_back(JsonObject { { "fact", fact.fact }, { "found", fact.found }, { "wanted", fact.wanted } });
    return array;
}

std::optional<std::uint64_t> known_record(std::uint64_t stored) { return stored == 0 ? std::nullopt : std::optional(stored); }

JsonValue number_or_null(std::optional<std::uint64_t> number) { return number ? JsonValue(*number) : JsonValue(nullptr); }

} // namespace writ::authority

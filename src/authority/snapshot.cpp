// SPDX-License-Identifier: Apache-2.0
#include "authority/snapshot.h"

#include "authority/database_declaration.h"
#include "authority/declaration_parser.h"
#include "authority/declared_versions.h"
#include "authority/references.h"
#include "crypto/digest.h"
#include "vocabulary/outage.h"
#include "vocabulary/schema.h"

namespace writ::authority {

namespace {

using cedar::EntityUid;
using cedar::Value;

void add_resource(cedar::EntityStore& entities, std::string_view type, std::string const& name, cedar::Record attributes)
{
    attributes.emplace("name", name);
    entities.add({ EntityUid { std::string(type), name }, std::move(attributes), {}, {} });
}

// Every declared resource has all attributes of its type, so that a policy can ask for them without `has`.
cedar::EntityStore build_entities(Declarations const& declarations)
{
    cedar::EntityStore entities;
    for (auto const& [name, dataset] : declarations.datasets) {
        auto const& value = dataset.value;
        add_resource(entities, "Dataset", name,
            { { "classification", Value::set_of(value.classification) }, { "purpose", Value::set_of(value.purpose) },
                { "location", Value(location_of(value, declarations)) } });
    }
    for (auto const& [name, model] : declarations.models)
        add_resource(entities, "Model", name,
            { { "classification", Value::set_of(model.value.classification) }, { "purpose", Value::set_of(model.value.purpose) } });
    add_versions(entities, declarations);
    for (auto const& [name, endpoint] : declarations.endpoints)
        add_resource(
            entities, "Endpoint", name, { { "url", Value(endpoint.value.url) }, { "purpose", Value::set_of(endpoint.value.purpose) } });
    for (auto const& [name, api] : declarations.apis)
        add_resource(entities, "Api", name, { { "url", Value(api.value.url) }, { "purpose", Value::set_of(api.value.purpose) } });
    for (auto const& [name, database] : declarations.databases)
        add_resource(
            entities, "Database", name, { { "host", Value(database.value.host) }, { "database", Value(database.value.database) } });
    for (auto const& [name, workload] : declarations.workloads) {
        if (!workload.value.team.empty())
            entities.add({ EntityUid { "Team", workload.value.team }, {}, {}, {} });
        if (!workload.value.pipeline.empty())
            entities.add({ EntityUid { "Pipeline", workload.value.pipeline }, {}, {}, {} });
    }
    return entities;
}

cedar::PolicySet parse_policies(DocumentSet const& documents, std::vector<Problem>& problems)
{
    std::vector<cedar::PolicySource> sources;
    for (auto const& [key, source] : documents) {
        if (key.kind == policies_kind)
            sources.push_back({ source.path, source.text });
    }
    std::vector<cedar::SyntaxProblem> found;
    auto policies = vocabulary::parse_policies(sources, found);
    for (auto& problem : found)
        problems.push_back({ { problem.path, problem.span.line, problem.span.column }, std::move(problem.message) });
    return policies;
}

// References are looked at if there is a trust domain.
std::shared_ptr<Snapshot const> compile(
    std::uint64_t version, DocumentSet documents, std::optional<std::string_view> trust_domain, std::vector<Problem>& problems)
{
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->version = version;
    snapshot->documents = std::move(documents);
    snapshot->declarations = parse_declarations(snapshot->documents, problems);
    // References are only looked at when everything was read: a broken declaration would be missed everywhere else.
    if (problems.empty() && trust_domain)
        check_references(snapshot->declarations, *trust_domain, problems);
    snapshot->policies = parse_policies(snapshot->documents, problems);
    if (!problems.empty())
        return nullptr;
    snapshot->spooling = vocabulary::spooling_policies(snapshot->policies);
    snapshot->has_versions = have_versions(snapshot->declarations);
    snapshot->entities = build_entities(snapshot->declarations);
    for (auto const& [name, declared] : snapshot->declarations.audit_redactions) {
        snapshot->redaction.context.insert(declared.value.context.begin(), declared.value.context.end());
        snapshot->redaction.claims.insert(declared.value.claims.begin(), declared.value.claims.end());
    }
    snapshot->engine = std::make_unique<cedar::Engine const>(snapshot->policies, snapshot->entities);
    return snapshot;
}

} // namespace

audit::RecordedDeclarations recorded_declarations(std::uint64_t version, std::string_view text)
{
    return { .version = version, .digest = to_hex(crypto::sha256(as_bytes(text))), .schema = schema_digest() };
}

std::string const& schema_digest()
{
    static auto const digest = to_hex(crypto::sha256(as_bytes(vocabulary::schema_text())));
    return digest;
}

std::string location_of(Dataset const& dataset, Declarations const& declarations)
{
    if (!dataset.location.empty())
        return dataset.location;
    auto const database = declarations.databases.find(dataset.database);
    if (database == declarations.databases.end())
        return "";
    auto const& value = database->second.value;
    auto const tables = tables_of(dataset.relation);
    return value.type + "://" + value.host + ":" + std::to_string(value.port) + "/" + value.database + (tables.empty() ? "" : "?table=" + tables);
}

std::shared_ptr<Snapshot const> compile_snapshot(
    std::uint64_t version, DocumentSet documents, std::string_view trust_domain, std::vector<Problem>& problems)
{
    return compile(version, std::move(documents), trust_domain, problems);
}

std::shared_ptr<Snapshot const> compile_snapshot_as_it_is(std::uint64_t version, DocumentSet documents, std::vector<Problem>& problems)
{
    return compile(version, std::move(documents), std::nullopt, problems);
}

} // namespace writ::authority

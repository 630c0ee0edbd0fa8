// SPDX-License-Identifier: Apache-2.0
//
// Open Cybersecurity Schema Framework 1.9: a decision is API Activity (6003), a credential that names a resource Authorize Session (3003),
// an identity or a run Authentication (3002), what is done to the authority itself Entity Management (3004).
#include "audit/export/event.h"
#include "base/version.h"
#include "crypto/digest.h"

#include <array>

namespace writ::audit {

namespace {

constexpr std::string_view schema_version = "1.9.0-dev";

struct EventClass {
    int uid;
    std::string_view name;
    int category_uid;
    std::string_view category_name;
};
constexpr EventClass authentication { 3002, "Authentication", 3, "Identity & Access Management" };
constexpr EventClass authorize_session { 3003, "Authorize Session", 3, "Identity & Access Management" };
constexpr EventClass entity_management { 3004, "Entity Management", 3, "Identity & Access Management" };
constexpr EventClass api_activity { 6003, "API Activity", 6, "Application Activity" };

struct Activity {
    int id;
    std::string_view name;
};
constexpr Activity other { 99, "Other" };
// Severity: 1 informational, 3 medium.
struct Severity {
    int id;
    std::string_view name;
};

bool is_identity(std::string_view kind) { return kind == "x509_svid" || kind == "jwt_svid"; }

EventClass const& class_of(Record const& record)
{
    switch (record.type) {
    case RecordType::decision:
        return api_activity;
    case RecordType::issuance:
        return record.credential && is_identity(record.credential->kind) ? authentication : authorize_session;
    case RecordType::revocation:
    case RecordType::run_start:
    case RecordType::run_end:
        return authentication;
    default:
        return entity_management;
    }
}

Activity api_activity_of(std::string_view action)
{
    constexpr Activity create { 1, "Create" }, read { 2, "Read" }, update { 3, "Update" };
    static constexpr std::pair<std::string_view, Activity> activities[] = { { "read", read }, { "train", read }, { "evaluate", read },
        { "load", read }, { "infer", read }, { "call", read }, { "connect", read }, { "write", update }, { "sign", update },
        { "deploy", update }, { "promote", update }, { "administer", update }, { "run", create } };
    for (auto const& [name, activity] : activities)
        if (name == action)
            return activity;
    return other;
}

Activity activity_of(Record const& record)
{
    switch (record.type) {
    case RecordType::decision:
        return api_activity_of(record.action);
    case RecordType::issuance:
        return class_of(record).uid == authentication.uid ? Activity { 1, "Logon" } : Activity { 1, "Assign Privileges" };
    case RecordType::run_start:
        return { 1, "Logon" };
    case RecordType::revocation:
    case RecordType::run_end:
        return { 2, "Logoff" };
    case RecordType::administration:
        return { 3, "Update" };
    case RecordType::startup:
        return { 10, "Activate" };
    case RecordType::retention:
        return { 4, "Delete" };
    default:
        return other;
    }
}

// A service account, as its SPIFFE ID says; when nobody was recognised, whoever asked.
JsonObject user_of(Record const& record)
{
    JsonObject user { { "type_id", 4 }, { "type", "Service" } };
    add_text(user, "uid", record.workload.empty() ? record.caller : record.workload);
    add_text(user, "name", subject_of(record));
    if (!user.contains("uid") && !user.contains("name"))
        user.emplace("name", "unknown");
    JsonArray groups;
    for (auto const& [type, name] : { std::pair("Team", &record.team), std::pair("Pipeline", &record.pipeline) })
        if (!name->empty())
            groups.push_back(JsonObject { { "name", *name }, { "type", type } });
    if (!groups.empty())
        user.emplace("groups", std::move(groups));
    return user;
}

JsonArray authorizations_of(Record const& record)
{
    JsonArray authorizations;
    std::string_view const decision = *record.allowed ? "Approved" : "Denied";
    for (auto const& policy : record.policies)
        authorizations.push_back(JsonObject { { "decision", decision },
            { "policy",
                JsonObject { { "uid", policy }, { "type", "Cedar" }, { "version", std::to_string(record.policy_version) },
                    { "is_applied", true } } } });
    if (authorizations.empty())
        authorizations.push_back(JsonObject { { "decision", decision } });
    return authorizations;
}

JsonObject session_of(Record const& record)
{
    JsonObject session;
    add_text(session, "uid", record.run.empty() ? record.trace : record.run);
    if (record.credential) {
        add_text(session, "credential_uid", record.credential->id);
        add_text(session, "uid_alt", record.credential->lease);
        if (record.credential->expires)
            session.emplace("expiration_time",
                std::chrono::floor<std::chrono::milliseconds>(record.credential->expires->time_since_epoch()).count());
    }
    if (record.type == RecordType::revocation || record.type == RecordType::run_end)
        add_text(session, "expiration_reason", record.reason);
    return session;
}

JsonObject resource_of(RecordedEntity const& entity)
{
    JsonObject resource;
    add_text(resource, "type", entity.type);
    add_text(resource, "name", entity.id);
    add_text(resource, "uid", name_of(entity));
    add_text(resource, "version", entity.version);
    return resource;
}

JsonObject actor_of(Record const& record)
{
    JsonObject actor { { "user", user_of(record) } };
    if (record.allowed)
        actor.emplace("authorizations", authorizations_of(record));
    if (record.caller != record.workload)
        add_text(actor, "app_uid", record.caller);
    return actor;
}

// Where a record comes from is a process that the kernel knows, not an address: its workload names it.
JsonObject endpoint_of(Record const& record)
{
    JsonObject endpoint;
    add_text(endpoint, "name", subject_of(record));
    if (endpoint.empty())
        endpoint.emplace("name", "unknown");
    return endpoint;
}

JsonObject metadata_of(ExportedRecord const& exported)
{
    JsonObject metadata { { "version", schema_version },
        { "product", JsonObject { { "name", "Writ" }, { "vendor_name", "Writ" }, { "version", version_text } } },
        { "log_name", exported.origin }, { "log_format", "JSON" }, { "sequence", exported.sequence },
        { "uid", id_of(exported) },
        { "tenant_uid", trust_domain_of(exported) },
        { "original_time", to_rfc3339(exported.record.time) }, { "event_code", to_string(exported.record.type) } };
    add_text(metadata, "correlation_uid", exported.record.trace);
    return metadata;
}

JsonObject entity_of(ExportedRecord const& exported)
{
    auto const& record = exported.record;
    auto const is_declared = record.type == RecordType::administration && record.policy_version != 0;
    JsonObject entity { { "type_id", 99 }, { "type", is_declared ? "Declarations" : "Authority" }, { "uid", trust_domain_of(exported) },
        { "name", is_declared ? "declarations" : "authority" } };
    if (record.policy_version != 0)
        entity.emplace("version", std::to_string(record.policy_version));
    return entity;
}

void add_decision(JsonObject& event, Record const& record)
{
    JsonObject api { { "operation", record.action.empty() ? "decide" : record.action }, { "service", JsonObject { { "name", "Writ" } } } };
    if (!record.trace.empty())
        api.emplace("request", JsonObject { { "uid", record.trace } });
    event.emplace("api", std::move(api));
    event.emplace("src_endpoint", endpoint_of(record));
    JsonArray resources;
    for (auto const* entity : { &record.resource, &record.model })
        if (*entity)
            resources.push_back(resource_of(**entity));
    if (!resources.empty())
        event.emplace("resources", std::move(resources));
}

void add_class_members(JsonObject& event, ExportedRecord const& exported)
{
    auto const& record = exported.record;
    auto const uid = class_of(record).uid;
    if (uid == api_activity.uid)
        return add_decision(event, record);
    if (uid == entity_management.uid) {
        event.emplace("entity", entity_of(exported));
        return add_text(event, "comment", record.reason);
    }
    event.emplace("user", user_of(record));
    event.emplace("session", session_of(record));
    if (uid == authentication.uid) {
        event.emplace("service", JsonObject { { "name", "Writ" }, { "uid", trust_domain_of(exported) } });
        event.emplace("is_remote", false);
    } else {
        auto const has_scope = record.credential && !record.credential->scope.empty();
        event.emplace("privileges", JsonArray { has_scope ? record.credential->scope : record.action });
    }
}

void add_classification(JsonObject& event, Record const& record)
{
    auto const& event_class = class_of(record);
    auto const activity = activity_of(record);
    Severity const severity = record.allowed == false ? Severity { 3, "Medium" } : Severity { 1, "Informational" };
    event.emplace("category_uid", event_class.category_uid);
    event.emplace("category_name", event_class.category_name);
    event.emplace("class_uid", event_class.uid);
    event.emplace("class_name", event_class.name);
    event.emplace("activity_id", activity.id);
    event.emplace("activity_name", activity.name);
    event.emplace("type_uid", event_class.uid * 100 + activity.id);
    event.emplace("type_name", std::string(event_class.name) + ": " + std::string(activity.name));
    event.emplace("severity_id", severity.id);
    event.emplace("severity", severity.name);
}

void add_status(JsonObject& event, Record const& record)
{
    auto const has_failed = record.allowed == false || (!record.outcome.empty() && record.outcome != "ok");
    event.emplace("status_id", has_failed ? 2 : 1);
    event.emplace("status", has_failed ? "Failure" : "Success");
    add_text(event, "status_code", record.outcome);
    add_text(event, "status_detail", record.reason);
}

} // namespace

std::string ocsf_event(ExportedRecord const& exported)
{
    auto const& record = exported.record;
    JsonObject event;
    add_classification(event, record);
    event.emplace("time", std::chrono::floor<std::chrono::milliseconds>(record.time.time_since_epoch()).count());
    event.emplace("timezone_offset", 0);
    event.emplace("metadata", metadata_of(exported));
    event.emplace("message", sentence_of(record));
    add_status(event, record);
    event.emplace("actor", actor_of(record));
    add_class_members(event, exported);
    event.emplace("raw_data", exported.text);
    event.emplace("raw_data_size", exported.text.size());
    event.emplace("raw_data_hash",
        JsonObject { { "algorithm_id", 3 }, { "algorithm", "SHA-256" }, { "value", to_hex(crypto::sha256(as_bytes(exported.text))) } });
    return to_text(event);
}

} // namespace writ::audit

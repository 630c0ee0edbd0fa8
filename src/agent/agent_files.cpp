// SPDX-License-Identifier: Apache-2.0
#include "agent/agent_files.h"

#include <algorithm>
#include <charconv>

namespace writ::agent {

namespace {

constexpr std::string_view identity_name = "identity.json";
constexpr std::string_view runs_name = "runs.json";
// LIMIT: some 300 bytes for each of the runs a node can have at once.
constexpr std::size_t file_bytes_max = 16U << 20U;

Result<std::vector<SessionUse>> parse_uses(JsonArray const& array)
{
    std::vector<SessionUse> uses;
    for (auto const& item : array) {
        if (!item.is_object())
            return corruption("a run's session is an object");
        auto const& use = item.as_object();
        uses.push_back({ std::string(TRY(string_member(use, "provider"))), std::string(TRY(string_member(use, "action"))),
            std::string(TRY(string_member(use, "type"))), std::string(TRY(string_member(use, "id"))), std::string(string_or(use, "kind", aws_session_kind)) });
    }
    return uses;
}

Result<std::vector<RunPlace>> parse_places(JsonArray const& array)
{
    std::vector<RunPlace> places;
    for (auto const& item : array) {
        if (!item.is_object())
            return corruption("a run's place is an object");
        auto const& place = item.as_object();
        places.push_back({ std::string(TRY(string_member(place, "provider"))), std::string(TRY(string_member(place, "client"))), std::string(TRY(string_member(place, "url"))),
            std::string(TRY(string_member(place, "username"))) });
    }
    return places;
}

Result<WatchedRun> parse_run(JsonObject const& object)
{
    WatchedRun run;
    run.id = TRY(string_member(object, "run"));
    run.workload = TRY(string_member(object, "workload"));
    run.workload_name = TRY(string_member(object, "workload_name"));
    run.purpose = TRY(string_member(object, "purpose"));
    run.process.pid = static_cast<pid_t>(TRY(integer_member(object, "pid")));
    run.process.start_ticks = static_cast<std::uint64_t>(TRY(integer_member(object, "start_ticks")));
    run.process.boot_id = TRY(string_member(object, "boot_id"));
    run.uid = static_cast<uid_t>(TRY(integer_member(object, "uid")));
    run.started = TRY(parse_rfc3339(TRY(string_member(object, "started"))));
    run.expires = TRY(parse_rfc3339(TRY(string_member(object, "expires"))));
    run.leases = TRY(strings_member(object, "leases"));
    run.handle_digest = string_or(object, "handle_digest", "");
    if (object.contains("cgroup"))
        run.cgroup = { std::string(TRY(string_member(object, "cgroup"))), static_cast<std::uint64_t>(TRY(integer_member(object, "cgroup_inode"))) };
    // A file of an agent of before there were sessions, places or deliveries has none.
    if (object.contains("sessions"))
        run.sessions = TRY(parse_uses(*TRY(array_member(object, "sessions"))));
    if (object.contains("places"))
        run.places = TRY(parse_places(*TRY(array_member(object, "places"))));
    if (!object.contains("deliveries"))
        return run;
    run.gid = static_cast<gid_t>(TRY(integer_member(object, "gid")));
    run.deliveries = TRY(parse_uses(*TRY(array_member(object, "deliveries"))));
    for (auto const& member : *TRY(object_member(object, "delivered_files")))
        run.delivered_files.emplace(member.key(), TRY(strings_member(*TRY(object_member(object, "delivered_files")), member.key())));
    return run;
}

JsonArray to_json(std::vector<SessionUse> const& uses)
{
    JsonArray array;
    for (auto const& use : uses)
        array.push_back(JsonObject { { "provider", use.provider }, { "action", use.action }, { "type", use.resource_type }, { "id", use.resource_id }, { "kind", use.kind } });
    return array;
}

JsonArray to_json(std::vector<RunPlace> const& places)
{
    JsonArray array;
    for (auto const& place : places)
        array.push_back(JsonObject { { "provider", place.provider }, { "client", place.client }, { "url", place.url }, { "username", place.username } });
    return array;
}

JsonArray to_json(std::vector<std::string> const& names)
{
    JsonArray array;
    for (auto const& name : names)
        array.emplace_back(name);
    return array;
}

JsonObject to_json(WatchedRun const& run)
{
    JsonObject delivered;
    for (auto const& [provider, names] : run.delivered_files)
        delivered.emplace(provider, to_json(names));
    JsonObject object { { "run", run.id }, { "workload", run.workload }, { "workload_name", run.workload_name }, { "purpose", run.purpose },
        { "pid", std::int64_t(run.process.pid) }, { "start_ticks", std::int64_t(run.process.start_ticks) },
        { "boot_id", run.process.boot_id }, { "uid", std::int64_t(run.uid) }, { "started", to_rfc3339(run.started) },
        { "expires", to_rfc3339(run.expires) }, { "leases", to_json(run.leases) },
        { "sessions", to_json(run.sessions) }, { "handle_digest", run.handle_digest }, { "gid", std::int64_t(run.gid) },
        { "deliveries", to_json(run.deliveries) }, { "delivered_files", std::move(delivered) },
        { "places", to_json(run.places) } };
    if (run.cgroup.exists()) {
        object.emplace("cgroup", run.cgroup.path);
        object.emplace("cgroup_inode", std::int64_t(run.cgroup.inode));
    }
    return object;
}

} // namespace

std::vector<SessionUse> WatchedRun::uses_of(std::string_view provider_or_resource, std::string_view kind) const
{
    std::vector<SessionUse> of_provider, of_resource;
    auto name = std::string(provider_or_resource);
    for (auto const& use : sessions) {
        if (use.kind != kind)
            continue;
        if (name.empty())
            name = use.provider;
        if (use.provider == name)
            of_provider.push_back(use);
        if (use.resource_id == name)
            of_resource.push_back(use);
    }
    return of_provider.empty() ? of_resource : of_provider;
}

std::vector<std::string> WatchedRun::providers_of(std::string_view kind) const
{
    std::vector<std::string> providers;
    for (auto const& use : sessions) {
        if (use.kind == kind && std::find(providers.begin(), providers.end(), use.provider) == providers.end())
            providers.push_back(use.provider);
    }
    return providers;
}

Result<AgentIdentity> load_identity(Path const& folder)
{
    SecretBytes const bytes(TRY(read_file(folder / identity_name, file_bytes_max)));
    auto const object
        = TRY(parse_json_object(as_text(bytes.reveal()), { .size_max = file_bytes_max }).in("`" + (folder / identity_name).string() + "`"));
    AgentIdentity identity;
    identity.id = TRY(string_member(object, "id"));
    identity.trust_domain = TRY(string_member(object, "trust_domain"));
    identity.issuer = TRY(string_member(object, "issuer"));
    identity.issued = TRY(parse_rfc3339(TRY(string_member(object, "issued"))));
    identity.expires = TRY(parse_rfc3339(TRY(string_member(object, "expires"))));
    for (auto const& certificate : TRY(strings_member(object, "certificates")))
        identity.certificates.push_back(TRY(parse_base64(certificate)));
    identity.private_key = SecretBytes(TRY(parse_base64(TRY(string_member(object, "private_key")))));
    identity.bundle = TRY(identity::parse_bundle(to_text(JsonValue(*TRY(object_member(object, "bundle"))))));
    return identity;
}

bool has_identity(Path const& folder, Timestamp now)
{
    auto const kept = load_identity(folder);
    return kept.is_ok() && kept->expires > now;
}

Result<> save_identity(Path const& folder, AgentIdentity const& identity)
{
    JsonArray certificates;
    for (auto const& certificate : identity.certificates)
        certificates.emplace_back(to_base64(certificate));
    JsonObject const object { { "id", identity.id }, { "trust_domain", identity.trust_domain }, { "issuer", identity.issuer },
        { "issued", to_rfc3339(identity.issued) }, { "expires", to_rfc3339(identity.expires) }, { "certificates", std::move(certificates) },
        { "private_key", to_base64(identity.private_key.reveal()) }, { "bundle", identity::to_json(identity.bundle) } };
    SecretText const text(to_text(JsonValue(object)));
    return replace_file(folder / identity_name, as_bytes(text.reveal()), 0600);
}

Result<std::vector<WatchedRun>> load_runs(Path const& folder)
{
    auto const bytes = read_file(folder / runs_name, file_bytes_max);
    if (bytes.is_error() && bytes.error().code == ErrorCode::not_found)
        return std::vector<WatchedRun>();
    if (bytes.is_error())
        return bytes.error();
    auto const object
        = TRY(parse_json_object(as_text(*bytes), { .size_max = file_bytes_max }).in("`" + (folder / runs_name).string() + "`"));
    std::vector<WatchedRun> runs;
    for (auto const& item : *TRY(array_member(object, "runs"))) {
        if (!item.is_object())
            return corruption("`" + (folder / runs_name).string() + "`: not a run");
        runs.push_back(TRY(parse_run(item.as_object())));
    }
    return runs;
}

Result<std::uint16_t> load_loopback_port(Path const& file)
{
    auto const bytes = TRY(read_file(file, 64));
    auto const text = as_text(bytes);
    std::uint16_t port = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || port == 0)
        return corruption("`" + file.string() + "` holds no port");
    return port;
}

Result<> save_loopback_port(Path const& file, std::uint16_t port) { return replace_file(file, as_bytes(std::to_string(port) + "\n"), 0600); }

Result<> save_runs(Path const& folder, std::vector<WatchedRun> const& runs)
{
    JsonArray array;
    for (auto const& run : runs)
        array.push_back(to_json(run));
    auto const text = to_text(JsonValue(JsonObject { { "runs", std::move(array) } }));
    return replace_file(folder / runs_name, as_bytes(text), 0600);
}

} // namespace writ::agent

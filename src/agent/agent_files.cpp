// SPDX-License-Identifier: Apache-2.0
#include "agent/agent_files.h"

namespace writ::agent {

namespace {

constexpr std::string_view identity_name = "identity.json";
constexpr std::string_view runs_name = "runs.json";
// LIMIT: some 300 bytes for each of the runs a node can have at once.
constexpr std::size_t file_bytes_max = 16U << 20U;

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
    return run;
}

JsonObject to_json(WatchedRun const& run)
{
    JsonArray leases;
    for (auto const& lease : run.leases)
        leases.emplace_back(lease);
    return { { "run", run.id }, { "workload", run.workload }, { "workload_name", run.workload_name }, { "purpose", run.purpose },
        { "pid", std::int64_t(run.process.pid) }, { "start_ticks", std::int64_t(run.process.start_ticks) },
        { "boot_id", run.process.boot_id }, { "uid", std::int64_t(run.uid) }, { "started", to_rfc3339(run.started) },
        { "expires", to_rfc3339(run.expires) }, { "leases", std::move(leases) } };
}

} // namespace

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

Result<> save_runs(Path const& folder, std::vector<WatchedRun> const& runs)
{
    JsonArray array;
    for (auto const& run : runs)
        array.push_back(to_json(run));
    auto const text = to_text(JsonValue(JsonObject { { "runs", std::move(array) } }));
    return replace_file(folder / runs_name, as_bytes(text), 0600);
}

} // namespace writ::agent

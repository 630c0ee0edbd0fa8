// SPDX-License-Identifier: Apache-2.0
#include "authority/endpoints.h"
#include "authority/export_declaration.h"
#include "base/json_members.h"

namespace writ::authority {

namespace {

JsonArray to_json(std::vector<DeclarationChange> const& changes)
{
    JsonArray array;
    for (auto const& change : changes)
        array.push_back(JsonObject { { "change", to_string(change.change) }, { "kind", change.key.kind }, { "name", change.key.name } });
    return array;
}

std::string summary(std::vector<DeclarationChange> const& changes)
{
    std::string text;
    for (auto const& change : changes) {
        if (change.change == Change::unchanged)
            continue;
        text += (text.empty() ? "" : ", ") + std::string(to_string(change.change)) + " " + change.key.kind + " " + change.key.name;
        if (text.size() > 2000)
            return text.substr(0, 2000) + "…";
    }
    return text;
}

// One transaction: on record, then in the store, then in force. A version that somebody else made meanwhile is a conflict.
Reply put_in_force(Desk desk, std::string caller, Merge merge, bool dry_run)
{
    auto& state = desk.state;
    std::vector<Problem> problems;
    auto const version = state.snapshot->version + 1;
    auto const text = to_text(merge.documents);
    auto snapshot = compile_snapshot(version, std::move(merge.documents), state.trust_domain, problems);
    if (!snapshot)
        co_return refuse_documents(problems);
    bool const changes = merge.changes_anything();
    if (changes && !dry_run) {
        audit::Record record;
        record.type = audit::RecordType::administration;
        record.time = state.clock.now();
        record.trace = new_trace(state);
        record.caller = caller;
        record.action = "administer";
        record.policy_version = version;
        record.outcome = "ok";
        record.declarations = recorded_declarations(version, text);
        record.reason = "declarations version " + std::to_string(version) + ": " + summary(merge.changes);
        auto const appended = co_await append_record(state, std::move(record));
        if (appended.is_error())
            co_return appended.error();
        auto const saved = state.store.declarations->save({ version, text }, state.clock.now());
        if (saved.is_error())
            co_return saved.error();
        state.snapshot = std::move(snapshot);
        state.changed.notify();
        state.exports->declare(exports_of(state.snapshot->declarations));
    }
    co_return json_response(JsonObject { { "version", changes && !dry_run ? version : state.snapshot->version },
        { "changes", to_json(merge.changes) }, { "dry_run", dry_run } });
}

Reply apply(Desk desk, Call call)
{
    auto body = parse_request(call.request.body, { "documents", "prune", "dry_run" });
    auto const request = CO_TRY(body);
    auto parsed = documents_of(request);
    auto const documents = CO_TRY(parsed);
    auto pruning = flag_member(request, "prune");
    auto const prune = CO_TRY(pruning);
    auto trying = flag_member(request, "dry_run");
    auto const dry_run = CO_TRY(trying);
    std::vector<Problem> problems;
    auto const incoming = split_documents(documents, problems);
    if (!problems.empty())
        co_return refuse_documents(problems);
    co_return co_await put_in_force(
        desk, call.caller.id, merge_documents(desk.state.snapshot->documents, incoming, prune), dry_run);
}

Reply list(Desk desk, Call call)
{
    auto const kind = query_text(call, "kind");
    auto const name = query_text(call, "name");
    JsonArray array;
    for (auto const& [key, source] : desk.state.snapshot->documents) {
        if ((kind.empty() || kind == key.kind) && (name.empty() || name == key.name))
            array.push_back(JsonObject { { "kind", key.kind }, { "name", key.name }, { "path", source.path },
                { "line", source.first_line }, { "text", source.text } });
    }
    co_return json_response(JsonObject { { "version", desk.state.snapshot->version }, { "declarations", std::move(array) } });
}

Reply remove(Desk desk, Call call)
{
    DeclarationKey const key { query_text(call, "kind"), query_text(call, "name") };
    Merge merge { desk.state.snapshot->documents, { { Change::remove, key } } };
    if (merge.documents.erase(key) == 0)
        co_return not_found("no " + key.kind + " `" + key.name + "` is declared");
    co_return co_await put_in_force(desk, call.caller.id, std::move(merge), false);
}

} // namespace

void add_declaration_routes(Router& router, Desk desk)
{
    add_route(router, desk, "GET", "/v1/declarations", Access::administrator, list);
    add_route(router, desk, "POST", "/v1/declarations", Access::administrator, apply);
    add_route(router, desk, "DELETE", "/v1/declarations", Access::administrator, remove);
}

} // namespace writ::authority

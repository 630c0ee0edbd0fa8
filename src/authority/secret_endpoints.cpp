// SPDX-License-Identifier: Apache-2.0
//
// Secrets of other systems: put, rotated, listed by name, removed. No answer has a value in it.
#include "authority/endpoints.h"
#include "authority/key_encryption_key.h"
#include "authority/secret_keeper.h"
#include "base/json_members.h"

namespace writ::authority {

namespace {

net::Task<Result<std::uint64_t>> record(AuthorityState& state, std::string caller, std::string what)
{
    audit::Record record;
    record.type = audit::RecordType::administration;
    record.time = state.clock.now();
    record.trace = new_trace(state);
    record.caller = std::move(caller);
    record.action = "administer";
    record.policy_version = state.snapshot->version;
    record.outcome = "ok";
    record.reason = std::move(what);
    co_return co_await append_record(state, std::move(record));
}

// On record, then in the store, then asked for anew by agents: a run that holds an older version gets this one.
Reply keep_version(Desk desk, Call call, bool is_rotation)
{
    auto& state = desk.state;
    auto body = parse_request(call.request.body, { "name", "value" });
    auto const request = CO_TRY(body);
    auto member = string_member(request, "name");
    auto const name = std::string(CO_TRY(member));
    auto text = string_member(request, "value");
    SecretText const value(std::string(CO_TRY(text)));
    auto const checked = SecretKeeper::check(name, value);
    if (checked.is_error())
        co_return checked.error();
    auto begun = state.secrets->begin_change(name);
    auto const change = CO_TRY(begun);
    auto next = state.secrets->next_version(name, is_rotation);
    auto const version = CO_TRY(next);
    auto const words = "secret " + name + ": version " + std::to_string(version);
    auto const recorded = co_await record(state, call.caller.id, words + (is_rotation ? " takes the place of the one before" : " put"));
    if (recorded.is_error())
        co_return recorded.error();
    auto const added = state.secrets->add(name, version, value, state.clock.now());
    if (added.is_error())
        co_return added.error();
    state.changed.notify();
    co_return json_response(JsonObject { { "name", name }, { "version", version }, { "record", *recorded } });
}

Reply put_secret(Desk desk, Call call) { return keep_version(desk, std::move(call), false); }

Reply rotate_secret(Desk desk, Call call) { return keep_version(desk, std::move(call), true); }

Reply list_secrets(Desk desk, Call)
{
    auto listed = desk.state.secrets->list();
    JsonArray array;
    for (auto const& one : CO_TRY(listed))
        array.push_back(JsonObject { { "name", one.name }, { "version", one.version }, { "created", to_rfc3339(one.created) } });
    co_return json_response(JsonObject { { "secrets", std::move(array) } });
}

Reply remove_secret(Desk desk, Call call)
{
    auto& state = desk.state;
    auto const name = query_text(call, "name");
    auto begun = state.secrets->begin_change(name);
    auto const change = CO_TRY(begun);
    auto const there = state.secrets->next_version(name, true);
    if (there.is_error())
        co_return there.error();
    auto const recorded = co_await record(state, call.caller.id, "secret " + name + ": removed with all of its versions");
    if (recorded.is_error())
        co_return recorded.error();
    auto const removed = state.secrets->remove(name);
    if (removed.is_error())
        co_return removed.error();
    state.changed.notify();
    co_return json_response(JsonObject { { "name", name }, { "record", *recorded } });
}

// On record, then done: whoever reads the log knows of keys that may be in use.
Reply rekey(Desk desk, Call call)
{
    auto& state = desk.state;
    auto const recorded = co_await record(state, call.caller.id, "the key-encryption key is changed");
    if (recorded.is_error())
        co_return recorded.error();
    auto changed = change_key_encryption_key(state.log_folder.parent_path(), *state.store.sealed, state.secrets->key_encryption_key(), state.random);
    state.secrets->use_key(CO_TRY(changed));
    co_return json_response(JsonObject { { "record", *recorded } });
}

} // namespace

void add_secret_routes(Router& router, Desk desk)
{
    add_route(router, desk, "GET", "/v1/secrets", Access::administrator, list_secrets);
    add_route(router, desk, "POST", "/v1/secrets", Access::administrator, put_secret);
    add_route(router, desk, "POST", "/v1/secrets/rotate", Access::administrator, rotate_secret);
    add_route(router, desk, "POST", "/v1/secrets/rekey", Access::administrator, rekey);
    add_route(router, desk, "DELETE", "/v1/secrets", Access::administrator, remove_secret);
}

} // namespace writ::authority

// SPDX-License-Identifier: Apache-2.0
#include "authority/run_registry.h"

#include "base/json_members.h"
#include "base/logger.h"
#include "crypto/digest.h"

#include <algorithm>
#include <iterator>

namespace writ::authority {

namespace {

// LIMIT: uses of one run.
constexpr std::size_t uses_max = 100;
constexpr std::size_t token_characters = 52; // 260 bits
constexpr Duration count_interval = std::chrono::minutes(1);

std::string names_of(std::vector<IdentifiedWorkload> const& workloads)
{
    std::string names;
    for (auto const& found : workloads)
        names += (names.empty() ? "`" : ", `") + found.workload->name + "`";
    return names;
}

// The one that is meant: named, or the only one.
std::vector<IdentifiedWorkload> choose(std::vector<IdentifiedWorkload> found, std::string const& named)
{
    if (!named.empty())
        std::erase_if(found, [&named](auto const& one) { return one.workload->name != named && one.id.text() != named; });
    return found;
}

Question question_of(RunRequest const& request, Principal principal, std::string const& run, Timestamp attested, identity::Use const& use)
{
    Question question;
    question.trace = request.trace;
    question.request = request.request;
    question.rank = request.rank;
    question.caller = request.agent;
    question.principal = std::move(principal);
    question.run = run;
    question.measured = measured_of(request.claims, request.agent, request.address, attested);
    question.purpose = request.purpose;
    question.action = use.action;
    question.resource = { use.resource_type, use.resource_id };
    return question;
}

JsonObject uses_json(std::vector<identity::Use> const& uses)
{
    JsonArray array;
    for (auto const& use : uses)
        array.push_back(JsonObject { { "action", use.action }, { "resource", JsonObject { { "type", use.resource_type }, { "id", use.resource_id } } } });
    return { { "uses", std::move(array) } };
}

audit::Record record_of_run(identity::Run const& run, audit::RecordType type, std::string const& caller, Timestamp now)
{
    audit::Record record;
    record.type = type;
    record.time = now;
    record.caller = caller;
    record.workload = run.workload;
    record.workload_name = run.workload_name;
    record.run = run.id;
    record.purpose = run.purpose;
    record.outcome = "ok";
    return record;
}

std::string uid_of(identity::Claims const& claims)
{
    auto const* const values = claims.find("unix.uid");
    return values == nullptr || values->empty() ? "" : values->front();
}

std::string words_of(RefusalMeter::Count const& count)
{
    auto const whose = count.uid.empty() ? std::string("of processes of this node") : "of processes of uid " + count.uid;
    return std::to_string(count.refused) + " more refused starts " + whose + " in " + std::to_string(std::chrono::floor<std::chrono::seconds>(count.within).count())
        + " s, which are no workload that is declared; none has a record of its own";
}

// Nothing was decided.
audit::Record record_of_count(RecordMeter::Count const& count, Timestamp now)
{
    auto const space = count.key.find(' ');
    audit::Record record;
    record.type = audit::RecordType::administration;
    record.time = now;
    record.caller = "authority";
    record.workload = count.key.substr(space == std::string::npos ? 0 : space + 1);
    record.outcome = "rate_bound";
    record.reason = std::to_string(count.refused) + (space == std::string::npos ? std::string(" requests of the workload") : " requests of " + count.key.substr(0, space) + " for the workload")
        + " in " + std::to_string(std::chrono::floor<std::chrono::seconds>(count.within).count()) + " s were refused before anything was decided: it had made too many records";
    return record;
}

Result<identity::Claims> claims_of(identity::Run const& run) { return identity::parse_claims(TRY(parse_json_object(run.claims))); }

} // namespace

// The refusal is a decision like any other, and on record like any other; but whoever is no workload may not write into the log without end.
net::Task<Result<StartedRun>> RunRegistry::refuse(RunRequest request, std::string purpose, cedar::MissingFact fact)
{
    StartedRun refused;
    ++state_.metrics.decisions_denied;
    auto const verdict = refusals_.note(request.agent, uid_of(request.claims), state_.clock.monotonic());
    if (verdict == RefusalMeter::Verdict::count) {
        refused.denials.push_back({ "run", {}, { std::move(fact) }, std::nullopt, true });
        co_return refused;
    }
    audit::Record record;
    record.type = audit::RecordType::decision;
    record.time = state_.clock.now();
    record.trace = request.trace;
    record.request = request.request;
    record.rank = request.rank;
    record.caller = request.agent;
    record.purpose = std::move(purpose);
    record.claims = recorded_claims(request.claims);
    record.action = "run";
    record.allowed = false;
    record.policy_version = state_.snapshot->version;
    record.outcome = "ok";
    record.reason = fact.fact + ": " + fact.found;
    if (verdict == RefusalMeter::Verdict::announce)
        record.reason += "; refusals like this come so often that those behind it are counted";
    auto appended = co_await append_record(state_, std::move(record));
    auto const sequence = CO_TRY(appended);
    refused.denials.push_back({ "run", {}, { std::move(fact) }, sequence });
    co_return refused;
}

net::Task<> RunRegistry::record_counts()
{
    for (auto const& count : refusals_.take(state_.clock.monotonic())) {
        audit::Record record;
        record.type = audit::RecordType::decision;
        record.time = state_.clock.now();
        record.caller = count.agent;
        record.action = "run";
        record.allowed = false;
        record.policy_version = state_.snapshot->version;
        record.outcome = "ok";
        record.reason = words_of(count);
        auto const appended = co_await append_record(state_, std::move(record));
        if (appended.is_error())
            log_error("refusals that were counted are not on record", { { "agent", count.agent }, { "count", words_of(count) }, { "error", appended.error().message } });
    }
    for (auto const& count : state_.meter.take(state_.clock.monotonic())) {
        auto record = record_of_count(count, state_.clock.now());
        auto const said = record.reason;
        log_warning("requests came too fast", { { "of", count.key }, { "refused", count.refused } });
        auto const appended = co_await append_record(state_, std::move(record));
        if (appended.is_error())
            log_error("requests that were counted are not on record", { { "of", count.key }, { "count", said }, { "error", appended.error().message } });
    }
}

net::Task<> RunRegistry::keep_counts()
{
    for (;;) {
        co_await net::delay(count_interval);
        co_await record_counts();
    }
}

// A request, decided on as far as it goes.
struct RunRegistry::Considered {
    Timestamp now; // when the process was attested and this began
    std::shared_ptr<Snapshot const> snapshot {};
    std::string id {}; // SPIFFE ID
    identity::Workload const* workload = nullptr; // of the snapshot
    std::vector<identity::Use> uses {};
    std::string purpose {};
    std::string promised {}; // which promise is kept; empty: none
    std::vector<std::pair<Question, Answer>> allowed {};
    StartedRun refused {}; // with denials, if there are any
};

// The promise that the token is of, whose purpose and uses are the run's. Nothing is used up yet.
Result<std::string> RunRegistry::honour(RunRequest& request, std::string const& workload)
{
    auto const digest = to_hex(crypto::sha256(as_bytes(request.token.reveal())));
    auto const grant = TRY(state_.store.run_grants->find(digest, state_.clock.now()));
    if (grant.workload != workload)
        return permission_denied("the token is for a run of `" + grant.workload + "`, the process is `" + workload + "`");
    if (!request.purpose.empty() && request.purpose != grant.purpose)
        return permission_denied("the token is for purpose `" + grant.purpose + "`, not for `" + request.purpose + "`");
    if (!request.uses.empty())
        return invalid_argument("what a run uses was decided with its token");
    request.purpose = grant.purpose;
    request.uses = TRY(parse_uses(TRY(parse_json_object(grant.uses))));
    return grant.id + ", record " + std::to_string(grant.record);
}

net::Task<Result<RunRegistry::Considered>> RunRegistry::consider(RunRequest request, std::string run)
{
    auto const snapshot = state_.snapshot;
    auto const matching = identify(*snapshot, request.claims);
    auto const found = choose(matching, request.workload);
    Considered considered;
    considered.now = state_.clock.now();
    considered.snapshot = snapshot;
    if (found.empty()) {
        cedar::MissingFact fact { "workload", names_of(matching), "`" + request.workload + "`" };
        if (matching.empty())
            fact = { "workload", "none that is declared", "one whose `match` fits what the kernel says of the process" };
        auto purpose = request.purpose;
        auto refusal = co_await refuse(std::move(request), std::move(purpose), std::move(fact));
        considered.refused = CO_TRY(refusal);
        co_return considered;
    }
    if (found.size() > 1)
        co_return conflict("several workloads match: " + names_of(found) + "; name the one that is meant");
    considered.id = found.front().id.text();
    considered.workload = found.front().workload;
    if (!request.token.is_empty()) {
        auto honoured = honour(request, considered.id);
        considered.promised = CO_TRY(honoured);
    }
    considered.uses = request.uses.empty() ? considered.workload->uses : request.uses;
    if (considered.uses.size() > uses_max)
        co_return invalid_argument("a run has " + std::to_string(uses_max) + " uses at most");
    auto const principal = principal_of(found.front(), request.claims);
    for (auto const& use : considered.uses) {
        auto question = question_of(request, principal, run, considered.now, use);
        auto decided = co_await decide_and_record(state_, snapshot, question);
        auto answer = CO_TRY(decided);
        if (answer.allowed)
            considered.allowed.emplace_back(std::move(question), std::move(answer));
        else
            considered.refused.denials.push_back({ use.action, question.resource, std::move(answer.missing), answer.record });
    }
    considered.purpose = std::move(request.purpose);
    co_return considered;
}

Result<> RunRegistry::check_room_for_promise(std::string const& workload)
{
    auto& grants = *state_.store.run_grants;
    auto const now = state_.clock.now();
    if (TRY(grants.count("", now)) >= promises_max)
        return resource_exhausted(std::to_string(promises_max) + " runs wait for their start already (`writ grant list`)");
    if (!workload.empty() && TRY(grants.count(workload, now)) >= workload_promises_max)
        return resource_exhausted(std::to_string(workload_promises_max) + " runs of `" + workload + "` wait for their start already (`writ grant list`)");
    return {};
}

net::Task<Result<PromisedRun>> RunRegistry::promise(RunRequest request, Duration lifetime)
{
    if (lifetime < std::chrono::seconds(1) || lifetime > promise_lifetime_max)
        co_return invalid_argument("a token of a run is good for 1 second to 7 days");
    auto const meant = choose(identify(*state_.snapshot, request.claims), request.workload);
    auto const has_room = check_room_for_promise(meant.size() == 1 ? meant.front().id.text() : "");
    if (has_room.is_error())
        co_return has_room.error();
    auto const caller = request.agent;
    auto looked = co_await consider(std::move(request), "");
    auto considered = CO_TRY(looked);
    PromisedRun promised;
    promised.denials = std::move(considered.refused.denials);
    if (!promised.denials.empty())
        co_return promised;
    // Others were promised while this one was decided on.
    auto const has_room_yet = check_room_for_promise(considered.id);
    if (has_room_yet.is_error())
        co_return has_room_yet.error();
    auto const now = state_.clock.now();
    promised.id = "grant-" + state_.random.base32(20);
    promised.workload = considered.id;
    promised.token = SecretText(state_.random.base32(token_characters));
    promised.expires = now + lifetime;
    audit::Record record;
    record.type = audit::RecordType::administration;
    record.time = now;
    record.caller = caller;
    record.workload = promised.workload;
    record.workload_name = considered.workload->name;
    record.purpose = considered.purpose;
    record.action = "run";
    record.policy_version = considered.snapshot->version;
    record.outcome = "ok";
    record.reason = promised.id + ": a run may start until " + to_rfc3339(promised.expires);
    auto appended = co_await append_record(state_, std::move(record));
    promised.record = CO_TRY(appended);
    auto const kept = state_.store.run_grants->add({ to_hex(crypto::sha256(as_bytes(promised.token.reveal()))), promised.id, promised.workload,
        considered.purpose, writ::to_text(JsonValue(uses_json(considered.uses))), promised.record, promised.expires });
    if (kept.is_error())
        co_return kept.error();
    co_return promised;
}

net::Task<Result<StartedRun>> RunRegistry::start(RunRequest request)
{
    auto const id = identity::new_run_id(state_.random);
    auto const token = request.token.duplicate();
    auto const claims = request.claims;
    auto const agent = request.agent, address = request.address, trace = request.trace, its_request = request.request;
    auto const rank = request.rank;
    auto looked = co_await consider(std::move(request), id);
    auto considered = CO_TRY(looked);
    if (!considered.refused.denials.empty())
        co_return std::move(considered.refused);
    auto const& workload = *considered.workload;
    auto const& snapshot = considered.snapshot;
    StartedRun started;
    auto const now = considered.now;
    started.run = { id, agent, considered.id, workload.name, considered.purpose, writ::to_text(JsonValue(identity::to_json(claims))), now, now,
        std::nullopt, "" };
    started.svid_lifetime = workload.svid_lifetime;
    auto& allowed = considered.allowed;
    if (!token.is_empty()) {
        // SECURITY: once, whoever else brings it at this moment; before anything is given.
        auto const redeemed = state_.store.run_grants->redeem(to_hex(crypto::sha256(as_bytes(token.reveal()))), now);
        if (redeemed.is_error())
            co_return redeemed.error();
    }

    auto record = record_of_run(started.run, audit::RecordType::run_start, agent, now);
    if (!considered.promised.empty())
        record.reason = "as promised by " + considered.promised;
    record.trace = trace;
    record.request = its_request;
    record.rank = rank;
    record.pipeline = workload.pipeline;
    record.team = workload.team;
    record.claims = recorded_claims(claims);
    record_posture(record, measured_of(claims, agent, address, now));
    record.policy_version = snapshot->version;
    auto const may_spool = !allowed.empty() && std::ranges::all_of(allowed, [](auto const& one) { return one.second.may_spool; });
    auto appended = co_await record_or_spool(state_, std::move(record), may_spool);
    if (appended.is_error())
        co_return appended.error();
    auto const kept = state_.store.runs->add(started.run);
    if (kept.is_error())
        co_return kept.error();
    for (auto& [question, answer] : allowed) {
        auto given = co_await leases_.give(snapshot, std::move(question), std::move(answer));
        if (given.is_error()) {
            // What was given already goes back; if that cannot be done now, the keeper does it.
            auto const ended = co_await end(started.run.id, "", "authority", "a credential could not be issued");
            if (ended.is_error())
                log_warning(
                    "a run that could not start has not ended cleanly", { { "run", started.run.id }, { "error", ended.error().message } });
            co_return given.error();
        }
        started.grants.push_back(std::move(given).value());
    }
    co_return started;
}

net::Task<Result<std::vector<identity::Lease>>> RunRegistry::renew(
    std::string id, std::string agent, std::string trace, std::string address)
{
    auto found = state_.store.runs->find(id);
    auto const run = CO_TRY(found);
    if (run.agent != agent || run.ended)
        co_return not_found("no live run `" + id + "`");
    auto const touched = state_.store.runs->touch(id, state_.clock.now());
    if (touched.is_error())
        co_return touched.error();
    auto parsed = claims_of(run);
    auto const claims = CO_TRY(parsed);
    auto const snapshot = state_.snapshot;
    auto const identified = choose(identify(*snapshot, claims), run.workload);
    std::vector<identity::Lease> leases, renewed;
    for (std::string after;; after = leases.back().id) {
        auto page = state_.store.leases->open_after(after, { .run = id });
        auto next = CO_TRY(page);
        if (next.empty())
            break;
        std::ranges::move(next, std::back_inserter(leases));
    }
    for (auto const& lease : leases) {
        if (lease.state != identity::LeaseState::active)
            continue;
        bool still_allowed = false;
        if (!identified.empty()) {
            Question question;
            question.trace = trace;
            question.caller = agent;
            question.principal = principal_of(identified.front(), claims);
            question.measured = measured_of(claims, agent, address, run.started);
            question.run = id;
            question.purpose = run.purpose;
            question.action = lease.action;
            question.resource = { lease.resource_type, lease.resource_id };
            auto decided = co_await decide_and_record(state_, snapshot, std::move(question));
            still_allowed = CO_TRY(decided).allowed;
        }
        if (!still_allowed) {
            auto const taken = co_await leases_.take_back(lease.id, "authority", "not allowed any more");
            if (taken.is_error())
                log_warning("a lease could not be taken back yet", { { "lease", lease.id }, { "error", taken.error().message } });
            continue;
        }
        if (leases_.ends_by_itself(lease.kind))
            continue;
        auto prolonged = co_await leases_.prolong(snapshot, lease);
        if (prolonged.is_ok()) {
            renewed.push_back(std::move(prolonged).value());
        } else if (prolonged.error().code != ErrorCode::conflict) {
            // Its time stays what it was, and the agent asks again before that is over: a database that is away keeps no other's lease from
            // being prolonged.
            log_warning("a lease was not prolonged", { { "lease", lease.id }, { "error", prolonged.error().message } });
            renewed.push_back(lease);
        }
    }
    co_return renewed;
}

net::Task<Result<>> RunRegistry::record_end(identity::Run run, std::string caller, std::string reason)
{
    auto record = record_of_run(run, audit::RecordType::run_end, caller, state_.clock.now());
    record.reason = std::move(reason);
    auto const appended = co_await append_record(state_, std::move(record));
    if (appended.is_error())
        co_return appended.error();
    co_return Result<>();
}

net::Task<Result<std::vector<std::string>>> RunRegistry::end(std::string id, std::string agent, std::string caller, std::string reason)
{
    auto found = state_.store.runs->find(id);
    auto const run = CO_TRY(found);
    // SECURITY: to another agent, somebody else's run is not there.
    if (!agent.empty() && run.agent != agent)
        co_return not_found("no run `" + id + "`");
    // Credentials first: on a full disk the record fails and the credentials still go.
    auto taken = co_await leases_.take_back_run(id, caller, "run ended: " + reason);
    if (!run.ended) {
        auto const recorded = co_await record_end(run, caller, reason);
        if (recorded.is_error())
            co_return recorded.error();
        auto const kept = state_.store.runs->end(id, state_.clock.now(), reason);
        if (kept.is_error())
            co_return kept.error();
    }
    co_return taken;
}

net::Task<Result<std::vector<std::string>>> RunRegistry::sync(std::string agent, std::vector<std::string> live)
{
    auto listed = state_.store.runs->live_runs(agent);
    auto const runs = CO_TRY(listed);
    std::vector<std::string> ended;
    for (auto const& run : runs) {
        if (std::find(live.begin(), live.end(), run.id) != live.end()) {
            auto const touched = state_.store.runs->touch(run.id, state_.clock.now());
            if (touched.is_error())
                co_return touched.error();
            continue;
        }
        auto const done = co_await end(run.id, agent, agent, "gone when its agent came back");
        if (done.is_error())
            log_warning("a run has not ended cleanly yet", { { "run", run.id }, { "error", done.error().message } });
        else
            ended.push_back(run.id);
    }
    co_return ended;
}

Result<std::vector<identity::Use>> parse_uses(JsonObject const& object)
{
    std::vector<identity::Use> uses;
    for (auto const& item : *TRY(array_member(object, "uses"))) {
        if (!item.is_object())
            return invalid_argument("a use is an object");
        TRY(check_members(item.as_object(), { "action", "resource" }).in("uses"));
        auto const& resource = *TRY(object_member(item.as_object(), "resource"));
        TRY(check_members(resource, { "type", "id" }).in("uses"));
        uses.push_back({ std::string(TRY(string_member(item.as_object(), "action"))), std::string(TRY(string_member(resource, "type"))),
            std::string(TRY(string_member(resource, "id"))) });
    }
    return uses;
}

JsonObject to_json(identity::Run const& run)
{
    JsonObject object { { "id", run.id }, { "agent", run.agent }, { "workload", run.workload }, { "workload_name", run.workload_name },
        { "purpose", run.purpose }, { "started", to_rfc3339(run.started) }, { "seen", to_rfc3339(run.seen) } };
    if (run.ended) {
        object.emplace("ended", to_rfc3339(*run.ended));
        object.emplace("reason", run.reason);
    }
    return object;
}

} // namespace writ::authority

// SPDX-License-Identifier: Apache-2.0
#include "agent/session_cache.h"

#include "agent/run_key.h"
#include "base/logger.h"

#include <algorithm>

namespace writ::agent {

namespace {

// LIMIT: the authority asks its cloud three times before it gives up.
constexpr Duration answer_deadline = std::chrono::seconds(45);
// Clients ask again within a second of a failure, all of a job's workers at once: they get the same answer.
constexpr Duration failure_lasts = std::chrono::seconds(1);
constexpr Duration renewal_before_end = std::chrono::minutes(20);

std::string key_of(std::vector<SessionUse> const& uses)
{
    std::string key;
    for (auto const& use : uses)
        key += use.action + '\n' + use.resource_type + '\n' + use.resource_id + '\n';
    return key;
}

JsonObject request_of(std::vector<SessionUse> const& uses)
{
    JsonArray array;
    for (auto const& use : uses)
        array.push_back(JsonObject { { "action", use.action }, { "resource", JsonObject { { "type", use.resource_type }, { "id", use.resource_id } } } });
    return { { "uses", std::move(array) } };
}

Result<CloudSession> parse_session(JsonObject const& answer, Timestamp now, std::optional<crypto::PrivateKey> const& key)
{
    CloudSession session;
    session.kind = std::string(TRY(string_member(answer, "kind")));
    session.id = std::string(TRY(string_member(answer, "id")));
    session.expires = TRY(parse_rfc3339(TRY(string_member(answer, "expires"))));
    session.renew_at = session_renewal(now, session.expires);
    SecretText document(std::string(TRY(string_member(answer, "document"))));
    session.document = std::make_shared<SecretText const>(key ? TRY(with_run_key(document, *key)) : std::move(document));
    return session;
}

} // namespace

Timestamp session_renewal(Timestamp now, Timestamp expires) { return std::max(now + (expires - now) / 2, expires - renewal_before_end); }

bool SessionCache::is_good(Entry const& entry) const { return entry.session && entry.session->expires > clock_.now(); }

bool SessionCache::is_due(Entry const& entry) const { return !is_good(entry) || entry.settled < entry.doubts || clock_.now() >= entry.session->renew_at; }

Result<std::shared_ptr<SessionCache::Entry>> SessionCache::entry_of(Key const& key)
{
    auto const known = entries_.find(key);
    if (known != entries_.end())
        return known->second;
    if (entries_.size() >= sessions_max)
        std::erase_if(entries_, [this](auto const& item) { return !item.second->is_asking && !is_good(*item.second); });
    if (entries_.size() >= sessions_max)
        return resource_exhausted("this node keeps " + std::to_string(sessions_max) + " sessions already");
    return entries_.emplace(key, std::make_shared<Entry>()).first->second;
}

net::Task<> SessionCache::ask(std::shared_ptr<Entry> entry, std::string run, std::vector<SessionUse> uses)
{
    auto const doubts = entry->doubts; // a doubt that comes from here on is of what is being asked for, too
    auto request = request_of(uses);
    if (!entry->key && uses.front().kind == ssh_certificate_kind)
        entry->key = make_run_key();
    if (entry->key)
        request.emplace("public_key", to_base64(entry->key->public_key().to_spki()));
    auto sent = co_await authority_.send("POST", "/v1/agent/runs/" + run + "/sessions", {}, JsonValue(request), answer_deadline);
    Result<CloudSession> got = sent.is_error() ? Result<CloudSession>(sent.error()) : to_error(*sent);
    if (sent.is_ok() && sent->status == 200) {
        auto const answer = parse_json_object(sent->body);
        wipe(sent->body.data(), sent->body.size());
        got = answer.is_ok() ? parse_session(*answer, clock_.now(), entry->key) : Result<CloudSession>(answer.error());
    }
    entry->is_asking = false;
    if (got.is_ok()) {
        entry->session = std::move(got).value();
        entry->settled = doubts;
        entry->failure.reset();
    } else {
        entry->failure = got.error();
        // A failure from before declarations changed says nothing of what holds now.
        entry->ask_again = entry->doubts == doubts ? clock_.monotonic() + failure_lasts : Monotonic {};
        // SECURITY: an answer that says no ends what was kept; no answer does not.
        if (got.error().code != ErrorCode::unavailable)
            entry->session.reset();
        log_warning("a session was not opened", { { "run", run }, { "error", got.error().message } });
    }
    if (entry->is_forgotten)
        entry->session.reset();
    entry->answered.notify();
}

net::Task<Result<CloudSession>> SessionCache::get(std::string run, std::vector<SessionUse> uses)
{
    auto placed = entry_of({ run, key_of(uses) });
    auto const entry = CO_TRY(placed);
    bool const may_ask = !entry->is_asking && clock_.monotonic() >= entry->ask_again;
    auto const seen = entry->answered.version();
    if (may_ask && is_due(*entry)) {
        entry->is_asking = true;
        loop_.spawn(ask(entry, run, uses));
    }
    // One that is only near its end is served while the next is asked for.
    bool const must_wait = entry->is_asking && (!is_good(*entry) || entry->settled < entry->doubts);
    if (must_wait && !co_await entry->answered.wait_past(seen, answer_deadline))
        co_return unavailable("the authority does not answer");
    if (is_good(*entry))
        co_return *entry->session;
    co_return entry->failure.value_or(Error(ErrorCode::unavailable, "there is no session yet"));
}

void SessionCache::prepare(std::string run, std::vector<SessionUse> uses)
{
    auto const entry = entry_of({ run, key_of(uses) });
    if (entry.is_error() || (*entry)->is_asking || is_good(**entry))
        return;
    (*entry)->is_asking = true;
    loop_.spawn(ask(*entry, std::move(run), std::move(uses)));
}

void SessionCache::forget(std::string const& run)
{
    for (auto item = entries_.lower_bound({ run, "" }); item != entries_.end() && item->first.first == run; item = entries_.erase(item))
        item->second->is_forgotten = true;
}

void SessionCache::doubt()
{
    for (auto const& [key, entry] : entries_) {
        ++entry->doubts;
        entry->ask_again = {};
    }
}

} // namespace writ::agent

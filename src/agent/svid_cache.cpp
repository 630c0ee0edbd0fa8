// SPDX-License-Identifier: Apache-2.0
#include "agent/svid_cache.h"

#include "crypto/key.h"

#include <algorithm>

namespace writ::agent {

namespace {

// After a renewal that did not reach the authority.
constexpr Duration renewal_retry = std::chrono::seconds(2);

// What tells one workload's processes from another's: two processes differ in their start time, and are one workload all the same. A
// declaration that matches on it has to be asked about for each process, so it stays in when the authority is asked.
std::string key_of(identity::Claims const& claims) { return to_text(JsonValue(identity::to_json(claims))); }

template <typename Map> void make_room(Map& map, Timestamp now)
{
    if (map.size() < cached_max)
        return;
    std::erase_if(map, [now](auto const& entry) { return entry.second.renew_at <= now; });
    if (map.size() >= cached_max)
        map.erase(map.begin());
}

Timestamp half_way(Timestamp now, Timestamp expires) { return now + (expires - now) / 2; }

std::optional<std::int64_t> record_of(JsonObject const& svid)
{
    auto const record = integer_member(svid, "record");
    return record.is_ok() ? std::optional(*record) : std::nullopt;
}

Result<X509Svids> parse_x509(JsonObject const& answer, Timestamp now)
{
    X509Svids parsed;
    std::optional<Timestamp> renew_at;
    for (auto const& item : *TRY(array_member(answer, "svids"))) {
        if (!item.is_object())
            return invalid_argument("an SVID is an object");
        auto const& object = item.as_object();
        X509Svid svid;
        svid.id = TRY(string_member(object, "id"));
        svid.record = record_of(object);
        svid.expires = TRY(parse_rfc3339(TRY(string_member(object, "expires"))));
        for (auto const& certificate : TRY(strings_member(object, "certificates")))
            svid.certificates.push_back(TRY(parse_base64(certificate)));
        renew_at = std::min(renew_at.value_or(svid.expires), half_way(now, svid.expires));
        parsed.expires = std::min(parsed.svids.empty() ? svid.expires : parsed.expires, svid.expires);
        parsed.svids.push_back(std::move(svid));
    }
    if (parsed.svids.empty())
        return permission_denied("no workload has these claims");
    parsed.renew_at = *renew_at;
    return parsed;
}

Result<std::vector<JwtSvid>> parse_jwt(JsonObject const& answer)
{
    std::vector<JwtSvid> svids;
    for (auto const& item : *TRY(array_member(answer, "svids"))) {
        if (!item.is_object())
            return invalid_argument("an SVID is an object");
        auto const& object = item.as_object();
        svids.push_back({ std::string(TRY(string_member(object, "id"))),
            std::make_shared<SecretText const>(std::string(TRY(string_member(object, "token")))),
            TRY(parse_rfc3339(TRY(string_member(object, "expires")))), record_of(object) });
    }
    return svids;
}

} // namespace

void SvidCache::forget()
{
    ++generation_;
    x509_.clear();
    jwt_.clear();
}

// The authority is away: what it gave before is as good as it was, until it expires.
std::optional<X509Svids> SvidCache::prolong_x509(std::string const& key)
{
    auto const now = clock_.now();
    auto const kept = x509_.find(key);
    if (kept == x509_.end() || kept->second.expires <= now)
        return std::nullopt;
    kept->second.renew_at = std::min(now + renewal_retry, kept->second.expires);
    return kept->second;
}

net::Task<Result<X509Svids>> SvidCache::x509(identity::Claims claims)
{
    auto const now = clock_.now();
    auto const key = key_of(claims);
    if (auto const kept = x509_.find(key); kept != x509_.end() && kept->second.renew_at > now)
        co_return kept->second;
    auto const generation = generation_;
    auto generated = crypto::PrivateKey::generate(crypto::KeyType::p256);
    auto const private_key = CO_TRY(generated);
    auto answered = co_await authority_.post("/v1/agent/svids/x509",
        JsonObject { { "claims", identity::to_json(claims) }, { "public_key", to_base64(private_key.public_key().to_spki()) } });
    if (answered.is_error() && answered.error().code == ErrorCode::unavailable) {
        if (auto valid = prolong_x509(key))
            co_return std::move(*valid);
    }
    auto const answer = CO_TRY(answered);
    auto parsed = parse_x509(answer, now);
    auto svids = CO_TRY(parsed);
    svids.private_key = std::make_shared<SecretBytes const>(private_key.to_pkcs8());
    make_room(x509_, now);
    if (generation == generation_)
        x509_.insert_or_assign(key, svids);
    co_return svids;
}

net::Task<Result<std::vector<JwtSvid>>> SvidCache::jwt(identity::Claims claims, std::vector<std::string> audience, std::string id)
{
    auto const now = clock_.now();
    JsonArray names;
    for (auto const& name : audience)
        names.emplace_back(name);
    JsonObject request { { "claims", identity::to_json(claims) }, { "audience", std::move(names) } };
    if (!id.empty())
        request.emplace("id", id);
    auto const key = to_text(JsonValue(request));
    if (auto const kept = jwt_.find(key); kept != jwt_.end() && kept->second.renew_at > now)
        co_return kept->second.svids;
    auto const generation = generation_;
    auto answered = co_await authority_.post("/v1/agent/svids/jwt", std::move(request));
    auto const answer = CO_TRY(answered);
    auto parsed = parse_jwt(answer);
    auto const svids = CO_TRY(parsed);
    if (svids.empty())
        co_return permission_denied("no workload has these claims");
    auto expires = svids.front().expires;
    for (auto const& svid : svids)
        expires = std::min(expires, svid.expires);
    make_room(jwt_, now);
    if (generation == generation_)
        jwt_.insert_or_assign(key, CachedJwt { svids, half_way(now, expires) });
    co_return svids;
}

} // namespace writ::agent

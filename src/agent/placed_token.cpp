// SPDX-License-Identifier: Apache-2.0
#include "agent/placed_token.h"

#include "agent/delivery.h"
#include "net/url_place.h"

namespace writ::agent {

RunPlace const* place_for(std::vector<RunPlace> const& places, std::string_view client, std::string_view url)
{
    auto const wanted = net::parse_url_place(url);
    if (wanted.is_error())
        return nullptr;
    RunPlace const* best = nullptr;
    for (auto const& place : places) {
        auto const declared = net::parse_url_place(place.url);
        bool const fits = place.client == client && declared.is_ok() && net::covers(*declared, *wanted);
        if (fits && (best == nullptr || place.url.size() > best->url.size()))
            best = &place;
    }
    return best;
}

net::Task<Result<PlacedToken>> token_for_place(SessionCache& sessions, WatchedRun run, std::string client, std::string url)
{
    auto const* const place = place_for(run.places, client, url);
    if (place == nullptr)
        co_return not_found("the run has no token for " + client + " at `" + url + "`");
    auto uses = by_provider(run.deliveries)[place->provider];
    if (uses.empty())
        co_return not_found("the run uses CredentialProvider `" + place->provider + "` no more");
    auto got = co_await sessions.get(run.id, std::move(uses));
    auto const session = CO_TRY(got);
    auto parsed = parse_delivery(*session.document);
    auto delivery = CO_TRY(parsed);
    for (auto& placed : delivery.places) {
        if (placed.client == place->client && placed.url == place->url)
            co_return PlacedToken { std::move(placed.username), std::move(placed.secret), session.expires };
    }
    co_return not_found("CredentialProvider `" + place->provider + "` serves `" + place->url + "` no more");
}

} // namespace writ::agent

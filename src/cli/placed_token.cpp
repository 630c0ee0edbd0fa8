// SPDX-License-Identifier: Apache-2.0
#include "cli/placed_token.h"

#include <algorithm>

namespace writ::cli {

Result<std::vector<Place>> parse_places(JsonObject const& answer)
{
    std::vector<Place> places;
    if (!answer.contains("places"))
        return places;
    for (auto const& item : *TRY(array_member(answer, "places"))) {
        if (!item.is_object())
            return invalid_argument("a place is an object");
        auto const& place = item.as_object();
        places.push_back({ std::string(TRY(string_member(place, "client"))), std::string(TRY(string_member(place, "url"))), std::string(TRY(string_member(place, "username"))) });
    }
    return places;
}

std::vector<Place> places_for(std::vector<Place> const& places, std::string_view client)
{
    std::vector<Place> found;
    std::copy_if(places.begin(), places.end(), std::back_inserter(found), [client](auto const& place) { return place.client == client; });
    return found;
}

Result<std::vector<Place>> list_places(Session const& session) { return parse_places(TRY(object_of(call_agent(session, get_request("/v1/places"))))); }

Result<PlacedToken> ask_for_token(Session const& session, std::string_view client, std::string_view url)
{
    auto const answer = TRY(object_of(call_agent(session, post_request("/v1/places/token", JsonObject { { "client", client }, { "url", url } }))));
    PlacedToken token;
    token.username = TRY(string_member(answer, "username"));
    token.secret = SecretText(std::string(TRY(string_member(answer, "secret"))));
    token.expires = TRY(parse_rfc3339(TRY(string_member(answer, "expires"))));
    return token;
}

} // namespace writ::cli

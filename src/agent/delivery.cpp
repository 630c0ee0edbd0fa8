// SPDX-License-Identifier: Apache-2.0
#include "agent/delivery.h"

namespace writ::agent {

namespace {

// An authority of before there were places writes none.
Result<std::vector<PlacedSecret>> parse_places(JsonObject const& object)
{
    std::vector<PlacedSecret> places;
    if (!object.contains("places"))
        return places;
    for (auto const& item : *TRY(array_member(object, "places"))) {
        if (!item.is_object())
            return invalid_argument("a place is an object");
        auto const& place = item.as_object();
        auto const secret = TRY(string_member(place, "secret"));
        places.push_back({ std::string(TRY(string_member(place, "client"))), std::string(TRY(string_member(place, "url"))), std::string(TRY(string_member(place, "username"))),
            SecretText(std::string(secret)) });
    }
    return places;
}

} // namespace

Result<Delivery> parse_delivery(SecretText const& document)
{
    auto const object = TRY(parse_json_object(document.reveal()));
    Delivery delivery;
    for (auto const& member : *TRY(object_member(object, "environment"))) {
        if (!member.value().is_string())
            return invalid_argument("an environment variable is text");
        delivery.environment.emplace(member.key(), member.value().as_string());
    }
    for (auto const& item : *TRY(array_member(object, "files"))) {
        if (!item.is_object())
            return invalid_argument("a file is an object");
        auto const& file = item.as_object();
        auto const name = TRY(string_member(file, "name"));
        auto const variable = TRY(string_member(file, "variable"));
        auto const content = TRY(string_member(file, "content"));
        delivery.files.push_back({ std::string(name), std::string(variable), SecretText(std::string(content)) });
    }
    delivery.places = TRY(parse_places(object));
    return delivery;
}

std::vector<RunPlace> places_of(std::string const& provider, Delivery const& delivery)
{
    std::vector<RunPlace> places;
    for (auto const& place : delivery.places)
        places.push_back({ provider, place.client, place.url, place.username });
    return places;
}

void name_in(std::map<std::string, std::string>& environment, std::string_view mark, std::string const& text)
{
    for (auto& [name, value] : environment) {
        for (auto at = value.find(mark); at != std::string::npos; at = value.find(mark, at + text.size()))
            value.replace(at, mark.size(), text);
    }
}

std::map<std::string, std::vector<SessionUse>> by_provider(std::vector<SessionUse> const& uses)
{
    std::map<std::string, std::vector<SessionUse>> sorted;
    for (auto const& use : uses)
        sorted[use.provider].push_back(use);
    return sorted;
}

} // namespace writ::agent

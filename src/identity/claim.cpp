// SPDX-License-Identifier: Apache-2.0
#include "identity/claim.h"

namespace writ::identity {

std::vector<std::string> const* Claims::find(std::string_view name) const
{
    auto const found = values.find(name);
    return found == values.end() ? nullptr : &found->second;
}

JsonObject to_json(Claims const& claims)
{
    JsonObject values;
    for (auto const& [name, texts] : claims.values) {
        JsonArray array;
        for (auto const& text : texts)
            array.emplace_back(text);
        values.emplace(name, std::move(array));
    }
    return { { "provider", claims.provider }, { "values", std::move(values) } };
}

Result<Claims> parse_claims(JsonObject const& object)
{
    Claims claims;
    claims.provider = TRY(string_member(object, "provider"));
    auto const& values = *TRY(object_member(object, "values"));
    if (values.size() > claims_max)
        return invalid_argument("too many claims");
    for (auto const& member : values) {
        auto texts = TRY(strings_member(values, member.key()));
        if (texts.size() > claim_values_max)
            return invalid_argument("a claim has too many values");
        for (auto const& text : texts) {
            if (text.size() > claim_value_bytes_max)
                return invalid_argument("a claim's value is too long");
        }
        // A claim belongs to the provider that proved it: `unix.…` from anything but `unix` would be a lie.
        if (!std::string_view(member.key()).starts_with(claims.provider + "."))
            return invalid_argument("claim `" + std::string(member.key()) + "` is not one of provider `" + claims.provider + "`");
        claims.values.emplace(member.key(), std::move(texts));
    }
    return claims;
}

} // namespace writ::identity

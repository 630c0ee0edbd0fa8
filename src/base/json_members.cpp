// SPDX-License-Identifier: Apache-2.0
#include "base/json_members.h"

#include "base/utf8.h"

#include <algorithm>

namespace writ {

Result<std::string> text_member_or(JsonObject const& object, std::string_view name, std::string_view otherwise)
{
    if (!object.contains(name))
        return std::string(otherwise);
    return std::string(TRY(string_member(object, name)));
}

Result<bool> flag_member(JsonObject const& object, std::string_view name)
{
    if (!object.contains(name))
        return false;
    return bool_member(object, name);
}

Result<> check_members(JsonObject const& object, std::initializer_list<std::string_view> known)
{
    // LIMIT: what is shown of a name that somebody made up.
    constexpr std::size_t shown_bytes_max = 60;
    for (auto const& member : object) {
        std::string_view const name = member.key();
        if (std::find(known.begin(), known.end(), name) == known.end())
            return invalid_argument("unknown member `" + std::string(utf8_prefix(name, shown_bytes_max)) + "`");
    }
    return {};
}

Result<JsonObject> parse_request(std::string_view body, std::initializer_list<std::string_view> known)
{
    auto object = TRY(parse_json_object(body));
    TRY(check_members(object, known));
    return object;
}

} // namespace writ

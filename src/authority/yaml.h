// SPDX-License-Identifier: Apache-2.0
//
// YAML as a small tree with positions. Refuses what a declaration never needs and an attacker might use: duplicate names, names that
// are no text, aliases that unfold without bound, depth and size over the limits.
#pragma once

#include "authority/declaration.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace writ::authority {

// LIMIT: a declaration has some fifty nodes; a file of a thousand of them fits. Aliases count each time they are unfolded.
inline constexpr std::size_t yaml_nodes_max = 100'000;
// LIMIT: the deepest declaration has five levels.
inline constexpr int yaml_depth_max = 16;
inline constexpr std::size_t yaml_members_max = 1000; // of one map; each new name is compared with those before

struct YamlMember;

struct YamlNode {
    enum class Kind : std::uint8_t { null, scalar, sequence, map };

    Kind kind = Kind::null;
    std::string scalar;
    std::vector<YamlNode> elements;  // of a sequence
    std::vector<YamlMember> members; // of a map, in the order written, names unique
    Position position;

    [[nodiscard]] YamlNode const* find(std::string_view name) const;
};

struct YamlMember {
    std::string name;
    YamlNode node;
};

// The non-empty documents of a stream, or the first problem.
std::variant<std::vector<YamlNode>, Problem> parse_yaml(Document const&);

} // namespace writ::authority

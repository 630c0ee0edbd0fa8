// SPDX-License-Identifier: Apache-2.0
//
// Reads the fields of one declared document, and collects every problem rather than the first. A field that nobody asked for is a
// problem too: a misspelt `purpose` must not become an empty one.
#pragma once

#include "authority/yaml.h"

#include <initializer_list>
#include <map>
#include <set>

namespace writ::authority {

class FieldReader {
public:
    // REQUIRES: map and problems outlive the reader.
    FieldReader(YamlNode const& map, std::vector<Problem>& problems)
        : map_(map)
        , problems_(problems)
    {
    }

    std::string text(std::string_view name); // required, not empty
    std::string text_or(std::string_view name, std::string_view otherwise);
    std::string one_of(std::string_view name, std::initializer_list<std::string_view> allowed); // required
    std::vector<std::string> texts(std::string_view name);              // a list, or one text for a list of one; absent: empty
    std::map<std::string, std::string> text_map(std::string_view name); // absent: empty
    bool flag_or(std::string_view name, bool otherwise); // true, false
    std::uint16_t port_or(std::string_view name, std::uint16_t otherwise);
    Duration duration_or(std::string_view name, Duration otherwise); // 90s, 10m, 2h, 1d
    YamlNode const* node(std::string_view name);                     // as it stands; nullptr if absent

    void problem(Position, std::string message);
    // Reports the fields that were not read.
    void finish();

private:
    YamlNode const* take(std::string_view name);

    YamlNode const& map_;
    std::vector<Problem>& problems_;
    std::set<std::string, std::less<>> known_;
};

// `90s`, `10m`, `2h`, `1d`; at most 366 days.
Result<Duration> parse_duration(std::string_view);

// The candidate that `name` most likely misspells (at most two edits), or empty.
std::string_view nearest_name(std::string_view name, std::set<std::string, std::less<>> const& candidates);

} // namespace writ::authority

// SPDX-License-Identifier: Apache-2.0
//
// What a conformance program counts: cases that came out as their authors say, cases that did not (printed), and cases skipped by a
// stated rule (counted by rule). print() ends with `N passed, M failed`.
#pragma once

#include "base/durable_file.h"
#include "base/json.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace writ::conformance {

class Tally {
public:
    void expect(bool holds, std::string const& name)
    {
        (holds ? passed_ : failed_) += 1;
        if (!holds)
            std::printf("differs: %s\n", name.c_str());
    }
    void skip(std::string const& rule, std::size_t count = 1) { skipped_[rule] += count; }

    // The exit code of the program.
    [[nodiscard]] int print() const
    {
        for (auto const& [rule, count] : skipped_)
            std::printf("skipped %zu: %s\n", count, rule.c_str());
        std::printf("%zu passed, %zu failed\n", passed_, failed_);
        return failed_ == 0 && passed_ > 0 ? 0 : 1;
    }

private:
    std::size_t passed_ = 0, failed_ = 0;
    std::map<std::string, std::size_t> skipped_;
};

// LIMIT: test files of others are large and trusted.
inline constexpr JsonLimits corpus_limits { .size_max = 64U << 20U, .depth_max = 64 };

// The JSON files of a folder and its subfolders, in the order of their names.
inline std::vector<Path> json_files(Path const& folder)
{
    std::vector<Path> files;
    std::error_code error;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(folder, error))
        if (entry.is_regular_file() && entry.path().extension() == ".json")
            files.push_back(entry.path());
    std::ranges::sort(files);
    return files;
}

inline Result<JsonObject> read_json(Path const& file)
{
    auto const bytes = TRY(read_file(file));
    return parse_json_object(as_text(bytes), corpus_limits).in(file.string());
}

// Of a document known to be well-formed: the text, hexadecimal bytes and objects of a member; empty if it has none.
inline std::string text_at(JsonObject const& object, std::string_view name) { return std::string(string_or(object, name, "")); }
inline Bytes hex_at(JsonObject const& object, std::string_view name)
{
    auto bytes = parse_hex(string_or(object, name, ""));
    return bytes.is_ok() ? std::move(*bytes) : Bytes();
}
inline std::vector<JsonObject> objects_at(JsonObject const& object, std::string_view name)
{
    std::vector<JsonObject> objects;
    if (auto const* value = object.if_contains(name); value != nullptr && value->is_array())
        for (auto const& element : value->as_array())
            if (element.is_object())
                objects.push_back(element.as_object());
    return objects;
}

} // namespace writ::conformance

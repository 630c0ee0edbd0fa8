// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_files.h"

#include "base/durable_file.h"
#include "vocabulary/schema.h"

#include <algorithm>

namespace writ::cli {

namespace {

// LIMIT: of one file of entities.
constexpr std::size_t entities_bytes_max = 64U << 20U;

} // namespace

Result<std::vector<cedar::PolicySource>> read_policy_sources(std::vector<std::string> const& paths)
{
    std::vector<Path> files;
    for (auto const& path : paths) {
        std::error_code error;
        if (!std::filesystem::is_directory(path, error)) {
            files.emplace_back(path);
            continue;
        }
        for (auto const& entry : std::filesystem::recursive_directory_iterator(path, error)) {
            if (entry.is_regular_file() && entry.path().extension() == ".cedar")
                files.push_back(entry.path());
        }
    }
    if (files.empty())
        return not_found("no .cedar files there");
    std::sort(files.begin(), files.end());
    std::vector<cedar::PolicySource> sources;
    for (auto const& file : files)
        sources.push_back({ file.string(), to_text(TRY(read_file(file, cedar::source_bytes_max))) });
    return sources;
}

Result<cedar::EntityStore> read_entities(std::string const& file)
{
    if (file.empty())
        return cedar::EntityStore();
    auto const json = TRY(parse_json(to_text(TRY(read_file(file, entities_bytes_max))), { .size_max = entities_bytes_max }));
    cedar::EntityStore store;
    auto const& list = json.is_object() && json.as_object().contains("entities") ? json.as_object().at("entities") : json;
    for (auto& entity : TRY(cedar::parse_entities(list, vocabulary::schema())))
        store.add(std::move(entity));
    return store;
}

} // namespace writ::cli

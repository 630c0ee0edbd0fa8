// SPDX-License-Identifier: Apache-2.0
#include "cli/documents.h"

#include "base/durable_file.h"

#include <algorithm>
#include <cstdlib>

namespace writ::cli {

namespace {

// LIMIT: what the authority takes in one request.
constexpr std::size_t file_bytes_max = 4U << 20U;

bool is_declaration(Path const& path)
{
    auto const ending = path.extension();
    return ending == ".yaml" || ending == ".yml" || ending == ".cedar";
}

bool is_name(std::string_view name)
{
    return !name.empty()
        && name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

Result<std::vector<Path>> files_of(Path const& path)
{
    std::error_code error;
    if (std::filesystem::is_regular_file(path, error))
        return std::vector<Path> { path };
    if (!std::filesystem::is_directory(path, error))
        return not_found("`" + path.string() + "` is not there");
    std::vector<Path> files;
    for (auto const& entry : std::filesystem::directory_iterator(path, error)) {
        if (entry.is_regular_file() && is_declaration(entry.path()))
            files.push_back(entry.path());
    }
    if (error)
        return errno_error("read `" + path.string() + "`", error.value());
    if (files.empty())
        return not_found("`" + path.string() + "` has no .yaml, .yml or .cedar files");
    std::sort(files.begin(), files.end());
    return files;
}

std::string place_of(std::string const& path, std::string_view before)
{
    auto const line = 1 + std::count(before.begin(), before.end(), '\n');
    auto const line_start = before.rfind('\n');
    auto const column = before.size() - (line_start == std::string_view::npos ? 0 : line_start + 1) + 1;
    return path + ":" + std::to_string(line) + ":" + std::to_string(column);
}

// Whether the line before that place begins with `#`.
bool is_in_comment_line(std::string_view text, std::size_t place)
{
    auto const line = text.substr(0, place).substr(text.substr(0, place).rfind('\n') + 1);
    auto const first = line.find_first_not_of(" \t");
    return first != std::string_view::npos && line[first] == '#';
}

} // namespace

Result<Settings> parse_settings(std::vector<std::string> const& texts)
{
    Settings settings;
    for (auto const& text : texts) {
        auto const equals = text.find('=');
        if (equals == std::string::npos || !is_name(std::string_view(text).substr(0, equals)))
            return invalid_argument("`" + text + "` is not NAME=VALUE");
        settings.insert_or_assign(text.substr(0, equals), text.substr(equals + 1));
    }
    return settings;
}

Result<std::string> expand_settings(std::string_view text, std::string const& path, Settings const& settings)
{
    std::string expanded;
    std::size_t at = 0;
    for (auto open = text.find("${"); open != std::string_view::npos; open = text.find("${", at)) {
        if (open > at && text[open - 1] == '$') {
            expanded.append(text.substr(at, open - 1 - at)).append("${");
            at = open + 2;
            continue;
        }
        if (is_in_comment_line(text, open)) {
            expanded.append(text.substr(at, open + 2 - at));
            at = open + 2;
            continue;
        }
        auto const close = text.find('}', open);
        auto const name = text.substr(open + 2, close == std::string_view::npos ? 0 : close - open - 2);
        if (!is_name(name))
            return invalid_argument(place_of(path, text.substr(0, open))
                + ": `${` begins the name of a value and ends with `}`; write `$${` for the characters themselves");
        auto const setting = settings.find(name);
        auto const* const variable = setting == settings.end() ? std::getenv(std::string(name).c_str()) : nullptr;
        if (setting == settings.end() && variable == nullptr)
            return invalid_argument(place_of(path, text.substr(0, open)) + ": `" + std::string(name) + "` has no value; give it with --set "
                + std::string(name) + "=VALUE or in the environment");
        expanded.append(text.substr(at, open - at)).append(setting != settings.end() ? setting->second : std::string(variable));
        at = close + 1;
    }
    return expanded.append(text.substr(at));
}

Result<std::vector<DeclaredFile>> collect_documents(std::vector<std::string> const& paths, Settings const& settings)
{
    std::vector<DeclaredFile> documents;
    for (auto const& path : paths) {
        for (auto const& file : TRY(files_of(path))) {
            auto text = to_text(TRY(read_file(file, file_bytes_max)));
            // Cedar has no use for it, and `${` may stand in a policy's string.
            if (file.extension() != ".cedar")
                text = TRY(expand_settings(text, file.string(), settings));
            documents.push_back({ file.string(), std::move(text) });
        }
    }
    return documents;
}

} // namespace writ::cli

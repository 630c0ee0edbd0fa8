// SPDX-License-Identifier: Apache-2.0
#include "cli/docker_config.h"

#include <algorithm>

namespace writ::cli {

namespace {

constexpr std::string_view scheme = "https://";
constexpr std::string_view config_name = "config.json";
// Docker Hub, as Docker has always called it.
constexpr std::string_view hub = "https://index.docker.io";
constexpr std::string_view hub_name = "https://index.docker.io/v1/";
// LIMIT: entries of a folder of settings.
constexpr std::size_t entries_max = 1000;

std::string text_of(Variables const& variables, std::string const& name)
{
    auto const found = variables.find(name);
    return found == variables.end() ? "" : found->second;
}

Path below(std::string const& folder, char const* name) { return folder.empty() ? Path() : Path(folder) / name; }

Path own_folder(Variables const& own)
{
    auto const named = text_of(own, "DOCKER_CONFIG");
    return named.empty() ? below(text_of(own, "HOME"), ".docker") : Path(named);
}

// In the order in which they are looked at.
std::vector<Path> own_auth_files(Variables const& own)
{
    if (auto const named = text_of(own, "REGISTRY_AUTH_FILE"); !named.empty())
        return { named };
    auto const settings = text_of(own, "XDG_CONFIG_HOME");
    return { below(text_of(own, "XDG_RUNTIME_DIR"), "containers/auth.json"),
        settings.empty() ? below(text_of(own, "HOME"), ".config/containers/auth.json") : below(settings, "containers/auth.json"), own_folder(own) / config_name };
}

// Empty: there is none.
Result<std::string> read_config(Path const& file)
{
    if (file.empty())
        return std::string();
    auto const bytes = read_regular_file(file, docker_config_bytes_max);
    if (bytes.is_ok())
        return std::string(as_text(*bytes));
    if (bytes.error().code == ErrorCode::not_found)
        return std::string();
    return bytes.error();
}

Result<> link(Path const& target, Path const& name)
{
    std::error_code error;
    std::filesystem::create_symlink(target, name, error);
    return error ? Result<>(unavailable("link `" + name.string() + "`: " + error.message())) : Result<>();
}

// Contexts, plug-ins and certificates are found where they were. False: there are more than were linked.
Result<bool> link_others(Path const& from, Path const& to)
{
    std::error_code error;
    std::size_t entries = 0;
    for (auto const& entry : std::filesystem::directory_iterator(std::filesystem::absolute(from, error), error)) {
        if (entry.path().filename() == config_name)
            continue;
        if (++entries > entries_max)
            return false;
        TRY(link(entry.path(), to / entry.path().filename()));
    }
    return true;
}

void add_absent(JsonObject& target, JsonObject const& source, char const* member)
{
    auto const* const values = source.if_contains(member);
    if (values == nullptr || !values->is_object())
        return;
    auto& merged = target[member];
    if (!merged.is_object())
        merged = JsonObject();
    for (auto const& value : values->as_object())
        merged.as_object().insert(value);
}

void add_helpers(JsonObject& config, std::vector<Place> const& places)
{
    auto& helpers = config["credHelpers"];
    if (!helpers.is_object())
        helpers = JsonObject();
    for (auto const& place : places)
        helpers.as_object()[docker_registry(place.url)] = "writ";
}

Result<> write_containers_auth(Variables const& own, Path const& file, std::vector<Place> const& places, Variables& environment)
{
    std::vector<std::string> texts;
    for (auto const& own_file : own_auth_files(own))
        texts.push_back(TRY(read_config(own_file).in("logins at registries")));
    TRY(create_file(file, as_bytes(to_text(TRY(containers_auth(texts, places))))));
    environment["REGISTRY_AUTH_FILE"] = file.string();
    return {};
}

} // namespace

std::vector<Path> docker_login_files(Variables const& own)
{
    auto files = own_auth_files(own);
    auto const config = own_folder(own) / config_name;
    if (std::find(files.begin(), files.end(), config) == files.end())
        files.push_back(config);
    // Without a home there is no such folder.
    std::erase_if(files, [&own](auto const& file) { return file.empty() || (own_folder(own).empty() && file == config_name); });
    return files;
}

Result<std::string> parse_docker_question(std::string_view text)
{
    text = text.substr(0, text.find_first_of("\r\n"));
    if (text.empty())
        return invalid_argument("which registry is asked for stands on standard input");
    return std::string(text.starts_with(scheme) ? "" : scheme) + std::string(text);
}

std::string docker_registry(std::string_view url)
{
    if (url == hub)
        return std::string(hub_name);
    return std::string(url.starts_with(scheme) ? url.substr(scheme.size()) : url);
}

Result<JsonObject> docker_config(std::string_view own, std::vector<Place> const& places)
{
    auto config = own.empty() ? JsonObject() : TRY(parse_json_object(own, { .size_max = docker_config_bytes_max }));
    add_helpers(config, places);
    return config;
}

Result<JsonObject> containers_auth(std::vector<std::string> const& own, std::vector<Place> const& places)
{
    JsonObject merged;
    for (auto const& text : own) {
        auto const config = text.empty() ? JsonObject() : TRY(parse_json_object(text, { .size_max = docker_config_bytes_max }));
        add_absent(merged, config, "auths");
        add_absent(merged, config, "credHelpers");
        if (auto const* store = config.if_contains("credsStore"); store != nullptr)
            merged.insert({ { "credsStore", *store } });
    }
    add_helpers(merged, places);
    return merged;
}

Result<std::string> write_docker_folder(Variables const& own, Path const& run_folder, Path const& executable, std::vector<Place> const& places, Variables& environment)
{
    auto const from = own_folder(own);
    auto const folder = run_folder / "docker", programs = run_folder / "bin";
    auto const text = TRY(read_config(from / config_name).in("Docker's configuration"));
    auto const config = TRY(docker_config(text, places).in("`" + (from / config_name).string() + "`"));
    TRY(create_folder(folder));
    TRY(create_folder(programs));
    TRY(create_file(folder / config_name, as_bytes(to_text(config))));
    TRY(write_containers_auth(own, run_folder / "containers-auth.json", places, environment));
    auto const has_all = from.empty() || TRY(link_others(from, folder));
    TRY(link(executable, programs / docker_helper_name));
    environment["DOCKER_CONFIG"] = folder.string();
    environment["PATH"] = programs.string() + ":" + (own.contains("PATH") ? own.at("PATH") : std::string("/usr/local/bin:/usr/bin:/bin"));
    return has_all ? std::string() : "`" + from.string() + "` has more than " + std::to_string(entries_max) + " entries; the run's Docker finds only that many of them";
}

} // namespace writ::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/run_places.h"

#include "cli/docker_config.h"
#include "cli/git_credential.h"
#include "cli/git_settings.h"
#include "cli/output.h"

#include <cstdio>

namespace writ::cli {

namespace {

Result<std::string> shell_word(std::string const& text)
{
    if (text.find('\n') != std::string::npos)
        return invalid_argument("`" + text + "` has a line break, which git's configuration cannot hold");
    std::string word = "'";
    for (char const c : text)
        word += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return word + "'";
}

// By which a person, and `writ doctor`, see that the run has tokens for them, and where.
void name_places(std::vector<Place> const& places, Variables& environment)
{
    for (auto const& [client, variable] : { std::pair("git", "WRIT_GIT_PLACES"), std::pair("docker", "WRIT_DOCKER_PLACES"), std::pair("kubernetes", "WRIT_KUBERNETES_PLACES") }) {
        std::string urls;
        for (auto const& place : places_for(places, client))
            urls += (urls.empty() ? "" : " ") + place.url;
        if (!urls.empty())
            environment[variable] = urls;
    }
}

// What the user has that git would take before it asks the helper is put out of force in the same file, which it reads last.
std::string precedence_text(Variables const& own, std::vector<Place> const& places)
{
    std::error_code error;
    auto const home = own.contains("HOME") ? Path(own.at("HOME")) : Path();
    auto const hosts = netrc_hosts(own, home);
    auto const has_netrc = [&hosts](std::string_view host) { return hosts.contains("default") || hosts.contains(std::string(host.substr(0, host.rfind(':')))); };
    return git_precedence_text(read_git_settings(own, home, std::filesystem::current_path(error)), places, has_netrc);
}

Result<> write_git_config(Path const& executable, Path const& sockets, Path const& file, std::string const& precedence, std::vector<Place> const& places)
{
    auto const command = TRY(shell_word(executable.string())) + " git-credential --run-dir " + TRY(shell_word(sockets.string()));
    return create_file(file, as_bytes(git_config_text(places, command) + precedence)).in("git's configuration");
}

} // namespace

Result<> write_place_settings(Session const& session, JsonObject const& answer, Variables const& own, Variables& environment)
{
    auto const places = TRY(parse_places(answer));
    if (places.empty())
        return {};
    std::error_code error;
    auto const sockets = std::filesystem::absolute(session.run_folder(), error);
    auto const executable = std::filesystem::read_symlink("/proc/self/exe", error);
    if (error)
        return unavailable("where this executable is: " + error.message());
    Path const folder = TRY(string_member(answer, "folder"));
    environment["WRIT_RUN_DIR"] = sockets.string();
    name_places(places, environment);
    if (auto const repositories = places_for(places, "git"); !repositories.empty()) {
        TRY(write_git_config(executable, sockets, folder / "gitconfig", precedence_text(own, repositories), repositories));
        environment.merge(git_variables(own, folder / "gitconfig"));
    }
    if (auto const registries = places_for(places, "docker"); !registries.empty())
        if (auto const note = TRY(write_docker_folder(own, folder, executable, registries, environment)); !note.empty())
            std::fprintf(stderr, "writ: %s\n", printable(note).c_str());
    return {};
}

} // namespace writ::cli

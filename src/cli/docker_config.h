// SPDX-License-Identifier: Apache-2.0
//
// SPEC: docker-credential-helpers: `credHelpers` of Docker's configuration, and what a helper is asked and answers.
#pragma once

#include "cli/placed_token.h"
#include "cli/static_credentials.h"

namespace writ::cli {

// The name by which Docker calls the executable.
inline constexpr std::string_view docker_helper_name = "docker-credential-writ";
// LIMIT: a registry's name, or a URL.
inline constexpr std::size_t docker_question_bytes_max = 4096;
// LIMIT: a configuration; it may have plug-ins' settings in it.
inline constexpr std::size_t docker_config_bytes_max = 1U << 20U;

// `registry.example:5000`, or `https://index.docker.io/v1/`, as a place that agents know.
Result<std::string> parse_docker_question(std::string_view text);
// Where the user's clients keep logins at registries.
std::vector<Path> docker_login_files(Variables const& own);
// How Docker calls the registry of a place.
std::string docker_registry(std::string_view url);

// The user's configuration, with Writ's helper for these registries and all else as it is. `own` is empty if there is none.
Result<JsonObject> docker_config(std::string_view own, std::vector<Place> const&);

// SPEC: containers-auth.json(5), for podman, skopeo and buildah, which are told of one file and then read no other: all logins and helpers of the user's, the first that
// names a registry counting, and Writ's helper for these.
Result<JsonObject> containers_auth(std::vector<std::string> const& own, std::vector<Place> const&);

// Makes the folder that DOCKER_CONFIG names from then on, with links to what else is in the user's, and one with the helper for PATH. What the user has to be
// told, or nothing.
Result<std::string> write_docker_folder(Variables const& own, Path const& run_folder, Path const& executable, std::vector<Place> const&, Variables& environment);

} // namespace writ::cli

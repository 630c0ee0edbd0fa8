// SPDX-License-Identifier: Apache-2.0
//
// Whatever lies in ~/.docker/config.json, and what a client asks a helper for.
#include "cli/docker_config.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace writ;
    using namespace writ::cli;
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    if (auto const url = parse_docker_question(text); url.is_ok() && (!url->starts_with("https://") || url->find('\n') != std::string::npos))
        std::abort();
    auto const config = docker_config(text, { { "docker", "https://a", "" } });
    if (config.is_ok() && docker_config(to_text(JsonValue(*config)), {}).value() != *config)
        std::abort();
    (void)containers_auth({ std::string(text), std::string(text) }, {}).is_ok();
    return 0;
}

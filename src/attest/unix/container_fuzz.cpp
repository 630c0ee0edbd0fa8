// SPDX-License-Identifier: Apache-2.0
//
// A control group's path, and the lists of a container engine.
#include "attest/unix/container.h"

#include <cstddef>

using namespace writ::attest;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    auto const group = parse_container_group(text);
    auto const id = group ? group->id : "a";
    (void)image_of_container(text, id).is_ok();
    (void)digest_of_image(text, id).is_ok();
    return 0;
}

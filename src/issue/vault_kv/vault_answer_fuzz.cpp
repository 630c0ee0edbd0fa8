// SPDX-License-Identifier: Apache-2.0
#include "issue/vault_kv/vault_answer.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace writ;
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    (void)issue::parse_vault_login(text).is_ok();
    (void)issue::parse_vault_secret(text, "field").is_ok();
    (void)issue::parse_vault_secret(text, "").is_ok();
    (void)issue::error_of_vault({ 400, {}, std::string(text) });
    return 0;
}

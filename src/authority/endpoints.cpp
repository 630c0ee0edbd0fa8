// SPDX-License-Identifier: Apache-2.0
#include "authority/endpoints.h"

#include <charconv>

namespace writ::authority {

void add_all_routes(Router& router, Desk desk)
{
    add_discovery_routes(router, desk);
    add_token_routes(router, desk);
    add_evaluation_routes(router, desk);
    add_log_routes(router, desk);
    add_health_routes(router, desk);
    add_agent_routes(router, desk);
    add_agent_run_routes(router, desk);
    add_declaration_routes(router, desk);
    add_lease_routes(router, desk);
    add_audit_routes(router, desk);
}

std::string new_trace(AuthorityState& state) { return state.random.base32(20); }

std::string query_text(Call const& call, std::string_view name) { return std::string(call.request.query.get(name).value_or("")); }

Result<std::uint64_t> query_number(Call const& call, std::string_view name, std::uint64_t otherwise, std::uint64_t max)
{
    auto const text = call.request.query.get(name);
    if (!text)
        return otherwise;
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (text->empty() || error != std::errc() || end != text->data() + text->size() || number > max)
        return invalid_argument("parameter `" + std::string(name) + "` is a number up to " + std::to_string(max));
    return number;
}

} // namespace writ::authority

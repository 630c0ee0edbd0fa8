// SPDX-License-Identifier: Apache-2.0
#include "issue/azure_entra/entra_error.h"

#include "issue/token_answer.h"

#include <array>

namespace writ::issue {

namespace {

struct Known {
    std::string_view code;
    ErrorCode means;
    std::string_view mend; // may be empty
};

constexpr std::string_view no_match = "the application has no federated credential with this issuer, subject and audience";

constexpr std::array<Known, 16> known_codes { {
    { "AADSTS70021", ErrorCode::permission_denied, no_match },
    { "AADSTS700211", ErrorCode::permission_denied, "no federated credential of the application has this authority's URL as issuer" },
    { "AADSTS700212", ErrorCode::permission_denied, "no federated credential of the application has this audience" },
    { "AADSTS700213", ErrorCode::permission_denied, "no federated credential of the application has the workload's SPIFFE ID as subject" },
    { "AADSTS700016", ErrorCode::permission_denied, "no application of that client ID in the tenant" },
    { "AADSTS700027", ErrorCode::permission_denied, "Entra could not verify the assertion: it has to reach this authority's discovery document and keys" },
    { "AADSTS50166", ErrorCode::unavailable, "Entra could not reach this authority's discovery document or keys" },
    { "AADSTS700024", ErrorCode::unavailable, "the assertion is not yet, or no longer, valid: do the clocks agree?" },
    { "AADSTS7000114", ErrorCode::permission_denied, "the application may not use the client credentials grant" },
    { "AADSTS7000215", ErrorCode::permission_denied, "" },
    { "AADSTS90002", ErrorCode::invalid_argument, "no such tenant" },
    { "AADSTS70011", ErrorCode::invalid_argument, "the scope is `RESOURCE/.default`" },
    { "AADSTS500011", ErrorCode::invalid_argument, "the tenant knows no such resource" },
    { "AADSTS90033", ErrorCode::unavailable, "" },
    { "AADSTS90025", ErrorCode::unavailable, "" },
    { "AADSTS50196", ErrorCode::unavailable, "" },
} };

// `AADSTS700016` of `AADSTS700016: Application with identifier …`
std::string_view code_of(std::string_view message)
{
    constexpr std::string_view prefix = "AADSTS";
    if (!message.starts_with(prefix))
        return {};
    auto const end = message.find_first_not_of("0123456789", prefix.size());
    return message.substr(0, end);
}

} // namespace

Error entra_error(net::Response const& response)
{
    auto const told = parse_told_error(response.body);
    auto text = "Entra answered " + std::to_string(response.status) + (told.code.empty() ? "" : " `" + told.code + "`") + (told.message.empty() ? "" : ": " + told.message);
    auto const code = code_of(told.message);
    for (auto const& known : known_codes) {
        if (known.code == code)
            return { known.means, known.mend.empty() ? text : text + " (" + std::string(known.mend) + ")" };
    }
    if (response.status >= 500 || response.status == 429 || told.code == "temporarily_unavailable")
        return { ErrorCode::unavailable, std::move(text) };
    bool const is_refusal = response.status == 401 || response.status == 403 || told.code == "invalid_client" || told.code == "unauthorized_client";
    return { is_refusal ? ErrorCode::permission_denied : ErrorCode::invalid_argument, std::move(text) };
}

} // namespace writ::issue

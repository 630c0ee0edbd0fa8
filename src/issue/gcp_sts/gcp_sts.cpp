// SPDX-License-Identifier: Apache-2.0
#include "issue/gcp_sts/gcp_sts.h"

#include "issue/gcp_sts/access_boundary.h"
#include "issue/token_answer.h"

#include <algorithm>

namespace writ::issue {

namespace {

// A clock of theirs that is a little ahead of ours.
constexpr Duration expiry_tolerance = std::chrono::minutes(1);
constexpr std::string_view exchange_grant = "urn:ietf:params:oauth:grant-type:token-exchange";
constexpr std::string_view access_token_type = "urn:ietf:params:oauth:token-type:access_token";
constexpr std::string_view jwt_type = "urn:ietf:params:oauth:token-type:jwt";
// The boundary is what narrows it.
constexpr std::string_view cloud_scope = "https://www.googleapis.com/auth/cloud-platform";

struct Target {
    std::string workload_identity_provider, service_account, project, audience, store_endpoint, boundary;
    TokenService sts, iam;
};

Result<Target> parse_target(JsonObject const& object)
{
    Target target;
    target.workload_identity_provider = TRY(string_member(object, "workload_identity_provider"));
    target.service_account = TRY(string_member(object, "service_account"));
    target.project = TRY(string_member(object, "project"));
    target.audience = TRY(string_member(object, "audience"));
    target.store_endpoint = TRY(string_member(object, "store_endpoint"));
    target.sts.endpoint = TRY(string_member(object, "sts_endpoint"));
    target.iam.endpoint = TRY(string_member(object, "iam_endpoint"));
    target.sts.ca_file = target.iam.ca_file = TRY(string_member(object, "ca_file"));
    target.boundary = string_or(object, "boundary", "");
    return target;
}

std::map<std::string, std::string> environment_of(Target const& target)
{
    std::map<std::string, std::string> environment { { "GOOGLE_CLOUD_PROJECT", target.project } };
    if (!target.store_endpoint.empty()) {
        environment.emplace("API_ENDPOINT_OVERRIDE", target.store_endpoint);
        environment.emplace("CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", target.store_endpoint + "/");
    }
    return environment;
}

Error error_of(net::Response const& response)
{
    auto const told = parse_told_error(response.body);
    auto const text = "Google answered " + std::to_string(response.status) + (told.code.empty() ? "" : " `" + told.code + "`")
        + (told.message.empty() ? "" : ": " + told.message);
    static constexpr std::pair<std::string_view, ErrorCode> codes[] = {
        { "invalid_grant", ErrorCode::permission_denied }, { "unauthorized_client", ErrorCode::permission_denied }, { "access_denied", ErrorCode::permission_denied },
        { "invalid_target", ErrorCode::permission_denied }, { "PERMISSION_DENIED", ErrorCode::permission_denied }, { "UNAUTHENTICATED", ErrorCode::permission_denied },
        { "NOT_FOUND", ErrorCode::permission_denied }, { "UNAVAILABLE", ErrorCode::unavailable }, { "RESOURCE_EXHAUSTED", ErrorCode::unavailable },
        { "temporarily_unavailable", ErrorCode::unavailable },
    };
    for (auto const& [name, code] : codes) {
        if (name == told.code)
            return { code, text };
    }
    if (response.status >= 500 || response.status == 429)
        return unavailable(text);
    return response.status == 401 || response.status == 403 ? permission_denied(text) : invalid_argument(text);
}

net::Request exchange_request(net::Parameters const& form)
{
    net::Request request;
    request.method = "POST";
    request.path = "/v1/token";
    request.headers.set("content-type", "application/x-www-form-urlencoded");
    request.body = net::to_form(form);
    return request;
}

net::Request federation_request(Target const& target, SecretText const& assertion)
{
    return exchange_request({ { "grant_type", std::string(exchange_grant) }, { "audience", "//iam.googleapis.com/" + target.workload_identity_provider },
        { "scope", std::string(cloud_scope) }, { "requested_token_type", std::string(access_token_type) }, { "subject_token", assertion.reveal() },
        { "subject_token_type", std::string(jwt_type) } });
}

net::Request impersonation_request(Target const& target, SecretText const& federated, std::chrono::seconds lifetime)
{
    net::Request request;
    request.method = "POST";
    request.path = "/v1/projects/-/serviceAccounts/" + target.service_account + ":generateAccessToken";
    request.headers.set("content-type", "application/json");
    request.headers.set("authorization", "Bearer " + federated.reveal());
    request.body = to_text(JsonValue(JsonObject { { "scope", JsonArray { cloud_scope } }, { "lifetime", std::to_string(lifetime.count()) + "s" } }));
    return request;
}

net::Request boundary_request(Target const& target, SecretText const& token)
{
    return exchange_request({ { "grant_type", std::string(exchange_grant) }, { "requested_token_type", std::string(access_token_type) },
        { "subject_token", token.reveal() }, { "subject_token_type", std::string(access_token_type) }, { "options", target.boundary } });
}

class GcpStsIssuer final : public CredentialIssuer {
public:
    GcpStsIssuer(Clock const& clock, TokenServiceLimits limits)
        : clock_(clock)
        , services_(clock, limits)
    {
    }

    Result<CredentialPlan> plan(JsonObject const& provider, std::span<Access const> accesses) override;
    net::Task<Result<Credential>> create(CredentialPlan plan, Recipient recipient) override;

private:
    net::Task<Result<ImpersonatedToken>> impersonate(Target const& target, Recipient const& recipient);
    net::Task<Result<ImpersonatedToken>> narrow(Target const& target, ImpersonatedToken wide);
    Result<Credential> credential_of(ImpersonatedToken token, Target const& target, Timestamp latest) const;

    Clock const& clock_;
    TokenServices services_;
};

Result<CredentialPlan> GcpStsIssuer::plan(JsonObject const& provider, std::span<Access const> accesses)
{
    if (accesses.empty())
        return invalid_argument("a token is for something");
    auto const target = TRY(parse_target(provider));
    TRY(check_workload_identity_provider(target.workload_identity_provider));
    TRY(check_service_account(target.service_account));
    TRY(check_token_service(target.sts.endpoint));
    TRY(check_token_service(target.iam.endpoint));
    std::vector<ObjectAccess> places;
    for (auto const& access : accesses)
        places.push_back(TRY(parse_object_access(access)));
    auto object = provider;
    object["boundary"] = TRY(access_boundary_options(places));
    return CredentialPlan { "gcp_sts", "", scope_text("gs", places), to_text(JsonValue(object)), environment_of(target) };
}

// Who we are to Google, and with that the service account. Its token may do all that the account may: it is seen by nobody.
net::Task<Result<ImpersonatedToken>> GcpStsIssuer::impersonate(Target const& target, Recipient const& recipient)
{
    auto signed_for = recipient.assertion(target.audience, {});
    auto const assertion = CO_TRY(signed_for);
    auto exchanged = co_await services_.send(target.sts, federation_request(target, assertion), error_of);
    if (exchanged.is_error())
        co_return std::move(exchanged).error().in("token exchange");
    SecretText const body(std::move(exchanged->body));
    auto parsed = parse_bearer_answer(body.reveal());
    auto const federated = CO_TRY(parsed);
    // Google takes whole seconds: rounded up, or what was declared would be a second less by now. What is served ends in time.
    auto const asked = std::min(std::chrono::ceil<std::chrono::seconds>(recipient.expires - clock_.now()), std::chrono::duration_cast<std::chrono::seconds>(gcp_token_max));
    auto generated = co_await services_.send(target.iam, impersonation_request(target, federated.token, asked), error_of);
    if (generated.is_error())
        co_return std::move(generated).error().in("impersonate `" + target.service_account + "`");
    SecretText const answer(std::move(generated->body));
    co_return parse_impersonated_token(answer.reveal());
}

// SECURITY: what leaves is this one, within the boundary, or none.
net::Task<Result<ImpersonatedToken>> GcpStsIssuer::narrow(Target const& target, ImpersonatedToken wide)
{
    auto exchanged = co_await services_.send(target.sts, boundary_request(target, wide.token), error_of);
    if (exchanged.is_error())
        co_return std::move(exchanged).error().in("access boundary");
    SecretText const body(std::move(exchanged->body));
    auto parsed = parse_bearer_answer(body.reveal());
    auto narrowed = CO_TRY(parsed);
    if (constant_time_equal(as_bytes(narrowed.token.reveal()), as_bytes(wide.token.reveal())))
        co_return unavailable("Google gave the wide token back for the narrow one");
    // Without `expires_in` it ends with the token that it was made of.
    auto const expires = narrowed.lifetime ? clock_.now() + *narrowed.lifetime : wide.expires;
    co_return ImpersonatedToken { std::move(narrowed.token), expires };
}

Result<Credential> GcpStsIssuer::credential_of(ImpersonatedToken token, Target const& target, Timestamp latest) const
{
    // SECURITY: one that lives longer than it may is given to nobody; it was made by a system that does not keep to what it was asked.
    if (token.expires > latest + expiry_tolerance)
        return unavailable("Google gave a token until " + to_rfc3339(token.expires) + ", asked for " + to_rfc3339(latest) + " at the latest");
    if (token.expires <= clock_.now())
        return unavailable("Google gave a token that has ended already; do the clocks agree?");
    Credential credential;
    credential.environment = environment_of(target);
    credential.id = token_fingerprint("gcp", token.token);
    credential.expires = std::min(token.expires, latest);
    JsonObject const document { { "access_token", token.token.reveal() }, { "email", target.service_account }, { "project", target.project },
        { "project_number", target.workload_identity_provider.substr(9, target.workload_identity_provider.find('/', 9) - 9) },
        { "scopes", JsonArray { cloud_scope } }, { "expires", to_rfc3339(*credential.expires) } };
    credential.document = SecretText(to_text(JsonValue(document)));
    return credential;
}

net::Task<Result<Credential>> GcpStsIssuer::create(CredentialPlan plan, Recipient recipient)
{
    auto parsed = parse_json_object(plan.target);
    auto const object = CO_TRY(parsed);
    auto read = parse_target(object);
    auto const target = CO_TRY(read);
    if (target.boundary.empty())
        co_return invalid_argument("a token without an access boundary is for nobody");
    if (recipient.expires <= clock_.now())
        co_return permission_denied("a token that has ended is for nobody");
    auto impersonated = co_await impersonate(target, recipient);
    auto wide = CO_TRY(impersonated);
    auto narrowed = co_await narrow(target, std::move(wide));
    auto token = CO_TRY(narrowed);
    co_return credential_of(std::move(token), target, recipient.expires);
}

bool is_word(std::string_view text, std::string_view more)
{
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789-";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) { return letters.find(c) != std::string_view::npos || more.find(c) != std::string_view::npos; });
}

} // namespace

std::unique_ptr<CredentialIssuer> create_gcp_sts_issuer(Clock const& clock, TokenServiceLimits limits) { return std::make_unique<GcpStsIssuer>(clock, limits); }

Result<> check_workload_identity_provider(std::string_view name)
{
    std::vector<std::string_view> parts;
    for (auto rest = name; parts.size() < 9;) {
        auto const slash = rest.find('/');
        parts.push_back(rest.substr(0, slash));
        if (slash == std::string_view::npos)
            break;
        rest.remove_prefix(slash + 1);
    }
    auto const is_number = [](std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos; };
    if (parts.size() != 8 || parts[0] != "projects" || !is_number(parts[1]) || parts[2] != "locations" || !is_word(parts[3], "") || parts[4] != "workloadIdentityPools"
        || !is_word(parts[5], "") || parts[6] != "providers" || !is_word(parts[7], ""))
        return invalid_argument("a workload identity provider is `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`");
    return {};
}

Result<> check_service_account(std::string_view email)
{
    auto const at = email.find('@');
    auto const name = email.substr(0, at);
    auto const domain = at == std::string_view::npos ? std::string_view() : email.substr(at + 1);
    if (!is_word(name, "") || !is_word(domain, ".") || !domain.ends_with(".gserviceaccount.com"))
        return invalid_argument("a service account is `NAME@PROJECT.iam.gserviceaccount.com`");
    return {};
}

} // namespace writ::issue

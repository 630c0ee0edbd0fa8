// SPDX-License-Identifier: Apache-2.0
#include "issue/azure_entra/azure_entra.h"

#include "issue/azure_entra/entra_error.h"
#include "issue/object_place.h"
#include "issue/token_answer.h"

#include <algorithm>

namespace writ::issue {

namespace {

// A clock of theirs that is a little ahead of ours.
constexpr Duration expiry_tolerance = std::chrono::minutes(1);
constexpr std::string_view assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
// LIMIT: names in the form.
constexpr std::size_t name_bytes_max = 256;

struct Target {
    std::string tenant, client_id, scope, audience;
    TokenService entra;
    bool may_write = false;
};

Result<Target> parse_target(JsonObject const& object)
{
    Target target;
    target.tenant = TRY(string_member(object, "tenant"));
    target.client_id = TRY(string_member(object, "client_id"));
    target.scope = TRY(string_member(object, "scope"));
    target.audience = TRY(string_member(object, "audience"));
    target.entra.endpoint = TRY(string_member(object, "endpoint"));
    target.entra.ca_file = TRY(string_member(object, "ca_file"));
    target.may_write = TRY(string_member(object, "access")) == "write";
    return target;
}

// `https://storage.azure.com` of `https://storage.azure.com/.default`
std::string resource_of(std::string_view scope)
{
    auto const slash = scope.rfind('/');
    auto resource = scope.substr(0, slash);
    while (resource.ends_with('/'))
        resource.remove_suffix(1);
    return std::string(resource);
}

// SECURITY: the token can do all that its application may. Where that is more than what was decided, there is none.
Result<> check_width(bool may_write, std::span<ObjectAccess const> accesses)
{
    for (auto const& access : accesses) {
        if (access.may_write && !may_write)
            return permission_denied("the application may only read (`access: read`)");
        auto const is_same_and_written = [&access](auto const& other) { return other.may_write && other.place == access.place; };
        if (may_write && std::none_of(accesses.begin(), accesses.end(), is_same_and_written))
            return permission_denied("the application may write (`access: write`), and only reading was decided: declare a CredentialProvider for one that may only read");
    }
    return {};
}

std::string scope_in_words(std::span<Access const> accesses, std::span<ObjectAccess const> places)
{
    std::string text;
    for (std::size_t i = 0; i < places.size(); ++i) {
        auto const& place = places[i].place;
        text += (i == 0 ? "" : ", ") + std::string(places[i].may_write ? "write" : "read") + " https://" + std::string(string_or(accesses[i].resource, "account", "")) + "/"
            + place.bucket + (place.prefix.empty() ? "" : "/" + place.prefix);
    }
    return text;
}

class AzureEntraIssuer final : public CredentialIssuer {
public:
    AzureEntraIssuer(Clock const& clock, TokenServiceLimits limits)
        : clock_(clock)
        , services_(clock, limits)
    {
    }

    Result<CredentialPlan> plan(JsonObject const& provider, std::span<Access const> accesses) override;
    net::Task<Result<Credential>> create(CredentialPlan plan, Recipient recipient) override;

private:
    Result<Credential> token_credential(TokenAnswer answer, Target const& target, Timestamp latest) const;

    Clock const& clock_;
    TokenServices services_;
};

Result<CredentialPlan> AzureEntraIssuer::plan(JsonObject const& provider, std::span<Access const> accesses)
{
    if (accesses.empty())
        return invalid_argument("a token is for something");
    auto const target = TRY(parse_target(provider));
    TRY(check_entra_tenant(target.tenant));
    TRY(check_entra_client_id(target.client_id));
    TRY(check_entra_scope(target.scope));
    TRY(check_token_service(target.entra.endpoint));
    std::vector<ObjectAccess> places;
    for (auto const& access : accesses)
        places.push_back(TRY(parse_object_access(access)));
    TRY(check_width(target.may_write, places));
    return CredentialPlan { "azure_entra", "", scope_in_words(accesses, places), to_text(JsonValue(provider)) };
}

Result<Credential> AzureEntraIssuer::token_credential(TokenAnswer answer, Target const& target, Timestamp latest) const
{
    if (!answer.lifetime)
        return unavailable("Entra gave a token that does not say when it ends");
    auto const expires = clock_.now() + *answer.lifetime;
    // SECURITY: one that lives longer than it may is given to nobody. How long it lives, only the application's policy says.
    if (expires > latest + expiry_tolerance)
        return unavailable("Entra gave a token until " + to_rfc3339(expires) + ", asked for " + to_rfc3339(latest)
            + " at the latest: its tokens live 60 to 90 minutes; declare `lifetime: 90m` here and `svid_lifetime: 90m` on the workload, or give the application a shorter token lifetime policy");
    if (expires <= clock_.now())
        return unavailable("Entra gave a token that has ended already; do the clocks agree?");
    Credential credential;
    credential.id = token_fingerprint("entra", answer.token);
    credential.expires = std::min(expires, latest);
    JsonObject const document { { "access_token", answer.token.reveal() }, { "client_id", target.client_id }, { "resource", resource_of(target.scope) },
        { "expires", to_rfc3339(*credential.expires) } };
    credential.document = SecretText(to_text(JsonValue(document)));
    return credential;
}

net::Request token_request(Target const& target, SecretText const& assertion)
{
    net::Parameters const form { { "grant_type", "client_credentials" }, { "client_id", target.client_id }, { "scope", target.scope },
        { "client_assertion_type", std::string(assertion_type) }, { "client_assertion", assertion.reveal() } };
    net::Request request;
    request.method = "POST";
    request.path = "/" + target.tenant + "/oauth2/v2.0/token";
    request.headers.set("content-type", "application/x-www-form-urlencoded");
    request.headers.set("accept", "application/json");
    request.body = net::to_form(form);
    return request;
}

net::Task<Result<Credential>> AzureEntraIssuer::create(CredentialPlan plan, Recipient recipient)
{
    auto parsed = parse_json_object(plan.target);
    auto const object = CO_TRY(parsed);
    auto read = parse_target(object);
    auto const target = CO_TRY(read);
    if (recipient.expires <= clock_.now())
        co_return permission_denied("a token that has ended is for nobody");
    auto signed_for = recipient.assertion(target.audience, {});
    auto const assertion = CO_TRY(signed_for);
    auto answered = co_await services_.send(target.entra, token_request(target, assertion), entra_error);
    if (answered.is_error())
        co_return std::move(answered).error().in("token of `" + target.client_id + "`");
    SecretText const body(std::move(answered->body));
    auto told = parse_bearer_answer(body.reveal());
    auto answer = CO_TRY(told);
    co_return token_credential(std::move(answer), target, recipient.expires);
}

bool has_only(std::string_view text, std::string_view allowed) { return !text.empty() && text.size() <= name_bytes_max && text.find_first_not_of(allowed) == std::string_view::npos; }

} // namespace

std::unique_ptr<CredentialIssuer> create_azure_entra_issuer(Clock const& clock, TokenServiceLimits limits) { return std::make_unique<AzureEntraIssuer>(clock, limits); }

Result<> check_entra_tenant(std::string_view tenant)
{
    if (!has_only(tenant, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") || tenant.starts_with('.'))
        return invalid_argument("a tenant is a GUID or a domain");
    return {};
}

Result<> check_entra_client_id(std::string_view id)
{
    constexpr std::string_view shape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    constexpr std::string_view digits = "0123456789abcdefABCDEF";
    auto const fits = [digits](char wanted, char c) { return wanted == '-' ? c == '-' : digits.find(c) != std::string_view::npos; };
    if (!std::equal(shape.begin(), shape.end(), id.begin(), id.end(), fits))
        return invalid_argument("a client ID is a GUID, `00000000-0000-0000-0000-000000000000`");
    return {};
}

Result<> check_entra_scope(std::string_view scope)
{
    if (!scope.ends_with("/.default") || scope.size() <= 9
        || !has_only(scope, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/"))
        return invalid_argument("a scope is `RESOURCE/.default`, such as `https://storage.azure.com/.default`");
    return {};
}

} // namespace writ::issue

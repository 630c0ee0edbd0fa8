// SPDX-License-Identifier: Apache-2.0
#include "issue/vault_kv/vault_kv.h"

#include "base/logger.h"
#include "issue/token_delivery.h"
#include "issue/vault_kv/vault_answer.h"

#include <algorithm>

namespace writ::issue {

namespace {

constexpr std::size_t release_characters = 16; // 80 bits; names are not secret, only unique
constexpr std::size_t word_bytes_max = 255;
constexpr std::size_t path_bytes_max = 500;

struct Target {
    TokenService service;
    std::string name_space, auth, role, audience, mount, path, field;
};

Result<Target> parse_target(JsonObject const& settings)
{
    Target target;
    target.service.endpoint = TRY(string_member(settings, "address"));
    target.service.ca_file = TRY(string_member(settings, "ca_file"));
    TRY(check_token_service(target.service.endpoint));
    for (auto const& [name, place] : { std::pair("auth", &target.auth), std::pair("mount", &target.mount), std::pair("path", &target.path) }) {
        *place = TRY(string_member(settings, name));
        TRY(check_vault_path(*place).in(name));
    }
    for (auto const& [name, place] : { std::pair("role", &target.role), std::pair("audience", &target.audience) }) {
        *place = TRY(string_member(settings, name));
        TRY(check_vault_word(*place).in(name));
    }
    target.name_space = TRY(string_member(settings, "namespace"));
    target.field = TRY(string_member(settings, "field"));
    if (!target.name_space.empty())
        TRY(check_vault_path(target.name_space).in("namespace"));
    return target;
}

class VaultKvIssuer final : public CredentialIssuer {
public:
    VaultKvIssuer(Clock const& clock, RandomSource& random, TokenServiceLimits limits)
        : clock_(clock)
        , random_(random)
        , services_(clock, limits)
    {
    }

    [[nodiscard]] bool is_delivered() const override { return true; }

    Result<CredentialPlan> plan(JsonObject const& provider, std::span<Access const> accesses) override
    {
        TRY(parse_target(provider));
        return plan_token("vault_kv", provider, accesses);
    }

    net::Task<Result<Credential>> create(CredentialPlan plan, Recipient recipient) override
    {
        if (recipient.expires <= clock_.now())
            co_return permission_denied("its time is over");
        auto parsed = parse_json_object(plan.target);
        auto const settings = CO_TRY(parsed);
        auto read = parse_target(settings);
        auto const target = CO_TRY(read);
        auto logged_in = co_await log_in(target, recipient);
        auto const token = CO_TRY(logged_in);
        auto found = co_await read_secret(target, token);
        co_await give_back(target, token); // whether there was a secret or not
        auto secret = CO_TRY(found);
        Credential credential;
        credential.id = target.mount + "/" + target.path + "/" + std::to_string(secret.version) + "/" + random_.base32(release_characters); // each release by itself
        credential.expires = recipient.expires; // then the agent asks again, or takes the file away
        auto const delivery = parse_token_delivery(settings);
        deliver_token(credential, CO_TRY(delivery), std::move(secret.value));
        co_return credential;
    }

private:
    static net::Request request_of(Target const& target, std::string method, std::string path)
    {
        net::Request request;
        request.method = std::move(method);
        request.path = "/v1/" + std::move(path);
        request.headers.set("accept", "application/json");
        // SECURITY: some proxies of Vault want it, against requests that a page made somebody send.
        request.headers.set("x-vault-request", "true");
        if (!target.name_space.empty())
            request.headers.set("x-vault-namespace", target.name_space);
        return request;
    }

    net::Task<Result<SecretText>> log_in(Target const& target, Recipient const& recipient)
    {
        JsonObject claims { { "run", recipient.run }, { "purpose", recipient.purpose } };
        auto signed_for = recipient.assertion(target.audience, std::move(claims));
        auto const assertion = CO_TRY(signed_for);
        auto request = request_of(target, "POST", "auth/" + target.auth + "/login");
        request.headers.set("content-type", "application/json");
        JsonObject const login { { "role", target.role }, { "jwt", assertion.reveal() } };
        request.body = writ::to_text(login);
        auto answered = co_await services_.send(target.service, std::move(request), error_of_vault_login);
        if (answered.is_error())
            co_return std::move(answered).error().in("log in as role `" + target.role + "`");
        SecretText const body(std::move(answered->body));
        auto token = parse_vault_login(body.reveal());
        if (token.is_error())
            co_return unavailable("Vault answered something else than a login: " + token.error().message);
        co_return std::move(token).value();
    }

    net::Task<Result<StoredSecret>> read_secret(Target const& target, SecretText const& token)
    {
        auto request = request_of(target, "GET", target.mount + "/data/" + target.path);
        request.headers.set("x-vault-token", token.reveal());
        auto const what = "secret `" + target.mount + "/" + target.path + "`";
        auto answered = co_await services_.send(target.service, std::move(request), error_of_vault);
        if (answered.is_error())
            co_return std::move(answered).error().in(what);
        SecretText const body(std::move(answered->body));
        auto secret = parse_vault_secret(body.reveal(), target.field);
        if (secret.is_error() && secret.error().code != ErrorCode::not_found)
            co_return unavailable("Vault answered something else than a " + what + " of KV version 2: " + secret.error().message);
        if (secret.is_error())
            co_return std::move(secret).error().in(what);
        co_return std::move(secret).value();
    }

    // What is not given back ends by itself; the secret is as good.
    net::Task<> give_back(Target const& target, SecretText const& token)
    {
        auto request = request_of(target, "POST", "auth/token/revoke-self");
        request.headers.set("x-vault-token", token.reveal());
        auto const answered = co_await services_.send(target.service, std::move(request), error_of_vault);
        if (answered.is_error())
            log_warning("a token of Vault was not given back", { { "address", target.service.endpoint }, { "error", answered.error().message } });
    }

    Clock const& clock_;
    RandomSource& random_;
    TokenServices services_;
};

} // namespace

Result<> check_vault_path(std::string_view path)
{
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    if (path.empty() || path.size() > path_bytes_max)
        return invalid_argument("a path has 1 to " + std::to_string(path_bytes_max) + " bytes");
    for (std::string_view rest = path;;) {
        auto const segment = rest.substr(0, rest.find('/'));
        if (segment.empty() || segment == "." || segment == ".." || segment.find_first_not_of(allowed) != std::string_view::npos)
            return invalid_argument("`" + std::string(path.substr(0, 100)) + "`: a path has segments of letters, digits and -_. with `/` between them");
        if (segment.size() == rest.size())
            return {};
        rest.remove_prefix(segment.size() + 1);
    }
}

Result<> check_vault_word(std::string_view word)
{
    if (word.empty() || word.size() > word_bytes_max || !std::all_of(word.begin(), word.end(), [](char c) { return c > ' ' && c <= '~'; }))
        return invalid_argument("1 to " + std::to_string(word_bytes_max) + " characters of printable ASCII");
    return {};
}

std::unique_ptr<CredentialIssuer> create_vault_kv_issuer(Clock const& clock, RandomSource& random, TokenServiceLimits limits)
{
    return std::make_unique<VaultKvIssuer>(clock, random, limits);
}

} // namespace writ::issue

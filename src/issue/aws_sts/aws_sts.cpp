// SPDX-License-Identifier: Apache-2.0
#include "issue/aws_sts/aws_sts.h"

#include "issue/aws_sts/session_policy.h"
#include "issue/aws_sts/sts_client.h"

#include <algorithm>

namespace writ::issue {

namespace {

// LIMIT: a session tag's value (IAM and STS quotas).
constexpr std::size_t tag_bytes_max = 256;
// A clock of theirs that is a little ahead of ours.
constexpr Duration expiry_tolerance = std::chrono::minutes(1);

struct Target {
    StsAddress address;
    std::string role, through, audience, store_endpoint;
    bool session_tags = false;
    std::string policy;
};

Result<Target> parse_target(JsonObject const& object)
{
    Target target;
    target.address.endpoint = TRY(string_member(object, "endpoint"));
    target.address.region = TRY(string_member(object, "region"));
    target.address.ca_file = TRY(string_member(object, "ca_file"));
    target.role = TRY(string_member(object, "role"));
    target.through = string_or(object, "through", "");
    target.audience = TRY(string_member(object, "audience"));
    target.store_endpoint = TRY(string_member(object, "store_endpoint"));
    target.session_tags = TRY(bool_member(object, "session_tags"));
    target.policy = string_or(object, "policy", "");
    return target;
}

std::map<std::string, std::string> environment_of(Target const& target)
{
    // Some clients read the one and some the other.
    std::map<std::string, std::string> environment { { "AWS_REGION", target.address.region }, { "AWS_DEFAULT_REGION", target.address.region } };
    if (!target.store_endpoint.empty())
        environment.emplace("AWS_ENDPOINT_URL_S3", target.store_endpoint);
    return environment;
}

// SPEC: IAM tag values: letters, digits, spaces and _.:/=+-@
bool is_tag_value(std::string_view text)
{
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _.:/=+-@";
    return text.size() <= tag_bytes_max && text.find_first_not_of(allowed) == std::string_view::npos;
}

// SPEC: IAM user guide, Passing session tags using AssumeRoleWithWebIdentity.
Result<JsonObject> tag_claims(Recipient const& recipient)
{
    JsonObject tags;
    for (auto const& [name, value] : { std::pair("workload", &recipient.workload), std::pair("run", &recipient.run), std::pair("purpose", &recipient.purpose) }) {
        // SECURITY: refused, not mended: two purposes must not become one tag.
        if (!is_tag_value(*value))
            return invalid_argument("the " + std::string(name) + " cannot be a session tag: letters, digits, spaces and _.:/=+-@ only, at most "
                + std::to_string(tag_bytes_max) + " bytes");
        tags.emplace(name, JsonArray { *value });
    }
    return JsonObject { { "https://aws.amazon.com/tags",
        JsonObject { { "principal_tags", std::move(tags) }, { "transitive_tag_keys", JsonArray { "workload", "run", "purpose" } } } } };
}

class AwsStsIssuer final : public CredentialIssuer {
public:
    AwsStsIssuer(Clock const& clock, TokenServiceLimits limits)
        : clock_(clock)
        , client_(clock, limits)
    {
    }

    Result<CredentialPlan> plan(JsonObject const& provider, std::span<Access const> accesses) override;
    net::Task<Result<Credential>> create(CredentialPlan plan, Recipient recipient) override;

private:
    net::Task<Result<StsCredentials>> open(Target target, Recipient recipient, std::chrono::seconds lifetime);
    net::Task<Result<StsCredentials>> assume_with_token(Target target, Recipient recipient, std::chrono::seconds lifetime);
    Result<Credential> credential_of(StsCredentials session, Target const& target, Timestamp latest) const;

    Clock const& clock_;
    StsClient client_;
};

Result<CredentialPlan> AwsStsIssuer::plan(JsonObject const& provider, std::span<Access const> accesses)
{
    if (accesses.empty())
        return invalid_argument("a session is for something");
    auto target = TRY(parse_target(provider));
    std::vector<S3Access> places;
    for (auto const& [action, resource] : accesses)
        places.push_back({ TRY(parse_s3_place(resource)), TRY(is_write_action(action)) });
    if (!target.through.empty())
        TRY(partition_of_role(target.through));
    auto object = provider;
    object["policy"] = TRY(session_policy(TRY(partition_of_role(target.role)), places));
    TRY(check_token_service(target.address.endpoint));
    return CredentialPlan { "aws_sts", "", scope_text(places), to_text(JsonValue(object)), environment_of(target) };
}

net::Parameters form_of(std::string action, Target const& target, Recipient const& recipient, std::chrono::seconds lifetime)
{
    return { { "Action", std::move(action) }, { "Version", "2011-06-15" }, { "RoleArn", target.role }, { "RoleSessionName", recipient.run },
        { "DurationSeconds", std::to_string(lifetime.count()) }, { "Policy", target.policy } };
}

net::Task<Result<StsCredentials>> AwsStsIssuer::assume_with_token(Target target, Recipient recipient, std::chrono::seconds lifetime)
{
    auto tags = target.session_tags ? tag_claims(recipient) : Result<JsonObject>(JsonObject());
    auto claims = CO_TRY(tags);
    auto signed_for = recipient.assertion(target.audience, std::move(claims));
    auto const assertion = CO_TRY(signed_for);
    auto form = form_of("AssumeRoleWithWebIdentity", target, recipient, lifetime);
    form.add("WebIdentityToken", std::string(assertion.reveal()));
    co_return co_await client_.ask(std::move(target.address), std::move(form));
}

// A session of the declared role: with our own token, or out of a session of the role before it.
net::Task<Result<StsCredentials>> AwsStsIssuer::open(Target target, Recipient recipient, std::chrono::seconds lifetime)
{
    if (target.through.empty())
        co_return co_await assume_with_token(std::move(target), std::move(recipient), lifetime);
    auto before = target;
    before.role = target.through;
    before.policy = chain_policy(target.role);
    auto opened = co_await assume_with_token(std::move(before), recipient, std::chrono::duration_cast<std::chrono::seconds>(sts_session_min));
    auto session = CO_TRY(opened);
    auto form = form_of("AssumeRole", target, recipient, lifetime);
    co_return co_await client_.ask_as(std::move(target.address), std::move(form), std::move(session));
}

Result<Credential> AwsStsIssuer::credential_of(StsCredentials session, Target const& target, Timestamp latest) const
{
    // SECURITY: one that lives longer than it may is given to nobody; it was made by a system that does not keep to what it was asked.
    if (session.expires > latest + expiry_tolerance)
        return unavailable("STS gave a session until " + to_rfc3339(session.expires) + ", asked for " + to_rfc3339(latest) + " at the latest");
    if (session.expires <= clock_.now())
        return unavailable("STS gave a session that has ended already; do the clocks agree?");
    Credential credential;
    credential.environment = environment_of(target);
    credential.id = session.access_key_id;
    credential.expires = std::min(session.expires, latest);
    JsonObject const document { { "AccessKeyId", session.access_key_id }, { "SecretAccessKey", session.secret_access_key.reveal() },
        { "Token", session.session_token.reveal() }, { "Expiration", to_rfc3339(*credential.expires).substr(0, 19) + "Z" } };
    credential.document = SecretText(to_text(JsonValue(document)));
    return credential;
}

net::Task<Result<Credential>> AwsStsIssuer::create(CredentialPlan plan, Recipient recipient)
{
    auto parsed = parse_json_object(plan.target);
    auto const object = CO_TRY(parsed);
    auto read = parse_target(object);
    auto const target = CO_TRY(read);
    // STS takes whole seconds: rounded up, or the quarter of an hour that was declared would be a second less by now. What is served ends in time.
    auto const lifetime = std::chrono::ceil<std::chrono::seconds>(recipient.expires - clock_.now());
    if (lifetime < sts_session_min)
        co_return permission_denied("a session of STS lives 15 minutes at the least, and this one may live " + std::to_string(lifetime.count()) + " s only");
    auto const longest = target.through.empty() ? sts_session_max : sts_chained_max;
    auto const asked = std::min<std::chrono::seconds>(lifetime, std::chrono::duration_cast<std::chrono::seconds>(longest));
    auto opened = co_await open(target, recipient, asked);
    auto session = CO_TRY(opened);
    co_return credential_of(std::move(session), target, recipient.expires);
}

} // namespace

std::unique_ptr<CredentialIssuer> create_aws_sts_issuer(Clock const& clock, TokenServiceLimits limits) { return std::make_unique<AwsStsIssuer>(clock, limits); }

Result<std::string> partition_of_role(std::string_view arn)
{
    // arn : partition : iam : (no region) : account (Ceph's tenant, or none) : role/path/name
    std::vector<std::string_view> parts;
    for (int i = 0; i < 5; ++i) {
        auto const colon = arn.find(':');
        if (colon == std::string_view::npos)
            break;
        parts.push_back(arn.substr(0, colon));
        arn.remove_prefix(colon + 1);
    }
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz-";
    if (parts.size() != 5 || parts[0] != "arn" || parts[1].empty() || parts[1].find_first_not_of(letters) != std::string_view::npos || parts[2] != "iam" || !parts[3].empty()
        || !arn.starts_with("role/") || arn.size() < 6 || arn.find_first_of("*?$ ") != std::string_view::npos)
        return invalid_argument("a role's ARN is `arn:PARTITION:iam::ACCOUNT:role/NAME`");
    return std::string(parts[1]);
}

} // namespace writ::issue

// SPDX-License-Identifier: Apache-2.0
#include "issue/aws_sts/aws_sts.h"

#include "base/logger.h"
#include "issue/aws_sts/session_policy.h"
#include "issue/aws_sts/sts_answer.h"
#include "net/http_client.h"
#include "net/notification.h"
#include "net/root_certificates.h"

#include <algorithm>

namespace writ::issue {

namespace {

// LIMIT: STS services that are remembered; one for each declared endpoint and CA file.
constexpr std::size_t services_max = 64;
// LIMIT: a session tag's value (IAM and STS quotas).
constexpr std::size_t tag_bytes_max = 256;
// A clock of theirs that is a little ahead of ours.
constexpr Duration expiry_tolerance = std::chrono::minutes(1);

struct Target {
    std::string endpoint, role, region, audience, ca_file, store_endpoint;
    bool session_tags = false;
    std::string policy;
};

Result<Target> parse_target(JsonObject const& object)
{
    Target target;
    target.endpoint = TRY(string_member(object, "endpoint"));
    target.role = TRY(string_member(object, "role"));
    target.region = TRY(string_member(object, "region"));
    target.audience = TRY(string_member(object, "audience"));
    target.ca_file = TRY(string_member(object, "ca_file"));
    target.store_endpoint = TRY(string_member(object, "store_endpoint"));
    target.session_tags = TRY(bool_member(object, "session_tags"));
    target.policy = string_or(object, "policy", "");
    return target;
}

struct Origin {
    net::TcpAddress address;
    bool is_tls = true;
};

Result<Origin> parse_origin(std::string_view endpoint)
{
    constexpr std::string_view plain = "http://";
    if (!endpoint.starts_with(plain))
        return Origin { TRY(net::parse_https_origin(endpoint)), true };
    auto const parsed = TRY(net::parse_address(endpoint.substr(plain.size())));
    auto const* tcp = std::get_if<net::TcpAddress>(&parsed);
    // SECURITY: the answer is a secret; in the clear it crosses no network.
    if (tcp == nullptr || (!tcp->host.starts_with("127.") && tcp->host != "::1") || net::to_socket_address(parsed).is_error())
        return invalid_argument("`" + std::string(endpoint) + "` is neither `https://…` nor `http://` with a loopback address and port");
    return Origin { *tcp, false };
}

std::map<std::string, std::string> environment_of(Target const& target)
{
    // Some clients read the one and some the other.
    std::map<std::string, std::string> environment { { "AWS_REGION", target.region }, { "AWS_DEFAULT_REGION", target.region } };
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

Error error_of(net::Response const& response)
{
    auto const told = parse_sts_error(response.body);
    auto const text = "STS answered " + std::to_string(response.status) + (told.code.empty() ? "" : " `" + told.code + "`")
        + (told.message.empty() ? "" : ": " + told.message);
    static constexpr std::pair<std::string_view, ErrorCode> codes[] = {
        { "AccessDenied", ErrorCode::permission_denied }, { "InvalidIdentityToken", ErrorCode::permission_denied },
        { "IDPRejectedClaim", ErrorCode::permission_denied }, { "NoSuchEntity", ErrorCode::permission_denied },
        { "IDPCommunicationError", ErrorCode::unavailable }, { "ExpiredTokenException", ErrorCode::unavailable },
        { "Throttling", ErrorCode::unavailable }, { "ThrottlingException", ErrorCode::unavailable },
        { "RegionDisabledException", ErrorCode::permission_denied }, { "PackedPolicyTooLarge", ErrorCode::invalid_argument },
    };
    for (auto const& [name, code] : codes) {
        if (name == told.code)
            return { code, text };
    }
    if (response.status >= 500 || response.status == 429)
        return unavailable(text);
    return response.status == 401 || response.status == 403 ? permission_denied(text) : invalid_argument(text);
}

// One STS: its connections, and how many requests are under way.
struct Service {
    Service(net::Address address, net::HttpClientOptions options)
        : client(std::move(address), std::move(options))
    {
    }
    net::HttpClient client;
    std::size_t requests = 0;
    net::Notification freed;
};

// Counts one request for as long as it lives.
class Turn {
public:
    explicit Turn(std::shared_ptr<Service> service)
        : service_(std::move(service))
    {
        ++service_->requests;
    }
    ~Turn()
    {
        --service_->requests;
        service_->freed.notify();
    }
    Turn(Turn const&) = delete;
    Turn& operator=(Turn const&) = delete;

private:
    std::shared_ptr<Service> service_;
};

class AwsStsIssuer final : public CredentialIssuer {
public:
    AwsStsIssuer(Clock const& clock, AwsStsLimits limits)
        : clock_(clock)
        , limits_(limits)
    {
    }

    Result<CredentialPlan> plan(JsonObject const& provider, std::span<Access const> accesses) override;
    net::Task<Result<Credential>> create(CredentialPlan plan, Recipient recipient) override;

private:
    Result<std::shared_ptr<Service>> service_of(Target const& target);
    net::Task<Result<net::Response>> send(std::shared_ptr<Service> service, net::Request request);
    Result<net::Request> request_of(Target const& target, Recipient const& recipient, std::chrono::seconds lifetime) const;
    Result<Credential> credential_of(net::Response response, Target const& target, Timestamp latest) const;

    Clock const& clock_;
    AwsStsLimits limits_;
    std::map<std::pair<std::string, std::string>, std::shared_ptr<Service>> services_;
};

Result<CredentialPlan> AwsStsIssuer::plan(JsonObject const& provider, std::span<Access const> accesses)
{
    if (accesses.empty())
        return invalid_argument("a session is for something");
    auto target = TRY(parse_target(provider));
    std::vector<S3Access> places;
    for (auto const& [action, resource] : accesses)
        places.push_back({ TRY(parse_s3_place(resource)), TRY(is_write_action(action)) });
    auto object = provider;
    object["policy"] = TRY(session_policy(TRY(partition_of_role(target.role)), places));
    TRY(check_sts_endpoint(target.endpoint));
    return CredentialPlan { "aws_sts", "", scope_text(places), to_text(JsonValue(object)), environment_of(target) };
}

Result<std::shared_ptr<Service>> AwsStsIssuer::service_of(Target const& target)
{
    auto const key = std::pair(target.endpoint, target.ca_file);
    if (auto const known = services_.find(key); known != services_.end())
        return known->second;
    auto const origin = TRY(parse_origin(target.endpoint));
    net::HttpClientOptions options;
    options.connect_deadline = limits_.connect_deadline;
    options.response_deadline = limits_.response_deadline;
    options.body_bytes_max = sts_answer_bytes_max;
    if (origin.is_tls) {
        net::TlsClientOptions tls;
        tls.roots = TRY(net::load_root_certificates(target.ca_file));
        tls.server_name = origin.address.host;
        options.tls = TRY(net::TlsClientContext::create(std::move(tls), clock_));
    }
    if (services_.size() == services_max)
        services_.clear(); // requests under way hold theirs
    return services_.emplace(key, std::make_shared<Service>(origin.address, std::move(options))).first->second;
}

Result<net::Request> AwsStsIssuer::request_of(Target const& target, Recipient const& recipient, std::chrono::seconds lifetime) const
{
    auto claims = target.session_tags ? TRY(tag_claims(recipient)) : JsonObject();
    auto const assertion = TRY(recipient.assertion(target.audience, std::move(claims)));
    net::Parameters const form { { "Action", "AssumeRoleWithWebIdentity" }, { "Version", "2011-06-15" }, { "RoleArn", target.role },
        { "RoleSessionName", recipient.run }, { "DurationSeconds", std::to_string(lifetime.count()) }, { "Policy", target.policy },
        { "WebIdentityToken", assertion.reveal() } };
    net::Request request;
    request.method = "POST";
    request.headers.set("content-type", "application/x-www-form-urlencoded");
    request.headers.set("accept", "application/xml");
    request.body = net::to_form(form);
    return request;
}

// Tried again while the STS does not answer, or says that it is its own fault.
net::Task<Result<net::Response>> AwsStsIssuer::send(std::shared_ptr<Service> service, net::Request request)
{
    while (service->requests >= limits_.requests_max) {
        auto const seen = service->freed.version();
        if (!co_await service->freed.wait_past(seen, limits_.response_deadline))
            co_return unavailable("too many requests to this STS are under way");
    }
    Turn const turn(service);
    auto pause = limits_.pause_first;
    for (int tried = 1;; ++tried) {
        auto sent = co_await service->client.send(request);
        auto failed = sent.is_error() ? sent.error() : sent->status == 200 ? Error(ErrorCode::internal, "") : error_of(*sent);
        if (sent.is_ok() && sent->status == 200)
            co_return std::move(sent).value();
        if (failed.code != ErrorCode::unavailable || tried >= limits_.tries_max)
            co_return std::move(failed).in("assume role");
        co_await net::delay(pause);
        pause *= 2;
    }
}

Result<Credential> AwsStsIssuer::credential_of(net::Response response, Target const& target, Timestamp latest) const
{
    SecretText const body(std::move(response.body));
    auto const session = TRY(parse_sts_credentials(body.reveal()));
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
    auto const asked = std::min<std::chrono::seconds>(lifetime, std::chrono::duration_cast<std::chrono::seconds>(sts_session_max));
    auto found = service_of(target);
    auto service = CO_TRY(found);
    auto made = request_of(target, recipient, asked);
    auto request = CO_TRY(made);
    auto answered = co_await send(std::move(service), std::move(request));
    auto response = CO_TRY(answered);
    co_return credential_of(std::move(response), target, recipient.expires);
}

} // namespace

std::unique_ptr<CredentialIssuer> create_aws_sts_issuer(Clock const& clock, AwsStsLimits limits) { return std::make_unique<AwsStsIssuer>(clock, limits); }

Result<> check_sts_endpoint(std::string_view endpoint)
{
    TRY(parse_origin(endpoint));
    return {};
}

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
        || !arn.starts_with("role/") || arn.size() < 6)
        return invalid_argument("a role's ARN is `arn:PARTITION:iam::ACCOUNT:role/NAME`");
    return std::string(parts[1]);
}

} // namespace writ::issue

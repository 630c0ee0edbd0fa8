// SPDX-License-Identifier: Apache-2.0
#include "issue/aws_sts/sts_client.h"

#include "issue/aws_sts/sigv4.h"
#include "net/http_client.h"
#include "net/notification.h"
#include "net/root_certificates.h"

namespace writ::issue {

namespace {

// LIMIT: STS services that are remembered; one for each declared endpoint and CA file.
constexpr std::size_t services_max = 64;

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

net::Request request_of(net::Parameters const& form)
{
    net::Request request;
    request.method = "POST";
    request.headers.set("content-type", "application/x-www-form-urlencoded");
    request.headers.set("accept", "application/xml");
    request.body = net::to_form(form);
    return request;
}

// What stands between scheme and path, as a client's `Host` has it.
std::string host_of(std::string_view endpoint)
{
    auto const begin = endpoint.find("://") + 3;
    return std::string(endpoint.substr(begin, endpoint.find('/', begin) - begin));
}

} // namespace

// One STS: its connections, and how many requests are under way.
struct StsClient::Service {
    Service(net::Address address, net::HttpClientOptions options)
        : client(std::move(address), std::move(options))
    {
    }
    net::HttpClient client;
    std::size_t requests = 0;
    net::Notification freed;
};

// Counts one request for as long as it lives.
class StsClient::Turn {
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

StsClient::StsClient(Clock const& clock, AwsStsLimits limits)
    : clock_(clock)
    , limits_(limits)
{
}

StsClient::~StsClient() = default;

Result<std::shared_ptr<StsClient::Service>> StsClient::service_of(StsAddress const& address)
{
    if (auto const known = services_.find(address); known != services_.end())
        return known->second;
    auto const origin = TRY(parse_origin(address.endpoint));
    net::HttpClientOptions options;
    options.connect_deadline = limits_.connect_deadline;
    options.response_deadline = limits_.response_deadline;
    options.body_bytes_max = sts_answer_bytes_max;
    if (origin.is_tls) {
        net::TlsClientOptions tls;
        tls.roots = TRY(net::load_root_certificates(address.ca_file));
        tls.server_name = origin.address.host;
        options.tls = TRY(net::TlsClientContext::create(std::move(tls), clock_));
    }
    if (services_.size() == services_max)
        services_.clear(); // requests under way hold theirs
    return services_.emplace(address, std::make_shared<Service>(origin.address, std::move(options))).first->second;
}

net::Task<Result<net::Response>> StsClient::send(std::shared_ptr<Service> service, net::Request request)
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

net::Task<Result<StsCredentials>> StsClient::exchange(StsAddress address, net::Request request)
{
    auto found = service_of(address);
    auto service = CO_TRY(found);
    auto answered = co_await send(std::move(service), std::move(request));
    auto response = CO_TRY(answered);
    SecretText const body(std::move(response.body));
    co_return parse_sts_credentials(body.reveal());
}

net::Task<Result<StsCredentials>> StsClient::ask(StsAddress address, net::Parameters form)
{
    co_return co_await exchange(std::move(address), request_of(form));
}

net::Task<Result<StsCredentials>> StsClient::ask_as(StsAddress address, net::Parameters form, StsCredentials as)
{
    auto request = request_of(form);
    request.headers.set("host", host_of(address.endpoint));
    Sigv4Options options;
    options.region = address.region;
    options.service = "sts";
    options.time = clock_.now();
    Sigv4Credentials const credentials { as.access_key_id, std::move(as.secret_access_key), std::move(as.session_token) };
    for (auto const& [name, value] : sign_in_headers({ request.method, request.path, request.headers, request.body }, credentials, options).headers)
        request.headers.set(name, value);
    co_return co_await exchange(std::move(address), std::move(request));
}

Result<> check_sts_endpoint(std::string_view endpoint)
{
    TRY(parse_origin(endpoint));
    return {};
}

} // namespace writ::issue

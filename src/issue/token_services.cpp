// SPDX-License-Identifier: Apache-2.0
#include "issue/token_services.h"

#include "net/root_certificates.h"
#include "net/url_place.h"

namespace writ::issue {

namespace {

// LIMIT: services that are remembered; one for each declared endpoint and CA file.
constexpr std::size_t services_max = 64;

} // namespace

// Its connections, and how many requests are under way.
struct TokenServices::Service {
    Service(net::Address address, net::HttpClientOptions options)
        : client(std::move(address), std::move(options))
    {
    }
    net::HttpClient client;
    std::size_t requests = 0;
    net::Notification freed;
};

// Counts one request for as long as it lives.
class TokenServices::Turn {
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

Result<> check_token_service(std::string_view endpoint)
{
    TRY(net::parse_secret_origin(endpoint));
    return {};
}

Result<std::shared_ptr<TokenServices::Service>> TokenServices::find(TokenService const& service)
{
    if (auto const known = services_.find(service); known != services_.end())
        return known->second;
    auto const origin = TRY(net::parse_secret_origin(service.endpoint));
    net::HttpClientOptions options;
    options.connect_deadline = limits_.connect_deadline;
    options.response_deadline = limits_.response_deadline;
    options.body_bytes_max = limits_.answer_bytes_max;
    if (origin.is_tls) {
        net::TlsClientOptions tls;
        tls.roots = TRY(net::load_root_certificates(service.ca_file));
        tls.server_name = origin.address.host;
        options.tls = TRY(net::TlsClientContext::create(std::move(tls), clock_));
    }
    if (services_.size() == services_max)
        services_.clear(); // requests under way hold theirs
    return services_.emplace(service, std::make_shared<Service>(origin.address, std::move(options))).first->second;
}

net::Task<Result<net::Response>> TokenServices::send(TokenService where, net::Request request, ErrorOf error_of)
{
    auto found = find(where);
    auto const service = CO_TRY(found);
    while (service->requests >= limits_.requests_max) {
        auto const seen = service->freed.version();
        if (!co_await service->freed.wait_past(seen, limits_.response_deadline))
            co_return unavailable("too many requests to `" + where.endpoint + "` are under way");
    }
    Turn const turn(service);
    auto pause = limits_.pause_first;
    for (int tried = 1;; ++tried) {
        auto sent = co_await service->client.send(request);
        if (sent.is_ok() && (sent->status == 200 || sent->status == 204))
            co_return std::move(sent).value();
        auto failed = sent.is_error() ? sent.error() : error_of(*sent);
        if (failed.code != ErrorCode::unavailable || tried >= limits_.tries_max)
            co_return failed;
        co_await net::delay(pause);
        pause *= 2;
    }
}

} // namespace writ::issue

// SPDX-License-Identifier: Apache-2.0
#include "issue/aws_sts/sts_client.h"

#include "issue/aws_sts/sigv4.h"

namespace writ::issue {

namespace {

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

StsClient::StsClient(Clock const& clock, TokenServiceLimits limits)
    : clock_(clock)
    , services_(clock, limits)
{
}

net::Task<Result<StsCredentials>> StsClient::exchange(StsAddress address, net::Request request)
{
    auto answered = co_await services_.send({ address.endpoint, address.ca_file }, std::move(request), error_of);
    if (answered.is_error())
        co_return std::move(answered).error().in("assume role");
    SecretText const body(std::move(answered->body));
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

} // namespace writ::issue

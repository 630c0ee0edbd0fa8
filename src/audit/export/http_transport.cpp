// SPDX-License-Identifier: Apache-2.0
//
// POST of a batch a request, as whoever collects takes it: lines, a JSON array, one event, or an OTLP request. A status of 2xx is an
// acknowledgement; anything else is not, and the batch stays.
#include "audit/export/credentials.h"
#include "audit/export/gzip.h"
#include "audit/export/transport.h"
#include "base/version.h"
#include "net/http_client.h"

namespace writ::audit {

namespace {

// LIMIT: what of a refusal is told to the operator.
constexpr std::size_t reason_bytes_max = 200;

class HttpTransport final : public Transport {
public:
    HttpTransport(ExportSpecification specification, Clock const& clock)
        : specification_(std::move(specification))
        , clock_(clock)
    {
    }

    [[nodiscard]] std::size_t events_max() const override { return specification_.shape == BatchShape::single ? 1 : 500; }

    net::Task<Result<>> send(std::vector<OutgoingEvent> const& events) override
    {
        auto connected = connect();
        CO_TRY(connected);
        if (specification_.shape != BatchShape::single)
            co_return co_await post(events);
        for (auto const& event : events) {
            auto posted = co_await post({ event });
            CO_TRY(posted);
        }
        co_return Result<>();
    }

private:
    net::Task<Result<>> post(std::vector<OutgoingEvent> events)
    {
        auto made = request_of(events);
        auto sent = co_await client_->send(CO_TRY(made));
        auto const response = CO_TRY(sent);
        if (response.status >= 200 && response.status < 300)
            co_return Result<>();
        co_return unavailable("the destination answered " + std::to_string(response.status) + " " + response.body.substr(0, reason_bytes_max));
    }

    Result<> connect()
    {
        if (client_)
            return {};
        net::HttpClientOptions options { .body_bytes_max = 1U << 20U, .idle_connections_max = 1 };
        if (specification_.destination.is_tls)
            options.tls = TRY(create_tls_client(specification_, clock_));
        client_ = std::make_unique<net::HttpClient>(specification_.destination.address, std::move(options));
        return {};
    }

    Result<net::Request> request_of(std::vector<OutgoingEvent> const& events) const
    {
        auto const& target = specification_.destination.path;
        auto const question = std::min(target.find('?'), target.size());
        net::Request request { .method = "POST", .path = TRY(net::percent_decode(target.substr(0, question))) };
        if (question < target.size())
            request.query = TRY(net::parse_form(target.substr(question + 1)));
        request.headers.set("user-agent", "writ/" + std::string(version_text));
        request.headers.set("content-type", std::string(content_type(specification_.format, specification_.shape)));
        if (!specification_.token_file.empty())
            request.headers.set("authorization", "Bearer " + TRY(read_secret(specification_.token_file)).reveal());
        request.body = body_of(events);
        if (specification_.is_compressed) {
            request.body = TRY(gzip(request.body));
            request.headers.set("content-encoding", "gzip");
        }
        return request;
    }

    [[nodiscard]] std::string body_of(std::vector<OutgoingEvent> const& events) const
    {
        std::vector<std::string> texts;
        texts.reserve(events.size());
        for (auto const& event : events)
            texts.push_back(event.text);
        return to_batch(specification_.format, specification_.shape, texts);
    }

    ExportSpecification specification_;
    Clock const& clock_;
    std::unique_ptr<net::HttpClient> client_;
};

} // namespace

std::unique_ptr<Transport> create_http_transport(ExportSpecification const& specification, Clock const& clock)
{
    return std::make_unique<HttpTransport>(specification, clock);
}

} // namespace writ::audit

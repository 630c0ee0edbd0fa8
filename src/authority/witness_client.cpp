// SPDX-License-Identifier: Apache-2.0
#include "authority/witness_client.h"

#include "base/utf8.h"
#include "tlog/note_format.h"
#include "tlog/witness_request.h"
#include "tlog/witness.h"

namespace writ::authority {

namespace {

// LIMIT: a witness syncs one small file before it answers; one that takes longer is down for this round.
constexpr Duration connect_deadline = std::chrono::seconds(3);
constexpr Duration answer_deadline = std::chrono::seconds(5);
// LIMIT: a checkpoint with the signatures that it may have.
constexpr std::size_t answer_bytes_max = 256U << 10U;
// LIMIT: 409 tells the size; when that has not helped so often, others are sending this log's checkpoints too, or the witness lies.
constexpr int attempts_max = 3;

struct Url {
    bool is_tls = false;
    net::TcpAddress server;
    std::string prefix;
};

Result<Url> parse_url(std::string_view text)
{
    constexpr std::string_view plain = "http://", secure = "https://";
    Url url;
    url.is_tls = text.starts_with(secure);
    if (!url.is_tls && !text.starts_with(plain))
        return invalid_argument("`" + std::string(text) + "` begins with neither `https://` nor `http://`");
    auto rest = text.substr(url.is_tls ? secure.size() : plain.size());
    auto const slash = std::min(rest.find('/'), rest.size());
    url.prefix = rest.substr(slash);
    while (url.prefix.ends_with('/'))
        url.prefix.pop_back();
    if (url.prefix.find_first_of("?#%") != std::string::npos)
        return invalid_argument("`" + std::string(text) + "` has more than a host, a port and a path");
    auto const authority = rest.substr(0, slash);
    url.server = TRY(net::parse_https_origin(std::string(secure) + std::string(authority)));
    auto const bracket = authority.find(']'); // of an IPv6 address, whose colons are none of a port
    auto const has_port = authority.find(':', bracket == std::string_view::npos ? 0 : bracket) != std::string_view::npos;
    if (!url.is_tls && !has_port)
        url.server.port = 80;
    return url;
}

// What a witness says of its refusal, for the operator's log.
std::string reason_of(net::Response const& response)
{
    auto text = response.body.substr(0, response.body.find('\n'));
    for (auto& character : text)
        if (static_cast<unsigned char>(character) < 0x20)
            character = ' ';
    return "status " + std::to_string(response.status) + (text.empty() ? "" : ": " + std::string(utf8_prefix(text, 200)));
}

} // namespace

Result<WitnessAddress> parse_witness_address(std::string_view text)
{
    auto const equals = text.find('=');
    if (equals == std::string_view::npos)
        return invalid_argument("a witness is written URL=KEY");
    auto const url = text.substr(0, equals);
    TRY(parse_url(url));
    auto key = TRY(tlog::WitnessVerifier::parse(text.substr(equals + 1)));
    return WitnessAddress { .url = std::string(url), .key = std::move(key) };
}

Result<std::unique_ptr<WitnessClient>> WitnessClient::create(
    WitnessAddress address, tlog::NoteVerifier log, std::vector<Bytes> const& roots, Clock const& clock)
{
    auto url = TRY(parse_url(address.url));
    net::HttpClientOptions options;
    options.connect_deadline = connect_deadline;
    options.response_deadline = answer_deadline;
    options.body_bytes_max = answer_bytes_max;
    options.idle_connections_max = 1;
    if (url.is_tls) {
        net::TlsClientOptions tls;
        tls.roots = roots;
        tls.server_name = url.server.host;
        options.tls = TRY(net::TlsClientContext::create(std::move(tls), clock));
    }
    // NOLINTNEXTLINE: the constructor is private
    auto client = std::unique_ptr<WitnessClient>(new WitnessClient(
        std::move(address), std::move(url.prefix), std::move(log), std::move(url.server), std::move(options)));
    return client;
}

Result<tlog::Cosignature> WitnessClient::read_cosignature(net::Response const& response, std::string const& note) const
{
    auto const lines = TRY(tlog::verify_cosignature_lines(note, response.body, { &address_.key, 1 }));
    if (lines.empty())
        return corruption("it has answered without a cosignature of its key");
    return lines.front();
}

// SPEC: C2SP tlog-witness: a 409's body is the size that the witness has cosigned last.
Result<> WitnessClient::read_size(net::Response const& response, std::uint64_t newest)
{
    std::string_view text = response.body;
    auto line = tlog::take_until(text, '\n');
    auto const size = line.is_ok() && text.empty() ? tlog::parse_tree_size(*line) : Result<std::uint64_t>(corruption("no size"));
    if (size.is_error())
        return corruption("it refuses the size and does not say which it knows");
    if (*size > newest)
        return conflict("it says that it has seen " + std::to_string(*size) + " records of this log, which has " + std::to_string(newest));
    known_size_ = *size;
    return {};
}

net::Task<Result<tlog::Cosignature>> WitnessClient::submit(tlog::Log const& log, std::string note, std::uint64_t size)
{
    for (int attempt = 0; attempt < attempts_max && known_size_ <= size; ++attempt) {
        tlog::AddCheckpoint request { .old_size = known_size_, .proof = {}, .note = note };
        if (known_size_ != 0) {
            auto proof = log.consistency_proof(known_size_, size);
            request.proof = CO_TRY(proof);
        }
        net::Request post;
        post.method = "POST";
        post.path = prefix_ + "/add-checkpoint";
        post.headers.set("content-type", "text/plain; charset=utf-8");
        post.body = tlog::to_text(request);
        auto sent = co_await client_.send(std::move(post));
        auto const response = CO_TRY(sent);
        if (response.status == 200) {
            auto line = read_cosignature(response, note);
            auto cosignature = CO_TRY(line);
            known_size_ = size;
            co_return cosignature;
        }
        if (response.status == 422)
            co_return conflict("it has seen another log under this name and key: " + reason_of(response));
        if (response.status != 409)
            co_return unavailable(reason_of(response));
        auto const learned = read_size(response, log.latest().size);
        if (learned.is_error())
            co_return learned.error();
    }
    if (known_size_ > log.latest().size)
        co_return conflict("it has seen " + std::to_string(known_size_) + " records of this log, which has " + std::to_string(log.latest().size));
    co_return unavailable(known_size_ > size ? "it has a newer checkpoint of this log already" : "it refuses each size that it has named");
}

net::Task<Result<std::optional<tlog::Checkpoint>>> WitnessClient::latest_seen()
{
    net::Request get;
    get.path = prefix_ + "/" + tlog::origin_hash(log_.name) + "/checkpoint";
    auto sent = co_await client_.send(std::move(get));
    auto const response = CO_TRY(sent);
    if (response.status == 404)
        co_return std::optional<tlog::Checkpoint>();
    if (response.status != 200)
        co_return unavailable(reason_of(response));
    auto verified = tlog::verify_checkpoint(response.body, log_);
    auto checkpoint = CO_TRY(verified);
    if (checkpoint.origin != log_.name)
        co_return corruption("it has answered with the checkpoint of another log");
    known_size_ = checkpoint.size;
    co_return std::optional(std::move(checkpoint));
}

} // namespace writ::authority

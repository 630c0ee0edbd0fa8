// SPDX-License-Identifier: Apache-2.0
//
// A request that is handed on: bytes of its client up to the first 0xff, of the server that answers behind it.
#include "net/fixed_stream.h"
#include "net/forward.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace writ;
using namespace writ::net;

constexpr std::size_t length_max = 200; // of the body, as its field says

// What the fuzzer keeps of a stream that forward() ends.
class Borrowed final : public Stream {
public:
    explicit Borrowed(FixedStream& stream) : stream_(stream) { }
    Task<Result<std::size_t>> read_some(std::span<std::uint8_t> into) override { return stream_.read_some(into); }
    Task<Result<>> write(BytesView bytes) override { return stream_.write(bytes); }
    Task<> finish() override { return stream_.finish(); }
    void close() override { }
    void set_deadline(Duration) override { }
    void clear_deadline() override { }
    [[nodiscard]] bool has_expired() const override { return false; }
    [[nodiscard]] bool is_stale() const override { return false; }
    [[nodiscard]] bool has_left() const override { return false; }
    [[nodiscard]] Peer const& peer() const override { return stream_.peer(); }

private:
    FixedStream& stream_;
};

void check(bool condition)
{
    if (!condition)
        std::abort();
}

// One head, and no more of a body than it says.
void check_sent(std::string_view sent, std::size_t length)
{
    if (sent.empty())
        return;
    auto const head_end = sent.find("\r\n\r\n");
    check(sent.starts_with("POST /a HTTP/1.1\r\nhost: api.example\r\n") && head_end != std::string_view::npos);
    check(sent.size() - (head_end + 4) <= length);
}

// Interim answers, and one that says how the connection ends.
void check_answered(std::string_view answer)
{
    while (!answer.empty()) {
        check(answer.starts_with("HTTP/1."));
        auto const end = answer.find("\r\n\r\n");
        check(end != std::string_view::npos);
        auto const head = answer.substr(0, end + 2);
        if (answer[9] != '1') {
            check(head.ends_with("\r\nconnection: close\r\n"));
            return;
        }
        answer.remove_prefix(end + 4);
    }
}

Task<> hand_on(EventLoop& loop, BytesView client_says, BytesView server_says)
{
    FixedStream client(client_says), server(server_says);
    auto const length = client_says.empty() ? 0 : client_says[0] % length_max;
    ForwardedRequest request;
    request.head.method = "POST";
    request.head.path = "/a";
    request.head.headers.set("content-length", std::to_string(length));
    request.host = "api.example";
    request.read_ahead = std::string(as_text(client_says.first(std::min<std::size_t>(client_says.size(), 10))));
    auto const done = co_await forward(loop, std::move(request), client, std::make_unique<Borrowed>(server), { .header_bytes_max = 1024 });
    check_sent(server.heard(), length);
    check_answered(client.heard());
    if (done.is_error())
        check(client.heard().empty() || client.heard()[9] == '1');
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    static EventLoop loop;
    BytesView const bytes(data, size);
    auto const client_end = static_cast<std::size_t>(std::ranges::find(bytes, 0xff) - bytes.begin());
    loop.run(hand_on(loop, bytes.first(client_end), bytes.subspan(std::min(size, client_end + 1))));
    return 0;
}

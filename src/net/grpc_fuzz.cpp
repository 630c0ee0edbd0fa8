// SPDX-License-Identifier: Apache-2.0
//
// gRPC's own framing, and a client's bytes through the whole of a connection.
#include "net/fixed_stream.h"
#include "net/grpc_connection.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace writ;
using namespace writ::net;

void check_framing(std::string_view text)
{
    if (auto const body = parse_grpc_body(text); body.status.code == GrpcCode::ok && to_grpc_frame(body.message) != text)
        std::abort();
    (void)parse_grpc_timeout(text);
    for (auto const c : to_grpc_message_field(text))
        if (c < 0x20 || c > 0x7e)
            std::abort();
}

Task<GrpcStatus> echo(GrpcCall& call)
{
    auto const sent = co_await call.send(call.request());
    co_return GrpcStatus { sent.is_ok() ? GrpcCode::ok : GrpcCode::cancelled, "" };
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    static EventLoop loop;
    static auto const service = std::make_shared<GrpcService>(GrpcService { .loop = loop,
        .limits = { .streams_max = 10,
            .message_bytes_max = 1000,
            .header_bytes_max = 1000,
            .unsent_bytes_max = 1000,
            .write_deadline = std::chrono::milliseconds(1) },
        .methods = { { "/a", echo } } });
    check_framing(as_text({ data, size }));
    // The preface is the same for all who get anywhere (RFC 9113 §3.4).
    Bytes bytes = to_bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    bytes.insert(bytes.end(), data, data + size);
    loop.run(std::make_shared<GrpcConnection>(service, std::make_unique<FixedStream>(bytes))->serve());
    return 0;
}

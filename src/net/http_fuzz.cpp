// SPDX-License-Identifier: Apache-2.0
//
// Bytes of a client, as the server reads them: any number of requests, from a stream that ends.
#include "net/fixed_stream.h"
#include "net/http_request.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace writ;
using namespace writ::net;

void check(Request const& request)
{
    auto const& path = request.path;
    if (!path.starts_with('/') || path.find("/../") != std::string::npos || path.ends_with("/..") || path.find('\0') != std::string::npos)
        std::abort();
    if (request.headers.count("content-length") + request.headers.count("transfer-encoding") > 1 || request.query.has_repeated_name())
        std::abort();
    auto const again = parse_request_target(to_request_target(path, request.query));
    if (again.is_error() || again.value().path != path || again.value().query.size() != request.query.size())
        std::abort();
}

Task<> read_requests(BytesView bytes)
{
    FixedStream stream(bytes);
    ReadBuffer buffer;
    HttpServerLimits const limits { .header_bytes_max = 4096, .body_bytes_max = 4096 };
    for (;;) {
        auto const incoming = co_await read_request(stream, buffer, limits, { [] {} });
        if (!incoming.request)
            co_return;
        check(incoming.request->request);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    static EventLoop loop;
    loop.run(read_requests({ data, size }));
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "audit/export/gzip.h"

#include <limits>
#include <zlib.h>

namespace writ::audit {

Result<std::string> gzip(std::string_view text)
{
    constexpr int gzip_window_bits = 15 + 16;
    constexpr int memory_level = 8; // zlib's own
    if (text.size() > std::numeric_limits<uInt>::max())
        return resource_exhausted("too long to compress");
    z_stream stream {};
    if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_window_bits, memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
        return resource_exhausted("no memory to compress");
    std::string out(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); // NOLINT: zlib reads it only
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    auto const ended = deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    if (ended != Z_STREAM_END)
        return resource_exhausted("the compressed text is longer than zlib said");
    return out;
}

} // namespace writ::audit

// SPDX-License-Identifier: Apache-2.0
//
// The one stream of bytes below every protocol: TCP, unix socket or TLS. One reader and one writer at a time. Not thread-safe.
#pragma once

#include "base/bytes.h"
#include "net/address.h"
#include "net/peer.h"
#include "net/task.h"

#include <cstdint>
#include <memory>
#include <span>

namespace writ::net {

class Stream {
public:
    Stream() = default;
    virtual ~Stream() = default;
    Stream(Stream const&) = delete;
    Stream& operator=(Stream const&) = delete;

    // The number of bytes read; 0: the peer has finished.
    virtual Task<Result<std::size_t>> read_some(std::span<std::uint8_t> into) = 0;
    // Writes all of it; the bytes must live until then.
    virtual Task<Result<>> write(BytesView bytes) = 0;
    // No more writes; the peer reads the end. Reading goes on.
    virtual Task<> finish() = 0;
    // Ends both directions at once; what waits fails. Idempotent.
    virtual void close() = 0;

    // After this long, reading and writing fail with `unavailable` until another deadline is set. One timer for the connection.
    virtual void set_deadline(Duration) = 0;
    virtual void clear_deadline() = 0;
    [[nodiscard]] virtual bool has_expired() const = 0;

    // Whether the peer has closed, or sent what nobody asked for: a kept connection that must not be used again.
    [[nodiscard]] virtual bool is_stale() const = 0;
    // Whether the peer has closed, or ended its side: nobody reads what is written now. What it sent before may still wait to be read.
    [[nodiscard]] virtual bool has_left() const = 0;
    [[nodiscard]] virtual Peer const& peer() const = 0;
};

// Of a connected, non-blocking socket, on the loop of the calling task or of `loop`.
Result<std::unique_ptr<Stream>> stream_of(boost::asio::io_context& context, UniqueFd socket);

// unavailable: refused, unreachable, not resolved or too late.
Task<Result<std::unique_ptr<Stream>>> connect(Address address, Duration timeout);

} // namespace writ::net

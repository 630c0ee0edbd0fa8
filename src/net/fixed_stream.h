// SPDX-License-Identifier: Apache-2.0
//
// A peer that says what it is given and then nothing more, and keeps what it hears: for fuzzers.
#pragma once

#include "net/stream.h"

#include <algorithm>

namespace writ::net {

class FixedStream final : public Stream {
public:
    explicit FixedStream(BytesView bytes)
        : bytes_(bytes)
    {
    }
    Task<Result<std::size_t>> read_some(std::span<std::uint8_t> into) override
    {
        // In pieces whose sizes depend on the bytes, so that every boundary is met.
        auto const piece = bytes_.empty() ? 0 : 1 + bytes_[0] % 64U;
        auto const size = std::min({ into.size(), bytes_.size(), static_cast<std::size_t>(piece) });
        std::copy_n(bytes_.begin(), size, into.begin());
        bytes_ = bytes_.subspan(size);
        co_return size;
    }
    Task<Result<>> write(BytesView bytes) override
    {
        heard_ += as_text(bytes);
        co_return Result<>();
    }
    Task<> finish() override { co_return; }
    void close() override { }
    void set_deadline(Duration) override { }
    void clear_deadline() override { }
    [[nodiscard]] bool has_expired() const override { return false; }
    [[nodiscard]] bool is_stale() const override { return false; }
    [[nodiscard]] bool has_left() const override { return false; }
    [[nodiscard]] Peer const& peer() const override { return peer_; }

    // All that was written.
    [[nodiscard]] std::string const& heard() const { return heard_; }

private:
    BytesView bytes_;
    std::string heard_;
    Peer peer_ { AddressPeer { "fuzz" } };
};

} // namespace writ::net

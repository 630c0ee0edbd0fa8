// SPDX-License-Identifier: Apache-2.0
//
// A blocking unix socket, and a child process that only answers it: the least that a round trip between two processes can cost.
#pragma once

#include "harness/server.h"

#include <span>

namespace writ::bench {

class RawSocket {
public:
    explicit RawSocket(std::string const& path); // connects
    explicit RawSocket(UniqueFd socket)
        : socket_(std::move(socket))
    {
    }

    void write(BytesView bytes);
    // At least one byte; the program ends if the peer has closed.
    std::size_t read(std::span<std::uint8_t> into);

    std::uint64_t written = 0;
    std::uint64_t received = 0;

private:
    UniqueFd socket_;
};

// Answers each `question_bytes` with `answer_bytes`, in a process of its own, until the object ends.
class PingPong {
public:
    PingPong(std::size_t question_bytes, std::size_t answer_bytes);
    ~PingPong();
    PingPong(PingPong const&) = delete;
    PingPong& operator=(PingPong const&) = delete;

    void ask();
    [[nodiscard]] double cpu_seconds() const;

private:
    Bytes question_, answer_;
    UniqueFd ours_;
    pid_t pid_ = -1;
};

} // namespace writ::bench

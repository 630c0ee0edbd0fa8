// SPDX-License-Identifier: Apache-2.0
//
// A blocking gRPC client on one unix socket: as little as HTTP/2 allows, so that the server is what is measured.
#pragma once

#include "harness/raw_socket.h"

#include <memory>
#include <string>

namespace writ::bench {

class GrpcClient {
public:
    explicit GrpcClient(std::string const& socket);
    ~GrpcClient();
    GrpcClient(GrpcClient const&) = delete;
    GrpcClient& operator=(GrpcClient const&) = delete;

    // Begins a call with an empty request, returns the first message of its answer, and cancels the rest.
    std::string first_message(std::string const& path);

    [[nodiscard]] RawSocket const& socket() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace writ::bench

// SPDX-License-Identifier: Apache-2.0
//
// The stream of a socket that a listener accepted and counts. Private to net.
#pragma once

#include "net/stream.h"

#include <memory>

namespace writ::net {

// `ticket` is dropped when the stream closes.
Result<std::unique_ptr<Stream>> stream_of(boost::asio::io_context& context, UniqueFd socket, std::shared_ptr<void> ticket);

} // namespace writ::net

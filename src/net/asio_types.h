// SPDX-License-Identifier: Apache-2.0
//
// Asio's objects bound to the one executor that tasks run on, so that nothing is type-erased twice. Private to net.
#pragma once

#include "net/task.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace writ::net {

using Executor = boost::asio::io_context::executor_type;
// Errors come as values: auto const [error, size] = co_await socket.async_read_some(buffer, as_values);
inline constexpr boost::asio::as_tuple_t<boost::asio::use_awaitable_t<Executor>> as_values {};
using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

// LIMIT: the longest wait; keeps `now + timeout` from overflowing when somebody means "forever".
inline constexpr Duration wait_max = std::chrono::hours(24 * 365);
inline Duration clamped(Duration timeout) { return std::clamp(timeout, Duration::zero(), wait_max); }

} // namespace writ::net

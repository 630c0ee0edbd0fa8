// SPDX-License-Identifier: Apache-2.0
#include "net/task_end.h"

#include "net/asio_types.h"

namespace writ::net {

namespace {

// Asio does this in the context's own destructor, and lets derived classes do it earlier.
struct EndedContext : boost::asio::io_context {
    static void end(boost::asio::io_context& context) { (context.*(&EndedContext::shutdown))(); }
};

} // namespace

TaskEnd::~TaskEnd() { EndedContext::end(loop_.context()); }

} // namespace writ::net

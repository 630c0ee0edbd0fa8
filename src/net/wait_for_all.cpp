// SPDX-License-Identifier: Apache-2.0
#include "net/wait_for_all.h"

#include "base/logger.h"
#include "net/asio_types.h"

#include <boost/asio/co_spawn.hpp>
#include <cstdlib>

namespace writ::net {

namespace asio = boost::asio;

Task<> wait_for_all(std::vector<Task<>> tasks)
{
    if (tasks.empty())
        co_return;
    auto const executor = co_await asio::this_coro::executor;
    auto const point = co_await ResumePoint::create();
    auto const running = std::make_shared<std::size_t>(tasks.size());
    for (auto& task : tasks) {
        asio::co_spawn(executor, std::move(task), [point, running](std::exception_ptr const& exception) {
            if (exception) {
                log_error("a task ended with an exception", {});
                std::abort();
            }
            if (--*running == 0)
                point.resume();
        });
    }
    co_await point.wait();
}

} // namespace writ::net

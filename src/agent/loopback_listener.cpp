// SPDX-License-Identifier: Apache-2.0
#include "agent/loopback_listener.h"

#include "agent/loopback.h"
#include "base/logger.h"

#include <map>

namespace writ::agent {

namespace {

using Counts = std::map<uid_t, std::size_t>;

// A connection that is counted for as long as it lives.
class CountedStream final : public net::Stream {
public:
    CountedStream(std::unique_ptr<net::Stream> stream, std::shared_ptr<Counts> counts, uid_t user)
        : stream_(std::move(stream))
        , counts_(std::move(counts))
        , user_(user)
    {
        ++(*counts_)[user_];
    }
    ~CountedStream() override
    {
        if (--(*counts_)[user_] == 0)
            counts_->erase(user_);
    }

    net::Task<Result<std::size_t>> read_some(std::span<std::uint8_t> into) override { return stream_->read_some(into); }
    net::Task<Result<>> write(BytesView bytes) override { return stream_->write(bytes); }
    net::Task<> finish() override { return stream_->finish(); }
    void close() override { stream_->close(); }
    void set_deadline(Duration duration) override { stream_->set_deadline(duration); }
    void clear_deadline() override { stream_->clear_deadline(); }
    [[nodiscard]] bool has_expired() const override { return stream_->has_expired(); }
    [[nodiscard]] bool is_stale() const override { return stream_->is_stale(); }
    [[nodiscard]] bool has_left() const override { return stream_->has_left(); }
    [[nodiscard]] net::Peer const& peer() const override { return stream_->peer(); }

private:
    std::unique_ptr<net::Stream> stream_;
    std::shared_ptr<Counts> counts_;
    uid_t user_;
};

class BoundListener final : public net::Listener {
public:
    BoundListener(std::unique_ptr<net::Listener> listener, UserOfPort user_of, std::size_t connections_max)
        : listener_(std::move(listener))
        , user_of_(std::move(user_of))
        , connections_max_(connections_max)
    {
    }

    net::Task<Result<std::unique_ptr<net::Stream>>> accept() override
    {
        for (;;) {
            auto accepted = co_await listener_->accept();
            auto stream = CO_TRY(accepted);
            auto const port = loopback_client_port(stream->peer());
            auto const user = port ? user_of_(*port) : std::nullopt;
            if (!user || is_full(*user))
                continue; // it is closed
            co_return std::unique_ptr<net::Stream>(std::make_unique<CountedStream>(std::move(stream), counts_, *user));
        }
    }

    [[nodiscard]] net::Address address() const override { return listener_->address(); }
    void close() override { listener_->close(); }

private:
    [[nodiscard]] bool is_full(uid_t user) const
    {
        auto const count = counts_->find(user);
        bool const full = count != counts_->end() && count->second >= connections_max_;
        if (full)
            log_debug("refused a connection", { { "why", "uid " + std::to_string(user) + " has too many" } });
        return full;
    }

    std::unique_ptr<net::Listener> listener_;
    UserOfPort user_of_;
    std::size_t connections_max_;
    std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
};

} // namespace

std::unique_ptr<net::Listener> bound_for_each_user(std::unique_ptr<net::Listener> listener, UserOfPort user_of, std::size_t connections_max)
{
    return std::make_unique<BoundListener>(std::move(listener), std::move(user_of), connections_max);
}

} // namespace writ::agent

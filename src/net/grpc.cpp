// SPDX-License-Identifier: Apache-2.0
#include "net/grpc.h"

#include "net/grpc_connection.h"

#include <set>

namespace writ::net {

struct GrpcServer::State : std::enable_shared_from_this<GrpcServer::State> {
    explicit State(std::shared_ptr<GrpcService> grpc_service)
        : service(std::move(grpc_service))
    {
    }

    // A connection is known for as long as its task lives, also if that is cut short.
    struct Registration {
        Registration(std::shared_ptr<State> of, GrpcConnection& one)
            : state(std::move(of))
            , connection(one)
        {
            state->connections.insert(&connection);
        }
        ~Registration()
        {
            state->connections.erase(&connection);
            state->changed.notify();
        }
        Registration(Registration const&) = delete;
        Registration& operator=(Registration const&) = delete;
        std::shared_ptr<State> state;
        GrpcConnection& connection;
    };

    static Task<> accept_all(std::shared_ptr<State> state, std::shared_ptr<Listener> listener)
    {
        for (;;) {
            auto accepted = co_await listener->accept();
            if (accepted.is_error() || state->is_stopping)
                co_return;
            auto connection = std::make_shared<GrpcConnection>(state->service, std::move(accepted).value());
            state->service->loop.spawn(serve_connection(state, std::move(connection)));
        }
    }

    static Task<> serve_connection(std::shared_ptr<State> state, std::shared_ptr<GrpcConnection> connection)
    {
        Registration const registration(state, *connection);
        co_await connection->serve();
    }

    void stop_listening()
    {
        is_stopping = true;
        for (auto const& listener : listeners)
            listener->close();
        listeners.clear();
    }

    void close_connections()
    {
        for (auto* const connection : connections)
            connection->close();
    }

    static Task<> shutdown(std::shared_ptr<State> state, Duration grace)
    {
        state->stop_listening();
        for (auto* const connection : state->connections)
            connection->go_away();
        auto const due = SystemClock().monotonic() + grace;
        for (;;) {
            auto const seen = state->changed.version();
            auto const left = due - SystemClock().monotonic();
            if (state->connections.empty() || left <= Duration::zero())
                break;
            co_await state->changed.wait_past(seen, left);
        }
        state->close_connections();
    }

    std::shared_ptr<GrpcService> service;
    std::vector<std::shared_ptr<Listener>> listeners;
    std::set<GrpcConnection*> connections;
    Notification changed;
    bool is_stopping = false;
};

GrpcServer::GrpcServer(EventLoop& loop, GrpcServerLimits limits)
    : state_(std::make_shared<State>(std::make_shared<GrpcService>(GrpcService { .loop = loop, .limits = limits, .methods = {} })))
{
}

GrpcServer::~GrpcServer()
{
    state_->stop_listening();
    state_->close_connections();
}

void GrpcServer::add(std::string path, GrpcMethod method) { state_->service->methods.insert_or_assign(std::move(path), std::move(method)); }

void GrpcServer::serve(std::unique_ptr<Listener> listener)
{
    std::shared_ptr<Listener> const shared = std::move(listener);
    state_->listeners.push_back(shared);
    state_->service->loop.spawn(State::accept_all(state_, shared));
}

Task<> GrpcServer::shutdown(Duration grace) { return State::shutdown(state_, grace); }
std::size_t GrpcServer::connection_count() const { return state_->connections.size(); }
std::size_t GrpcServer::call_count() const { return state_->service->call_count; }

} // namespace writ::net

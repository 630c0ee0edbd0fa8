// SPDX-License-Identifier: Apache-2.0
//
// One SQLite connection with prepared statements. WAL and synchronous=FULL: what was committed is there after power loss.
#pragma once

#include "base/bytes.h"
#include "base/clock.h"
#include "base/durable_file.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace writ::store {

class Statement {
public:
    struct State;
    explicit Statement(std::shared_ptr<State> state)
        : state_(std::move(state))
    {
    }

    // Values for `?1`, `?2`, … in order of the calls.
    Statement& bind(std::string_view text);
    Statement& bind(std::int64_t number);
    Statement& bind(std::uint64_t number) { return bind(static_cast<std::int64_t>(number)); }
    Statement& bind(BytesView blob);
    Statement& bind(Timestamp time) { return bind(static_cast<std::int64_t>(time.time_since_epoch().count())); }
    Statement& bind(std::optional<Timestamp> time);

    // The next row; false at the end.
    Result<bool> step();
    // Runs it to its end; the number of rows it changed.
    Result<std::size_t> run();

    // Columns of the row, from 0.
    [[nodiscard]] std::string text(int column) const;
    [[nodiscard]] std::int64_t number(int column) const;
    [[nodiscard]] Bytes blob(int column) const;
    [[nodiscard]] Timestamp time(int column) const { return Timestamp(Duration(number(column))); }
    [[nodiscard]] std::optional<Timestamp> optional_time(int column) const;

private:
    std::shared_ptr<State> state_;
};

class Database {
public:
    // Creates the file if there is none (mode 0600); `:memory:` for tests.
    static Result<std::shared_ptr<Database>> open(Path const&);
    // One that is there, beside whoever writes it. not_found: there is none.
    static Result<std::shared_ptr<Database>> open_to_read(Path const&);
    ~Database();
    Database(Database const&) = delete;
    Database& operator=(Database const&) = delete;

    Result<> execute(char const* sql);
    // Prepared once, reset and cleared of values at each call.
    Result<Statement> prepare(char const* sql);

private:
    struct State;
    explicit Database(std::unique_ptr<State> state);
    static Result<std::shared_ptr<Database>> connect(Path const&, int flags);
    std::unique_ptr<State> state_;
};

} // namespace writ::store

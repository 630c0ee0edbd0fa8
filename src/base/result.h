// SPDX-License-Identifier: Apache-2.0
//
// Result<T>: a value or an Error. Writ throws nothing of its own; a library that throws is wrapped in the one folder that may
// include it. Result is [[nodiscard]]; TRY() hands an error on. A policy's deny is a Decision, never an Error.
#pragma once

#include "base/assert.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace writ {

enum class ErrorCode : std::uint8_t {
    invalid_argument,   // the caller's input is wrong; the same call fails again
    unauthenticated,    // no identity, or one that does not verify
    permission_denied,  // an identity, but not allowed
    not_found,
    conflict,           // exists already, or changed meanwhile
    resource_exhausted, // a named limit or a full disk
    unavailable,        // a dependency does not answer; trying later may help
    corruption,         // stored bytes are not what was written
    internal,           // only at the edge, for what should not happen
};

// The code's stable name as it appears in JSON, records and problem details, e.g. `permission_denied`.
std::string_view to_string(ErrorCode);

// SECURITY: only the code may cross to an unauthenticated caller; the message is for the operator.
struct [[nodiscard]] Error {
    ErrorCode code = ErrorCode::internal;
    std::string message; // lower case, no full stop, the user's text in backticks, never a line break

    Error(ErrorCode error_code, std::string text)
        : code(error_code)
        , message(std::move(text))
    {
    }

    // Puts context in front: Error("unexpected `}`").in("load policies") reads "load policies: unexpected `}`".
    Error in(std::string_view context) &&;

    bool operator==(Error const&) const = default;
};

template <typename T = void>
class [[nodiscard]] Result {
public:
    using Value = T;

    Result(T value) // NOLINT(google-explicit-constructor): `return value;` is the point of the type
        : state_(std::in_place_index<0>, std::move(value))
    {
    }
    Result(Error error) // NOLINT(google-explicit-constructor)
        : state_(std::in_place_index<1>, std::move(error))
    {
    }

    [[nodiscard]] bool is_ok() const { return state_.index() == 0; }
    [[nodiscard]] bool is_error() const { return state_.index() == 1; }
    explicit operator bool() const { return is_ok(); }

    // REQUIRES: is_ok().
    T& value() & { return checked(); }
    T const& value() const& { return const_cast<Result*>(this)->checked(); }
    T value() && { return std::move(checked()); }
    T& operator*() & { return checked(); }
    T const& operator*() const& { return value(); }
    T* operator->() { return &checked(); }
    T const* operator->() const { return &value(); }

    // REQUIRES: is_error().
    Error const& error() const&
    {
        ASSERT(is_error());
        return std::get<1>(state_);
    }
    Error error() &&
    {
        ASSERT(is_error());
        return std::get<1>(std::move(state_));
    }

    // The same result, its error (if any) with context in front.
    Result in(std::string_view context) &&
    {
        if (is_error())
            return std::get<1>(std::move(state_)).in(context);
        return std::move(*this);
    }

private:
    T& checked()
    {
        ASSERT(is_ok());
        return std::get<0>(state_);
    }

    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    using Value = void;

    Result() = default;
    Result(Error error) // NOLINT(google-explicit-constructor)
        : state_(std::move(error))
    {
    }

    [[nodiscard]] bool is_ok() const { return state_.index() == 0; }
    [[nodiscard]] bool is_error() const { return state_.index() == 1; }
    explicit operator bool() const { return is_ok(); }
    void value() const { ASSERT(is_ok()); }

    Error const& error() const&
    {
        ASSERT(is_error());
        return std::get<1>(state_);
    }
    Error error() &&
    {
        ASSERT(is_error());
        return std::get<1>(std::move(state_));
    }

    Result in(std::string_view context) &&
    {
        if (is_error())
            return std::get<1>(std::move(state_)).in(context);
        return std::move(*this);
    }

private:
    std::variant<std::monostate, Error> state_;
};

// An ErrorCode with a formatted-by-the-caller message: the short way to write an Error.
inline Error invalid_argument(std::string message) { return { ErrorCode::invalid_argument, std::move(message) }; }
inline Error unauthenticated(std::string message) { return { ErrorCode::unauthenticated, std::move(message) }; }
inline Error permission_denied(std::string message) { return { ErrorCode::permission_denied, std::move(message) }; }
inline Error not_found(std::string message) { return { ErrorCode::not_found, std::move(message) }; }
inline Error conflict(std::string message) { return { ErrorCode::conflict, std::move(message) }; }
inline Error resource_exhausted(std::string message) { return { ErrorCode::resource_exhausted, std::move(message) }; }
inline Error unavailable(std::string message) { return { ErrorCode::unavailable, std::move(message) }; }
inline Error corruption(std::string message) { return { ErrorCode::corruption, std::move(message) }; }

// The message of errno value `error_number`, put after `what`: "open `x`: No such file or directory". ENOSPC and EDQUOT become
// resource_exhausted, ENOENT not_found, EEXIST conflict, EACCES and EPERM permission_denied, all else unavailable.
Error errno_error(std::string_view what, int error_number);

} // namespace writ

// The value of a Result, or return its error from the enclosing function. An expression: auto const key = TRY(parse_key(text));
// The counter gives nested uses names of their own.
#define TRY(expression) WRIT_TRY_NAMED(expression, __COUNTER__)
#define WRIT_TRY_NAMED(expression, number) WRIT_TRY_PASTED(expression, number)
#define WRIT_TRY_PASTED(expression, number) WRIT_TRY_AS(expression, writ_try_result_##number)
#define WRIT_TRY_AS(expression, result)                                                                                               \
    ({                                                                                                                                \
        auto&& result = (expression);                                                                                                 \
        if (result.is_error()) [[unlikely]]                                                                                           \
            return std::move(result).error();                                                                                         \
        std::move(result).value();                                                                                                    \
    })

// The same in a coroutine, of a local that was awaited into before: auto r = co_await f(); auto v = CO_TRY(r);
#define CO_TRY(local)                                                                                                                 \
    ({                                                                                                                                \
        if ((local).is_error()) [[unlikely]]                                                                                          \
            co_return std::move(local).error();                                                                                       \
        std::move(local).value();                                                                                                     \
    })

// SPDX-License-Identifier: Apache-2.0
//
// Secret<T> holds what must not be printed: no stream operator, no comparison, no copy; it wipes itself. reveal() is the only way
// in and is easy to search for. T is std::string or Bytes. Not thread-safe.
#pragma once

#include "base/bytes.h"

#include <cstring>
#include <string>
#include <utility>

namespace writ {

// Overwrites memory in a way the compiler may not leave out.
inline void wipe(void* memory, std::size_t size)
{
    if (size == 0) // an empty vector's null is not memset's to take
        return;
    std::memset(memory, 0, size);
    asm volatile("" : : "r"(memory) : "memory");
}

template <typename T>
class Secret {
public:
    Secret() = default;
    explicit Secret(T value)
        : value_(std::move(value))
    {
    }
    ~Secret() { wipe_value(); }

    Secret(Secret const&) = delete;
    Secret& operator=(Secret const&) = delete;
    Secret(Secret&& other) noexcept
        : value_(std::move(other.value_))
    {
        other.wipe_value(); // a short string's bytes stay behind in its own buffer when it is moved
    }
    Secret& operator=(Secret&& other) noexcept
    {
        if (this != &other) {
            wipe_value();
            value_ = std::move(other.value_);
            other.wipe_value();
        }
        return *this;
    }

    [[nodiscard]] T const& reveal() const { return value_; }
    // A second Secret of the same value, where one must be kept and one given away.
    [[nodiscard]] Secret duplicate() const { return Secret(value_); }
    [[nodiscard]] bool is_empty() const { return value_.empty(); }

private:
    void wipe_value()
    {
        wipe(value_.data(), value_.size() * sizeof(typename T::value_type));
        value_.clear();
    }

    T value_;
};

using SecretText = Secret<std::string>;
using SecretBytes = Secret<Bytes>;

} // namespace writ

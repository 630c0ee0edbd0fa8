// SPDX-License-Identifier: Apache-2.0
//
// Cedar's values: bool, 64-bit long, string, entity, set, record and the extension types. Immutable; cheap to copy (sets and records are shared).
// Thread-safe. https://docs.cedarpolicy.com/policies/syntax-datatypes.html
#pragma once

#include "base/json.h"
#include "base/result.h"

#include <array>
#include <compare>
#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace writ::cedar {

struct EntityUid {
    std::string type; // `Dataset`, `Acme::Dataset`
    std::string id;
    auto operator<=>(EntityUid const&) const = default;
};
std::string to_string(EntityUid const&); // Dataset::"oncology/biopsies", escaped
Result<EntityUid> parse_entity_uid(std::string_view);

struct Decimal {
    std::int64_t ten_thousandths = 0;
    auto operator<=>(Decimal const&) const = default;
};
struct Datetime {
    std::int64_t milliseconds = 0; // since 1970, UTC
    auto operator<=>(Datetime const&) const = default;
};
struct DurationValue {
    std::int64_t milliseconds = 0;
    auto operator<=>(DurationValue const&) const = default;
};
struct IpAddress {
    std::array<std::uint8_t, 16> bytes {};
    bool is_v6 = false;
    std::uint8_t prefix = 32;
    auto operator<=>(IpAddress const&) const = default;
};

class Value;
using Record = std::map<std::string, Value, std::less<>>;
using Set = std::vector<Value>; // sorted, without duplicates

class Value {
public:
    using Storage = std::variant<bool, std::int64_t, std::string, EntityUid, std::shared_ptr<Set const>, std::shared_ptr<Record const>, Decimal, Datetime,
        DurationValue, IpAddress>;

    Value() : storage_(false) { }
    // Templates, so that no pointer becomes a bool and no int is ambiguous.
    template <std::same_as<bool> T>
    Value(T truth) : storage_(truth) { } // NOLINT(google-explicit-constructor)
    template <std::integral T>
        requires(!std::same_as<T, bool> && (std::is_signed_v<T> || sizeof(T) < sizeof(std::int64_t)))
    Value(T number) : storage_(std::int64_t { number }) { } // NOLINT(google-explicit-constructor)
    Value(std::string text) : storage_(std::move(text)) { }                 // NOLINT(google-explicit-constructor)
    Value(std::string_view text) : storage_(std::string(text)) { }          // NOLINT(google-explicit-constructor)
    Value(char const* text) : storage_(std::string(text)) { }               // NOLINT(google-explicit-constructor)
    Value(EntityUid uid) : storage_(std::move(uid)) { }                     // NOLINT(google-explicit-constructor)
    Value(Decimal value) : storage_(value) { }                              // NOLINT(google-explicit-constructor)
    Value(Datetime value) : storage_(value) { }                             // NOLINT(google-explicit-constructor)
    Value(DurationValue value) : storage_(value) { }                        // NOLINT(google-explicit-constructor)
    Value(IpAddress value) : storage_(value) { }                            // NOLINT(google-explicit-constructor)
    static Value set(std::vector<Value> elements); // sorts, drops duplicates
    static Value set_of(std::vector<std::string> const& texts);
    static Value record(Record members);

    [[nodiscard]] Storage const& storage() const { return storage_; }

    // Values of different types are never equal; the order is arbitrary but total and fixed.
    friend std::strong_ordering operator<=>(Value const&, Value const&);
    friend bool operator==(Value const& left, Value const& right) { return (left <=> right) == 0; }

private:
    Storage storage_;
};

std::string to_string(Value const&); // as a Cedar literal expression
std::string_view type_name(Value const&); // `long`, `set`, `(entity of type `Team`)` is the caller's business

// Cedar's JSON form without a schema: strings, numbers (long), booleans, arrays, objects, `__entity`, `__extn` {fn, arg}. null and fractions are refused.
Result<Value> parse_value(JsonValue const&);
JsonValue to_json(Value const&);

Result<Decimal> parse_decimal(std::string_view);
Result<Datetime> parse_datetime(std::string_view);
Result<DurationValue> parse_duration(std::string_view);
Result<IpAddress> parse_ip_address(std::string_view);

} // namespace writ::cedar

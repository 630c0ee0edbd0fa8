// SPDX-License-Identifier: Apache-2.0
//
// A value while a decision is made: 16 bytes that point into policies, entities, the request or the decider's arena, and own nothing.
#pragma once

#include "cedar/value.h"

#include <cstring>

namespace writ::cedar {

inline constexpr std::uint32_t no_index = 0xFFFF'FFFFU;

struct Slot;
// A member of a record that a policy makes while it runs; sorted by name.
struct SlotMember;

struct Slot {
    // In the order of Value::Storage; `list` and `members` are sets and records made while running.
    enum class Tag : std::uint8_t { boolean, number, string, entity, set, record, decimal, datetime, duration, ip_address, list, members };

    Tag tag = Tag::boolean;
    std::uint32_t extent = 0; // of a string, list or members: how many; of an entity: its index, if known
    union {
        bool truth;
        std::int64_t number; // also ten-thousandths and milliseconds
        char const* text;
        EntityUid const* uid;
        Set const* set;
        Record const* record;
        IpAddress const* address;
        Slot const* elements; // sorted, without duplicates
        SlotMember const* members;
    };

    Slot()
        : number(0)
    {
    }

    static Slot of(bool value);
    static Slot of(std::int64_t value, Tag = Tag::number);
    static Slot of(std::string const& value);
    static Slot of(EntityUid const& value, std::uint32_t index = no_index);
    static Slot of(Value const& value);

    [[nodiscard]] std::string_view string() const { return { text, extent }; }
    [[nodiscard]] bool is_set() const { return tag == Tag::set || tag == Tag::list; }
    [[nodiscard]] bool is_record() const { return tag == Tag::record || tag == Tag::members; }
};

struct SlotMember {
    std::string const* name = nullptr;
    Slot value;
};

// As Value's order, whatever the two are made of. REQUIRES: entities whose indices are both known differ if these differ.
std::strong_ordering compare(Slot const&, Slot const&);
bool is_equal(Slot const&, Slot const&);

// Of a set or list.
std::size_t size_of(Slot const& set);
Slot element_at(Slot const& set, std::size_t index);
bool contains(Slot const& set, Slot const& element);

// A member of a record by name; false if it has none.
bool find_member(Slot const& record, std::string const& name, Slot& found);

} // namespace writ::cedar

// SPDX-License-Identifier: Apache-2.0
//
// Kinds of requests by small keys: the parts of a question are numbered once, and a kind is a row of numbers. Private to replay.
#pragma once

#include "replay/record_view.h"

#include <array>
#include <unordered_map>

namespace writ::replay {

struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
};
template <typename T> using ByText = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

// Numbers for texts, from 0.
class TextNumbers {
public:
    std::uint32_t of(std::string_view text)
    {
        auto const known = numbers_.find(text);
        return known != numbers_.end() ? known->second
                                       : numbers_.emplace(std::string(text), static_cast<std::uint32_t>(numbers_.size())).first->second;
    }
    [[nodiscard]] std::size_t size() const { return numbers_.size(); }
    void clear() { numbers_.clear(); }

private:
    ByText<std::uint32_t> numbers_;
};

// The principal, what was decided by which policies, action, resource, purpose, context.
using KindKey = std::array<std::uint32_t, 6>;

struct KindKeyHash {
    std::size_t operator()(KindKey const& key) const noexcept
    {
        std::uint64_t state = 0;
        for (auto const number : key) {
            state = (state ^ number) * 0x9E37'79B9'7F4A'7C15U;
            state ^= state >> 29U;
        }
        return state;
    }
};

template <typename Place> class KindTable {
public:
    // LIMIT: kinds and texts that are remembered; beyond it all are forgotten, and decided again if they come again.
    static constexpr std::size_t kinds_max = 500'000, texts_max = 100'000;

    // The place of the record's kind, and whether it is a new one. `scratch` is written over.
    std::pair<Place*, bool> find(RecordView const& view, AskedFor const& asked, std::string& scratch)
    {
        if (kinds_.size() >= kinds_max || texts_.size() >= texts_max) {
            kinds_.clear();
            texts_.clear();
        }
        KindKey key {};
        write_principal_key(scratch, view, asked);
        key[0] = texts_.of(scratch);
        scratch.assign(view.decision).append(view.policies);
        key[1] = texts_.of(scratch);
        key[2] = texts_.of(view.action);
        key[3] = texts_.of(view.resource);
        key[4] = texts_.of(view.purpose);
        write_rest_key(scratch, view, asked);
        key[5] = texts_.of(scratch);
        auto const [kind, is_new] = kinds_.try_emplace(key);
        return { &kind->second, is_new };
    }

private:
    TextNumbers texts_;
    std::unordered_map<KindKey, Place, KindKeyHash> kinds_;
};

} // namespace writ::replay

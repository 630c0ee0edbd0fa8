// SPDX-License-Identifier: Apache-2.0
#include "cedar/program.h"

#include <utility>

namespace writ::cedar {

namespace {

std::uint64_t mixed(std::uint64_t state, std::uint64_t word)
{
    auto const product = static_cast<unsigned __int128>(state ^ word) * 0x9E37'79B9'7F4A'7C15U;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

template <typename Word>
std::uint64_t load(char const* at)
{
    Word word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
}

// Eight bytes at a time; the last ones may be read twice.
std::uint64_t hash_text(std::uint64_t state, std::string const& text)
{
    auto const* const begin = text.data();
    auto const size = text.size();
    state ^= size;
    if (size > 8) {
        for (std::size_t at = 0; at + 8 < size; at += 8)
            state = mixed(state, load<std::uint64_t>(begin + at));
        return mixed(state, load<std::uint64_t>(begin + size - 8));
    }
    if (size >= 4)
        return mixed(state, load<std::uint32_t>(begin) << 32U | load<std::uint32_t>(begin + size - 4));
    if (size == 0)
        return mixed(state, 0);
    return mixed(state, load<std::uint8_t>(begin) << 16U | load<std::uint8_t>(begin + size / 2) << 8U | load<std::uint8_t>(begin + size - 1));
}

} // namespace

std::uint64_t EntityIndex::hash(EntityUid const& uid) { return hash_text(hash_text(0xC4CE'B9FE'1A85'EC53U, uid.type), uid.id); }

void EntityIndex::reserve(std::size_t count)
{
    std::size_t cells = 16;
    while (cells < count * 2)
        cells *= 2;
    if (cells <= cells_.size())
        return;
    auto const old = std::exchange(cells_, decltype(cells_)(cells));
    for (auto const& cell : old)
        if (cell.index != no_index)
            place(cell);
}

void EntityIndex::place(Cell cell)
{
    auto at = cell.hash & (cells_.size() - 1);
    while (cells_[at].index != no_index)
        at = (at + 1) & (cells_.size() - 1);
    cells_[at] = cell;
}

void EntityIndex::insert(std::uint32_t index, std::uint64_t hash)
{
    if (++count_ * 2 > cells_.size())
        reserve(count_);
    place({ hash, index });
}

void EntityIndex::renumber(std::span<std::uint32_t const> new_index)
{
    for (auto& cell : cells_)
        if (cell.index != no_index)
            cell.index = new_index[cell.index];
}

bool Program::is_called(EntityRow const& row, EntityUid const& uid)
{
    std::uint32_t type_bytes = 0;
    auto const* const name = row.name();
    std::memcpy(&type_bytes, name, sizeof type_bytes);
    if (type_bytes != uid.type.size() || row.name_bytes != sizeof type_bytes + type_bytes + uid.id.size())
        return false;
    auto const* const text = name + sizeof type_bytes;
    return std::string_view(text, type_bytes) == uid.type && std::string_view(text + type_bytes, uid.id.size()) == uid.id;
}

} // namespace writ::cedar

// SPDX-License-Identifier: Apache-2.0
#include "cedar/program.h"

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
    auto const old = std::exchange(cells_, std::vector<Cell>(cells));
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

void EntityIndex::insert(std::uint32_t index, EntityUid const& uid)
{
    if (++count_ * 2 > cells_.size())
        reserve(count_);
    // LIMIT: 4 GiB of names; a store of that size does not fit a process.
    auto const at = static_cast<std::uint32_t>(text_.size());
    ASSERT(text_.size() + uid.type.size() + uid.id.size() + 8 < no_index);
    std::uint32_t const lengths[] = { static_cast<std::uint32_t>(uid.type.size()), static_cast<std::uint32_t>(uid.id.size()) };
    text_.append(reinterpret_cast<char const*>(lengths), sizeof lengths).append(uid.type).append(uid.id);
    place({ hash(uid), index, at });
}

std::uint32_t EntityIndex::find(EntityUid const& uid, std::uint64_t wanted) const
{
    if (cells_.empty())
        return no_index;
    for (auto at = wanted & (cells_.size() - 1); cells_[at].index != no_index; at = (at + 1) & (cells_.size() - 1))
        if (cells_[at].hash == wanted && is_at(uid, cells_[at].text))
            return cells_[at].index;
    return no_index;
}

bool EntityIndex::is_at(EntityUid const& uid, std::size_t at) const
{
    std::uint32_t lengths[2];
    std::memcpy(lengths, text_.data() + at, sizeof lengths);
    if (lengths[0] != uid.type.size() || lengths[1] != uid.id.size())
        return false;
    auto const text = std::string_view(text_).substr(at + sizeof lengths, lengths[0] + lengths[1]);
    return text.starts_with(uid.type) && text.ends_with(uid.id);
}

} // namespace writ::cedar

// SPDX-License-Identifier: Apache-2.0
#include "tlog/tile.h"

#include <algorithm>
#include <bit>
#include <charconv>

namespace writ::tlog {

namespace {

constexpr int tile_height = 8;
constexpr int level_max = 63; // C2SP tlog-tiles
constexpr std::uint64_t index_group = 1000;

std::string three_digits(std::uint64_t number)
{
    auto const digits = std::to_string(number);
    return std::string(3 - digits.size(), '0') + digits;
}

// SPEC: C2SP tlog-tiles: three digits an element, all but the last with an `x` in front.
std::string index_path(std::uint64_t index)
{
    auto path = three_digits(index % index_group);
    for (index /= index_group; index > 0; index /= index_group)
        path.insert(0, "x" + three_digits(index % index_group) + "/");
    return path;
}

std::string level_path(TileName const& name)
{
    return "tile/" + (name.level ? std::to_string(*name.level) : "entries") + "/" + index_path(name.index);
}

std::string_view take_element(std::string_view& path)
{
    auto const element = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), element.size() + 1));
    return element;
}

std::optional<std::uint64_t> parse_number(std::string_view text)
{
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

std::size_t length_at(BytesView bundle) { return std::size_t(bundle[0]) << 8U | bundle[1]; }

} // namespace

std::string TileName::path() const
{
    auto path = level_path(*this);
    if (!is_full())
        path += ".p/" + std::to_string(width);
    return path;
}

std::string partial_folder(TileName const& name) { return level_path(name) + ".p"; }

Result<TileName> parse_tile_path(std::string_view text)
{
    auto const error = invalid_argument("`" + std::string(text) + "` is not the path of a tile");
    auto rest = text;
    if (take_element(rest) != "tile")
        return error;
    TileName name;
    if (auto const level = take_element(rest); level != "entries") {
        auto const number = parse_number(level);
        if (!number || *number > level_max)
            return error;
        name.level = static_cast<int>(*number);
    }
    auto element = take_element(rest);
    for (; element.starts_with('x'); element = take_element(rest)) {
        auto const group = parse_number(element.substr(1));
        if (!group || name.index >= tree_size_max / index_group)
            return error;
        name.index = (name.index + *group) * index_group;
    }
    auto const group = parse_number(element.substr(0, 3));
    if (!group)
        return error;
    name.index += *group;
    if (element.ends_with(".p"))
        name.width = parse_number(take_element(rest)).value_or(0);
    // One name has one path: whatever was read loosely above shows here.
    if (name.width == 0 || name.width > tile_width || name.path() != text)
        return error;
    return name;
}

Bytes tile_bytes(std::span<Hash const> hashes)
{
    Bytes bytes;
    bytes.reserve(hashes.size() * sizeof(Hash));
    for (auto const& hash : hashes)
        bytes.insert(bytes.end(), hash.begin(), hash.end());
    return bytes;
}

Result<std::vector<Hash>> parse_tile(BytesView bytes, std::uint64_t width)
{
    if (bytes.size() != width * sizeof(Hash))
        return corruption("has " + std::to_string(bytes.size()) + " bytes and should have " + std::to_string(width * sizeof(Hash)));
    std::vector<Hash> hashes(width);
    for (auto& hash : hashes) {
        std::copy_n(bytes.begin(), sizeof(Hash), hash.begin());
        bytes = bytes.subspan(sizeof(Hash));
    }
    return hashes;
}

void append_entry(Bytes& bundle, BytesView entry)
{
    ASSERT(entry.size() <= 0xffff);
    bundle.push_back(static_cast<std::uint8_t>(entry.size() >> 8U));
    bundle.push_back(static_cast<std::uint8_t>(entry.size()));
    bundle.insert(bundle.end(), entry.begin(), entry.end());
}

Result<std::vector<BytesView>> parse_bundle(BytesView bytes, std::uint64_t width)
{
    std::vector<BytesView> entries;
    while (entries.size() < width) {
        if (bytes.size() < 2 || bytes.size() - 2 < length_at(bytes))
            return corruption("ends within its entry " + std::to_string(entries.size()));
        entries.push_back(bytes.subspan(2, length_at(bytes)));
        bytes = bytes.subspan(2 + length_at(bytes));
    }
    if (!bytes.empty())
        return corruption("has bytes behind its last entry");
    return entries;
}

Hash root_of_hashes(std::span<Hash const> hashes)
{
    ASSERT(std::has_single_bit(hashes.size()));
    if (hashes.size() == 1)
        return hashes[0];
    std::vector<Hash> nodes(hashes.size() / 2);
    node_hashes(hashes, nodes);
    while (nodes.size() > 1) {
        std::vector<Hash> parents(nodes.size() / 2);
        node_hashes(nodes, parents);
        nodes = std::move(parents);
    }
    return nodes[0];
}

TiledTree::TiledTree(std::uint64_t size, std::vector<std::vector<Hash>> levels)
    : size_(size)
    , levels_(std::move(levels))
{
    for (std::size_t level = 0; level < levels_.size(); ++level)
        ASSERT(levels_[level].size() == (size >> (level * tile_height)) % tile_width);
}

void TiledTree::append(Hash const& leaf, std::vector<TileFile>& filled)
{
    ++size_;
    auto node = leaf;
    for (int level = 0;; ++level) {
        if (levels_.size() == static_cast<std::size_t>(level))
            levels_.emplace_back();
        auto& hashes = levels_[static_cast<std::size_t>(level)];
        hashes.push_back(node);
        if (hashes.size() < tile_width)
            return;
        auto const tiles = size_ >> static_cast<unsigned>((level + 1) * tile_height);
        filled.push_back({ .name = { .level = level, .index = tiles - 1 }, .bytes = tile_bytes(hashes) });
        node = root_of_hashes(hashes);
        hashes.clear();
    }
}

Hash TiledTree::root() const
{
    // The complete subtrees from right to left: each level's partial tile is cut into powers of two, smallest rightmost.
    std::optional<Hash> root;
    for (auto const& hashes : levels_) {
        auto rest = std::span<Hash const>(hashes);
        while (!rest.empty()) {
            auto const count = std::size_t(1) << static_cast<unsigned>(std::countr_zero(rest.size()));
            auto const subtree = root_of_hashes(rest.last(count));
            root = root ? node_hash(subtree, *root) : subtree;
            rest = rest.first(rest.size() - count);
        }
    }
    return root.value_or(empty_root());
}

std::vector<TileFile> TiledTree::partial_tiles() const
{
    std::vector<TileFile> files;
    for (std::size_t level = 0; level < levels_.size(); ++level)
        if (auto const& hashes = levels_[level]; !hashes.empty())
            files.push_back(
                { .name = { .level = static_cast<int>(level), .index = size_ >> ((level + 1) * tile_height), .width = hashes.size() },
                    .bytes = tile_bytes(hashes) });
    return files;
}

std::span<Hash const> TiledTree::partial_hashes(int level) const
{
    auto const position = static_cast<std::size_t>(level);
    return position < levels_.size() ? std::span<Hash const>(levels_[position]) : std::span<Hash const>();
}

} // namespace writ::tlog

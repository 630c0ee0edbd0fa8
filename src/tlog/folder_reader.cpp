// SPDX-License-Identifier: Apache-2.0
#include "tlog/folder_reader.h"

#include "tlog/folder_tiles.h"
#include "tlog/log_folder.h"
#include "tlog/retention.h"
#include "tlog/tile_reader.h"

#include <algorithm>

namespace writ::tlog {

Result<FolderReader> FolderReader::open(Path folder, std::optional<NoteVerifier> verifier)
{
    auto const key = verifier ? *std::move(verifier) : TRY(read_verifier(folder));
    auto note = to_text(TRY(read_file(folder / "checkpoint", public_checkpoint_bytes_max)));
    auto checkpoint = TRY(verify_checkpoint(note, key));
    auto const first_kept = TRY(read_dropped(FolderTiles(folder)));
    return FolderReader(std::move(folder), std::move(checkpoint), std::move(note), first_kept);
}

// A partial file may have given way to a fuller one since the checkpoint was read.
Result<FolderReader::Content> FolderReader::read(TileName name) const
{
    auto const size_max = name.level ? tile_width * sizeof(Hash) : bundle_bytes_max;
    for (auto wanted = name; name.width <= tile_width; ++name.width) {
        auto bytes = read_file(folder_ / name.path(), size_max);
        if (bytes.is_ok())
            return Content { name, std::move(*bytes) };
        if (bytes.error().code != ErrorCode::not_found)
            return bytes.error();
        if (name.width == tile_width)
            return corruption("`" + wanted.path() + "` is missing");
    }
    return corruption("`" + name.path() + "` is no file of a log");
}

Result<std::vector<Bytes>> FolderReader::read_range(std::uint64_t first, std::size_t count) const
{
    std::vector<Bytes> entries;
    if (first >= checkpoint_.size)
        return entries;
    if (first < first_kept_)
        return dropped_error(first);
    auto const index = first / tile_width;
    auto const width = std::min(tile_width, checkpoint_.size - index * tile_width);
    auto const bundle = TRY(read({ .level = std::nullopt, .index = index, .width = width }));
    auto const tile = TRY(read({ .level = 0, .index = index, .width = width }));
    auto const parsed = TRY(parse_bundle(bundle.bytes, bundle.name.width).in("`" + bundle.name.path() + "`"));
    auto const leaves = TRY(parse_tile(tile.bytes, tile.name.width).in("`" + tile.name.path() + "`"));
    for (auto i = first % tile_width; i < width && entries.size() < count; ++i) {
        if (leaf_hash(parsed[i]) != leaves[i])
            return corruption("`" + bundle.name.path() + "`: entry " + std::to_string(index * tile_width + i) + " is not what was written");
        entries.emplace_back(parsed[i].begin(), parsed[i].end());
    }
    return entries;
}

} // namespace writ::tlog

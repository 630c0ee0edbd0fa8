// SPDX-License-Identifier: Apache-2.0
#include "tlog/folder_reader.h"

#include "tlog/entry_reader.h"
#include "tlog/folder_tiles.h"
#include "tlog/journal.h"
#include "tlog/log_folder.h"
#include "tlog/retention.h"
#include "tlog/tile_reader.h"

#include <algorithm>

namespace writ::tlog {

// LIMIT: an authority that publishes and lets its journal go may move the one on while we read the other, but not each time.
static constexpr int attempts_max = 5;

Result<FolderReader> FolderReader::open(Path folder, std::optional<NoteVerifier> verifier)
{
    auto const key = verifier ? *std::move(verifier) : TRY(read_verifier(folder));
    for (int attempt = 1;; ++attempt) {
        auto note = to_text(TRY(read_regular_file(folder / "checkpoint", public_checkpoint_bytes_max)));
        auto checkpoint = TRY(verify_checkpoint(note, key));
        auto journal = read_journal(folder / "journal", checkpoint.size);
        if (attempt < attempts_max && (journal.is_error() || journal->first() > checkpoint.size))
            continue;
        auto contents = std::make_shared<JournalContents const>(TRY(std::move(journal)));
        if (contents->first() > checkpoint.size)
            return corruption("the journal begins with entry " + std::to_string(contents->first()) + ", but `checkpoint` covers "
                + std::to_string(checkpoint.size) + ": a copy that was made in another order?");
        auto const first_kept = TRY(read_dropped(FolderTiles(folder)));
        return FolderReader(std::move(folder),
            { .checkpoint = std::move(checkpoint), .note = std::move(note), .journal = std::move(contents), .first_kept = first_kept });
    }
}

std::uint64_t FolderReader::size() const { return std::max(checkpoint_.size, journal_->end()); }

std::vector<Bytes> FolderReader::read_unpublished(std::uint64_t first, std::size_t count) const
{
    std::vector<Bytes> entries;
    if (first >= size())
        return entries;
    auto const& group = journal_->holding(first);
    for (auto const end = first + std::min<std::uint64_t>(count, group.end() - first); first < end; ++first) {
        auto const record = group.record(first);
        entries.emplace_back(record.begin(), record.end());
    }
    return entries;
}

// A partial file may have given way to a fuller one since the checkpoint was read.
Result<FolderReader::Content> FolderReader::read(TileName name) const
{
    auto const size_max = name.level ? tile_width * sizeof(Hash) : bundle_bytes_max;
    for (auto wanted = name; name.width <= tile_width; ++name.width) {
        auto bytes = read_regular_file(folder_ / name.path(), size_max);
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
    if (first >= checkpoint_.size)
        return read_unpublished(first, count);
    std::vector<Bytes> entries;
    if (count == 1) {
        if (auto entry = TRY(entries_->read(first))) {
            entries.push_back(std::move(*entry));
            return entries;
        }
    }
    if (first < first_kept_)
        return dropped_error(first);
    auto const index = first / tile_width;
    auto const width = std::min(tile_width, checkpoint_.size - index * tile_width);
    auto const bundle = TRY(read({ .level = std::nullopt, .index = index, .width = width }));
    auto const tile = TRY(read({ .level = 0, .index = index, .width = width }));
    auto const parsed = TRY(parse_bundle(bundle.bytes, bundle.name.width).in("`" + bundle.name.path() + "`"));
    auto const leaves = TRY(parse_tile(tile.bytes, tile.name.width).in("`" + tile.name.path() + "`"));
    auto const offset = first % tile_width;
    auto const asked = std::span(parsed).subspan(offset, std::min<std::size_t>(count, width - offset));
    std::vector<Hash> found(asked.size());
    leaf_hashes(asked, found);
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (found[i] != leaves[offset + i])
            return corruption("`" + bundle.name.path() + "`: entry " + std::to_string(first + i) + " is not what was written");
        entries.emplace_back(asked[i].begin(), asked[i].end());
    }
    return entries;
}

} // namespace writ::tlog

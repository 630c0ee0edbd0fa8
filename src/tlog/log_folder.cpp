// SPDX-License-Identifier: Apache-2.0
#include "tlog/log_folder.h"

#include "base/held_folder.h"
#include "tlog/folder_tiles.h"
#include "tlog/head_file.h"
#include "tlog/retention.h"
#include "tlog/tile_reader.h"

#include <algorithm>

namespace writ::tlog {

namespace {

// LIMIT: a verifier's text has 200 bytes.
constexpr std::size_t small_file_max = 64U << 10U;

// Tiles that were not finished.
Result<> remove_unfinished_tiles(Path const& folder)
{
    std::error_code error;
    std::vector<Path> unfinished;
    for (std::filesystem::directory_iterator entry(folder / "tmp", error), end; !error && entry != end; entry.increment(error))
        unfinished.push_back(entry->path());
    for (auto const& path : unfinished)
        if (!error)
            std::filesystem::remove(path, error);
    if (error)
        return errno_error("tidy `" + (folder / "tmp").string() + "`", error.value());
    return {};
}

// Whether the folder has been this signer's log before.
Result<bool> is_known(Path const& folder, NoteSigner const& signer)
{
    auto const verifier = read_verifier(folder);
    if (verifier.is_error() && verifier.error().code == ErrorCode::not_found)
        return false;
    auto const written = TRY(verifier).to_text();
    if (written != signer.verifier().to_text())
        return conflict("`" + folder.string() + "` is the log of `" + written + "`");
    return true;
}

Result<Checkpoint> verify_own(std::string const& note, NoteVerifier const& verifier)
{
    auto checkpoint = TRY(verify_checkpoint(note, verifier));
    if (checkpoint.origin != verifier.name)
        return corruption("is of another log, `" + checkpoint.origin + "`");
    return checkpoint;
}

// The public one; empty: none yet.
Result<std::string> read_checkpoint(TileStore const& tiles, bool is_needed, bool is_first_version)
{
    auto const bytes = tiles.get("checkpoint", public_checkpoint_bytes_max);
    if (bytes.is_error() && bytes.error().code == ErrorCode::not_found)
        return is_needed ? Result<std::string>(corruption("`checkpoint` is missing")) : std::string();
    auto note = to_text(TRY(bytes));
    // The first version did not sync it before its name was there: power loss may have left no bytes. What the journal and the tiles hold
    // makes another.
    if (is_first_version && std::ranges::all_of(note, [](char character) { return character == '\0'; }))
        return std::string();
    return note.empty() ? Result<std::string>(corruption("`checkpoint` is empty")) : note;
}

// SECURITY: what a checkpoint covers must be what the journal and the tiles hold, before anything is signed on top of it.
Result<SealedPtr> check_against(std::string const& note, NoteVerifier const& verifier, OpenedFolder const& opened)
{
    auto const stored = TRY(verify_own(note, verifier));
    if (stored.size > opened.journal.end())
        return corruption(
            "covers " + std::to_string(stored.size) + " entries, but the journal ends with entry " + std::to_string(opened.journal.end()));
    if (stored.size < opened.settled)
        return corruption(
            "covers " + std::to_string(stored.size) + " entries, but the journal has left " + std::to_string(opened.settled) + " to it");
    auto tree = opened.tree;
    std::vector<TileFile> filled;
    for (auto index = opened.settled; index < stored.size; ++index) {
        tree.append(opened.journal.holding(index).leaf(index), filled);
        filled.clear();
    }
    if (tree.root() != stored.root)
        return corruption("some entry before " + std::to_string(stored.size) + " is not the one that it covers");
    return std::make_shared<Sealed const>(Sealed { .checkpoint = stored, .note = note, .tree = std::move(tree) });
}

// The strict store's checkpoint and the public one, both true of the journal and the tiles, and in that order.
Result<> check_checkpoints(OpenedFolder& opened, NoteVerifier const& verifier)
{
    SealedPtr published;
    if (!opened.published.empty())
        published = TRY(check_against(opened.published, verifier, opened).in("`checkpoint`"));
    if (!opened.stored.empty())
        opened.sealed = TRY(check_against(opened.stored, verifier, opened).in("the newest checkpoint"));
    if (opened.sealed && published && published->checkpoint.size > opened.sealed->checkpoint.size)
        return corruption("`checkpoint` covers " + std::to_string(published->checkpoint.size) + " entries, but the newest one "
            + std::to_string(opened.sealed->checkpoint.size));
    if (!opened.sealed)
        opened.sealed = published; // there was no strict store in the first version
    return {};
}

} // namespace

Result<NoteVerifier> read_verifier(Path const& folder)
{
    auto const bytes = TRY(read_regular_file(folder / "verifier", small_file_max));
    auto const text = as_text(bytes);
    auto verifier = NoteVerifier::parse(text.substr(0, text.find('\n')));
    if (verifier.is_error() || verifier->to_text() + "\n" != text)
        return corruption("`verifier` is not a verifier key");
    return verifier;
}

Result<> write_verifier(Path const& folder, TileStore& tiles, NoteSigner const& signer)
{
    TRY(tiles.settle({ "checkpoint" }));
    auto const created = create_file(folder / "verifier", as_bytes(signer.verifier().to_text() + "\n"));
    return created.is_error() && created.error().code == ErrorCode::conflict ? Result<>() : created;
}

Result<OpenedFolder> open_folder(Path const& folder, NoteSigner const& signer, LogSeams const& seams)
{
    for (auto const* const name : { "journal", "tile", "tmp" })
        TRY(create_folder(folder / name));
    OpenedFolder opened;
    opened.lock = TRY(lock_folder(folder));
    TRY(remove_unfinished(folder));
    TRY(remove_unfinished_tiles(folder));
    auto const known = TRY(is_known(folder, signer));
    opened.journal = TRY(read_journal(folder / "journal"));
    opened.settled = (opened.journal.first() + tile_width - 1) / tile_width * tile_width;
    if (opened.settled > opened.journal.end())
        return corruption(
            "the journal begins with entry " + std::to_string(opened.journal.first()) + " and ends before the bundle of that entry does");
    auto const is_first_version = opened.journal.is_of_first_version();
    opened.storage = seams.storage(
        { .checkpoints = TRY(HeadFile::open(folder, is_first_version)), .tiles = std::make_unique<FolderTiles>(folder) });
    opened.published = TRY(read_checkpoint(*opened.storage.tiles, known, is_first_version));
    opened.stored = TRY(opened.storage.checkpoints->load());
    opened.dropped = TRY(read_dropped(*opened.storage.tiles));
    if (opened.dropped > opened.settled)
        return corruption("`dropped` is beyond what the journal has let go");
    TRY(check_tiles_are_there(*opened.storage.tiles, opened.dropped, opened.settled));
    opened.tree = TRY(read_tree(*opened.storage.tiles, opened.settled));
    TRY(check_checkpoints(opened, signer.verifier()));
    return opened;
}

} // namespace writ::tlog

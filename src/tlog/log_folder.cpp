// SPDX-License-Identifier: Apache-2.0
#include "tlog/log_folder.h"

#include "tlog/tile_reader.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>

namespace writ::tlog {

namespace {

// LIMIT: our own checkpoints have 200 bytes, a verifier's text as many.
constexpr std::size_t small_file_max = 64U << 10U;

Result<UniqueFd> lock_folder(Path const& folder)
{
    auto const path = folder / "lock";
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd.is_open())
        return errno_error("open `" + path.string() + "`", errno);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
        return conflict("`" + folder.string() + "` is held by another process");
    return fd;
}

// What base's replace_file() and create_file() left when they were interrupted, and our own unfinished tiles.
Result<> remove_unfinished(Path const& folder)
{
    std::error_code error;
    std::vector<Path> unfinished;
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        if (entry->path().filename().string().find(".tmp.") != std::string::npos)
            unfinished.push_back(entry->path());
    if (!error)
        std::filesystem::remove(folder / "tmp" / "file", error);
    for (auto const& path : unfinished)
        if (!error)
            std::filesystem::remove(path, error);
    if (error)
        return errno_error("tidy `" + folder.string() + "`", error.value());
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

struct SignedCheckpoint {
    Checkpoint checkpoint;
    std::string note;
};

Result<std::optional<SignedCheckpoint>> read_checkpoint(Path const& folder, NoteVerifier const& verifier, bool is_needed)
{
    auto const bytes = read_file(folder / "checkpoint", small_file_max);
    if (bytes.is_error() && bytes.error().code == ErrorCode::not_found && is_needed)
        return corruption("`checkpoint` is missing");
    if (bytes.is_error() && bytes.error().code == ErrorCode::not_found)
        return std::optional<SignedCheckpoint>();
    auto note = to_text(TRY(bytes));
    // Its name was there before its bytes were on the disk: power loss may have left none. What the journal and the tiles hold makes
    // another.
    if (std::ranges::all_of(note, [](char character) { return character == '\0'; }))
        return std::optional<SignedCheckpoint>();
    auto checkpoint = TRY(verify_checkpoint(note, verifier));
    if (checkpoint.origin != verifier.name)
        return corruption("`checkpoint` is of another log, `" + checkpoint.origin + "`");
    return std::optional(SignedCheckpoint { .checkpoint = std::move(checkpoint), .note = std::move(note) });
}

// SECURITY: what the checkpoint covers must be what the journal and the tiles hold, before anything is signed on top of it.
Result<std::shared_ptr<Published const>> check_against(SignedCheckpoint const& stored, OpenedFolder const& opened)
{
    auto const covered = stored.checkpoint.size;
    if (covered > opened.journal.end())
        return corruption("the journal ends with entry " + std::to_string(opened.journal.end()) + ", but the checkpoint covers "
            + std::to_string(covered));
    if (covered < opened.settled)
        return corruption("the checkpoint covers " + std::to_string(covered) + " entries, but the journal has left "
            + std::to_string(opened.settled) + " to it");
    auto tree = opened.tree;
    std::vector<TileFile> filled;
    for (auto index = opened.settled; index < covered; ++index) {
        tree.append(opened.journal.entries[index - opened.journal.first()]->leaf, filled);
        filled.clear();
    }
    if (tree.root() != stored.checkpoint.root)
        return corruption("some entry before " + std::to_string(covered) + " is not the one that the checkpoint covers");
    return std::make_shared<Published const>(Published { .checkpoint = stored.checkpoint, .note = stored.note, .tree = std::move(tree) });
}

} // namespace

Result<NoteVerifier> read_verifier(Path const& folder)
{
    auto const bytes = TRY(read_file(folder / "verifier", small_file_max));
    auto const text = as_text(bytes);
    auto verifier = NoteVerifier::parse(text.substr(0, text.find('\n')));
    if (verifier.is_error() || verifier->to_text() + "\n" != text)
        return corruption("`verifier` is not a verifier key");
    return verifier;
}

Result<> write_verifier(Path const& folder, NoteSigner const& signer)
{
    auto const text = signer.verifier().to_text() + "\n";
    UniqueFd const checkpoint(::open((folder / "checkpoint").c_str(), O_RDONLY | O_CLOEXEC));
    if (!checkpoint.is_open() || ::fsync(checkpoint.get()) != 0)
        return errno_error("sync `" + (folder / "checkpoint").string() + "`", errno);
    TRY(sync_folder(folder));
    auto const created = create_file(folder / "verifier", as_bytes(text));
    return created.is_error() && created.error().code == ErrorCode::conflict ? Result<>() : created;
}

Result<OpenedFolder> open_folder(Path const& folder, NoteSigner const& signer)
{
    for (auto const* const name : { "journal", "tile", "tmp" })
        TRY(create_folder(folder / name));
    OpenedFolder opened;
    opened.lock = TRY(lock_folder(folder));
    TRY(remove_unfinished(folder));
    auto const stored = TRY(read_checkpoint(folder, signer.verifier(), TRY(is_known(folder, signer))));

    opened.journal = TRY(read_journal(folder / "journal"));
    opened.settled = (opened.journal.first() + tile_width - 1) / tile_width * tile_width;
    if (opened.settled > opened.journal.end())
        return corruption(
            "the journal begins with entry " + std::to_string(opened.journal.first()) + " and ends before the bundle of that entry does");
    opened.tree = TRY(read_tree(folder, opened.settled));
    if (stored)
        opened.published = TRY(check_against(*stored, opened));
    return opened;
}

} // namespace writ::tlog

// SPDX-License-Identifier: Apache-2.0
#include "tlog/head_file.h"
#include "tlog/log_folder.h"
#include "tlog/folder_tiles.h"
#include "tlog/retention.h"
#include "tlog/tile_reader.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <map>
#include <sys/file.h>

namespace writ::tlog {

namespace {

using Progress = std::function<void(std::uint64_t, std::uint64_t)>;
using Visit = std::function<void(std::uint64_t, BytesView)>;

std::string entry_name(std::uint64_t index) { return "entry " + std::to_string(index); }

bool is_same(BytesView left, BytesView right) { return std::ranges::equal(left, right); }

// LIMIT: how often we look again for what a live log has moved meanwhile.
constexpr int live_attempts = 10;

// What the first `width` hashes or entries of a file take of it.
Result<Bytes> first_of(Bytes bytes, TileName const& name, std::uint64_t width)
{
    if (name.level) {
        TRY(parse_tile(bytes, name.width));
        bytes.resize(width * sizeof(Hash));
        return bytes;
    }
    auto const entries = parse_bundle(bytes, name.width);
    if (entries.is_error())
        return corruption("near " + entry_name(name.index * tile_width) + ": " + entries.error().message);
    std::size_t size = 0;
    for (auto const& entry : std::span(*entries).first(width))
        size += 2 + entry.size();
    bytes.resize(size);
    return bytes;
}

class FolderVerifier {
public:
    FolderVerifier(Path folder, Progress progress, Visit visit)
        : folder_(std::move(folder))
        , progress_(std::move(progress))
        , visit_(std::move(visit))
    {
    }

    Result<FolderReport> verify(std::optional<NoteVerifier> const& verifier)
    {
        is_live_ = TRY(is_held());
        TRY(read_consistently(verifier));
        dropped_ = TRY(read_dropped(FolderTiles(folder_))); // behind the journal: what it has let go may be dropped, no more
        if (dropped_ > journal_.first() && !is_live_)
            return corruption("`dropped` is beyond what the journal has let go");
        if (checkpoint_.size > journal_.end())
            return corruption("`checkpoint` covers " + std::to_string(checkpoint_.size) + " entries, but the journal ends with "
                + std::to_string(journal_.end()));
        TRY(verify_published());
        TRY(verify_unpublished());
        if (!is_live_) // there they come and go while we read
            TRY(verify_other_files());
        return FolderReport {
            .size = tree_.size(), .unpublished = tree_.size() - checkpoint_.size, .dropped = dropped_, .origin = checkpoint_.origin, .root = checkpoint_.root
        };
    }

private:
    Result<bool> is_held();
    Result<> read_consistently(std::optional<NoteVerifier> const&);
    Result<> read_signed(std::optional<NoteVerifier> const&);
    Result<> read_newest();
    Result<> check_order() const;
    Result<> verify_head();
    Result<Bytes> read_content(TileName const&);
    Result<> verify_published();
    Result<> verify_bundle(std::uint64_t index, std::uint64_t width);
    Result<> verify_dropped(std::uint64_t index);
    Result<bool> is_dropped(std::uint64_t index);
    Result<> verify_tiles(std::vector<TileFile> const&);
    Result<> verify_unpublished();
    Result<> verify_other_files();
    Result<> verify_tile_file(TileName const&);
    Result<Bytes> content_of(TileName const&);

    void differs(std::string entry, std::string tile);
    // The group that has the journal's copy of an entry, if it still has it.
    [[nodiscard]] Group const* in_journal(std::uint64_t index) const
    {
        return index < journal_.first() || index >= journal_.end() ? nullptr : &journal_.holding(index);
    }

    Path folder_;
    Progress progress_;
    Visit visit_;
    std::uint64_t dropped_ = 0; // entries before it may be gone
    UniqueFd lock_; // keeps authorities from starting while we read
    bool is_live_ = false;
    std::optional<NoteVerifier> own_;
    Checkpoint checkpoint_;
    std::optional<Checkpoint> newest_; // as `head` has it
    JournalContents journal_;
    TiledTree tree_; // of the entries read so far
    // What the files at the right edge of the tree must hold, or begin with: those that are partial in the checkpoint's tree, and those
    // beyond it.
    std::map<TileName, Bytes> edge_;
    Bytes bundle_; // the partial one
    // The first difference between an entry and its hash in a tile, told both ways: only the root says which of the two was altered.
    std::string altered_entry_, altered_tile_;
};

// Whether an authority is writing to the folder now. A copy of a folder may have no `lock`.
Result<bool> FolderVerifier::is_held()
{
    lock_ = UniqueFd(::open((folder_ / "lock").c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!lock_.is_open() && errno != ENOENT)
        return errno_error("open `" + (folder_ / "lock").string() + "`", errno);
    return lock_.is_open() && ::flock(lock_.get(), LOCK_SH | LOCK_NB) != 0;
}

// A checkpoint and a journal that begins no later than it ends. Under a live log the one may move on while we read the other.
Result<> FolderVerifier::read_consistently(std::optional<NoteVerifier> const& verifier)
{
    for (int attempts_left = is_live_ ? live_attempts : 1;; --attempts_left) {
        TRY(read_signed(verifier));
        TRY(read_newest());
        auto journal = read_journal(folder_ / "journal");
        if (journal.is_ok() && journal->first() <= checkpoint_.size) {
            journal_ = std::move(*journal);
            return check_order();
        }
        if (attempts_left > 1)
            continue;
        if (journal.is_error())
            return journal.error();
        return corruption(
            "the journal begins with " + entry_name(journal->first()) + ", but `checkpoint` covers " + std::to_string(checkpoint_.size));
    }
}

// A tile or bundle; where a partial one has given way to a fuller one, under a live log, what that begins with.
Result<Bytes> FolderVerifier::read_content(TileName const& name)
{
    auto const size_max = name.level ? tile_width * sizeof(Hash) : bundle_bytes_max;
    for (int attempts_left = is_live_ ? live_attempts : 1; attempts_left > 0; --attempts_left)
        for (auto fuller = name; fuller.width <= (is_live_ ? tile_width : name.width); ++fuller.width) {
            auto bytes = read_regular_file(folder_ / fuller.path(), size_max);
            if (bytes.is_ok())
                return first_of(std::move(*bytes), fuller, name.width).in("`" + fuller.path() + "`");
            if (bytes.error().code == ErrorCode::resource_exhausted)
                return corruption("`" + fuller.path() + "` is longer than it can be");
            if (bytes.error().code != ErrorCode::not_found)
                return bytes;
        }
    return corruption("`" + name.path() + "` is missing");
}

Result<> FolderVerifier::read_signed(std::optional<NoteVerifier> const& verifier)
{
    auto written = read_verifier(folder_);
    if (written.is_error() && written.error().code == ErrorCode::not_found)
        return corruption("`verifier` is missing");
    auto const own = TRY(written);
    if (verifier && own.to_text() != verifier->to_text())
        return corruption("`verifier` is not the key that was given");
    auto const note = read_regular_file(folder_ / "checkpoint", public_checkpoint_bytes_max);
    if (note.is_error() && note.error().code == ErrorCode::not_found)
        return corruption("`checkpoint` is missing");
    checkpoint_ = TRY(verify_checkpoint(as_text(TRY(note)), own));
    if (checkpoint_.origin != own.name)
        return corruption("`checkpoint` is of another log, `" + checkpoint_.origin + "`");
    own_ = own;
    return {};
}

// Before the journal: that has all that `head` covers.
Result<> FolderVerifier::read_newest()
{
    auto const head = read_head(folder_);
    if (head.is_error() && head.error().code == ErrorCode::not_found)
        return {}; // check_order() says whether it may
    auto const slots = TRY(head).slots;
    if (!is_live_ && (!slots[0] || !slots[1]))
        return corruption("`head` is not what was written");
    for (auto const& slot : slots) {
        if (!slot || slot->checkpoint.empty())
            continue;
        auto checkpoint = TRY(verify_checkpoint(slot->checkpoint, *own_).in("`head`"));
        if (!newest_ || newest_->size < checkpoint.size)
            newest_ = std::move(checkpoint);
    }
    return {};
}

Result<> FolderVerifier::check_order() const
{
    if (!newest_ && !journal_.is_of_first_version())
        return corruption("`head` is missing, or covers nothing");
    if (!newest_)
        return {};
    if (newest_->size > journal_.end())
        return corruption("`head` covers " + std::to_string(newest_->size) + " entries, but the journal ends with "
            + std::to_string(journal_.end()));
    if (newest_->size < checkpoint_.size && !is_live_)
        return corruption("`checkpoint` covers " + std::to_string(checkpoint_.size) + " entries, but `head` " + std::to_string(newest_->size));
    return {};
}

void FolderVerifier::differs(std::string entry, std::string tile)
{
    if (altered_entry_.empty()) {
        altered_entry_ = std::move(entry);
        altered_tile_ = std::move(tile);
    }
}

Result<> FolderVerifier::verify_published()
{
    while (tree_.size() < checkpoint_.size) {
        auto const index = tree_.size() / tile_width;
        TRY(TRY(is_dropped(index)) ? verify_dropped(index) : verify_bundle(index, std::min(tile_width, checkpoint_.size - tree_.size())));
        if (progress_)
            progress_(tree_.size(), journal_.end());
    }
    auto const is_root = tree_.root() == checkpoint_.root;
    if (!altered_entry_.empty())
        return corruption(is_root ? altered_tile_ : altered_entry_);
    if (!is_root)
        return corruption("the entries and tiles agree with each other, but not with `checkpoint`");
    for (auto& tile : tree_.partial_tiles()) {
        if (!is_same(TRY(read_content(tile.name)), tile.bytes))
            return corruption("`" + tile.name.path() + "` is not the hash of the tiles below it");
    }
    return {};
}

// A bundle that retention has removed, or was about to.
Result<bool> FolderVerifier::is_dropped(std::uint64_t index)
{
    TileName const name { .level = std::nullopt, .index = index };
    std::error_code error;
    if (std::filesystem::exists(folder_ / name.path(), error) || error)
        return false;
    if (is_live_) // retention goes on while we read
        dropped_ = TRY(read_dropped(FolderTiles(folder_)));
    return (index + 1) * tile_width <= dropped_;
}

// Of entries that are gone the hashes, which the root still has to be made of.
Result<> FolderVerifier::verify_dropped(std::uint64_t index)
{
    std::vector<TileFile> filled;
    for (auto const& leaf : TRY(parse_tile(TRY(read_content({ .level = 0, .index = index })), tile_width)))
        tree_.append(leaf, filled);
    return verify_tiles(filled);
}

// Entries against their hashes in the tile above, and against the journal's copies.
Result<> FolderVerifier::verify_bundle(std::uint64_t index, std::uint64_t width)
{
    TileName const name { .level = std::nullopt, .index = index, .width = width };
    TileName const tile_name { .level = 0, .index = index, .width = width };
    auto const bytes = TRY(read_content(name));
    auto const entries = TRY(parse_bundle(bytes, width));
    auto const hashes = TRY(parse_tile(TRY(read_content(tile_name)), width));
    std::vector<TileFile> filled;
    std::vector<Hash> leaves(width);
    leaf_hashes(entries, leaves);
    for (std::uint64_t i = 0; i < width; ++i) {
        auto const number = index * tile_width + i;
        auto const& leaf = leaves[i];
        if (leaf != hashes[i])
            differs("`" + name.path() + "`: " + entry_name(number) + " is not what was written",
                "`" + tile_name.path() + "`: the hash of " + entry_name(number) + " is not what was written");
        if (auto const* const kept = in_journal(number); kept != nullptr && kept->leaf(number) != leaf)
            differs("`" + name.path() + "`: " + entry_name(number) + " is not what was written",
                "journal: " + entry_name(number) + " is not what was written");
        if (visit_)
            visit_(number, entries[i]);
        tree_.append(leaf, filled);
    }
    if (width < tile_width)
        bundle_ = bytes;
    return verify_tiles(filled);
}

Result<> FolderVerifier::verify_tiles(std::vector<TileFile> const& filled)
{
    for (auto const& tile : filled) {
        if (*tile.name.level == 0)
            continue; // compared hash by hash, which names the entry
        if (!is_same(TRY(read_content(tile.name)), tile.bytes))
            differs("`" + tile.name.path() + "` is not the hash of the tiles below it",
                "`" + tile.name.path() + "` is not the hash of the tiles below it");
    }
    return {};
}

// What the journal alone has; the tiles that it will become may be there already, or not yet.
Result<> FolderVerifier::verify_unpublished()
{
    std::vector<TileFile> filled;
    TRY(verify_head());
    while (tree_.size() < journal_.end()) {
        auto const number = tree_.size();
        auto const* const group = in_journal(number);
        if (group == nullptr)
            return corruption(entry_name(number) + " is neither published nor in the journal");
        append_entry(bundle_, group->record(number));
        if (visit_)
            visit_(number, group->record(number));
        auto const index = number / tile_width;
        tree_.append(group->leaf(number), filled);
        TRY(verify_head());
        if (tree_.size() % tile_width == 0) {
            edge_[{ .level = std::nullopt, .index = index }] = std::move(bundle_);
            bundle_ = {};
        }
    }
    for (auto& tile : filled)
        edge_[tile.name.full()] = std::move(tile.bytes);
    for (auto& tile : tree_.partial_tiles())
        edge_[tile.name.full()] = std::move(tile.bytes);
    edge_[{ .level = std::nullopt, .index = tree_.size() / tile_width }] = std::move(bundle_);
    return {};
}

// The newest checkpoint covers the tree of its size.
Result<> FolderVerifier::verify_head()
{
    if (newest_ && newest_->size == tree_.size() && newest_->root != tree_.root())
        return corruption("the entries before " + std::to_string(newest_->size) + " are not those that `head` covers");
    return {};
}

// Older partial tiles, and tiles beyond the checkpoint: nobody needs them, but whoever reads them must not be misled.
Result<> FolderVerifier::verify_other_files()
{
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator entry(folder_ / "tile", error), end; !error && entry != end;
         entry.increment(error)) {
        if (entry->is_directory(error))
            continue;
        auto const path = entry->path().lexically_relative(folder_).string();
        auto const name = parse_tile_path(path);
        if (name.is_error())
            return corruption("`" + path + "` is not a file of the log");
        TRY(verify_tile_file(*name));
    }
    if (error)
        return errno_error("list `" + (folder_ / "tile").string() + "`", error.value());
    return {};
}

Result<> FolderVerifier::verify_tile_file(TileName const& name)
{
    auto const is_at_edge = edge_.contains(name.full());
    if (name.is_full() && !is_at_edge) {
        // verify_published() has read every full file before the edge.
        auto const height = static_cast<unsigned>(name.level.value_or(0) + 1) * 8;
        auto const is_read = height < 64 && name.index < checkpoint_.size >> height;
        return is_read ? Result<>() : corruption("`" + name.path() + "` is beyond the log's end");
    }
    auto const wanted = TRY(content_of(name));
    auto const bytes = TRY(read_regular_file(folder_ / name.path(), bundle_bytes_max));
    auto const length = name.level ? name.width * sizeof(Hash) : bytes.size();
    auto const is_whole = name.level ? bytes.size() == length : parse_bundle(bytes, name.width).is_ok();
    if (!is_whole || wanted.size() < length || !is_same(bytes, BytesView(wanted).first(length)))
        return corruption("`" + name.path() + "` is not what was written");
    return {};
}

// What a file at the edge, or the full file of a partial one, holds.
Result<Bytes> FolderVerifier::content_of(TileName const& name)
{
    if (auto const edge = edge_.find(name.full()); edge != edge_.end())
        return edge->second;
    auto const bytes = read_regular_file(folder_ / name.full().path(), bundle_bytes_max);
    if (bytes.is_error())
        return corruption("`" + name.path() + "` is beyond the log's end");
    return bytes;
}

} // namespace

Result<FolderReport> verify_folder(
    Path const& folder, std::optional<NoteVerifier> verifier, Progress const& progress, Visit const& visit)
{
    return FolderVerifier(folder, progress, visit).verify(verifier);
}

} // namespace writ::tlog
